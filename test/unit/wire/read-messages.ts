// Short ways to run the parsers over text in tests. Text is latin1: one character is one octet.
import { BodyDecoder } from '../../../src/wire/body-decoder.ts';
import type { FieldLines } from '../../../src/wire/field-lines.ts';
import type { BodyLimits, HeadLimits } from '../../../src/wire/limits.ts';
import { defaultBodyLimits, defaultRequestLimits, defaultResponseLimits } from '../../../src/wire/limits.ts';
import { RequestParser } from '../../../src/wire/request-parser.ts';
import { ResponseParser } from '../../../src/wire/response-parser.ts';
import type { WireErrorCode } from '../../../src/wire/wire-error.ts';

/** Why a request is refused, 'more' when it is not complete, null when it is accepted. */
export function refusalOfRequest(text: string, limits: Partial<HeadLimits> = {}): WireErrorCode | 'more' | null {
  const parser = new RequestParser({ ...defaultRequestLimits, ...limits });
  const bytes = Buffer.from(text, 'latin1');
  return parser.feed(bytes, 0, bytes.length) === 'more' ? 'more' : parser.error;
}

/** A parser that has accepted the request. Throws when it does not. */
export function parseRequest(text: string): RequestParser {
  const parser = new RequestParser();
  const bytes = Buffer.from(text, 'latin1');
  const progress = parser.feed(bytes, 0, bytes.length);
  if (progress !== 'done') throw new Error(`${progress}: ${parser.error}`);
  return parser;
}

export function refusalOfResponse(
  text: string,
  requestMethod = 'GET',
  limits: Partial<HeadLimits> = {},
): WireErrorCode | 'more' | null {
  const parser = new ResponseParser({ ...defaultResponseLimits, ...limits });
  const bytes = Buffer.from(text, 'latin1');
  parser.begin(requestMethod);
  return parser.feed(bytes, 0, bytes.length) === 'more' ? 'more' : parser.error;
}

export function parseResponse(text: string, requestMethod = 'GET'): ResponseParser {
  const parser = new ResponseParser();
  const bytes = Buffer.from(text, 'latin1');
  parser.begin(requestMethod);
  const progress = parser.feed(bytes, 0, bytes.length);
  if (progress !== 'done') throw new Error(`${progress}: ${parser.error}`);
  return parser;
}

export interface DecodedBody {
  readonly progress: string;
  readonly error: WireErrorCode | null;
  readonly payload: string;
  readonly payloadBytes: number;
  readonly framingBytes: number;
  /** What the decoder left for the next message. */
  readonly rest: string;
  readonly trailers: string[];
}

/** Decodes a chunked body that arrives in pieces of `pieceBytes`. */
export function decodeChunked(text: string, pieceBytes = text.length, limits: Partial<BodyLimits> = {}): DecodedBody {
  const decoder = new BodyDecoder({ ...defaultBodyLimits, ...limits });
  const bytes = Buffer.from(text, 'latin1');
  decoder.begin('chunked', -1);
  let progress = 'more';
  let payload = '';
  let pos = 0;
  while (progress === 'more' && pos < bytes.length) {
    progress = decoder.feed(bytes, pos, Math.min(bytes.length, pos + pieceBytes));
    const ranges = decoder.payloadRanges;
    for (let i = 0; i < ranges.length; i += 2) payload += bytes.toString('latin1', ranges[i], ranges[i + 1]);
    pos = decoder.position;
  }
  const { error, payloadBytes, framingBytes } = decoder;
  const trailers = decoder.trailers === null ? [] : listLines(decoder.trailers);
  return { progress, error, payload, payloadBytes, framingBytes, rest: text.slice(pos), trailers };
}

/** Lines as "name: value". */
export function listLines(fields: FieldLines): string[] {
  return Array.from({ length: fields.count }, (_, i) => `${fields.name(i)}: ${fields.value(i)}`);
}
