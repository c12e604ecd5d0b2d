// Files with a Balancer that keeps sessions, and their changes while the product serves them.
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../../helpers/patience.ts';
import { type EvenkeelProcess, startEvenkeel } from '../../helpers/evenkeel-process.ts';
import type { Configuration } from '../product/configuration.ts';
import { Scrape } from '../product/scrape.ts';
import type { Application } from './application.ts';

/** A part of a document; field names as in its reference. */
export type Fields = Readonly<Record<string, unknown>>;

/** A Balancer named `test` over these applications, whose names are their session routes. `changes`: by name. */
export function sticky(
  applications: readonly Pick<Application, 'name' | 'url'>[],
  stickySession: Fields,
  changes: Readonly<Record<string, Fields>> = {},
  spec: Fields = {},
): string {
  const members = applications.map(({ name, url }) => ({ url, route: name, ...changes[name] }));
  return stringify({
    apiVersion: 'evenkeel.dev/v1alpha1',
    kind: 'Balancer',
    metadata: { name: 'test' },
    spec: { members, stickySession, ...spec },
  });
}

/** A Secret with session keys, to stand behind a Balancer in its file. */
export function secret(name: string, ...keys: readonly string[]): string {
  return `---\n${stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { keys: `${keys.join('\n')}\n` } })}`;
}

export function serve(file: Configuration, lanes = 2): Promise<EvenkeelProcess> {
  return startEvenkeel(['--config', file.path, '--lanes', String(lanes)]);
}

/** Writes the file; resolves when every lane of these processes has what is new in it. */
export async function edit(file: Configuration, text: string, ...processes: readonly EvenkeelProcess[]): Promise<void> {
  const before = await Promise.all(processes.map((process) => acknowledged(process)));
  file.write(text);
  await eventually(async () => {
    for (const [index, process] of processes.entries()) {
      expect(await acknowledged(process)).toBeGreaterThan(before[index]!);
    }
  });
}

async function acknowledged({ adminPort }: EvenkeelProcess): Promise<number> {
  return (await Scrape.of(adminPort)).sum('evenkeel_snapshot_generation_acknowledged');
}

/** How many requests said this of their session. */
export async function verdicts({ adminPort }: EvenkeelProcess, verdict: string): Promise<number> {
  return (await Scrape.of(adminPort)).sum('evenkeel_sessions_total', { balancer: 'test', verdict });
}
