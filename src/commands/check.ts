// The command `check`: reads files once, translates them, and prints what is wrong, sorted by place.
// Serves nothing and opens no port.
import { noticesFor } from '../api/in-force.ts';
import { formatRef, type Problem } from '../api/problem.ts';
import type { Options } from '../options.ts';
import { readFilesOnce } from '../provider/file/file-provider.ts';
import type { LocatedProblem, Reading } from '../provider/provider.ts';
import { translate } from '../translate/translate.ts';
import { translateOptions } from './translate-options.ts';
import { UserError, usageError } from './user-error.ts';

/** Prints `file:line:column: error: Balancer shop/app: …` for each problem. Resolves with the exit code. */
export async function check(paths: readonly string[], options: Options, print: (text: string) => void): Promise<0 | 1> {
  if (paths.length === 0) throw usageError('check needs the PATH of a file or a folder');
  const reading = await readOnce(paths);
  const { snapshot, balancers } = translate(reading.resources, translateOptions(options));
  const notices = [...reading.resources.balancers]
    .filter(([key]) => balancers.has(key))
    .flatMap(([, { balancer }]) => noticesFor(balancer));
  const problems = [...balancers.values()].flatMap((balancer) => balancer.problems);
  const found = [...problems, ...notices].map((problem) => ({ problem, location: reading.locate(problem) }));
  const all = [...reading.problems, ...found].sort(comparePlaces);
  for (const located of all) print(`${formatLocated(located)}\n`);
  const errors = all.filter(({ problem }) => problem.severity === 'error').length;
  const served = `${count(snapshot.balancers.size, 'Balancer')} of class ${options.className} can be served`;
  print(`${served}, ${count(errors, 'error')}, ${count(all.length - errors, 'notice')}\n`);
  return errors > 0 ? 1 : 0;
}

/** One line: place, severity, resource, field unless the message begins with it, message. */
export function formatLocated({ problem, location }: LocatedProblem): string {
  const place = location === null ? '' : `${location.file}:${location.line}:${location.column}: `;
  return `${place}${problem.severity}: ${subject(problem)}${problem.message}`;
}

function subject({ resource, path, message }: Problem): string {
  const ref = formatRef(resource);
  if (message.startsWith(ref)) return '';
  return path === '' || message.startsWith(path) ? `${ref}: ` : `${ref} ${path}: `;
}

async function readOnce(paths: readonly string[]): Promise<Reading> {
  try {
    return await readFilesOnce(paths);
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

function comparePlaces({ location: a }: LocatedProblem, { location: b }: LocatedProblem): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
