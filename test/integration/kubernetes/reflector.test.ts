import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiClient, createApiClient } from '../../../src/provider/kubernetes/api-client.ts';
import type { KubeObject } from '../../../src/provider/kubernetes/kube-object.ts';
import { createReflector, type Pace, type Reflector } from '../../../src/provider/kubernetes/reflector.ts';
import { eventually, within } from '../../helpers/patience.ts';
import { type Asked, FakeApiServer, type Fault } from './fake-api-server.ts';
import { createMachine, service } from './fixtures.ts';

/** A sink that holds what it was told: names and resource versions. */
function createMirror() {
  const held = new Map<string, string>();
  let listed = new Set<string>();
  const nameOf = ({ metadata }: KubeObject) => `${metadata.namespace}/${metadata.name}`;
  return {
    held,
    lists: 0,
    startList() {
      this.lists += 1;
      listed = new Set();
    },
    set(object: KubeObject) {
      listed.add(nameOf(object));
      held.set(nameOf(object), object.metadata.resourceVersion ?? '');
    },
    delete(object: KubeObject) {
      held.delete(nameOf(object));
    },
    endList() {
      for (const name of held.keys()) if (!listed.has(name)) held.delete(name);
    },
  };
}

const quick: Pace = { retry: { baseMs: 10, maxMs: 40 } };

let server: FakeApiServer;
let client: ApiClient;
let reflector: Reflector;
let mirror: ReturnType<typeof createMirror>;
let machine: ReturnType<typeof createMachine>;

function start(pace: Pace = {}, suspectMs?: number): void {
  machine = createMachine();
  mirror = createMirror();
  client = createApiClient(server.access(), { suspectMs });
  const path = '/api/v1/services';
  reflector = createReflector({
    ...machine,
    client,
    what: 'Services',
    path,
    sink: mirror,
    pace: { ...quick, ...pace },
  });
}

const truth = () =>
  new Map(
    server
      .objects('services')
      .map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.resourceVersion!]),
  );

/** Waits until the mirror is as the server. */
const converged = () => eventually(() => expect(mirror.held).toEqual(truth()), 5_000);

const warnings = () => machine.lines.filter(({ level }) => level === 'warn');
const count = (what: 'watch' | 'list') => server.asked.filter(({ isWatch }) => isWatch === (what === 'watch')).length;

/** These faults, one per request that they are about; then none. */
function faults(isAbout: (asked: Asked) => boolean, ...list: readonly Fault[]): void {
  const left = [...list];
  server.fault = (asked) => (isAbout(asked) ? left.shift() : undefined);
}

const onWatch = ({ isWatch }: Asked) => isWatch;
const onList = ({ isWatch }: Asked) => !isWatch;

beforeEach(async () => {
  server = await FakeApiServer.start();
  for (const name of ['a', 'b', 'c']) server.put('services', service(name));
});

afterEach(async () => {
  await within(reflector.stop(), 'the reflector to stop', 3_000);
  client.close();
  await server.stop();
});

/** The watch runs and delivers. */
async function watching(): Promise<void> {
  await reflector.synced;
  await eventually(() => expect(server.watches('services')).toHaveLength(1));
}

async function delivers(): Promise<void> {
  server.put('services', service('new'));
  server.remove('services', 'shop', 'a');
  server.put('services', service('b'));
  await converged();
}

describe('a reflector', () => {
  it('lists, watches, and asks for bookmarks and an end', async () => {
    start();
    await watching();
    await delivers();
    const { query } = server.watches('services')[0]!;
    expect(query.get('allowWatchBookmarks')).toBe('true');
    expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(Number(query.get('timeoutSeconds'))).toBeLessThanOrEqual(600);
    expect(mirror.lists).toBe(1);
    expect(warnings()).toEqual([]);
  });

  it.each<[string, Fault]>([
    ['500', { type: 'status', status: 500 }],
    ['a reset', { type: 'reset' }],
    ['no JSON', { type: 'raw', text: '{"kind":', end: 'end' }],
    ['a cut answer', { type: 'raw', text: '{"kind":', end: 'cut' }],
    ['an answer that is no list', { type: 'raw', text: '{}', end: 'end' }],
    ['403', { type: 'status', status: 403 }],
    ['404', { type: 'status', status: 404 }],
  ])('outlives %s for its list, told once', async (_, fault) => {
    faults(onList, fault, fault, fault);
    start();
    await watching();
    await delivers();
    expect(warnings()).toHaveLength(1);
    expect(machine.lines.at(-1)?.message).toBe('reading from the API server works again');
  });

  it.each<[string, Fault]>([
    ['500', { type: 'status', status: 500 }],
    ['403', { type: 'status', status: 403 }],
    ['a reset', { type: 'reset' }],
    ['a malformed line', { type: 'raw', text: '{"type":"ADDED","obj\n', end: 'stay' }],
    ['a line that is no event', { type: 'raw', text: '{"kind":"Status"}\n', end: 'stay' }],
    ['an event without an object', { type: 'raw', text: '{"type":"ADDED"}\n', end: 'stay' }],
    ['a cut within a line', { type: 'raw', text: '{"type":"ADDED","obj', end: 'cut' }],
    ['an end within a line', { type: 'raw', text: '{"type":"ADDED","obj', end: 'end' }],
    ['an end at once', { type: 'raw', text: '', end: 'end' }],
    ['an ERROR event', { type: 'raw', text: '{"type":"ERROR","object":{"code":500}}\n', end: 'stay' }],
  ])('outlives %s for its watch', async (_, fault) => {
    faults(onWatch, fault, fault, fault, fault);
    start();
    await watching();
    await delivers();
    expect(warnings().length).toBeLessThanOrEqual(1);
  });

  it.each<[string, Fault]>([
    ['the status 410', { type: 'status', status: 410 }],
    [
      'an ERROR event',
      { type: 'raw', text: '{"type":"ERROR","object":{"code":410,"reason":"Expired"}}\n', end: 'stay' },
    ],
  ])('lists again after 410 as %s, and finds what it missed', async (_, fault) => {
    start();
    await watching();
    server.watches('services')[0]!.silence();
    faults(onWatch, fault);
    server.remove('services', 'shop', 'a');
    server.put('services', service('b'));
    server.put('services', service('d'));
    server.compact();
    server.watches('services')[0]!.cut();
    await converged();
    expect(mirror.lists).toBe(2);
    await eventually(() => expect(count('watch')).toBe(3));
    expect(warnings()).toEqual([]);
  });

  it('goes on from a bookmark and does not list again', async () => {
    start();
    await watching();
    for (let index = 0; index < 5; index += 1) server.moveOn();
    server.bookmark();
    server.compact();
    // What the bookmark said is the oldest that is not compacted.
    await eventually(() => expect(server.watches('services')).toHaveLength(1));
    server.watches('services')[0]!.end();
    await eventually(() => expect(count('watch')).toBe(2));
    await delivers();
    expect(mirror.lists).toBe(1);
  });

  it('begins a list again whose pages expired, and asks for it whole in the end', async () => {
    for (let index = 0; index < 20; index += 1) server.put('services', service(`more-${index}`));
    server.fault = ({ query }) => (query.has('continue') ? { type: 'status', status: 410 } : undefined);
    start({ pageSize: 5 });
    await watching();
    expect(mirror.held).toEqual(truth());
    expect(mirror.lists).toBe(3);
    expect(warnings()).toEqual([]);
  });

  it('waits as long as Retry-After says', async () => {
    faults(onList, { type: 'status', status: 429, retryAfter: '1' });
    const startMs = performance.now();
    start();
    await watching();
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(1_000);
  });

  it('finds a connection that fell silent', async () => {
    start({ idleTimeoutMs: 200 });
    await watching();
    server.watches('services')[0]!.silence();
    await delivers();
  });

  it('finds a connection that fell silent sooner once a request had no answer, and leaves alone one that speaks', async () => {
    start({}, 1_500);
    await watching();
    server.fault = ({ method }) => (method === 'PUT' ? { type: 'hang' } : undefined);
    const renew = (): Promise<unknown> => client.request('PUT', '/leases', { timeoutMs: 20 }).catch(() => undefined);
    const renewing = setInterval(() => void renew(), 100);
    const speaking = setInterval(() => server.bookmark(), 50);
    const asked = (): number => server.asked.filter(({ method }) => method === 'PUT').length;
    try {
      // For longer than a suspicion lasts.
      await expect.poll(asked, { timeout: 10_000 }).toBeGreaterThan(25);
      expect(count('watch')).toBe(1);

      server.watches('services')[0]!.silence();
      server.put('services', service('unheard'));
      // Suspected again and again, it is given up after the time from the first suspicion.
      await converged();
      expect(count('watch')).toBe(2);
    } finally {
      for (const timer of [renewing, speaking]) clearInterval(timer);
    }
    await delivers();
  });

  it('takes characters and lines in any pieces', async () => {
    start();
    await watching();
    const object = { metadata: { name: 'é—🙂'.repeat(50_000), namespace: 'x', resourceVersion: '9' } };
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    const watch = server.watches('services')[0]!;
    for (let at = 0; at < bytes.length; at += 4_099) watch.write(bytes.subarray(at, at + 4_099));
    await eventually(() => expect(mirror.held.has(`x/${object.metadata.name}`)).toBe(true));
    expect(warnings()).toEqual([]);
  });

  it('takes a slow list', async () => {
    faults(onList, { type: 'slow', delayMs: 300 });
    start();
    server.put('services', service('meanwhile'));
    await watching();
    await converged();
  });

  it('reads a token that was rotated', async () => {
    server.goodToken = 'token';
    start();
    await watching();
    server.token = 'rotated';
    server.goodToken = 'rotated';
    server.watches('services')[0]!.cut();
    await delivers();
    expect(warnings()).toEqual([]);
  });

  it('goes on when its sink throws', async () => {
    start();
    await watching();
    const { set } = mirror;
    mirror.set = () => {
      throw new Error('of the sink');
    };
    server.put('services', service('lost'));
    await eventually(() => expect(machine.lines.some(({ level }) => level === 'error')).toBe(true));
    mirror.set = set;
    server.put('services', service('kept'));
    await eventually(() => expect(mirror.held.has('shop/kept')).toBe(true));
  });

  it('lists again in the end when the server has gone back in time', async () => {
    start();
    await watching();
    faults(onWatch, ...Array<Fault>(3).fill({ type: 'status', status: 504 }));
    server.watches('services')[0]!.cut();
    await eventually(() => expect(mirror.lists).toBe(2));
    await converged();
  });

  it('keeps few connections', async () => {
    start({ pageSize: 1 });
    await watching();
    for (let index = 0; index < 10; index += 1) {
      server.watches('services')[0]!.end();
      await eventually(() => expect(count('watch')).toBe(index + 2));
      await eventually(() => expect(server.watches('services')).toHaveLength(1));
    }
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it.each<[string, Fault | undefined]>([
    ['a list hangs', { type: 'hang' }],
    ['it waits', { type: 'status', status: 500, retryAfter: '60' }],
    ['it watches', undefined],
  ])('stops at once while %s, and says nothing of it', async (_, fault) => {
    if (fault !== undefined) server.fault = () => fault;
    start();
    await eventually(() => expect(server.asked.length).toBeGreaterThan(0));
    if (fault === undefined) await watching();
    const told = warnings().length;
    await within(reflector.stop(), 'the reflector to stop', 3_000);
    server.put('services', service('late'));
    expect(mirror.held.has('shop/late')).toBe(false);
    expect(warnings().length).toBe(fault?.type === 'status' ? Math.max(told, warnings().length) : told);
  });
});

type Step =
  | { readonly type: 'put' | 'remove'; readonly name: string }
  | { readonly type: 'compact' | 'bookmark' | 'cut' | 'end' | 'silence' | 'garbage' | 'half-line' | 'breathe' }
  | { readonly type: 'faults'; readonly faults: readonly Fault[] };

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const anyFault = fc.constantFrom<Fault>(
  { type: 'status', status: 500 },
  { type: 'status', status: 410 },
  { type: 'status', status: 429 },
  { type: 'status', status: 401 },
  { type: 'reset' },
  { type: 'raw', text: '{"type":"ERROR","object":{"code":410,"reason":"Gone"}}\n', end: 'end' },
  { type: 'raw', text: '{"type":"MODIFIED","object":{"meta', end: 'cut' },
  { type: 'raw', text: 'nonsense\n', end: 'stay' },
  { type: 'slow', delayMs: 5 },
);
const anyStep = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ type: fc.constantFrom('put', 'remove'), name }),
  fc.record({ type: fc.constantFrom('put', 'remove'), name }),
  fc.record({
    type: fc.constantFrom('compact', 'bookmark', 'cut', 'end', 'silence', 'garbage', 'half-line', 'breathe'),
  }),
  fc.record({ type: fc.constant('faults'), faults: fc.array(anyFault, { maxLength: 3 }) }),
);

function play(step: Step): void {
  switch (step.type) {
    case 'put':
      server.put('services', service(step.name));
      break;
    case 'remove':
      server.remove('services', 'shop', step.name);
      break;
    case 'compact':
      server.compact();
      break;
    case 'bookmark':
      server.bookmark();
      break;
    case 'faults':
      faults(() => true, ...step.faults);
      break;
    case 'breathe':
      break;
    default:
      for (const watch of server.watches('services')) {
        if (step.type === 'cut') watch.cut();
        else if (step.type === 'end') watch.end();
        else if (step.type === 'silence') watch.silence();
        else watch.write(step.type === 'garbage' ? 'garbage\n' : '{"type":"ADD');
      }
  }
}

describe('whatever happens', () => {
  it('a reflector ends up with what the server has', async () => {
    start();
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 30 }), async (steps) => {
        await reflector.stop();
        client.close();
        server.fault = () => undefined;
        start({ pageSize: 2, idleTimeoutMs: 150, listTimeoutMs: 150, retry: { baseMs: 2, maxMs: 8 } });
        for (const step of steps) {
          play(step);
          if (step.type === 'breathe') await new Promise((resolve) => setTimeout(resolve, 3));
          else await new Promise((resolve) => setImmediate(resolve));
        }
        server.fault = () => undefined;
        await converged();
      }),
      { numRuns: 60 },
    );
  });
});
