// helm as operators run it, on the chart of this repository. Renders and nothing else: no cluster is needed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root } from '../helpers/evenkeel-process.ts';

export const chart = join(root, 'charts', 'evenkeel');

/** What the chart is given, as in a values file. */
export type Values = Readonly<Record<string, unknown>>;

/** An object as the chart renders it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** The program; null, said once, where it cannot be had. */
export const helm = findHelm();

function findHelm(): string | null {
  if (spawnSync('helm', ['version']).status === 0) return 'helm';
  const { status, stdout, stderr } = spawnSync(join(root, '.ci', 'fetch-helm'), { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  console.warn(`SKIPPED: no helm, so the chart is not rendered: ${stderr.trim()}`);
  return null;
}

/** How helm ended, and all it said. */
interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

/** Runs helm, with a values file if there are values. Returns also when it fails. */
export function runHelm(args: readonly string[], values: Values | null = {}): Outcome {
  if (values === null) return runToEnd(args);
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-chart-'));
  try {
    const file = join(folder, 'values.json');
    // Not YAML, of which helm reads another version: there `yes` is true.
    writeFileSync(file, JSON.stringify(values));
    return runToEnd([...args, '--values', file]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runToEnd(args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(helm!, args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

interface Release {
  readonly name?: string;
  readonly namespace?: string;
}

/** What `helm template` prints. Throws with what helm says. */
export function renderText(values: Values, { name = 'edge', namespace = 'evenkeel' }: Release = {}): string {
  const { status, output } = runHelm(['template', name, chart, '--namespace', namespace], values);
  if (status !== 0) throw new Error(output);
  return output;
}

/** The same, taken apart. */
export function render(values: Values, release: Release = {}): readonly Rendered[] {
  return parseAllDocuments(renderText(values, release))
    .map((document) => document.toJS() as Rendered | null)
    .filter((document) => document !== null);
}

/** The one object of a kind, of that name if one is given. */
export function only(documents: readonly Rendered[], kind: string, name?: string): Rendered {
  const found = documents.filter(
    (document) => document.kind === kind && (name === undefined || document.metadata.name === name),
  );
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind} ${name ?? ''}, not 1`);
  return found[0]!;
}

/** What stands at a path of keys such as `spec.template.spec.containers.0`. */
export function at(document: unknown, path: string): unknown {
  return path.split('.').reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
}
