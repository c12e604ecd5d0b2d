import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../../../src/lib/logger.ts';
import type { KubeObject } from '../../../../src/provider/kubernetes/kube-object.ts';
import { keyOfObject } from '../../../../src/provider/kubernetes/object-store.ts';
import { WantedKind, type WantedKindOptions } from '../../../../src/provider/kubernetes/wanted-kind.ts';
import { ManualTime } from '../../lib/manual-time.ts';
import { ScriptedClient, settle } from './scripted-client.ts';

const silent = (): void => undefined;
const log: Logger = { debug: silent, info: silent, warn: silent, error: silent };

let client: ScriptedClient;
let time: ManualTime;
let kind: WantedKind<string>;
/** What the groups consist of, as told. */
let told: Map<string, readonly string[]>;
let unread: Map<string, string>;

function create(options: Partial<WantedKindOptions<string>> = {}): void {
  client = new ScriptedClient();
  time = new ManualTime();
  told = new Map();
  unread = new Map();
  kind = new WantedKind<string>({
    client,
    clock: time.clock,
    timers: time.timers,
    random: () => 0.5,
    log,
    namespaces: null,
    plural: 'Things',
    pathOf: (namespace) => `/things/${namespace ?? 'all'}`,
    selectorOf: (name) => ({ labelSelector: `of=${name}` }),
    parse: ({ metadata }) => ({ resource: `${metadata.name} ${metadata.resourceVersion}` }),
    groupOf: (object) => object.metadata.labels?.of ?? keyOfObject(object),
    onChange: (group, resources) => void told.set(group, resources),
    onProblems: () => undefined,
    onSettled: () => undefined,
    onUnread: (group, why) => {
      if (why === undefined) unread.delete(group);
      else unread.set(group, why);
    },
    ...options,
  });
}

function thing(name: string, resourceVersion: string, namespace = 'shop', group = 'app'): KubeObject {
  return { metadata: { name, namespace, uid: name, resourceVersion, labels: { of: `${namespace}/${group}` } } };
}

/** Starts, and answers the first list of each stream with nothing. */
async function start(): Promise<void> {
  kind.start();
  await settle();
  for (const asked of [...client.waiting]) asked.list();
  await settle();
}

beforeEach(() => create());
afterEach(() => kind.stop());

describe('a look-up', () => {
  it('of what was let go and wanted again does not bring back what was deleted meanwhile', async () => {
    await start();
    kind.want('shop/app');
    await settle();
    const [first] = client.waitingFor('of=app');
    kind.release('shop/app');
    kind.want('shop/app');
    await settle();
    const second = client.waitingFor('of=app').find((asked) => asked !== first)!;
    first!.list(thing('one', '7'));
    await settle();
    client.watches[0]!.push({ type: 'DELETED', object: thing('one', '8') });
    await settle();
    second.list(thing('one', '7'));
    await settle();
    expect(kind.isSettled('shop/app')).toBe(true);
    expect(kind.size).toBe(0);
    expect(told.get('shop/app') ?? []).toEqual([]);
    // The first one is over, and asks no more.
    expect(client.waiting).toEqual([]);
  });

  it('that fails keeps nobody waiting, and is tried again', async () => {
    await start();
    for (let index = 0; index < 8; index += 1) kind.want(`closed/app-${index}`);
    kind.want('shop/app');
    await settle();
    expect(client.waitingFor('shop')).toEqual([]);
    for (const asked of client.waitingFor('closed')) asked.refuse(403, 'Forbidden');
    await settle();
    client.waitingFor('shop')[0]!.list(thing('one', '7'));
    await settle();
    expect(told.get('shop/app')).toEqual(['one 7']);
    expect(client.waiting).toEqual([]);
    time.advance(1_000);
    await settle();
    expect(client.waitingFor('closed')).toHaveLength(8);
  });
});

/** Answers lists of this namespace with a refusal for so long, and those of others with nothing. */
async function refuse(text: string, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 1_000) {
    for (const asked of client.waitingFor(text)) asked.refuse(403, 'Forbidden');
    for (const asked of [...client.waiting]) asked.list();
    await settle();
    time.advance(1_000);
    await settle();
  }
}

const noRight = 'the controller has no right to read it (403 Forbidden)';

describe('one of several namespaces that must not be read', () => {
  beforeEach(() => create({ namespaces: ['shop', 'closed'] }));

  it('counts as empty after a while, and is read when it may be', async () => {
    kind.want('shop/app');
    kind.want('closed/app');
    kind.start();
    await settle();
    await refuse('closed', 9_000);
    expect([kind.hasSynced, kind.isSettled('shop/app'), kind.isSettled('closed/app')]).toEqual([false, true, false]);
    await refuse('closed', 2_000);
    expect([kind.hasSynced, kind.isSettled('closed/app')]).toEqual([true, true]);
    expect([...unread]).toEqual([['closed/app', noRight]]);
    kind.want('closed/late');
    expect(unread.get('closed/late')).toBe(noRight);
    time.advance(20_000);
    await settle();
    client.waitingFor('closed')[0]!.list(thing('one', '7', 'closed'));
    await settle();
    expect(unread.size).toBe(0);
    expect(told.get('closed/app')).toEqual(['one 7']);
    expect([kind.isSettled('closed/app'), kind.isSettled('closed/late')]).toEqual([true, true]);
  });

  it('is waited for as long as the server fails in other ways', async () => {
    kind.want('closed/app');
    kind.start();
    await settle();
    for (let second = 0; second < 60; second += 1) {
      for (const asked of client.waitingFor('closed')) asked.refuse(500, 'InternalError');
      for (const asked of [...client.waiting]) asked.list();
      await settle();
      time.advance(1_000);
      await settle();
    }
    expect([kind.hasSynced, kind.isSettled('closed/app')]).toEqual([false, false]);
  });

  it('does not hold up what is named there later, while its watch lives on', async () => {
    await start();
    kind.want('closed/app');
    await settle();
    await refuse('of=app', 5_000);
    expect(kind.isSettled('closed/app')).toBe(false);
    await refuse('of=app', 25_000);
    expect([...unread]).toEqual([['closed/app', noRight]]);
    client.waitingFor('of=app')[0]?.list(thing('one', '7', 'closed'));
    time.advance(10_000);
    await settle();
    client.waitingFor('of=app')[0]?.list(thing('one', '7', 'closed'));
    await settle();
    expect(unread.size).toBe(0);
    expect(told.get('closed/app')).toEqual(['one 7']);
  });
});

describe('what must not be read at all', () => {
  it.each([[null], [['closed']], [['closed', 'shop']]])('is waited for: %j', async (namespaces) => {
    create({ namespaces });
    kind.start();
    await settle();
    await refuse('things', 60_000);
    expect(kind.hasSynced).toBe(false);
  });
});
