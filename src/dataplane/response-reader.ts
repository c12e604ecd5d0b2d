// What one answer of a member is read with: its head, and where its body ends.
import { BodyDecoder } from '../wire/body-decoder.ts';
import type { BodyLimits, HeadLimits } from '../wire/limits.ts';
import { ResponseParser } from '../wire/response-parser.ts';

export class ResponseReader {
  readonly parser: ResponseParser;
  readonly decoder: BodyDecoder;

  constructor(head: HeadLimits, body: BodyLimits) {
    this.parser = new ResponseParser(head);
    this.decoder = new BodyDecoder(body);
  }

  /** Forgets the answer. */
  reset(): void {
    this.parser.reset();
    this.decoder.begin('none', -1);
  }
}
