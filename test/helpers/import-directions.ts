// Which part of the source may import which, and a scan of the text that finds what breaks the rules.
// Plain text, not a parser: imports of this repository stand at the start of a line, and the formatter sees to that.
import { posix } from 'node:path';

/** A file that imports what it should not. */
export interface Violation {
  readonly file: string;
  readonly imported: string;
  /** Why it should not. */
  readonly reason: string;
}

/** Folders of src from the inside out. A file may import from its own folder and from levels further in. */
const levels: readonly (readonly string[])[] = [
  ['lib'],
  ['api', 'snapshot'],
  ['scoreboard', 'balancer', 'wire'],
  ['translate', 'dataplane', 'provider'],
  ['control', 'admin', 'importer'],
  ['main'],
];

/** What else holds between folders, whatever their levels. */
const bans: readonly { readonly from: readonly string[]; readonly to: string; readonly reason: string }[] = [
  {
    from: ['scoreboard', 'balancer', 'wire', 'dataplane'],
    to: 'api',
    reason: 'the data plane does not know what users write; it gets a snapshot',
  },
  {
    from: ['admin'],
    to: 'dataplane',
    reason: 'lanes are reached through messages and the scoreboard only',
  },
];

/** Imports between folders that the levels alone would forbid. None is needed so far. */
const exceptions: readonly { readonly from: string; readonly to: string; readonly reason: string }[] = [];

/** Packages that belong to one part. `where`: prefixes of paths below src. */
const packages: Readonly<Record<string, { readonly where: readonly string[]; readonly reason: string }>> = {
  '@kubernetes/client-node': {
    where: ['provider/kubernetes'],
    reason: 'one part talks to the API server; it is also slow to load',
  },
  yaml: {
    where: ['provider/file/', 'importer/manifest.ts', 'api/generate.ts'],
    reason: 'one part reads YAML, two tools write it; everything else has typed resources',
  },
  zod: { where: ['api/'], reason: 'the schemas are the one place that validates what users write' },
  'http-proxy-3': {
    where: ['dataplane/upgrade-request.ts'],
    reason: 'it carries upgraded connections only; plain requests through it can be smuggled',
  },
  pino: { where: ['main.ts', 'commands/'], reason: 'everybody else knows the face of the logger in lib/logger.ts' },
  'pino-pretty': {
    where: ['main.ts', 'commands/'],
    reason: 'everybody else knows the face of the logger in lib/logger.ts',
  },
  'prom-client': { where: ['admin/'], reason: 'counting is done in the scoreboard; prom-client only formats' },
};

/** Folders that compute and do nothing else, and the modules of Node that they may use. */
const pure: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  snapshot: [],
  wire: [],
  // Hashes and their comparison: values in, values out.
  balancer: ['node:crypto'],
  translate: ['node:crypto'],
};

/** Everything that breaks a rule. `files`: text by path below src, such as `control/publisher.ts`. */
export function findViolations(files: ReadonlyMap<string, string>): readonly Violation[] {
  const found: Violation[] = [];
  for (const [file, text] of files) {
    for (const imported of findImports(text)) {
      for (const reason of judge(file, imported, files)) found.push({ file, imported, reason });
    }
  }
  return [...found, ...findCycles(files)];
}

/** What a text imports, by static, re-exporting, side-effect and dynamic imports. `types`: those of types alone too. */
export function findImports(text: string, types: 'with-types' | 'without-types' = 'with-types'): readonly string[] {
  const statics = text
    .matchAll(/^\s*(?:import|export)\b([^'"`;=()]*?)(['"])([^'"]+)\2/gm)
    .filter(([, clause]) => types === 'with-types' || !clause!.trimStart().startsWith('type '))
    .map(([, , , specifier]) => specifier!);
  const dynamics = text.matchAll(/\bimport\(\s*(['"`])([^'"`]+)\1/g).map(([, , specifier]) => specifier!);
  return [...statics, ...dynamics];
}

function judge(file: string, imported: string, files: ReadonlyMap<string, string>): readonly string[] {
  if (imported.startsWith('.')) return judgeFile(file, resolve(file, imported), files);
  if (imported.startsWith('node:')) return judgeNode(file, imported);
  const name = imported.split('/', imported.startsWith('@') ? 2 : 1).join('/');
  const rule = packages[name];
  if (rule === undefined || rule.where.some((prefix) => file.startsWith(prefix))) return [];
  return [`only ${rule.where.join(' and ')} may import ${name}: ${rule.reason}`];
}

function judgeFile(file: string, target: string, files: ReadonlyMap<string, string>): readonly string[] {
  if (!files.has(target)) return ['there is no such file in src'];
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to) return [];
  const reasons = bans.filter((ban) => ban.from.includes(from) && ban.to === to).map(({ reason }) => reason);
  const [fromLevel, toLevel] = [levelOf(from), levelOf(to)];
  if (fromLevel === -1) return [...reasons, `${from} is not among the folders with a level`];
  const isExcepted = exceptions.some((exception) => exception.from === from && exception.to === to);
  if (toLevel < fromLevel || isExcepted) return reasons;
  const reason =
    toLevel === fromLevel
      ? `${from} and ${to} stand side by side and do not know each other`
      : `imports point inwards: ${from} is further in than ${to}`;
  return [...reasons, reason];
}

function judgeNode(file: string, imported: string): readonly string[] {
  const folder = folderOf(file);
  const allowed = pure[folder];
  if (allowed === undefined || allowed.includes(imported)) return [];
  return [`${folder} computes and does nothing else; of Node it may import ${allowed.join(', ') || 'nothing'}`];
}

/** Each cycle once, told at its first file. Types alone may refer to each other: nothing is loaded for them. */
function findCycles(files: ReadonlyMap<string, string>): readonly Violation[] {
  const found: Violation[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start !== -1) {
      const cycle = [...path.slice(start), file];
      found.push({ file, imported: cycle[1]!, reason: `imports go in a circle: ${cycle.join(' → ')}` });
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const imported of findImports(files.get(file) ?? '', 'without-types')) {
      if (imported.startsWith('.')) visit(resolve(file, imported));
    }
    path.pop();
    done.add(file);
  };
  for (const file of files.keys()) visit(file);
  return found;
}

function resolve(file: string, imported: string): string {
  return posix.join(posix.dirname(file), imported);
}

/** Files beside the folders are the composition root, and so are the commands. */
function folderOf(file: string): string {
  const [first, ...rest] = file.split('/');
  return rest.length === 0 || first === 'commands' ? 'main' : first!;
}

function levelOf(folder: string): number {
  return levels.findIndex((level) => level.includes(folder));
}
