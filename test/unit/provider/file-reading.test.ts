// What is served, and what is told, for texts good and bad: a broken edit changes nothing in what is served.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { composeReading, isSameReading } from '../../../src/provider/file/file-reading.ts';
import { createProblem } from '../../../src/api/problem.ts';
import { balancerText, joined, placesOf, readTexts, servedUrls } from './documents-of.ts';

describe('a broken edit', () => {
  const good = readTexts({ 'x.yaml': joined(balancerText('a'), balancerText('b')) });

  test('with a syntax fault keeps all that the file said before', () => {
    const broken = readTexts({ 'x.yaml': joined(balancerText('a', 'http://new'), 'kind: [Balancer\n') }, good);
    expect(broken.resources).toBe(good.resources);
    expect(placesOf(broken)).toHaveLength(1);
    expect(broken.problems[0]?.location?.line).toBeGreaterThan(7);
    const brokenAgain = readTexts({ 'x.yaml': 'a: b: c' }, broken);
    expect(brokenAgain.resources).toBe(good.resources);
  });

  test('with an invalid document keeps that resource, and takes what is good beside it', () => {
    const text = joined(balancerText('a', 'http://new'), balancerText('b', 'ftp://b'));
    const broken = readTexts({ 'x.yaml': text }, good);
    expect(servedUrls(broken)).toEqual({ a: 'http://new', b: 'http://a' });
    expect(broken.resources.balancers.get('shop/b')?.balancer).toBe(good.resources.balancers.get('shop/b')?.balancer);
    expect(placesOf(broken)).toEqual(['x.yaml:13:7 spec.members[0].url']);
    expect(broken.problems[0]?.problem.value).toBe('ftp://b');
  });

  test('with an invalid document that moves to another file keeps that resource', () => {
    const broken = readTexts({ 'x.yaml': balancerText('a'), 'y.yaml': balancerText('b', 'ftp://b') }, good);
    expect(servedUrls(broken)).toEqual({ a: 'http://a', b: 'http://a' });
  });

  test.each([
    ['kind', (text: string) => text.replace('kind: Balancer', 'kind: Balancr')],
    ['kind, left out', (text: string) => text.replace('kind: Balancer\n', '')],
    ['apiVersion', (text: string) => text.replace('v1alpha1', 'v9')],
    ['name', (text: string) => text.replace('name: b', 'name: B_')],
    ['name, left out', (text: string) => text.replace('name: b, ', '')],
    ['namespace', (text: string) => text.replace('namespace: shop', 'namespace: [shop]')],
  ])('of the %s keeps the resource, and drops it once the edit is mended otherwise', (_, edit) => {
    const broken = readTexts({ 'x.yaml': joined(balancerText('a'), edit(balancerText('b'))) }, good);
    expect(servedUrls(broken)).toEqual({ a: 'http://a', b: 'http://a' });
    expect(broken.problems.length).toBeGreaterThan(0);
    const still = readTexts({ 'x.yaml': joined('# a comment\n', balancerText('a'), edit(balancerText('b'))) }, broken);
    expect(servedUrls(still)).toEqual({ a: 'http://a', b: 'http://a' });
    const mended = readTexts({ 'x.yaml': joined(balancerText('a'), balancerText('c')) }, still);
    expect(servedUrls(mended)).toEqual({ a: 'http://a', c: 'http://a' });
    expect(mended.problems).toEqual([]);
  });

  test('never holds a resource for a document of a foreign kind', () => {
    const service =
      'apiVersion: v1\nkind: Service\nmetadata: { name: app, namespace: shop }\nspec: { ports: [{ port: 80 }] }\n';
    const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: app, namespace: shop }\n';
    const before = readTexts({ 'x.yaml': service });
    expect(before.resources.services.size).toBe(1);
    expect(readTexts({ 'x.yaml': configMap }, before).resources.services.size).toBe(0);
  });

  test('keeps a slice that lost the label of its Service', () => {
    const text = (labels: string): string =>
      `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: s${labels} }\naddressType: IPv4\n`;
    const before = readTexts({ 'x.yaml': text(', labels: { kubernetes.io/service-name: app }') });
    const after = readTexts({ 'x.yaml': text('') }, before);
    expect(after.resources).toBe(before.resources);
    expect(placesOf(after)).toEqual(['x.yaml:3:1 metadata.labels']);
  });
});

describe('with nothing before', () => {
  test('broken documents are missing and the others serve', () => {
    const reading = readTexts({
      'x.yaml': joined(balancerText('a'), balancerText('b', 'ftp://b'), balancerText('c'), 'kind: [\n'),
      'y.yaml': 'kind: [',
    });
    expect(servedUrls(reading)).toEqual({ a: 'http://a', c: 'http://a' });
    expect(reading.problems.length).toBeGreaterThanOrEqual(3);
  });

  test('a file that was never whole is taken as far as it is good, each time', () => {
    const first = readTexts({ 'x.yaml': joined(balancerText('a'), 'kind: [\n') });
    const second = readTexts({ 'x.yaml': joined(balancerText('a', 'http://new'), 'kind: [\n') }, first);
    expect(servedUrls(second)).toEqual({ a: 'http://new' });
  });
});

describe('files that come and go', () => {
  const good = readTexts({ 'x.yaml': balancerText('a'), 'y.yaml': balancerText('b') });

  test('a removed file takes its resources along', () => {
    expect(servedUrls(readTexts({ 'y.yaml': balancerText('b') }, good))).toEqual({ b: 'http://a' });
  });

  test('an unreadable file keeps its documents and is a problem', () => {
    const reading = composeReading(
      [
        { type: 'fault', path: 'x.yaml', message: 'may not be read by this process (EACCES)' },
        { type: 'kept', path: 'y.yaml' },
      ],
      good,
    );
    expect(reading.resources).toBe(good.resources);
    expect(reading.problems.map(({ problem }) => problem.message)).toEqual([
      'x.yaml may not be read by this process (EACCES)',
    ]);
  });
});

describe('duplicates', () => {
  test('the first in order wins, and both places are named', () => {
    const reading = readTexts({
      'x.yaml': balancerText('a'),
      'y.yaml': joined('# none\n', balancerText('a', 'http://b')),
    });
    expect(servedUrls(reading)).toEqual({ a: 'http://a' });
    expect(placesOf(reading)).toEqual(['y.yaml:5:13 metadata.name']);
    expect(reading.problems[0]?.problem.message).toContain('x.yaml:3');
  });

  test('the second takes over when the first is removed', () => {
    const before = readTexts({ 'x.yaml': balancerText('a'), 'y.yaml': balancerText('a', 'http://b') });
    expect(servedUrls(readTexts({ 'y.yaml': balancerText('a', 'http://b') }, before))).toEqual({ a: 'http://b' });
  });
});

describe('what did not change', () => {
  test('is the same object, down to the whole set', () => {
    const before = readTexts({ 'x.yaml': joined(balancerText('a'), balancerText('b')) });
    const commented = readTexts({ 'x.yaml': joined('# a comment\n', balancerText('a'), balancerText('b')) }, before);
    expect(commented.resources).toBe(before.resources);
    expect(isSameReading(before, commented)).toBe(true);
    const edited = readTexts({ 'x.yaml': joined(balancerText('a', 'http://new'), balancerText('b')) }, before);
    expect(isSameReading(before, edited)).toBe(false);
    expect(edited.resources.balancers.get('shop/b')?.balancer).toBe(before.resources.balancers.get('shop/b')?.balancer);
  });

  test('a change of order is a change of age', () => {
    const before = readTexts({ 'x.yaml': joined(balancerText('a'), balancerText('b')) });
    const swapped = readTexts({ 'x.yaml': joined(balancerText('b'), balancerText('a')) }, before);
    expect(swapped.resources).not.toBe(before.resources);
  });
});

test('age is the creation time where one is stated, and then the place', () => {
  const dated = (name: string, time: string): string =>
    balancerText(name).replace('namespace: shop', `namespace: shop, creationTimestamp: "${time}"`);
  const reading = readTexts({
    'x.yaml': joined(balancerText('p'), dated('young', '2026-02-01T00:00:00Z'), dated('odd', 'yesterday')),
    'y.yaml': joined(balancerText('q'), dated('old', '2026-01-01T00:00:00Z')),
  });
  const byAge = [...reading.resources.balancers.values()].sort((a, b) => a.age - b.age);
  expect(byAge.map(({ balancer }) => balancer.metadata.name)).toEqual(['old', 'young', 'p', 'odd', 'q']);
});

test('problems found later are located by resource and path, at the nearest ancestor if need be', () => {
  const reading = readTexts({ 'x.yaml': joined(balancerText('a'), balancerText('b', 'http://b', 'limits: {}')) });
  const locate = (name: string, path: string): string | null => {
    const location = reading.locate(createProblem({ kind: 'Balancer', namespace: 'shop', name }, path, ''));
    return location === null ? null : `${location.file}:${location.line}:${location.column}`;
  };
  expect(locate('a', 'spec.members[0].url')).toBe('x.yaml:6:7');
  expect(locate('b', 'spec.members[0].url')).toBe('x.yaml:13:7');
  expect(locate('b', 'spec.members[0].service.port')).toBe('x.yaml:13:7');
  expect(locate('b', 'spec.members[7]')).toBe('x.yaml:12:3');
  expect(locate('b', 'spec.limits.maxWaiting')).toBe('x.yaml:14:3');
  expect(locate('b', '')).toBe('x.yaml:8:1');
  expect(locate('gone', 'spec')).toBeNull();
});

test('a reading does not keep the ones before it', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  let latest = readTexts({ 'x.yaml': balancerText('a') });
  const first = new WeakRef(latest);
  for (let edit = 0; edit < 3; edit += 1) {
    latest = readTexts({ 'x.yaml': balancerText('a', `http://m${edit}`) }, latest);
  }
  // What a weak reference was made of or asked for is held until the turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(first.deref()).toBeUndefined();
  expect(servedUrls(latest)).toEqual({ a: 'http://m2' });
});
