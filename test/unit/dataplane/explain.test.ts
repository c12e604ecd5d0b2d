import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ExplainedAnswer, ExplainGate } from '../../../src/dataplane/explain.ts';
import { linesOf } from '../balancer/sessions/fixtures.ts';

const secret = 'correct-horse-battery';
const gate = new ExplainGate(hash('sha256', secret, 'hex'));

describe('the secret', () => {
  it.each([
    ['right', [`X-Evenkeel-Explain: ${secret}`], true],
    ['in other case of the name', [`x-EVENKEEL-explain: ${secret}`], true],
    ['wrong', [`X-Evenkeel-Explain: ${secret}x`], false],
    ['a part of it', [`X-Evenkeel-Explain: ${secret.slice(0, -1)}`], false],
    ['in other case', [`X-Evenkeel-Explain: ${secret.toUpperCase()}`], false],
    ['empty', [`X-Evenkeel-Explain: `], false],
    ['its digest', [`X-Evenkeel-Explain: ${hash('sha256', secret, 'hex')}`], false],
    ['in underscore spelling', [`X_Evenkeel_Explain: ${secret}`], false],
    ['elsewhere', [`X-Explain: ${secret}`], false],
    ['absent', [], false],
  ] as const)('%s', (_, lines, expected) => {
    expect(gate.isAsked(linesOf(lines))).toBe(expected);
  });
});

describe('the answer', () => {
  const empty = linesOf([]);

  it('carries the explanation and what others add to it', () => {
    const lines = new Map([[0, null]]);
    const inner = { answerBegins: () => ({ lines, added: [['Set-Cookie', 'a=b'] as const] }) };
    expect(new ExplainedAnswer(inner, () => 'why').answerBegins(empty)).toEqual({
      lines,
      added: [
        ['Set-Cookie', 'a=b'],
        ['X-Evenkeel-Explain', 'why'],
      ],
    });
  });

  it('carries it where others have nothing to add', () => {
    const only = { lines: null, added: [['X-Evenkeel-Explain', 'why']] };
    expect(new ExplainedAnswer(null, () => 'why').answerBegins(empty)).toEqual(only);
    expect(new ExplainedAnswer({ answerBegins: () => null }, () => 'why').answerBegins(empty)).toEqual(only);
  });
});
