import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ExplainSecret, ExplainSecretError } from '../../../src/control/explain-secret.ts';

const first = 'a-secret-of-many-signs';
const second = 'another-secret-of-many';

function setUp(text: string | Error) {
  const file: { content: string | Error } = { content: text };
  const changes: string[] = [];
  const logged: string[] = [];
  const planned = new Set<() => void>();
  const note = (fields: unknown, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const secret = new ExplainSecret({
    path: '/run/explain',
    timers: {
      set: (callback) => {
        planned.add(callback);
        return callback;
      },
      clear: (callback) => planned.delete(callback as () => void),
    },
    log: { debug: note, info: note, warn: note, error: note },
    onChange: (digest) => changes.push(digest),
    read: async () => {
      if (file.content instanceof Error) throw file.content;
      return file.content;
    },
  });
  /** Time goes by until the file has been looked at once more. */
  const look = async (content: string | Error): Promise<void> => {
    file.content = content;
    for (const callback of [...planned]) {
      planned.delete(callback);
      callback();
    }
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { secret, changes, logged, look, planned };
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('at the start', () => {
  it.each([first, `${first}\n`, `${first}\r\n`])('the digest of %j is that of the secret', async (text) => {
    const { secret } = setUp(text);
    await secret.start();
    expect(secret.digest).toBe(hash('sha256', first, 'hex'));
  });

  it.each([
    ['', 'holds 0 characters; a secret must have at least 16'],
    ['x', 'holds 1 character; a secret must have at least 16'],
    ['fifteen-letters\n', 'holds 15 characters; a secret must have at least 16'],
    ['x'.repeat(257), 'holds 257 characters; a secret must have at most 256'],
    ['a secret with spaces', 'has a sign at character 2 that no header'],
    ['a-secret-of-many\nlines', 'has a sign at character 17 that no header'],
    ['a-secret-f\xfcr-Umlaute', 'has a sign at character 11 that no header'],
    [systemError('ENOENT'), 'does not exist'],
    [systemError('EACCES'), 'cannot be read (EACCES)'],
  ])('%j is refused, without a word of it', async (content, fault) => {
    const { secret } = setUp(content);
    const error = await secret.start().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ExplainSecretError);
    expect((error as Error).message).toContain(`/run/explain ${fault}`);
    if (typeof content === 'string' && content.length > 1)
      expect((error as Error).message).not.toContain(content.trim());
  });
});

describe('afterwards', () => {
  it('another secret is told', async () => {
    const { secret, changes, look } = setUp(first);
    await secret.start();
    await look(first);
    expect(changes).toEqual([]);
    await look(`${second}\n`);
    expect(changes).toEqual([hash('sha256', second, 'hex')]);
    expect(secret.digest).toBe(changes[0]);
  });

  it('a bad one leaves the last good one in force and is logged once for each change', async () => {
    const { secret, changes, logged, look } = setUp(first);
    await secret.start();
    for (const content of ['short', 'short', systemError('ENOENT'), systemError('ENOENT'), first]) await look(content);
    expect(changes).toEqual([]);
    expect(secret.digest).toBe(hash('sha256', first, 'hex'));
    expect(logged).toEqual([
      expect.stringContaining('holds 5 characters'),
      expect.stringContaining('does not exist'),
      expect.stringContaining('can be read again'),
    ]);
  });

  it('neither secret nor digest is ever logged', async () => {
    const { secret, logged, look } = setUp(first);
    await secret.start();
    for (const content of [second, 'short', first, `${first}\xfc`]) await look(content);
    expect(logged.length).toBeGreaterThan(2);
    for (const line of logged) {
      for (const text of [first, second, 'short', hash('sha256', first, 'hex'), hash('sha256', second, 'hex')]) {
        expect(line).not.toContain(text);
      }
    }
  });

  it('nobody looks any more once it is stopped', async () => {
    const { secret, changes, look, planned } = setUp(first);
    await secret.start();
    secret.stop();
    await look(second);
    expect(changes).toEqual([]);
    expect(planned.size).toBe(0);
  });
});
