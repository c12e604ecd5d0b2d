import { describe, expect, it } from 'vitest';
import { parsePod } from '../../../src/api/pod.ts';

function pod(metadata: Record<string, unknown> = {}, spec: Record<string, unknown> = {}) {
  return { metadata: { name: 'app-1', namespace: 'shop', uid: 'u1', ...metadata }, spec };
}

describe('a Pod', () => {
  it('says what it is as a member, by labels and annotations, of which the annotation wins', () => {
    const labels = { 'evenkeel.dev/load-factor': '3', 'evenkeel.dev/role': 'HotSpare', app: 'shop' };
    const annotations = {
      'evenkeel.dev/load-factor': '2.25',
      'evenkeel.dev/lb-set': '4',
      'evenkeel.dev/state': 'Draining',
    };
    expect(parsePod(pod({ labels, annotations }, { terminationGracePeriodSeconds: 45, containers: [] }))).toEqual({
      namespace: 'shop',
      name: 'app-1',
      uid: 'u1',
      settings: { loadFactor: '2.25', lbSet: 4, role: 'HotSpare', state: 'Draining' },
      graceSeconds: 45,
      problems: [],
    });
  });

  it('that says nothing sets nothing', () => {
    expect(parsePod(pod())).toMatchObject({ settings: {}, graceSeconds: null, problems: [] });
    expect(parsePod({ metadata: {} })).toBeUndefined();
  });

  it.each([
    ['load-factor', '0', 'a number from 1 to 100 with at most two decimals, such as 2 or "2.25"'],
    ['load-factor', '2,5', 'a number from 1 to 100 with at most two decimals, such as 2 or "2.25"'],
    ['lb-set', '100', 'a whole number from 0 to 99'],
    ['lb-set', '1.5', 'a whole number from 0 to 99'],
    ['lb-set', '-1', 'a whole number from 0 to 99'],
    ['lb-set', '', 'a whole number from 0 to 99'],
    ['role', 'active', 'one of Active, HotSpare or HotStandby'],
    ['state', 'Off', 'one of Enabled, Draining, Disabled or Stopped'],
  ])('with %s %j is told of, and its other settings count', (key, value, allowed) => {
    const other = key === 'role' ? { state: 'Draining' } : { role: 'HotSpare' };
    const [[otherField, otherValue]] = Object.entries(other) as [[string, string]];
    const labels = { [`evenkeel.dev/${key}`]: value, [`evenkeel.dev/${otherField}`]: otherValue };
    const { settings, problems } = parsePod(pod({ labels }))!;
    expect(settings).toEqual(other);
    const path = `metadata.labels['evenkeel.dev/${key}']`;
    const message = `${path} of Pod shop/app-1 is ${JSON.stringify(value)}; it must be ${allowed}; the member stays as it was`;
    const resource = { kind: 'Pod', namespace: 'shop', name: 'app-1' };
    expect(problems).toEqual([{ resource, path, message, value, severity: 'error' }]);
  });

  it('keeps the last good value, until there is none to be kept', () => {
    const labelled = (value: string) => pod({ labels: { 'evenkeel.dev/load-factor': value } });
    const good = parsePod(labelled('7'))!;
    const bad = parsePod(labelled('x'), good)!;
    expect(bad.settings).toEqual({ loadFactor: '7' });
    expect(bad.problems).toHaveLength(1);
    expect(parsePod(labelled('y'), bad)!.settings).toEqual({ loadFactor: '7' });
    expect(parsePod(pod(), bad)).toMatchObject({ settings: {}, problems: [] });
  });

  it('that says the same in another version is the same object', () => {
    const before = parsePod(pod({ resourceVersion: '1', labels: { 'evenkeel.dev/lb-set': '1' } }))!;
    const later = pod({ resourceVersion: '2', labels: { 'evenkeel.dev/lb-set': '1', other: 'x' } });
    expect(parsePod(later, before)).toBe(before);
    expect(parsePod(pod({ labels: { 'evenkeel.dev/lb-set': '2' } }), before)).not.toBe(before);
  });
});
