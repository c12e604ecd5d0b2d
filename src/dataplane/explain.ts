// Who may ask how a request was served, and how the answer tells it. Without the secret, or with a wrong one, nothing
// here changes anything. Knows the secret's digest only; it is never logged.
import { hash, timingSafeEqual } from 'node:crypto';
import type { HeadLines } from '../balancer/sessions/head-lines.ts';
import type { AddedLines, AnswerEdits, AnswerObserver } from './exchange.ts';

/** Asked with, and answered in; wire/header-id.ts knows it, so that no member ever sees it. */
const EXPLAIN_HEADER = 'X-Evenkeel-Explain';
const LOWER_NAME = EXPLAIN_HEADER.toLowerCase();

export class ExplainGate {
  readonly #digest: Buffer;

  /** `digest`: SHA-256 of the secret, in hex. */
  constructor(digest: string) {
    this.#digest = Buffer.from(digest, 'hex');
  }

  /**
   * Whether the request carries the secret. Digests are compared, so that the time tells neither how much of it was right
   * nor how long it is.
   */
  isAsked(lines: HeadLines): boolean {
    const line = lines.findName(LOWER_NAME);
    if (line === -1) return false;
    const given = Buffer.from(lines.text.slice(lines.valueStart(line), lines.valueEnd(line)), 'latin1');
    return timingSafeEqual(hash('sha256', given, 'buffer'), this.#digest);
  }
}

/** The line that carries an explanation. */
export function explainLines(text: string): AddedLines {
  return [[EXPLAIN_HEADER, text]];
}

/** Adds the explanation to a member's answer, after whoever else looks at it. */
export class ExplainedAnswer implements AnswerObserver {
  readonly #inner: AnswerObserver | null;
  readonly #text: () => string;

  constructor(inner: AnswerObserver | null, text: () => string) {
    this.#inner = inner;
    this.#text = text;
  }

  answerBegins(lines: HeadLines): AnswerEdits {
    const edits = this.#inner?.answerBegins(lines) ?? null;
    return { lines: edits?.lines ?? null, added: [...(edits?.added ?? []), ...explainLines(this.#text())] };
  }
}
