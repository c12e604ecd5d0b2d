// How long the session part of a request takes, and how much it allocates: a script, run by hand.
//   node --expose-gc test/unit/balancer/sessions/session-speed.ts
import { compileSession } from '../../../../src/balancer/sessions/compiled-session.ts';
import { createRendezvous, ownerOf } from '../../../../src/balancer/sessions/rendezvous.ts';
import { readSession } from '../../../../src/balancer/sessions/session-reader.ts';
import { createSessionReading } from '../../../../src/balancer/sessions/session-reading.ts';
import { SessionSketch, sketchRowBytes } from '../../../../src/balancer/sessions/session-sketch.ts';
import { writeSession } from '../../../../src/balancer/sessions/session-writer.ts';
import { createSessionWriting } from '../../../../src/balancer/sessions/session-writing.ts';
import type { SessionUnit } from '../../../../src/snapshot/session-unit.ts';
import { inserted, insertUnit, keyA, keyB, linesOf, nowMs, pairOf, sessionUnit, suffixed } from './fixtures.ts';

/** The best of many short runs, so that what else the machine does is left out. */
function measure(name: string, once: (round: number) => unknown): void {
  const startedMs = performance.now();
  let rounds = 0;
  while (performance.now() - startedMs < 400) once(rounds++);
  const perRun = Math.max(1, Math.ceil(rounds / 200));
  let bestNs = Infinity;
  for (let run = 0; run < 300; run++) {
    const from = performance.now();
    for (let round = 0; round < perRun; round++) once(round);
    bestNs = Math.min(bestNs, ((performance.now() - from) * 1e6) / perRun);
  }
  // So few that nothing is collected meanwhile.
  const counted = Math.min(1000, perRun);
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  for (let round = 0; round < counted; round++) once(round);
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / counted;
  console.log(`${name.padEnd(58)} ${bestNs.toFixed(0).padStart(9)} ns ${bytes.toFixed(0).padStart(9)} bytes`);
}

const routes = Array.from({ length: 100 }, (_, at) => `member${at}`);
const signing = { mode: 'Require', keys: [keyA, keyB], maxAgeMs: null } as const;
const names = ['JSESSIONID', '_ga', '_gid', 'theme', 'lang', 'consent', 'cart', 'csrf', 'ab', 'tracking'];
const others = [
  'User-Agent',
  'Accept',
  'Accept-Language',
  'Accept-Encoding',
  'Sec-Fetch-Mode',
  'Sec-Fetch-Site',
  'DNT',
];

function headOf(cookie: string, ...more: string[]) {
  return linesOf([
    'Host: shop.example.com',
    ...others.map((name) => `${name}: some value of it`),
    `Cookie: ${cookie}`,
    ...more,
  ]);
}

const app = 'A1B2C3D4E5F60718293A4B5C6D7E8F90';
function cookies(own: string): string {
  return names
    .map((name, at) => `${name}=${at === 0 ? own : `value${at}.${'x'.repeat(20)}`}`)
    .reverse()
    .join('; ');
}

console.log(`node ${process.version}`);
function measureReading(name: string, unit: SessionUnit, cookie: string, target = '/shop/cart/items?page=2'): void {
  const session = compileSession(unit, 'shop/mycluster', routes, null);
  const lines = headOf(cookie, 'Referer: https://shop.example.com/shop/cart');
  const reading = createSessionReading();
  measure(name, () => readSession(session, lines, target, nowMs, reading));
}

const route = sessionUnit({ strategy: 'Route', cookie: 'JSESSIONID', urlParameter: 'jsessionid' });
const suffix = sessionUnit({ cookie: 'JSESSIONID', urlParameter: 'jsessionid' });
const signed = { ...suffix, signing };
const rotated = { ...suffix, signing: { ...signing, keys: [keyB, keyA] } };
const insert = insertUnit({}, { cookie: 'JSESSIONID' });
const compiledFor = (unit: SessionUnit) => compileSession(unit, 'shop/mycluster', routes, null);
const plainValue = suffixed(compiledFor(suffix), app, 'member42');
const signedValue = suffixed(compiledFor(signed), app, 'member42');

measureReading('Route, ten cookies', route, cookies(`${app}.member42`));
measureReading('Route, ten cookies, no session', route, cookies(app));
measureReading('Suffix, ten cookies', suffix, cookies(plainValue));
measureReading('Suffix, ten cookies, no session', suffix, cookies(app));
measureReading('Suffix, ten cookies and in the path', suffix, cookies(plainValue), `/shop;jsessionid=${plainValue}`);
measureReading('Suffix signed, ten cookies', signed, cookies(signedValue));
measureReading('Suffix signed by the second key, ten cookies', rotated, cookies(signedValue));
measureReading('Insert, ten cookies', insert, cookies(pairOf(inserted(compiledFor(insert), 'member42')).slice(11)));
measureReading(
  'Insert signed, ten cookies',
  { ...insert, signing },
  cookies(pairOf(inserted(compiledFor({ ...insert, signing }), 'member42')).slice(11)),
);
measureReading('Suffix, a megabyte of other cookies', suffix, 'a=bcdefg; '.repeat(100_000), '/');
measureReading('Suffix, 10,000 cookies of the name, none ours', suffix, 'JSESSIONID=abc; '.repeat(10_000), '/');
measureReading(
  'Suffix, 10,000 cookies of the name, all ours',
  suffix,
  `JSESSIONID=${plainValue}; `.repeat(10_000),
  '/',
);
measureReading(
  'Suffix signed, 10,000 cookies of the name, all forged',
  signed,
  `JSESSIONID=x${signedValue}; `.repeat(10_000),
  '/',
);
measureReading('Route, 10,000 empty cookies of the name', route, 'JSESSIONID=; '.repeat(10_000), '/');

const answer = { reading: createSessionReading(), route: 'member42', isSecure: true, host: 'shop.example.com' };
const writing = createSessionWriting();
function measureWriting(name: string, unit: SessionUnit, ...lines: string[]): void {
  const session = compiledFor(unit);
  const head = headOf('', 'Content-Type: text/html', ...lines);
  measure(name, () => writeSession(session, head, answer, nowMs, writing));
}
measureWriting('response, Suffix, nothing to do', suffix);
measureWriting('response, Suffix, Set-Cookie', suffix, `Set-Cookie: JSESSIONID=${app}; Path=/; HttpOnly`);
measureWriting('response, Suffix signed, Set-Cookie', signed, `Set-Cookie: JSESSIONID=${app}; Path=/; HttpOnly`);
measureWriting('response, Insert', insert);

const rendezvous = createRendezvous(routes.map((identity, at) => ({ identity, factor: 100 + (at % 5) * 100 })));
const everyone = Int32Array.from(routes, (_, at) => at);
const ids = Array.from({ length: 1024 }, (_, at) => `${app}${at}`);
measure('rendezvous of 100', (round) => ownerOf(rendezvous, ids[round & 1023]!, everyone, 100));
measure('rendezvous of 5', (round) => ownerOf(rendezvous, ids[round & 1023]!, everyone, 5));
const cells = new Uint8Array(new SharedArrayBuffer(128 * sketchRowBytes));
const sketch = new SessionSketch({ cells, tick: new Int32Array(new SharedArrayBuffer(4)) });
sketch.setTick(0);
measure('live sessions: observe', (round) => sketch.observe(round & 127, ids[round & 1023]!));
measure('live sessions: estimate', (round) => sketch.estimate(round & 127));
measure('compile with 1,000 members', () =>
  compileSession(
    signed,
    'shop/mycluster',
    Array.from({ length: 1000 }, (_, at) => `m${at}`),
    null,
  ),
);
const before = compileSession(
  signed,
  'shop/mycluster',
  Array.from({ length: 1000 }, (_, at) => `m${at}`),
  null,
);
measure('compile with 1,000 members, again', () =>
  compileSession(
    signed,
    'shop/mycluster',
    Array.from({ length: 1000 }, (_, at) => `m${at}`),
    before,
  ),
);
