// One response head and what it means: status, body framing given the request, connection semantics.
// Refuses what two readers could understand in two ways; does not judge whether a 101 was asked for.
import { createConnectionOptions, isPersistent, readConnectionOptions } from './connection-options.ts';
import type { FieldLines } from './field-lines.ts';
import { type DeclaredFraming, type Framing, readFraming } from './framing.ts';
import { headerIds } from './header-id.ts';
import type { WireErrorCode } from './wire-error.ts';

/** "HTTP/1.1 200": the status line up to the status. Bytes. */
const statusEnd = 12;

/** A response head. Strings are sliced when asked for. */
export class ResponseHead {
  readonly fields: FieldLines;
  /** 100 to 599. */
  status = 200;
  /** 0 or 1, as in HTTP/1.x. */
  minorVersion = 1;
  /** How the body is delimited. For a 101 `none`: what follows is not HTTP. */
  framing: Framing = 'none';
  /** What Content-Length says, -1 without one. The size of the body only when the framing is `length`. */
  contentLength = -1;
  /** Whether the connection can serve another request after this one; never when the body runs until close. */
  isKeepAlive = true;
  /** Where the status line ends in the text, without its line end. For the writer. */
  reasonEnd = 0;
  readonly #options = createConnectionOptions();
  readonly #declared: DeclaredFraming = { isChunked: false, contentLength: -1 };

  constructor(fields: FieldLines) {
    this.fields = fields;
  }

  /** The reason phrase as it was sent, '' without one. */
  get reason(): string {
    return this.fields.text.slice(statusEnd + 1, this.reasonEnd);
  }

  /** Whether the status line lacks the space after the status (and so the reason too). */
  get lacksReasonSpace(): boolean {
    return this.reasonEnd === statusEnd;
  }

  /** 100 to 199 but 101: the final response is still to come. */
  get isInterim(): boolean {
    return this.status < 200 && this.status !== 101;
  }

  /** 101: the connection is no longer HTTP after this head. Sound only when the request asked for it. */
  get isSwitch(): boolean {
    return this.status === 101;
  }

  /** Whether this status has no body by itself, so that neither length nor coding may be sent on (RFC 9110 §8.6). */
  get mayNotDeclareBody(): boolean {
    return this.status < 200 || this.status === 204;
  }

  /** For the parser: reads everything but the status line. Returns why the response must be refused, or null. */
  check(requestMethod: string): WireErrorCode | null {
    const declared = this.#declared;
    const error =
      readFraming(this.fields, this.minorVersion, declared) ?? readConnectionOptions(this.fields, this.#options);
    if (error !== null) return error;
    if (declared.contentLength !== -1 && this.fields.find(headerIds.trailer) !== -1)
      return 'trailer-with-content-length';
    this.contentLength = declared.contentLength;
    this.framing = this.#decideFraming(requestMethod, declared);
    this.isKeepAlive = this.framing !== 'close' && isPersistent(this.#options, this.minorVersion);
    if (this.status >= 200) return null;
    // RFC 9112 §6.3: none has a body; but some recipients read the one that is announced.
    if (declared.isChunked || declared.contentLength > 0) return 'body-in-interim';
    return this.isSwitch && !this.#saysUpgrade() ? 'bad-upgrade' : null;
  }

  /** A 101 must say what it switches to (RFC 9110 §7.8, §15.2.2). */
  #saysUpgrade(): boolean {
    const { fields } = this;
    const line = fields.find(headerIds.upgrade);
    const isNamed = line !== -1 && fields.valueEnd(line) > fields.valueStart(line);
    return isNamed && this.minorVersion === 1 && this.#options.hasUpgrade;
  }

  /** RFC 9112 §6.3. */
  #decideFraming(requestMethod: string, declared: DeclaredFraming): Framing {
    if (this.mayNotDeclareBody || this.status === 304 || requestMethod === 'HEAD') return 'none';
    if (declared.isChunked) return 'chunked';
    return declared.contentLength === -1 ? 'close' : 'length';
  }
}
