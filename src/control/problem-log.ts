// Tells the log about problems: once when one appears, once when it is resolved, and nothing while nothing changes.
import { formatRef, type Problem } from '../api/problem.ts';
import type { Logger } from '../lib/logger.ts';
import type { LocatedProblem } from '../provider/provider.ts';

/** Most lines about problems that appear, or are resolved, at once; the rest is counted in one more. */
const MAX_LINES = 100;

export class ProblemLog {
  readonly #log: Logger;
  #open = new Map<string, Problem>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Takes all problems that there are now. `locate` is asked for those that are new and come without a place. */
  update(problems: readonly LocatedProblem[], locate: (problem: Problem) => LocatedProblem['location']): void {
    const before = this.#open;
    this.#open = new Map(problems.map(({ problem }) => [identify(problem), problem]));
    const appeared = problems.filter(({ problem }) => !before.has(identify(problem)));
    const resolved = [...before].filter(([key]) => !this.#open.has(key)).map(([, problem]) => problem);
    for (const { problem, location } of appeared.slice(0, MAX_LINES)) {
      const place = location ?? locate(problem);
      const fields = { ...fieldsOf(problem), ...(place === null ? {} : { at: `${place.file}:${place.line}` }) };
      if (problem.severity === 'error') this.#log.warn(fields, 'problem found');
      else this.#log.info(fields, 'notice');
    }
    for (const problem of resolved.slice(0, MAX_LINES)) this.#log.info(fieldsOf(problem), 'problem resolved');
    const untold = Math.max(0, appeared.length - MAX_LINES) + Math.max(0, resolved.length - MAX_LINES);
    if (untold > 0) this.#log.warn({ count: untold }, 'more problems appeared or were resolved than are logged');
  }
}

function identify({ resource, path, message, severity }: Problem): string {
  return [severity, resource.kind, resource.namespace, resource.name, path, message].join('\n');
}

function fieldsOf({ resource, path, message }: Problem) {
  return { resource: formatRef(resource), ...(path === '' ? {} : { field: path }), problem: message };
}
