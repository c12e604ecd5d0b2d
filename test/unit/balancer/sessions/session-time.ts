// Measures what the session part of a request costs, and prints it as JSON: nanoseconds by name. A program of its own, since
// the tests' loader makes every imported name a property, which costs more than what is measured. session-speed.ts
// beside this file measures more, by hand.
import { compileSession } from '../../../../src/balancer/sessions/compiled-session.ts';
import { readSession } from '../../../../src/balancer/sessions/session-reader.ts';
import { createSessionReading } from '../../../../src/balancer/sessions/session-reading.ts';
import type { SessionUnit } from '../../../../src/snapshot/session-unit.ts';
import { inserted, insertUnit, keyA, linesOf, nowMs, pairOf, sessionUnit, suffixed } from './fixtures.ts';

const members = Array.from({ length: 100 }, (_, at) => `member${at}`);
const id = 'A1B2C3D4E5F60718293A4B5C6D7E8F90';
const signing = { mode: 'Require', keys: [keyA], maxAgeMs: null } as const;
const route = sessionUnit({ strategy: 'Route', cookie: 'JSESSIONID', urlParameter: 'jsessionid' });
const suffix = sessionUnit({ cookie: 'JSESSIONID', urlParameter: 'jsessionid' });
const insert = insertUnit({}, { cookie: 'JSESSIONID' });
const compiledFor = (unit: SessionUnit) => compileSession(unit, 'shop/mycluster', members, null);
const suffixPair = (unit: SessionUnit): string => `JSESSIONID=${suffixed(compiledFor(unit), id, 'member42')}`;
const insertPair = (unit: SessionUnit): string => pairOf(inserted(compiledFor(unit), 'member42'));

/** Nanoseconds of one call, in the best of many short runs: what else the machine does is left out. */
function bestNs(once: () => void): number {
  const startMs = performance.now();
  let rounds = 0;
  while (performance.now() - startMs < 300) {
    once();
    rounds += 1;
  }
  const perRun = Math.max(1, Math.ceil(rounds / 300));
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 300; run += 1) {
    const from = performance.now();
    for (let round = 0; round < perRun; round += 1) once();
    best = Math.min(best, ((performance.now() - from) * 1e6) / perRun);
  }
  return Math.round(best);
}

/** A lookup in a head as browsers send it. `isFound`: it must lead to member42. */
function lookup(unit: SessionUnit, cookies: string, isFound = true): () => void {
  const session = compiledFor(unit);
  const usual = ['User-Agent', 'Accept', 'Accept-Language', 'Accept-Encoding', 'Sec-Fetch-Mode', 'DNT'];
  const lines = linesOf([
    'Host: shop.example.com',
    ...usual.map((name) => `${name}: some value of it`),
    `Cookie: ${cookies}`,
    'Referer: https://shop.example.com/shop/cart',
  ]);
  const reading = createSessionReading();
  const once = (): void => readSession(session, lines, '/shop/cart/items?page=2', nowMs, reading);
  once();
  if ((reading.route === 'member42') !== isFound) throw new Error(`${unit.strategy}: ${JSON.stringify(reading)}`);
  return once;
}

/** The session's cookie among nine others. */
function amongTen(pair: string): string {
  const others = ['_ga', '_gid', 'theme', 'lang', 'consent', 'cart', 'csrf', 'ab', 'tracking'];
  return [...others.map((name, at) => `${name}=value${at}.${'x'.repeat(20)}`), pair].join('; ');
}

const signedSuffix = { ...suffix, signing };
const signedInsert = { ...insert, signing };
const forged = suffixPair(signedSuffix).replace('=', '=x');

const measured: Readonly<Record<string, number>> = {
  Route: bestNs(lookup(route, amongTen(`JSESSIONID=${id}.member42`))),
  Suffix: bestNs(lookup(suffix, amongTen(suffixPair(suffix)))),
  Insert: bestNs(lookup(insert, amongTen(insertPair(insert)))),
  'Suffix, signed': bestNs(lookup(signedSuffix, amongTen(suffixPair(signedSuffix)))),
  'Insert, signed': bestNs(lookup(signedInsert, amongTen(insertPair(signedInsert)))),
  '10,000 other cookies': bestNs(lookup(signedSuffix, 'a=b; '.repeat(10_000), false)),
  '10,000 cookies of the name': bestNs(lookup(signedSuffix, 'JSESSIONID=x; '.repeat(10_000), false)),
  '10,000 cookies of the name, all ours': bestNs(lookup(suffix, `${suffixPair(suffix)}; `.repeat(10_000))),
  '10,000 cookies of the name, all forged': bestNs(lookup(signedSuffix, `${forged}; `.repeat(10_000), false)),
};
console.log(JSON.stringify(measured));
