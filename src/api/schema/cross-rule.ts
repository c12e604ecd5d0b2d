// Rules between fields, each written once in two tongues: CEL for the API server, a function for everyone else, with
// one message for both. A rule must not throw and must not look at fields it does not list.
import type { z } from 'zod';

export interface CrossRule<Value> {
  /** The rule in the Common Expression Language, over `self`; defaults are filled already. */
  readonly cel: string;
  /** The rule in TypeScript, over the same value. */
  readonly holds: (value: Value) => boolean;
  /** What must be, as one sentence without a capital or a full stop. */
  readonly message: string;
  /** The fields the rule reads: it is not asked while one of them is faulty in itself. */
  readonly reads: readonly (keyof Value & string)[];
  /** The field to blame; default: the whole object. */
  readonly blame?: keyof Value & string;
}

/** Marks an issue whose message is a sentence of its own, and not the description of one field. */
export const crossRule = { crossRule: true } as const;

export function isCrossRule(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'custom' && issue.params?.crossRule === true;
}

interface KubernetesValidation {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** The same object schema, with the rules enforced by zod and carried along for the CRD. */
export function withRules<Schema extends z.ZodObject>(
  schema: Schema,
  rules: readonly CrossRule<z.output<Schema>>[],
): Schema {
  let ruled = schema;
  for (const rule of rules) {
    ruled = ruled.refine(rule.holds as (value: unknown) => boolean, {
      message: rule.message,
      path: rule.blame === undefined ? [] : [rule.blame],
      params: crossRule,
      when: ({ value, issues }) => isObject(value) && !issues.some(({ path }) => isAmong(path?.[0], rule.reads)),
    });
  }
  return ruled.meta({ ...ruled.meta(), 'x-kubernetes-validations': rules.map(toValidation) });
}

function toValidation(rule: CrossRule<never>): KubernetesValidation {
  const { cel, message, blame } = rule as CrossRule<Record<string, unknown>>;
  return blame === undefined ? { rule: cel, message } : { rule: cel, message, fieldPath: `.${blame}` };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAmong(key: PropertyKey | undefined, names: readonly string[]): boolean {
  return typeof key === 'string' && names.includes(key);
}
