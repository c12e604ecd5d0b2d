import { describe, expect, it } from 'vitest';
import { ChangeLog } from '../../../src/lib/change-log.ts';

describe('the log of changes', () => {
  it('names the keys that changed since a version, each once', () => {
    const changes = new ChangeLog();
    changes.note('a');
    const { version } = changes;
    for (const key of ['b', 'c', 'b']) changes.note(key);
    expect(changes.version).not.toBe(version);
    expect([...changes.since(version)!]).toEqual(['b', 'c']);
    expect(changes.since(changes.version)!.size).toBe(0);
  });

  it('says that it may be any key when all changed, or when it has forgotten', () => {
    const changes = new ChangeLog(3);
    const first = changes.version;
    changes.note('a');
    expect(changes.since(first)).not.toBeNull();
    changes.noteAll();
    expect(changes.since(first)).toBeNull();
    const second = changes.version;
    for (let turn = 0; turn < 5; turn += 1) changes.note(`k${turn}`);
    expect(changes.since(second)!.size).toBe(5);
    changes.note('k5');
    expect(changes.since(second)).toBeNull();
    expect([...changes.since(second + 3)!]).toEqual(['k3', 'k4', 'k5']);
  });
});
