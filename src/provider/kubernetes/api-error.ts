// What goes wrong on the road to the API server, told so that callers can decide by fields. It decides nothing itself.

/** A request or a watch that failed. The message is for people and names method, path and cause. */
export class ApiError extends Error {
  /** HTTP status of the answer; 0: no whole answer came. An ERROR event of a watch has the code of its Status object. */
  readonly status: number;
  /**
   * `reason` of the Status object, such as `NotFound`, `Conflict` or `Expired`; else one of ours: `Unreachable`, `Timeout`,
   * `Truncated`, `MalformedAnswer`, `TooLarge`, or empty.
   */
  readonly reason: string;
  /** How long the server asks to wait, in milliseconds; null: it asks for nothing. */
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    fields: { status?: number; reason?: string; retryAfterMs?: number | null; cause?: unknown },
  ) {
    super(message, { cause: fields.cause });
    this.name = 'ApiError';
    this.status = fields.status ?? 0;
    this.reason = fields.reason ?? '';
    this.retryAfterMs = fields.retryAfterMs ?? null;
  }
}

/** True for "your resource version, or your continue token, is too old": only a new list helps. */
export function isExpired(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone';
}

/** Any error of a request as one of ours. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(error instanceof Error ? error.message : String(error), { reason: 'Unreachable', cause: error });
}

/** True for "you must not", and "there is no such kind": nothing that passes by itself. */
export function isRefusal({ status }: ApiError): boolean {
  return status === 403 || status === 404;
}

/** Why something is not known, as the end of a sentence; it is the same for as long as the cause is. Null: no answer came so far. */
export function whyUnread(fault: ApiError | null): string {
  if (fault === null) return 'the API server has not answered so far';
  const { status, reason } = fault;
  if (status === 0) return `the API server gives no answer (${reason})`;
  const answer = `${status} ${reason}`.trim();
  if (status === 403) return `the controller has no right to read it (${answer})`;
  return `the API server answers ${answer}`;
}

/** More than this and the server, or a proxy before it, is out of its mind. */
const longestRetryAfterMs = 5 * 60_000;

/** An answer that is not a success: its Status object if there is one. `retryAfter` is the header's text. */
export function errorOfAnswer(what: string, status: number, text: string, retryAfter: string | undefined): ApiError {
  return errorOfStatus(what, { ...parseObject(text), code: status }, readSeconds(retryAfter), text);
}

/** The Status object of an ERROR event. */
export function errorOfEvent(what: string, object: unknown): ApiError {
  return errorOfStatus(what, isRecord(object) ? object : {}, null, '');
}

function errorOfStatus(
  what: string,
  fields: Readonly<Record<string, unknown>>,
  headerMs: number | null,
  text: string,
): ApiError {
  const status = typeof fields.code === 'number' ? fields.code : 0;
  const details = isRecord(fields.details) ? fields.details : {};
  const reason = typeof fields.reason === 'string' ? fields.reason : '';
  const message =
    typeof fields.message === 'string' && fields.message !== '' ? fields.message : text.slice(0, 200).trim();
  const told = [status === 0 ? '' : String(status), reason, message].filter((part) => part !== '').join(' ');
  const detailMs = typeof details.retryAfterSeconds === 'number' ? toDelayMs(details.retryAfterSeconds) : null;
  return new ApiError(`${what}: ${told === '' ? 'failed without a word' : told}`, {
    status,
    reason,
    retryAfterMs: headerMs ?? detailMs,
  });
}

/** Retry-After in seconds; API servers send no dates (RFC 9110 §10.2.3 has both). */
function readSeconds(text: string | undefined): number | null {
  return text !== undefined && /^\s*\d{1,9}\s*$/.test(text) ? toDelayMs(Number(text)) : null;
}

function toDelayMs(seconds: number): number | null {
  return seconds > 0 ? Math.min(seconds * 1000, longestRetryAfterMs) : null;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
