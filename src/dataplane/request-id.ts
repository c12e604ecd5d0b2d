// Ids of requests: made where there is none to pass on, and judged where there is one. Unguessable, at the price of one
// draw of random bytes for many ids. Knows no headers.
import { randomBytes } from 'node:crypto';

const ID_DIGITS = 32;
const IDS_AT_ONCE = 256;

/** What is passed on: short, and nothing that could break out of a line of a log. */
const sound = /^[A-Za-z0-9._~:@/+=-]{1,128}$/;

export function isSoundRequestId(text: string): boolean {
  return sound.test(text);
}

/** Makes ids of 32 hexadecimal digits. One for each lane. */
export class RequestIds {
  #digits = '';
  #at = 0;

  next(): string {
    if (this.#at === this.#digits.length) {
      this.#digits = randomBytes((ID_DIGITS / 2) * IDS_AT_ONCE).toString('hex');
      this.#at = 0;
    }
    this.#at += ID_DIGITS;
    return this.#digits.slice(this.#at - ID_DIGITS, this.#at);
  }
}
