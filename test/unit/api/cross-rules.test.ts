// Each rule between fields has two tongues: CEL for the API server and a function for everyone else. Here the function
// is tried from both sides, and the CEL text is looked up in the CRD under the same message.
import { describe, expect, test } from 'vitest';
import { balancerStructuralSchema } from '../../../src/api/crd.ts';
import { parseResource } from '../../../src/api/parse.ts';
import type { SchemaNode } from '../../../src/api/schema/tree.ts';
import { balancerDocument, specWith, specWithMember } from './documents.ts';

const service = { name: 'app', port: 80 };
const url = 'http://a';
const session = (fields: Readonly<Record<string, unknown>>) => specWith({ stickySession: { cookie: 'S', ...fields } });
const insert = (fields: Readonly<Record<string, unknown>>) => session({ strategy: 'Insert', ...fields });

interface Case {
  readonly cel: string;
  readonly message: string;
  readonly path: string;
  readonly holds: readonly unknown[];
  readonly breaks: readonly unknown[];
}

const cases: readonly Case[] = [
  {
    cel: 'has(self.service) != has(self.url)',
    message: 'a member must have exactly one of service and url',
    path: 'spec.members[0]',
    holds: [specWithMember({ url }), specWithMember({ service })],
    breaks: [specWithMember({}), specWithMember({ url, service })],
  },
  {
    cel: '!has(self.route) || has(self.url)',
    message: 'route may be given only with url; the routes of a Service come from routeFrom',
    path: 'spec.members[0].route',
    holds: [specWithMember({ url, route: 'a' })],
    breaks: [specWithMember({ service, route: 'a' })],
  },
  {
    cel: '!has(self.routeFrom) || has(self.service)',
    message: 'routeFrom may be given only with service',
    path: 'spec.members[0].routeFrom',
    holds: [specWithMember({ service, routeFrom: 'PodName' })],
    breaks: [specWithMember({ url, routeFrom: 'PodUID' })],
  },
  {
    cel: "!has(self.hash) || self.lbMethod == 'hash'",
    message: 'hash may be given only with lbMethod hash',
    path: 'spec.hash',
    holds: [specWith({ lbMethod: 'hash', hash: {} }), specWith({ lbMethod: 'hash' })],
    breaks: [specWith({ hash: {} }), specWith({ lbMethod: 'bytraffic', hash: {} })],
  },
  {
    cel: "(self.source == 'ClientAddress') != has(self.name)",
    message: 'name must be given for the sources Header, Cookie and UrlParameter, and not for ClientAddress',
    path: 'spec.hash',
    holds: [specWith({ lbMethod: 'hash', hash: { source: 'Cookie', name: 'a' } })],
    breaks: [
      specWith({ lbMethod: 'hash', hash: { source: 'Cookie' } }),
      specWith({ lbMethod: 'hash', hash: { name: 'a' } }),
    ],
  },
  {
    cel: 'has(self.cookie) || has(self.header) || has(self.urlParameter)',
    message: 'at least one of cookie, header and urlParameter must be given',
    path: 'spec.stickySession',
    holds: [
      session({}),
      specWith({ stickySession: { header: 'S' } }),
      specWith({ stickySession: { urlParameter: 's' } }),
    ],
    breaks: [specWith({ stickySession: {} })],
  },
  {
    cel: "self.separator != '' || self.strategy == 'Route'",
    message: 'separator may be empty only with strategy Route',
    path: 'spec.stickySession.separator',
    holds: [session({ separator: '' }), session({ separator: '!', strategy: 'Suffix' })],
    breaks: [session({ separator: '', strategy: 'Suffix' }), insert({ separator: '' })],
  },
  {
    cel: "!has(self.cacheControl) || self.strategy == 'Insert'",
    message: 'cacheControl may be given only with strategy Insert: other strategies set no cookie of their own',
    path: 'spec.stickySession.cacheControl',
    holds: [insert({ cacheControl: 'Unchanged' }), insert({}), session({})],
    breaks: [session({ cacheControl: 'Private' }), session({ strategy: 'Suffix', cacheControl: 'Unchanged' })],
  },
  {
    cel: "self.strategy != 'Insert' || has(self.cookie)",
    message: 'strategy Insert needs cookie: the name of the cookie to set',
    path: 'spec.stickySession.strategy',
    holds: [insert({})],
    breaks: [specWith({ stickySession: { header: 'S', strategy: 'Insert' } })],
  },
  {
    cel: "!has(self.attributes) || self.strategy == 'Insert'",
    message:
      "attributes may be given only with strategy Insert: other strategies leave the application's cookie as it is",
    path: 'spec.stickySession.attributes',
    holds: [insert({ attributes: {} })],
    breaks: [session({ attributes: {} }), session({ strategy: 'Suffix', attributes: {} })],
  },
  {
    cel: "!has(self.signing) || self.strategy != 'Route'",
    message: 'signing may be given only with strategy Suffix or Insert: under Route the application writes the value',
    path: 'spec.stickySession.signing',
    holds: [insert({ signing: { secretName: 'k' } }), session({ strategy: 'Suffix', signing: { secretName: 'k' } })],
    breaks: [session({ signing: { secretName: 'k' } })],
  },
  {
    cel: "self.sameSite != 'None' || self.secure != 'Never'",
    message: 'sameSite None needs secure Auto or Always: browsers refuse the cookie otherwise',
    path: 'spec.stickySession.attributes.sameSite',
    holds: [insert({ attributes: { sameSite: 'None' } }), insert({ attributes: { secure: 'Never' } })],
    breaks: [insert({ attributes: { sameSite: 'None', secure: 'Never' } })],
  },
  {
    cel: "!self.partitioned || self.secure != 'Never'",
    message: 'partitioned needs secure Auto or Always: browsers refuse the cookie otherwise',
    path: 'spec.stickySession.attributes.partitioned',
    holds: [insert({ attributes: { partitioned: true } })],
    breaks: [insert({ attributes: { partitioned: true, secure: 'Never' } })],
  },
  {
    cel: "!has(self.cookie) || !has(self.attributes) || !self.cookie.startsWith('__Host-') || (self.attributes.path == '/' && self.attributes.domain == '' && self.attributes.secure != 'Never')",
    message: 'a cookie whose name begins with __Host- needs path "/", no domain, and secure Auto or Always',
    path: 'spec.stickySession.attributes',
    holds: [insert({ cookie: '__Host-R' }), insert({ cookie: '__Host-R', attributes: { secure: 'Always' } })],
    breaks: [
      insert({ cookie: '__Host-R', attributes: { path: '/app' } }),
      insert({ cookie: '__Host-R', attributes: { domain: 'a.com' } }),
      insert({ cookie: '__Host-R', attributes: { secure: 'Never' } }),
    ],
  },
  {
    cel: "!has(self.cookie) || !has(self.attributes) || !self.cookie.startsWith('__Secure-') || self.attributes.secure != 'Never'",
    message: 'a cookie whose name begins with __Secure- needs secure Auto or Always',
    path: 'spec.stickySession.attributes',
    holds: [insert({ cookie: '__Secure-R', attributes: { path: '/app' } })],
    breaks: [insert({ cookie: '__Secure-R', attributes: { secure: 'Never' } })],
  },
  {
    cel: "!has(self.host) || self.method != 'TCP'",
    message: 'host may not be given with method TCP, which sends no request',
    path: 'spec.healthCheck.host',
    holds: [specWith({ healthCheck: { host: 'a.com' } }), specWith({ healthCheck: { method: 'TCP' } })],
    breaks: [specWith({ healthCheck: { method: 'TCP', host: 'a.com' } })],
  },
];

interface Found {
  readonly rule: string;
  readonly message: string;
}

function rulesOf(node: SchemaNode | undefined): readonly Found[] {
  if (node === undefined) return [];
  const below = [...Object.values(node.properties ?? {}), ...(node.items ? [node.items] : [])];
  return [...(node['x-kubernetes-validations'] ?? []), ...below.flatMap(rulesOf)];
}

const inCrd = rulesOf(balancerStructuralSchema());

describe.each(cases)('$message', ({ cel, message, path, holds, breaks }) => {
  test('is accepted where it holds', () => {
    for (const spec of holds) expect(parseResource(balancerDocument(spec)).problems).toBeUndefined();
  });

  test('is refused where it does not', () => {
    for (const spec of breaks) {
      const problems = parseResource(balancerDocument(spec)).problems ?? [];
      const found = problems.find((problem) => problem.path === path && problem.message.endsWith(message));
      expect(found, JSON.stringify({ spec, problems })).toBeDefined();
    }
  });

  test('is in the CRD', () => {
    expect(inCrd.filter((rule) => rule.message === message).map(({ rule }) => rule)).toEqual([cel]);
  });
});

test('every rule of the CRD is tried here, but for the bounds of durations and ranges of statuses', () => {
  const others = inCrd.filter(({ message }) => !cases.some((one) => one.message === message));
  for (const { message } of others) expect(message).toMatch(/^must be a (?:duration from|status such as)/);
});
