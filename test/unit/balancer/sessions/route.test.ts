// Strategy Route against what a real httpd 2.4.71 was seen to do, and where it differs on purpose.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SessionUnit } from '../../../../src/snapshot/session-unit.ts';
import { compiled, read } from './fixtures.ts';

interface Case {
  readonly cfg: string;
  readonly suffix: string;
  readonly cookie?: string;
  readonly httpd_2_4_71: { readonly session_route: string | null; readonly sticks_to: string | null };
}
interface Vectors {
  readonly meta: { readonly member_routes: readonly string[] };
  readonly configs: Readonly<Record<string, { readonly stickysession: string; readonly stickysessionsep?: string }>>;
  readonly cases: readonly Case[];
}

const vectors = JSON.parse(readFileSync('test/vectors/sticky.json', 'utf8')) as Vectors;

/** Where we answer otherwise: the difference, and the session route that we find. */
const endOfValue =
  'Differs from httpd: `;jsessionid=x.route/next` ends at "/", and ";" always ends a value, also in the query';
const wholeParameterNames = 'Differs from httpd: parameter names match whole names only';
const differences = new Map<string, readonly [string, string | null]>([
  ['plain x;SID=abc.r2/y', [endOfValue, 'r2']],
  ['plain x?SID=abc.r2;v=1', [endOfValue, 'r2']],
  ['plain x?fooSID=abc.r2', [wholeParameterNames, null]],
  ['scolon xSID=abc.r2', [wholeParameterNames, null]],
]);

function unitOf(cfg: string): Partial<SessionUnit> {
  const { stickysession, stickysessionsep = '.' } = vectors.configs[cfg]!;
  const [cookie, urlParameter = cookie] = stickysession.split('|');
  const separator = stickysessionsep === 'Off' ? '' : stickysessionsep;
  return { strategy: 'Route', cookie: cookie!, urlParameter: urlParameter!, separator };
}

function routeOfRequest(unit: Partial<SessionUnit>, target: string, ...lines: string[]): string | null {
  const session = compiled({ strategy: 'Route', urlParameter: 'SID', ...unit });
  const seen = read(session, lines, target);
  expect(seen.lines).toEqual(lines);
  expect(seen.target).toBe(target);
  return seen.reading.source === null ? null : seen.reading.route;
}

describe('sticky vectors of httpd 2.4.71', () => {
  it.each(vectors.cases.filter(({ cfg, suffix }) => !differences.has(`${cfg} ${suffix}`)))(
    '$cfg $suffix $cookie',
    ({ cfg, suffix, cookie, httpd_2_4_71: seen }) => {
      const lines = cookie === undefined ? [] : [`Cookie: ${cookie}`];
      const route = routeOfRequest(unitOf(cfg), `/${suffix}`, ...lines);
      expect(route).toBe(seen.session_route);
      expect(vectors.meta.member_routes.includes(route ?? '') ? route : null).toBe(seen.sticks_to);
    },
  );

  it.each([...differences].map(([key, [name, route]]) => ({ key, name, route })))('$name: $key', ({ key, route }) => {
    const [cfg, suffix] = key.split(' ') as [string, string];
    const vector = vectors.cases.find((one) => one.cfg === cfg && one.suffix === suffix)!;
    expect(vector.httpd_2_4_71.session_route).not.toBe(route);
    expect(routeOfRequest(unitOf(cfg), `/${suffix}`)).toBe(route);
  });
});

describe('Route in URLs', () => {
  it.each([
    ['/a;SID=x.r1;SID=x.r2', 'r1'],
    ['/a;v=1;SID=x.r2;w=2/b', 'r2'],
    ['/a%3BSID%3Dx%2Er2', 'r2'],
    ['/a;%53ID=x.r2', 'r2'],
    ['/a;SID=x.r2%2Fnext', 'r2'],
    ['/a;SID=x.r2%3Fy', 'r2'],
    ['/a;SID=abc.def.r2', 'def.r2'],
    ['/a;SID=?SID=x.r2', 'r2'],
    ['/?a=SID=x.r2', null],
    ['/?SID&SID=x.r2', 'r2'],
    ['/?SID%3Dx.r2', null],
    ['/?;;SID=x.r2', 'r2'],
    ['/?x;SID=x.r2', 'r2'],
    ['/;SIDE=x.r2', null],
    ['/;sid=x.r2', null],
    ['*', null],
    ['/%', null],
    ['/;SID', null],
    ['/;SID%', null],
  ])('%s', (target, route) => {
    expect(routeOfRequest({}, target)).toBe(route);
  });

  it('Differs from httpd: an empty value is none', () => {
    expect(routeOfRequest({}, '/?SID=&b=x.r2')).toBe(null);
    expect(routeOfRequest({}, '/?SID=&b=x.r2', 'Cookie: SID=x.r1')).toBe('r1');
  });
});

describe('Route in cookies', () => {
  it.each([
    ['=; SID=x.r2', 'r2'],
    ['crumb; SID=x.r2', 'r2'],
    ['SID; SID=x.r2', 'r2'],
    ['XSID=x.r1; SID=x.r2', 'r2'],
    ['a=b ;\t SID \t=x.r2', 'r2'],
    ['SID= x.r2', 'r2'],
    ['SID="x.r2"', 'r2"'],
    ['SID=abc', null],
    ['SID=abc.', null],
    ['SID=x.r2,y', 'r2'],
    [';;;SID=x.r2;;;', 'r2'],
    ['sid=x.r2', null],
  ])('%s', (cookie, route) => {
    expect(routeOfRequest({}, '/', `Cookie: ${cookie}`)).toBe(route);
  });

  it('goes on in further Cookie lines', () => {
    expect(routeOfRequest({}, '/', 'Cookie: a=b', 'X: SID=x.r3', 'Cookie: SID=x.r2')).toBe('r2');
  });

  it('Differs from httpd: cookie names match whole names only', () => {
    expect(routeOfRequest({}, '/', 'Cookie: a="b SID=x.r1"; SID=x.r2')).toBe('r2');
  });

  it('Differs from httpd: an empty cookie is none wherever it stands', () => {
    expect(routeOfRequest({}, '/', 'Cookie: SID=; SID=x.r2')).toBe('r2');
  });
});

describe('Route in a header', () => {
  it('Differs from httpd: a header may carry the session too', () => {
    const unit = { header: 'X-Session' };
    expect(routeOfRequest(unit, '/', 'x-session: x.r3')).toBe('r3');
    expect(routeOfRequest(unit, '/', 'x-session: x.r3', 'Cookie: SID=x.r2')).toBe('r2');
    expect(routeOfRequest(unit, '/', 'x-session: x.r3', 'Cookie: SID=x')).toBe(null);
  });
});

it('tells where the session was found', () => {
  const session = compiled({ strategy: 'Route', urlParameter: 'SID', header: 'X-Session' });
  const sourceOf = (target: string, ...lines: string[]): unknown => read(session, lines, target).reading.source;
  expect(sourceOf('/;SID=x.r1?SID=x.r2', 'Cookie: SID=x.r3')).toBe('path');
  expect(sourceOf('/?SID=x.r2', 'Cookie: SID=x.r3')).toBe('query');
  expect(sourceOf('/', 'Cookie: SID=x.r3')).toBe('cookie');
  expect(sourceOf('/', 'X-Session: x.r3')).toBe('header');
});
