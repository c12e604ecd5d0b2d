import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../../../src/lib/logger.ts';
import { Grants, type GrantsOptions } from '../../../../src/provider/kubernetes/grants.ts';
import type { KubeObject } from '../../../../src/provider/kubernetes/kube-object.ts';
import { ManualTime } from '../../lib/manual-time.ts';
import { type Asked, ScriptedClient, settle } from './scripted-client.ts';

const silent = (): void => undefined;
const log: Logger = { debug: silent, info: silent, warn: silent, error: silent };

let client: ScriptedClient;
let time: ManualTime;
let grants: Grants;
/** How many grants each namespace has, as told. */
let told: Map<string, number>;
let unread: Map<string | null, string>;

function create(options: Partial<GrantsOptions> = {}): void {
  client = new ScriptedClient();
  time = new ManualTime();
  told = new Map();
  unread = new Map();
  grants = new Grants({
    client,
    clock: time.clock,
    timers: time.timers,
    random: () => 1,
    log,
    namespaces: null,
    onChange: (namespace, list) => void told.set(namespace, list.length),
    onUnread: (namespace, why) => {
      if (why === undefined) unread.delete(namespace);
      else unread.set(namespace, why);
    },
    onSettled: silent,
    ...options,
  });
  grants.want();
}

const grant = {
  metadata: { name: 'g', namespace: 'backend', uid: 'u', resourceVersion: '5' },
  spec: {
    from: [{ group: 'evenkeel.dev', kind: 'Balancer', namespace: 'shop' }],
    to: [{ group: '', kind: 'Service' }],
  },
} as KubeObject;

type Answer = 'has' | 'has not' | 'grant' | readonly [number, string];

/** What the server says of a path from now on; of others it says nothing. */
function reply(asked: Asked, answer: Answer): void {
  if (answer === 'has') asked.answer({ resources: [{ name: 'referencegrants' }] });
  else if (answer === 'has not') asked.answer({ resources: [{ name: 'gateways' }] });
  else if (answer === 'grant') asked.list(grant);
  else asked.refuse(...answer);
}

const group = '/apis/gateway.networking.k8s.io';

/** For so many milliseconds the server answers like this; paths begin behind the group. */
async function serve(answers: Readonly<Record<string, Answer>>, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs <= ms; passedMs += 500) {
    for (;;) {
      await settle();
      const asked = client.waiting.find(({ path }) => answers[path.slice(group.length)] !== undefined);
      if (asked === undefined) break;
      reply(asked, answers[asked.path.slice(group.length)]!);
    }
    if (passedMs < ms) time.advance(500);
  }
}

const gone = [404, 'NotFound'] as const;
const broken = [500, 'InternalError'] as const;
const forbidden = [403, 'Forbidden'] as const;
const old = { '/v1': 'has not', '/v1beta1': 'has', '/v1beta1/referencegrants': 'grant' } as const;

beforeEach(() => create());
afterEach(() => grants.stop());

describe('a version of the kind', () => {
  it('that the server has no more is followed by another one, and what is revoked there is revoked', async () => {
    await serve(old, 0);
    expect([grants.isSettled, told.get('backend')]).toEqual([true, 1]);
    client.watches[0]!.fail(404, 'NotFound');
    const next = { '/v1': 'has', '/v1beta1': gone, '/v1beta1/referencegrants': gone } as const;
    await serve(next, 3_000);
    expect(told.get('backend')).toBe(1);
    client.waitingFor('/v1/referencegrants')[0]!.list();
    await settle();
    expect(told.get('backend')).toBe(0);
    expect(client.watches.map(({ path }) => path)).toEqual([`${group}/v1/referencegrants`]);
  });

  it('that is gone with the kind takes its grants along, once the server has said so again', async () => {
    await serve(old, 0);
    client.watches[0]!.fail(404, 'NotFound');
    const nothing = { '/v1': gone, '/v1beta1': gone, '/v1beta1/referencegrants': gone } as const;
    await serve(nothing, 1_000);
    expect(told.get('backend')).toBe(1);
    await serve(nothing, 10_000);
    expect(told.get('backend')).toBe(0);
    // It may be installed again.
    await serve(old, 80_000);
    expect(told.get('backend')).toBe(1);
  });

  it.each([
    ['forbids to ask for', forbidden],
    ['does not tell', broken],
  ])('that the server %s keeps what was granted', async (_, answer) => {
    await serve(old, 0);
    client.watches[0]!.fail(404, 'NotFound');
    await serve({ '/v1': answer, '/v1beta1': answer, '/v1beta1/referencegrants': gone }, 200_000);
    expect(told.get('backend')).toBe(1);
  });
});

describe('grants that cannot be read', () => {
  const reason = 'the API server answers 500 InternalError';

  it('are waited for a while, then said to be unread, and taken when they can be read', async () => {
    const answers = { '/v1': 'has', '/v1/referencegrants': broken } as const;
    await serve(answers, 9_000);
    expect(grants.isSettled).toBe(false);
    await serve(answers, 1_000);
    expect(grants.isSettled).toBe(true);
    expect([...unread]).toEqual([[null, reason]]);
    await serve({ '/v1/referencegrants': 'grant' }, 20_000);
    expect(told.get('backend')).toBe(1);
    expect(unread.size).toBe(0);
  });

  it('because nobody says whether there are any are not waited for either', async () => {
    await serve({ '/v1': broken, '/v1beta1': broken }, 10_000);
    expect(grants.isSettled).toBe(true);
    expect([...unread]).toEqual([[null, reason]]);
    await serve({ '/v1': 'has', '/v1/referencegrants': 'grant' }, 20_000);
    expect(unread.size).toBe(0);
  });

  it('for want of a right in one namespace leave those of others to be waited for', async () => {
    create({ namespaces: ['backend', 'closed'] });
    const answers = { '/v1': 'has', '/v1/namespaces/closed/referencegrants': forbidden } as const;
    await serve(answers, 0);
    expect(grants.isSettled).toBe(false);
    await serve({ ...answers, '/v1/namespaces/backend/referencegrants': 'grant' }, 0);
    expect(grants.isSettled).toBe(true);
    expect([...unread.keys()]).toEqual(['closed']);
    expect(told.get('backend')).toBe(1);
  });

  it('because the kind does not exist are no fault', async () => {
    await serve({ '/v1': gone, '/v1beta1': gone }, 0);
    expect(grants.isSettled).toBe(true);
    await serve({ '/v1': gone, '/v1beta1': gone }, 100_000);
    expect(unread.size).toBe(0);
  });
});
