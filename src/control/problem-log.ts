// Tells the log about problems: once when one appears, once when it is resolved, and nothing while nothing changes.
import { formatRef, type Problem } from '../api/problem.ts';
import type { Logger } from '../lib/logger.ts';
import type { LocatedProblem } from '../provider/provider.ts';

/** Most lines about problems that appear, or are resolved, at once; the rest is counted in one more. */
const MAX_LINES = 100;

/** All problems of one owner (a Balancer, say) as of now. */
export interface OwnedProblems {
  readonly owner: string;
  readonly problems: readonly LocatedProblem[];
}

export class ProblemLog {
  readonly #log: Logger;
  /** By owner; of those that have any. */
  readonly #open = new Map<string, ReadonlyMap<string, Problem>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Takes what there is now of these owners; others keep what they have. `locate` is asked for problems that are new and
   * come without a place.
   */
  update(changed: Iterable<OwnedProblems>, locate: (problem: Problem) => LocatedProblem['location']): void {
    const appeared: LocatedProblem[] = [];
    const resolved: Problem[] = [];
    for (const { owner, problems } of changed) {
      const before = this.#open.get(owner);
      if (before === undefined && problems.length === 0) continue;
      const now = new Map(problems.map(({ problem }) => [identify(problem), problem]));
      if (now.size === 0) this.#open.delete(owner);
      else this.#open.set(owner, now);
      appeared.push(...problems.filter(({ problem }) => !before?.has(identify(problem))));
      for (const [key, problem] of before ?? []) if (!now.has(key)) resolved.push(problem);
    }
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
