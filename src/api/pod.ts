// What a Pod says of the member that it is: labels and annotations of ours, and the time that it is given to end. Of the
// rest nothing is kept. Values are judged one by one: a wrong one is a problem, and what held before goes on to hold.
import { z } from 'zod';
import { metadataSchema } from './metadata.ts';
import { createProblem, formatRef, formatValue, type Problem } from './problem.ts';
import { describeAllowed, nodeAt, schemaTree } from './schema/tree.ts';
import { overrideSchema } from './spec/override.ts';

const settingsSchema = overrideSchema.omit({ member: true });

/** What is set for the member; what is not given stays as in spec.members. */
export type PodSettings = Readonly<z.output<typeof settingsSchema>>;

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | null;
  readonly settings: PodSettings;
  /** terminationGracePeriodSeconds; null: not known. */
  readonly graceSeconds: number | null;
  /** Values that were not taken. */
  readonly problems: readonly Problem[];
}

/** Labels or annotations, by the setting that they are for. */
const keys = {
  loadFactor: 'evenkeel.dev/load-factor',
  lbSet: 'evenkeel.dev/lb-set',
  role: 'evenkeel.dev/role',
  state: 'evenkeel.dev/state',
} as const;

const podSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({ terminationGracePeriodSeconds: z.number().optional() }).optional(),
});

/**
 * Reads a Pod; undefined for what is none. An annotation wins over a label of the same key. `before`: the version of the
 * same pod before it, whose settings stay where the new ones are wrong; it is given back if it says the same.
 */
export function parsePod(document: unknown, before: Pod | null = null): Pod | undefined {
  const parsed = podSchema.safeParse(document).data;
  if (parsed === undefined) return undefined;
  const { namespace, name, uid = null, annotations } = parsed.metadata;
  const resource = { kind: 'Pod', namespace, name };
  const problems: Problem[] = [];
  let settings: PodSettings = {};
  for (const [field, key] of Object.entries(keys)) {
    const place = Object.hasOwn(annotations, key) ? 'annotations' : 'labels';
    const text = parsed.metadata[place][key];
    if (text === undefined) continue;
    const judged = settingsSchema.safeParse({ [field]: field === 'lbSet' ? numberOf(text) : text });
    if (judged.success) {
      settings = { ...settings, ...judged.data };
      continue;
    }
    const last = before?.settings[field as keyof PodSettings];
    if (last !== undefined) settings = { ...settings, [field]: last };
    const path = `metadata.${place}['${key}']`;
    const must = describeAllowed(nodeAt(schemaTree(settingsSchema), [field])!);
    const message = `${path} of ${formatRef(resource)} is ${formatValue(text)}; it must be ${must}; the member stays as it was`;
    problems.push(createProblem(resource, path, message, text));
  }
  const graceSeconds = parsed.spec?.terminationGracePeriodSeconds ?? null;
  const pod: Pod = { namespace, name, uid, settings, graceSeconds, problems };
  return before !== null && JSON.stringify(before) === JSON.stringify(pod) ? before : pod;
}

/** What is no whole number in plain digits stays the text that it is. */
function numberOf(text: string): number | string {
  return /^(?:0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : text;
}
