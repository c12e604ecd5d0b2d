// Turns one document, as YAML or the API server gave it, into a typed resource or into everything that is wrong with
// it. It reads no files and follows no references; values of Secrets never reach a message.
import type { z } from 'zod';
import { type Balancer, balancerApiVersion, balancerSchema } from './balancer.ts';
import { type EndpointSlice, endpointSliceSchema } from './endpoint-slice.ts';
import {
  createProblem,
  formatPath,
  formatValue,
  type Problem,
  type ResourceRef,
  withoutCredentials,
} from './problem.ts';
import { isCrossRule } from './schema/cross-rule.ts';
import { nearest } from './schema/nearest.ts';
import { describeAllowed, joinWords, nodeAt, schemaTree } from './schema/tree.ts';
import { type Secret, secretSchema } from './secret.ts';
import { type Service, serviceSchema } from './service.ts';

/** Any resource that can be parsed; `kind` tells which. */
export type Resource = Balancer | Service | EndpointSlice | Secret;

/** Either the resource, or at least one problem. */
export type Parsed =
  | { readonly resource: Resource; readonly problems?: never }
  | { readonly problems: readonly Problem[]; readonly resource?: never };

const kinds = {
  Balancer: { apiVersion: balancerApiVersion, schema: balancerSchema },
  Service: { apiVersion: 'v1', schema: serviceSchema },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', schema: endpointSliceSchema },
  Secret: { apiVersion: 'v1', schema: secretSchema },
} as const;

const kindNames = Object.keys(kinds) as readonly (keyof typeof kinds)[];

/** Far more than any resource needs, far less than the stack holds. */
const maxDepth = 64;

/**
 * Parses one document by its apiVersion and kind, fills defaults and reports every fault, not only the first.
 * A field that is null counts as left out, as for the API server. Unknown fields are faults where people write the
 * document; from a cluster, which may have the CRD of another version, they are dropped.
 */
export function parseResource(document: unknown, unknownFields: 'refused' | 'dropped' = 'refused'): Parsed {
  if (isNestedDeeper(document, maxDepth)) {
    const message = `the document is nested more than ${maxDepth} levels deep, or contains itself`;
    return { problems: [createProblem(refOfDocument(document), '', message)] };
  }
  const given = withoutNulls(document);
  const resource = refOfDocument(given);
  if (!isRecord(given)) {
    const message = `the document is ${formatValue(given)}; it must be a mapping with apiVersion, kind and metadata`;
    return { problems: [createProblem(resource, '', message)] };
  }
  const kind = kindNames.find((name) => name === given.kind);
  if (kind === undefined) return { problems: [judgeKind(resource, given.kind)] };
  const { apiVersion, schema } = kinds[kind];
  if (given.apiVersion !== apiVersion) {
    const found = given.apiVersion === undefined ? 'is missing' : `is ${formatValue(given.apiVersion)}`;
    const message = `apiVersion ${found}; for kind ${kind} it must be ${apiVersion}`;
    return { problems: [createProblem(resource, 'apiVersion', message, given.apiVersion)] };
  }
  let parsed = schema.safeParse(given);
  while (!parsed.success && unknownFields === 'dropped' && dropUnknown(given, parsed.error.issues)) {
    parsed = schema.safeParse(given);
  }
  if (parsed.success) return { resource: parsed.data as Resource };
  return { problems: toProblems(parsed.error.issues, given, resource, schema) };
}

/** Takes the fields that these issues do not know out of the document. False: there was none. */
function dropUnknown(document: unknown, issues: readonly z.core.$ZodIssue[]): boolean {
  let hasDropped = false;
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const parent = valueAt(document, issue.path);
    for (const key of issue.keys) hasDropped = Reflect.deleteProperty(parent as object, key) || hasDropped;
  }
  return hasDropped;
}

/** What a problem or a condition calls a resource. */
export function refOf(resource: Resource): ResourceRef {
  return { kind: resource.kind, namespace: resource.metadata.namespace, name: resource.metadata.name };
}

/** Names a document as well as it can be named, whatever is wrong with it. */
export function refOfDocument(document: unknown): ResourceRef {
  const root = isRecord(document) ? document : {};
  const metadata = isRecord(root.metadata) ? root.metadata : {};
  return {
    kind: typeof root.kind === 'string' ? root.kind : 'document',
    namespace: typeof metadata.namespace === 'string' ? metadata.namespace : 'default',
    name: typeof metadata.name === 'string' ? metadata.name : '',
  };
}

function judgeKind(resource: ResourceRef, kind: unknown): Problem {
  const readable = joinWords(kindNames, 'and');
  if (kind === undefined) return createProblem(resource, 'kind', `kind is missing; it must be one of ${readable}`);
  const meant = typeof kind === 'string' ? nearest(kind, kindNames) : undefined;
  const hint = meant === undefined ? `the kinds that are read are ${readable}` : `did you mean ${meant}?`;
  return createProblem(resource, 'kind', `kind is ${formatValue(kind)}, which is not read; ${hint}`, kind);
}

function toProblems(
  issues: readonly z.core.$ZodIssue[],
  document: unknown,
  resource: ResourceRef,
  schema: z.ZodType,
): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const issue of issues) {
    const unknownKeys = issue.code === 'unrecognized_keys' ? issue.keys : undefined;
    const found =
      unknownKeys === undefined
        ? [judgeValue(issue, document, resource, schema)]
        : unknownKeys.map((key) => judgeUnknownField(issue.path, key, document, resource, schema));
    // A text that is both too long and ill-formed is one problem, not two.
    for (const problem of found) problems.set(problem.message, problem);
  }
  return [...problems.values()];
}

function judgeValue(issue: z.core.$ZodIssue, document: unknown, resource: ResourceRef, schema: z.ZodType): Problem {
  const path = formatPath(issue.path);
  const value = valueAt(document, issue.path);
  const node = nodeAt(schemaTree(schema), issue.path);
  if (isCrossRule(issue)) {
    const isShown = value !== undefined && typeof value !== 'object';
    const message = isShown ? `${path} is ${formatValue(value)}; ${issue.message}` : `${path}: ${issue.message}`;
    return createProblem(resource, path, message, isShown ? shown(value) : undefined);
  }
  const must = node === undefined ? issue.message : `it must be ${describeAllowed(node)}`;
  if (value === undefined) return createProblem(resource, path, `${path} is missing; ${must}`);
  if (resource.kind === 'Secret') return createProblem(resource, path, `${path} is not as it should be; ${must}`);
  if (Array.isArray(value)) {
    const found = node?.type === 'array' ? `has ${value.length} entries` : 'is a list';
    return createProblem(resource, path, `${path} ${found}; ${must}`);
  }
  const meant = typeof value === 'string' ? nearest(value, (node?.enum ?? []).map(String)) : undefined;
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  return createProblem(resource, path, `${path} is ${formatValue(value)}; ${must}${hint}`, shown(value));
}

function judgeUnknownField(
  parent: readonly PropertyKey[],
  key: string,
  document: unknown,
  resource: ResourceRef,
  schema: z.ZodType,
): Problem {
  const path = formatPath([...parent, key]);
  const siblings = Object.keys(nodeAt(schemaTree(schema), parent)?.properties ?? {});
  const meant = nearest(key, siblings);
  const hint = meant === undefined ? `the fields there are ${joinWords(siblings, 'and')}` : `did you mean ${meant}?`;
  const value = valueAt(document, [...parent, key]);
  return createProblem(resource, path, `${path} is not a known field; ${hint}`, shown(value));
}

/** What a Problem carries of a value: it ends in logs and conditions. */
function shown(value: unknown): unknown {
  if (typeof value === 'object') return undefined;
  return typeof value === 'string' ? withoutCredentials(value) : value;
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True also for what contains itself, as an alias in YAML can. */
function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((entry) => isNestedDeeper(entry, levels - 1));
}

/** A copy without the fields that are null, which Kubernetes writes for what is not there; entries of lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== null);
  return Object.fromEntries(entries.map(([key, entry]) => [key, withoutNulls(entry)]));
}
