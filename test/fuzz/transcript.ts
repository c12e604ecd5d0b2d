// What a parser made of a stream of bytes, in a form in which two parsers can be compared.

/** One message as it was understood. All text is latin1; headers are name, value, name, value. */
export interface Message {
  /** '' in responses. */
  readonly method: string;
  readonly target: string;
  /** 0 in requests. */
  readonly status: number;
  readonly reason: string;
  readonly minorVersion: number;
  readonly headers: readonly string[];
  readonly trailers: readonly string[];
  readonly body: string;
}

export interface Transcript {
  /** Complete messages in order. */
  readonly messages: readonly Message[];
  /** The head of a message that is not complete, as far as it was understood; null without one. */
  readonly openHead: Message | null;
  /** Why the stream was refused; null when it was not. */
  readonly error: string | null;
  /** Bytes taken when the parser stopped by itself because the connection is no longer HTTP; else -1. */
  readonly stoppedAt: number;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** Names the first part in which two messages differ; null when they are the same. */
export function findDifference(a: Message, b: Message): keyof Message | null {
  if (a.method !== b.method) return 'method';
  if (a.target !== b.target) return 'target';
  if (a.status !== b.status) return 'status';
  if (a.reason !== b.reason) return 'reason';
  if (a.minorVersion !== b.minorVersion) return 'minorVersion';
  if (!isSameList(a.headers, b.headers)) return 'headers';
  if (a.body !== b.body) return 'body';
  return isSameList(a.trailers, b.trailers) ? null : 'trailers';
}
