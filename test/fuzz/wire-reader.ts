// Runs the wire over a stream of bytes as the forwarder does and writes down what it made of it.
import { BodyDecoder } from '../../src/wire/body-decoder.ts';
import type { FieldLines } from '../../src/wire/field-lines.ts';
import type { RequestHead } from '../../src/wire/request-head.ts';
import { RequestParser } from '../../src/wire/request-parser.ts';
import type { ResponseHead } from '../../src/wire/response-head.ts';
import { ResponseParser } from '../../src/wire/response-parser.ts';
import type { MessageKind } from './generator.ts';
import type { Message, Transcript } from './transcript.ts';

function listFields(fields: FieldLines): string[] {
  const list: string[] = [];
  for (let i = 0; i < fields.count; i++) list.push(fields.name(i), fields.value(i));
  return list;
}

function describeRequest(head: RequestHead): Message {
  const { method, target, minorVersion } = head;
  return {
    method,
    target,
    status: 0,
    reason: '',
    minorVersion,
    headers: listFields(head.fields),
    trailers: [],
    body: '',
  };
}

function describeResponse(head: ResponseHead): Message {
  const { status, reason, minorVersion } = head;
  return {
    method: '',
    target: '',
    status,
    reason,
    minorVersion,
    headers: listFields(head.fields),
    trailers: [],
    body: '',
  };
}

/** Reads whole streams, one after another. */
export class WireReader {
  readonly #requests = new RequestParser();
  readonly #responses = new ResponseParser();
  readonly #decoder = new BodyDecoder();
  readonly #kind: MessageKind;
  #messages: Message[] = [];
  #head: Message | null = null;
  #body = '';
  #error: string | null = null;
  #stoppedAt = -1;
  #isClosing = false;

  constructor(kind: MessageKind) {
    this.#kind = kind;
  }

  /**
   * Reads the stream, given in pieces that end at `cuts` (ascending) and at its end. `requestMethod` is the one that
   * responses answer. Stops after a message that ends the connection, as the forwarder does.
   */
  read(bytes: Buffer, requestMethod: string, cuts: readonly number[]): Transcript {
    this.#messages = [];
    this.#head = null;
    this.#error = null;
    this.#stoppedAt = -1;
    this.#isClosing = false;
    this.#requests.reset();
    this.#responses.begin(requestMethod);
    let start = 0;
    for (const cut of cuts) {
      this.#feed(bytes, start, cut);
      start = cut;
    }
    this.#feed(bytes, start, bytes.length);
    if (this.#head !== null && this.#decoder.finish()) this.#endMessage(bytes.length);
    return { messages: this.#messages, openHead: this.#head, error: this.#error, stoppedAt: this.#stoppedAt };
  }

  #feed(bytes: Buffer, start: number, end: number): void {
    let pos = start;
    while (pos < end && this.#error === null && this.#stoppedAt === -1) {
      if (this.#head === null && this.#isClosing) return;
      pos = this.#head === null ? this.#feedHead(bytes, pos, end) : this.#feedBody(bytes, pos, end);
    }
  }

  #feedHead(bytes: Buffer, start: number, end: number): number {
    const parser = this.#kind === 'request' ? this.#requests : this.#responses;
    const progress = parser.feed(bytes, start, end);
    this.#error = parser.error;
    if (progress !== 'done') return end;
    const { head } = parser;
    this.#isClosing = !head.isKeepAlive;
    this.#head =
      this.#kind === 'request' ? describeRequest(this.#requests.head) : describeResponse(this.#responses.head);
    this.#body = '';
    this.#decoder.begin(head.framing, head.contentLength);
    if (this.#decoder.isComplete) this.#endMessage(parser.position);
    return parser.position;
  }

  #feedBody(bytes: Buffer, start: number, end: number): number {
    const progress = this.#decoder.feed(bytes, start, end);
    this.#error = this.#decoder.error;
    if (progress === 'refused') return end;
    const ranges = this.#decoder.payloadRanges;
    for (let i = 0; i < ranges.length; i += 2) this.#body += bytes.toString('latin1', ranges[i], ranges[i + 1]);
    if (progress === 'done') this.#endMessage(this.#decoder.position);
    return this.#decoder.position;
  }

  #endMessage(position: number): void {
    const trailers = this.#decoder.trailers;
    this.#messages.push({ ...this.#head!, body: this.#body, trailers: trailers === null ? [] : listFields(trailers) });
    this.#head = null;
    const isUpgrade = this.#kind === 'request' ? this.#requests.head.upgrade !== '' : this.#responses.head.isSwitch;
    if (isUpgrade) this.#stoppedAt = position;
  }
}
