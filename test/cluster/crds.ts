// The resource definitions of crds/, put into a cluster as an operator would.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { eventually } from '../helpers/patience.ts';
import { root } from '../helpers/evenkeel-process.ts';
import type { ApiClient, KubeObject } from './api-client.ts';

const folder = join(root, 'crds');

/** What stands in crds/. */
export function readCrds(): readonly KubeObject[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return names.map((name) => parse(readFileSync(join(folder, name), 'utf8')) as KubeObject);
}

/** Resolves when Balancers can be written. */
export async function applyCrds(admin: ApiClient): Promise<void> {
  await admin.applyAll(readCrds());
  await eventually(() => admin.list('evenkeel.dev/v1alpha1', 'Balancer'), 20_000);
}
