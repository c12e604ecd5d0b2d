// Signing keys over time: they rotate, stay when their Secret is gone, are forgotten when nobody asks for them any more,
// and never stand in what is said of them.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Resource } from '../../../src/api/parse.ts';
import { checkSnapshot } from '../../../src/snapshot/check.ts';
import * as endpoints from '../../../src/translate/service-endpoints.ts';
import { createTranslator, type Translation, translate } from '../../../src/translate/translate.ts';
import { balancer, conditionsOf, endpoint, problemsOf, secret, service, setOf, slice } from './resources.ts';
import { testOptions } from './test-options.ts';

const [keyA, keyB] = [keyOfBytes(1), keyOfBytes(2)];

function keyOfBytes(octet: number, length = 32): string {
  return Buffer.alloc(length, octet).toString('base64');
}

function keysIn(...lines: readonly string[]): Resource {
  return secret('session-keys', { stringData: { keys: lines.join('\n') } });
}

function signedBalancer(name = 'app', signing: Readonly<Record<string, unknown>> = {}): Resource {
  return balancer(name, {
    rules: [{ hosts: [`${name}.example.com`] }],
    members: [{ service: { name: 'app', port: 'http' } }],
    stickySession: { cookie: 'SID', strategy: 'Suffix', signing: { secretName: 'session-keys', ...signing } },
  });
}

function keysOf({ snapshot }: Translation, name = 'app'): readonly string[] | undefined {
  return snapshot.balancers.get(`shop/${name}`)?.session?.signing?.keys;
}

function resolvedRefsOf(translation: Translation, name = 'app') {
  const { isTrue, reason, message } = conditionsOf(translation, `shop/${name}`).resolvedRefs;
  return `${isTrue} ${reason}${message.includes('the keys in force until now stay') ? ', keys stay' : ''}`;
}

const app = [signedBalancer(), service('app'), slice('app-1', 'app', [endpoint(1)])];

describe('keys', () => {
  test('rotate: appended, then first, then alone', () => {
    const translator = createTranslator(testOptions);
    const steps = [[keyA], [keyA, keyB], [keyB, keyA], [keyB]];
    const seen = steps.map((keys) => keysOf(translator.translate(setOf([...app, keysIn(...keys)]))));
    expect(seen).toEqual(steps);
  });

  test('come into force when their Secret appears', () => {
    const translator = createTranslator(testOptions);
    expect(keysOf(translator.translate(setOf(app)))).toEqual([]);
    expect(keysOf(translator.translate(setOf([...app, keysIn(keyA)])))).toEqual([keyA]);
  });

  test('change without a look at endpoints, and without a change of other Balancers', () => {
    const findEndpoints = vi.spyOn(endpoints, 'findEndpoints');
    const translator = createTranslator(testOptions);
    const other = balancer('other', { rules: [{ hosts: ['o.example.com'] }], members: [{ url: 'http://a' }] });
    const before = translator.translate(setOf([...app, other, keysIn(keyA)]));
    const looks = findEndpoints.mock.calls.length;
    const after = translator.translate(setOf([...app, other, keysIn(keyB)]));
    expect(findEndpoints.mock.calls.length).toBe(looks);
    expect(after.snapshot.balancers.get('shop/other')).toBe(before.snapshot.balancers.get('shop/other'));
    expect(keysOf(after)).toEqual([keyB]);
  });
});

describe('the last good keys', () => {
  const unusable: readonly (readonly [string, readonly Resource[], string])[] = [
    ['is missing', app, 'false SecretNotFound, keys stay'],
    ['has no data', [...app, secret('session-keys', {})], 'false SecretNotUsable, keys stay'],
    ['is empty', [...app, keysIn('')], 'false SecretNotUsable, keys stay'],
    ['holds no key', [...app, keysIn('no key', keyOfBytes(3, 31))], 'false SecretNotUsable, keys stay'],
    ['is not base64', [...app, secret('session-keys', { data: { keys: '%' } })], 'false SecretNotUsable, keys stay'],
    [
      'is another one that is not there',
      [signedBalancer('app', { secretName: 'gone' }), ...app.slice(1), keysIn(keyB)],
      'false SecretNotFound, keys stay',
    ],
  ];

  test.each(unusable)('stay in force when the Secret %s', (_, resources, condition) => {
    const translator = createTranslator(testOptions);
    translator.translate(setOf([...app, keysIn(keyA, keyB)]));
    for (const members of [1, 2, 3]) {
      const changed = slice('app-2', 'app', [endpoint(10 + members)]);
      const translation = translator.translate(setOf([...resources, changed]));
      expect(keysOf(translation)).toEqual([keyA, keyB]);
      expect(resolvedRefsOf(translation)).toBe(condition);
      expect(problemsOf(translation).map(({ severity }) => severity)).toContain('error');
      expect(checkSnapshot(translation.snapshot)).toEqual([]);
    }
    const repaired = translator.translate(setOf([...app, keysIn(keyB)]));
    expect(keysOf(repaired)).toEqual([keyB]);
    expect(resolvedRefsOf(repaired)).toBe('true ResolvedRefs');
    expect(problemsOf(repaired)).toEqual([]);
  });

  test('stay in force while the Secret cannot be read, and the reason is told and taken back', () => {
    const translator = createTranslator(testOptions);
    translator.translate(setOf([...app, keysIn(keyA)]));
    const unreadFor = (why: string) => {
      const unread = {
        services: new Map(),
        secrets: new Map([['shop/session-keys', why]]),
        referenceGrants: new Map(),
      };
      return translator.translate({ ...setOf(app), unread });
    };
    for (const why of ['the API server answers 500', 'the controller has no right to read it (403 Forbidden)']) {
      const translation = unreadFor(why);
      expect(keysOf(translation)).toEqual([keyA]);
      expect(resolvedRefsOf(translation)).toBe('false SecretNotFound, keys stay');
      expect(conditionsOf(translation, 'shop/app').resolvedRefs.message).toContain(
        `Secret shop/session-keys cannot be read: ${why};`,
      );
    }
    const { message } = conditionsOf(translator.translate(setOf(app)), 'shop/app').resolvedRefs;
    expect(message).toContain('there is no Secret shop/session-keys;');
  });

  test('are not used while one line of the Secret is good: every replica reads the same from it', () => {
    const translator = createTranslator(testOptions);
    translator.translate(setOf([...app, keysIn(keyA)]));
    const set = setOf([...app, keysIn('no key', keyB)]);
    expect(keysOf(translator.translate(set))).toEqual([keyB]);
    expect(keysOf(translate(set, testOptions))).toEqual([keyB]);
  });

  test('are each Balancer’s own', () => {
    const translator = createTranslator(testOptions);
    translator.translate(setOf([...app, keysIn(keyA)]));
    const translation = translator.translate(setOf([...app, signedBalancer('late')]));
    expect([keysOf(translation), keysOf(translation, 'late')]).toEqual([[keyA], []]);
    expect(resolvedRefsOf(translation, 'late')).toBe('false SecretNotFound');
  });

  test.each([
    ['the Balancer is gone', app.slice(1)],
    ['it asks for no signing any more', [balancer('app', { members: [{ url: 'http://a' }] })]],
    ['it is of another class', [balancer('app', { className: 'other', members: [{ url: 'http://a' }] })]],
  ])('are forgotten when %s', (_, resources) => {
    const translator = createTranslator(testOptions);
    translator.translate(setOf([...app, keysIn(keyA)]));
    translator.translate(setOf(resources));
    expect(keysOf(translator.translate(setOf(app)))).toEqual([]);
  });

  test('are unknown to who starts from nothing, who signs nothing then, rather than leave sessions unsigned', () => {
    for (const mode of ['Require', 'Prefer']) {
      const { snapshot } = translate(setOf([signedBalancer('app', { mode }), ...app.slice(1)]), testOptions);
      expect(snapshot.balancers.get('shop/app')?.session?.signing).toEqual({ mode, keys: [], maxAgeMs: null });
    }
  });
});

test('the Secret is taken from the namespace of the Balancer, and of no other', () => {
  const foreign = secret('session-keys', { stringData: { keys: keyA } }, 'other');
  const translation = translate(setOf([...app, foreign]), testOptions);
  expect([keysOf(translation), resolvedRefsOf(translation)]).toEqual([[], 'false SecretNotFound']);
});

test('what stands in a Secret is never told, whatever it is', () => {
  const arbitraryLine = fc.oneof(
    fc.uint8Array({ minLength: 12, maxLength: 1100 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    fc.stringMatching(/^[A-Za-z0-9+/=_!-]{16,80}$/),
  );
  const arbitraryText = fc.array(arbitraryLine, { minLength: 1, maxLength: 24 }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(fc.array(arbitraryText, { minLength: 1, maxLength: 3 }), fc.boolean(), (texts, isData) => {
      const translator = createTranslator(testOptions);
      for (const text of texts) {
        const content = isData ? { data: { keys: text } } : { stringData: { keys: text } };
        const { balancers, snapshot } = translator.translate(setOf([...app, secret('session-keys', content)]));
        const said = JSON.stringify([...balancers.values()].map(({ problems, conditions }) => [problems, conditions]));
        for (const line of text.split('\n')) expect(said).not.toContain(line.slice(0, 12));
        expect(checkSnapshot(snapshot)).toEqual([]);
      }
    }),
  );
});

test('the check before publication tells no key either', () => {
  const { snapshot } = translate(setOf([...app, keysIn(keyA)]), testOptions);
  const unit = snapshot.balancers.get('shop/app')!;
  const session = { ...unit.session!, signing: { ...unit.session!.signing!, keys: [keyA, 'verysecret'] } };
  const findings = checkSnapshot({ ...snapshot, balancers: new Map([['shop/app', { ...unit, session }]]) });
  expect(findings).toEqual(['balancer shop/app: session: signing.keys[1] is no key']);
});
