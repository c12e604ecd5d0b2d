// Parsers of request heads between two requests. A parser is large beside the rest of a connection, so connections have
// one only from the first byte of a head until its answer is out, whoever they are.
import type { HeadLimits } from '../wire/limits.ts';
import { RequestParser } from '../wire/request-parser.ts';

/** Kept for the requests to come. Count. */
const MAX_FREE = 1_024;

export class RequestParsers {
  readonly #limits: HeadLimits;
  readonly #free: RequestParser[] = [];

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  take(): RequestParser {
    return this.#free.pop() ?? new RequestParser(this.#limits);
  }

  /** Takes back a parser whose head nobody reads any more. */
  giveBack(parser: RequestParser): void {
    if (this.#free.length === MAX_FREE) return;
    parser.reset();
    this.#free.push(parser);
  }
}
