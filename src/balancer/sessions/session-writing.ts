// What a response must carry so that its session comes back: the question and the answer of session-writer.ts.
import type { LineEdits } from './head-lines.ts';
import type { SessionReading } from './session-reading.ts';

/** Whom the response goes to, and whom it comes from. */
export interface SessionAnswer {
  /** What the request said. */
  readonly reading: SessionReading;
  /** Session route of the member that answers. */
  readonly route: string;
  /** Whether the client came by HTTPS. */
  readonly isSecure: boolean;
  /** Host and port as the client asked for them, to tell our own URLs from others; '': every absolute URL is another's. */
  readonly host: string;
}

/** What becomes of the response's head. Filled by `writeSession`. */
export interface SessionWriting {
  /** Null: all lines stay as they are. Never re-used, so it may be kept. */
  edits: LineEdits | null;
  /** Value of a Set-Cookie line to add, or null. */
  setCookie: string | null;
  /** Value of a Cache-Control line to add, or null. */
  cacheControl: string | null;
  /** Cookies that were left alone because they would have grown past 4,096 bytes; to be counted. */
  oversizedCount: number;
}

export function createSessionWriting(): SessionWriting {
  return { edits: null, setCookie: null, cacheControl: null, oversizedCount: 0 };
}

export function clearSessionWriting(writing: SessionWriting): void {
  writing.edits = null;
  writing.setCookie = null;
  writing.cacheControl = null;
  writing.oversizedCount = 0;
}
