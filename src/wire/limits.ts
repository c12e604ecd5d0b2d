// How much of a message is taken before it is refused. Limits are arguments of the parsers;
// what is here are the defaults and their units.

/** Limits of one head. */
export interface HeadLimits {
  /** Whole head with the empty line that ends it. Bytes. */
  readonly maxHeadBytes: number;
  /** Header lines. Count. */
  readonly maxHeaderCount: number;
  /** Request line or status line without its line end. Bytes. */
  readonly maxStartLineBytes: number;
}

/** Limits of the framing of one chunked body; payload is limited elsewhere. */
export interface BodyLimits {
  /** All chunk extensions of one body together, each with its semicolon. Bytes. */
  readonly maxChunkExtensionBytes: number;
  /** The trailer section with the empty line that ends it. Bytes. */
  readonly maxTrailerBytes: number;
  /** Trailer lines. Count. */
  readonly maxTrailerCount: number;
}

/** Requests: Node's head size; httpd's LimitRequestFields and (rounded) LimitRequestLine. */
export const defaultRequestLimits: HeadLimits = {
  maxHeadBytes: 16_384,
  maxHeaderCount: 100,
  maxStartLineBytes: 8_192,
};

/** Responses: twice as much, because policies and cookies that members set are long. */
export const defaultResponseLimits: HeadLimits = {
  maxHeadBytes: 32_768,
  maxHeaderCount: 200,
  maxStartLineBytes: 8_192,
};

export const defaultBodyLimits: BodyLimits = {
  maxChunkExtensionBytes: 4_096,
  maxTrailerBytes: 8_192,
  maxTrailerCount: 32,
};

/** Options of all Connection headers of one message. More than a few are never sent in earnest. Count. */
export const maxConnectionOptions = 32;
