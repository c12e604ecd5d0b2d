// Overrides and redirects that lead nowhere are told as notices: they take nothing away from the Balancer.
import { expect, test } from 'vitest';
import { createTranslator, translate } from '../../../src/translate/translate.ts';
import { balancer, conditionsOf, endpoint, problemsOf, service, setOf, slice } from './resources.ts';
import { testOptions } from './test-options.ts';

const app = balancer('app', {
  members: [{ service: { name: 'app', port: 'http' }, redirect: 'nobody' }],
  overrides: [{ member: 'app-2', state: 'Draining' }],
  stickySession: { cookie: 'S' },
});

test('an override of a member that is gone is a notice, and counts again when the member is back', () => {
  const translator = createTranslator(testOptions);
  const statesAfter = (...numbers: readonly number[]) => {
    const endpoints = slice(
      'app-1',
      'app',
      numbers.map((number) => endpoint(number)),
    );
    const translation = translator.translate(setOf([app, service('app'), endpoints]));
    const { accepted, resolvedRefs } = conditionsOf(translation, 'shop/app');
    const problems = problemsOf(translation);
    expect([accepted.reason, resolvedRefs.reason]).toEqual(['Accepted', 'ResolvedRefs']);
    expect(problems.every(({ severity }) => severity === 'notice')).toBe(true);
    const states = translation.snapshot.balancers.get('shop/app')!.members.map(({ name, state }) => `${name} ${state}`);
    return [...states, ...problems.map(({ path }) => path)];
  };
  const lostRedirect = 'spec.members[0].redirect';
  expect(statesAfter(1)).toEqual(['app-1 Enabled', 'spec.overrides[0].member', lostRedirect]);
  expect(statesAfter(1, 2)).toEqual(['app-1 Enabled', 'app-2 Draining', lostRedirect]);
  expect(statesAfter(1)).toEqual(['app-1 Enabled', 'spec.overrides[0].member', lostRedirect]);
});

test('a thousand overrides of members that are gone are not a thousand notices', () => {
  const overrides = Array.from({ length: 1000 }, (_, index) => ({ member: `gone-${index}`, lbSet: 1 }));
  const translation = translate(setOf([balancer('app', { members: [{ url: 'http://a' }], overrides })]), testOptions);
  expect(problemsOf(translation).length).toBe(32);
});
