// Heads and answers of upgrades between the shapes of node:http and ours. What a member answers is judged by our own
// parser, as strictly as the answer to a plain request. Knows no sockets.
import type { IncomingMessage } from 'node:http';
import { BodyDecoder } from '../wire/body-decoder.ts';
import type { HeadLimits } from '../wire/limits.ts';
import type { ResponseHead } from '../wire/response-head.ts';
import { ResponseParser } from '../wire/response-parser.ts';
import type { ClientExchange } from './client-exchange.ts';

/** Lines of a request that mean nothing without a body, or that node:http would act upon. */
const LEFT_OUT: ReadonlySet<string> = new Set(['content-length', 'expect', 'te', 'trailer']);

/** The headers of a head as written for a member, with the pair that asks for the upgrade. */
export function upgradeHeaders(head: string): Record<string, string | string[]> {
  // No prototype: a header may have any name.
  const headers: Record<string, string | string[]> = Object.create(null);
  const spellings = new Map<string, string>();
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const name = line.slice(0, colon);
    const lower = name.toLowerCase();
    if (LEFT_OUT.has(lower)) continue;
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    // node:http takes names that differ in case only for one: they become lines of one name.
    const spelling = spellings.get(lower) ?? name;
    spellings.set(lower, spelling);
    const before = headers[spelling];
    headers[spelling] = before === undefined ? value : ([] as string[]).concat(before, value);
  }
  headers.Connection = 'Upgrade';
  headers.upgrade = 'websocket';
  return headers;
}

/** A head as node:http tells of it: of an interim answer, of a final one, of a 101. */
type ToldHead = Pick<IncomingMessage, 'statusCode' | 'statusMessage' | 'headers' | 'rawHeaders'>;

/**
 * The head of a member's answer, read by our parser; null when that refuses it, or when it switches to something that
 * nobody asked for. node:http has taken chunks apart, so that a chunked body now ends when it ends.
 */
export function readUpgradeAnswer(told: ToldHead, limits: HeadLimits): ResponseHead | null {
  const { headers, rawHeaders, statusCode = 0, statusMessage = '' } = told;
  const isChunked = headers['transfer-encoding'] !== undefined;
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (isChunked && /^(?:transfer-encoding|trailer)$/i.test(name)) continue;
    text += `${name}: ${rawHeaders[i + 1]!}\r\n`;
  }
  const bytes = Buffer.from(`${text}\r\n`, 'latin1');
  const parser = new ResponseParser(limits);
  parser.begin('GET');
  if (parser.feed(bytes, 0, bytes.length) !== 'done') return null;
  const { head } = parser;
  return head.isSwitch && headers.upgrade?.toLowerCase() !== 'websocket' ? null : head;
}

/** Who wants to know how a refusal gets on. */
export interface UpgradeAnswerEvents {
  onBytes(count: number): void;
  /** False: the client is full; call `resume` when it is not. */
  onProgress(isRoomLeft: boolean): void;
  /** The client has the whole answer. When it breaks off instead, the request's 'close' tells. */
  onEnd(): void;
}

/** The answer of a member that does not upgrade: the client gets it as it would get any other. */
export class UpgradeAnswer {
  readonly #response: IncomingMessage;

  constructor(response: IncomingMessage, head: ResponseHead, exchange: ClientExchange, events: UpgradeAnswerEvents) {
    this.#response = response;
    const decoder = new BodyDecoder();
    decoder.begin(head.framing, head.contentLength);
    exchange.beginAnswer(head);
    response.on('data', (chunk: Buffer) => {
      decoder.feed(chunk, 0, chunk.length);
      events.onBytes(chunk.length);
      const isRoomLeft = exchange.writeAnswer(chunk, 0, decoder);
      exchange.flush();
      if (!isRoomLeft) response.pause();
      events.onProgress(isRoomLeft);
    });
    response.on('end', () => {
      if (!response.complete || !decoder.finish()) return;
      exchange.endAnswer();
      events.onEnd();
    });
    // The request's 'close' follows.
    response.on('error', () => {});
  }

  resume(): void {
    this.#response.resume();
  }
}
