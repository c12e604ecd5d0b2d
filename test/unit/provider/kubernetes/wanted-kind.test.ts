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

function create(options: Partial<WantedKindOptions<string>> = {}): void {
  client = new ScriptedClient();
  time = new ManualTime();
  told = new Map();
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
