import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../../../src/lib/logger.ts';
import type { KubeObject } from '../../../../src/provider/kubernetes/kube-object.ts';
import { NamedSecrets } from '../../../../src/provider/kubernetes/named-secrets.ts';
import { ManualTime } from '../../lib/manual-time.ts';
import { ScriptedClient, settle } from './scripted-client.ts';

const silent = (): void => undefined;
const log: Logger = { debug: silent, info: silent, warn: silent, error: silent };

let client: ScriptedClient;
let time: ManualTime;
let secrets: NamedSecrets;
let known: Set<string>;
let unread: Map<string, string>;
let settlings: number;

beforeEach(() => {
  client = new ScriptedClient();
  time = new ManualTime();
  known = new Set();
  unread = new Map();
  settlings = 0;
  secrets = new NamedSecrets({
    client,
    clock: time.clock,
    timers: time.timers,
    // The longest delays.
    random: () => 1,
    log,
    onChange: (key, secret) => {
      if (secret === undefined) known.delete(key);
      else known.add(key);
    },
    onUnread: (key, why) => {
      if (why === undefined) unread.delete(key);
      else unread.set(key, why);
    },
    onProblems: silent,
    onSettled: () => {
      settlings += 1;
    },
  });
});

afterEach(() => secrets.stop());

const keys: KubeObject = { metadata: { name: 'keys', namespace: 'shop', uid: 'u', resourceVersion: '5' } };
const server500 = 'the API server answers 500 InternalError';

/** Refuses all that waits, and lets so much time pass, second by second. */
async function refuseFor(ms: number, status: number, reason: string): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 1_000) {
    for (const asked of [...client.waiting]) asked.refuse(status, reason);
    await settle();
    time.advance(1_000);
    await settle();
  }
}

describe('a Secret', () => {
  it('that the server cannot give is waited for a while, then said to be unread, and taken when it can be read', async () => {
    secrets.want('shop', 'keys');
    await settle();
    await refuseFor(9_000, 500, 'InternalError');
    expect(secrets.isSettled('shop/keys')).toBe(false);
    await refuseFor(1_000, 500, 'InternalError');
    expect(secrets.isSettled('shop/keys')).toBe(true);
    expect(unread.get('shop/keys')).toBe(server500);
    expect(settlings).toBe(1);
    await refuseFor(60_000, 500, 'InternalError');
    expect(settlings).toBe(1);
    await refuseFor(20_000, 503, 'ServiceUnavailable');
    expect(unread.get('shop/keys')).toBe('the API server answers 503 ServiceUnavailable');
    time.advance(20_000);
    await settle();
    client.waiting[0]!.list(keys);
    await settle();
    expect(unread.size).toBe(0);
    expect([...known]).toEqual(['shop/keys']);
    expect(secrets.isSettled('shop/keys')).toBe(true);
  });

  it('for which the server gives no answer at all is not waited for either', async () => {
    secrets.want('shop', 'keys');
    await settle();
    time.advance(10_000);
    expect(secrets.isSettled('shop/keys')).toBe(true);
    expect(unread.get('shop/keys')).toBe('the API server has not answered so far');
  });

  it('that must not be read is known to be so at once', async () => {
    secrets.want('shop', 'keys');
    await settle();
    client.waiting[0]!.refuse(403, 'Forbidden');
    await settle();
    expect(secrets.isSettled('shop/keys')).toBe(true);
    expect(unread.get('shop/keys')).toBe('the controller has no right to read it (403 Forbidden)');
    secrets.release('shop/keys');
    expect(unread.size).toBe(0);
  });

  it('that was read stays when it cannot be read any more', async () => {
    secrets.want('shop', 'keys');
    await settle();
    client.waiting[0]!.list(keys);
    await settle();
    client.watches[0]!.fail(500, 'InternalError');
    await settle();
    await refuseFor(60_000, 500, 'InternalError');
    expect([...known]).toEqual(['shop/keys']);
    expect(unread.size).toBe(0);
  });

  it('that must not be read is asked for ever less often, down to once in two minutes', async () => {
    secrets.want('shop', 'keys');
    await settle();
    let asked = 0;
    const askFor = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        asked += client.waiting.length;
        for (const each of [...client.waiting]) each.refuse(403, 'Forbidden');
        await settle();
        time.advance(1_000);
        await settle();
      }
    };
    await askFor(250);
    expect(asked).toBeLessThan(12);
    asked = 0;
    await askFor(1_200);
    expect(asked).toBeGreaterThanOrEqual(9);
    expect(asked).toBeLessThanOrEqual(11);
  });
});

describe('many Secrets', () => {
  it('are listed a few at a time, each in its turn, and patience begins with the turn', async () => {
    for (let index = 0; index < 40; index += 1) secrets.want('shop', `keys-${index}`);
    await settle();
    expect(client.waiting).toHaveLength(16);
    time.advance(10_000);
    expect([secrets.isSettled('shop/keys-0'), secrets.isSettled('shop/keys-16')]).toEqual([true, false]);
    for (const asked of [...client.waiting]) asked.refuse(500, 'InternalError');
    await settle();
    expect(client.waiting[0]!.query.fieldSelector).toBe('metadata.name=keys-16');
    expect(client.waiting).toHaveLength(16);
    for (const asked of [...client.waiting]) asked.list();
    await settle();
    expect(client.waiting).toHaveLength(8);
    expect(secrets.isSettled('shop/keys-16')).toBe(true);
  });
});
