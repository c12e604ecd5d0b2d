// A tool, not a part of the product: `node src/api/generate.ts` writes the CRD and the reference page from the schemas,
// `--check` exits 1 when they are stale. Only here, in this folder, may files be touched and YAML be written.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { renderCrd } from './crd.ts';
import { renderReference } from './reference.ts';

const root = join(import.meta.dirname, '..', '..');

/** A file that is generated and committed; the path is relative to the root of the repository. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** All of them, as they should be. */
export function generateFiles(): readonly GeneratedFile[] {
  return [
    { path: 'crds/evenkeel.dev_balancers.yaml', text: renderCrd((value) => stringify(value, { lineWidth: 0 })) },
    { path: 'docs/reference/balancer.md', text: renderReference() },
  ];
}

/** The paths of those whose committed text differs. */
export function findStaleFiles(): readonly string[] {
  return generateFiles()
    .filter(({ path, text }) => readIfThere(join(root, path)) !== text)
    .map(({ path }) => path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function writeFiles(): void {
  for (const { path, text } of generateFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = findStaleFiles();
    for (const path of stale) console.error(`${path} is stale; run node src/api/generate.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    writeFiles();
  }
}
