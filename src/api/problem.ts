// A fault, or something worth telling, in what a user wrote. A Problem is data: it is returned, shown by `check`,
// becomes a condition or a log line, and takes nothing else down. It is never thrown.

/** Names one resource, in a cluster or in a file. */
export interface ResourceRef {
  readonly kind: string;
  readonly namespace: string;
  /** Empty where the document does not even say its name. */
  readonly name: string;
}

/** `error`: the resource is refused or incomplete. `notice`: it is taken, but something in it has no effect yet. */
export type Severity = 'error' | 'notice';

export interface Problem {
  readonly resource: ResourceRef;
  /** Where in the resource, such as `spec.members[0].url`; empty for the whole document. */
  readonly path: string;
  /** One plain sentence that names the field, the value and what is allowed. */
  readonly message: string;
  /** The text, number or boolean found there, without credentials. The message renders it too. */
  readonly value?: unknown;
  readonly severity: Severity;
}

/** Builds a Problem of severity `error`; the message is taken as it is. */
export function createProblem(resource: ResourceRef, path: string, message: string, value?: unknown): Problem {
  return value === undefined
    ? { resource, path, message, severity: 'error' }
    : { resource, path, message, value, severity: 'error' };
}

/** Builds a Problem of severity `notice`; the message is taken as it is. */
export function createNotice(resource: ResourceRef, path: string, message: string): Problem {
  return { resource, path, message, severity: 'notice' };
}

/** A resource as people read it: `Balancer shop/mycluster`. */
export function formatRef(ref: ResourceRef): string {
  return ref.name === '' ? `${ref.kind} without a name` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}

/** A problem on one line: `Balancer shop/mycluster: spec.members[0].lbSet is 100; it must be …`. */
export function formatProblem(problem: Problem): string {
  return `${formatRef(problem.resource)}: ${problem.message}`;
}

/** Joins keys and indices to a path as people write it: `['spec', 'members', 2, 'url']` is `spec.members[2].url`. */
export function formatPath(keys: readonly PropertyKey[]): string {
  let path = '';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += path === '' ? String(key) : `.${String(key)}`;
  }
  return path;
}

const maxShownLength = 80;

/** A value as it stands in a message: JSON, cut after 80 characters, without the credentials of URLs. */
export function formatValue(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => toShown(part)) ?? String(value);
  return text.length <= maxShownLength ? text : `${text.slice(0, maxShownLength)}…`;
}

/** What JSON cannot say becomes text. */
function toShown(part: unknown): unknown {
  if (typeof part === 'string') return withoutCredentials(part);
  return typeof part === 'bigint' || (typeof part === 'number' && !Number.isFinite(part)) ? String(part) : part;
}

/** Messages reach logs and conditions: `http://user:word@host` is shown as `http://***@host`. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/.*@/s, '//***@');
}
