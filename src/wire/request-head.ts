// One request head and what it means: target, host, body framing, connection semantics.
// Refuses what two readers could understand in two ways; knows nothing of routes or members.
import { type Authority, createAuthority, isSameAuthority, parseAuthority } from './authority.ts';
import { createConnectionOptions, isPersistent, readConnectionOptions } from './connection-options.ts';
import type { FieldLines } from './field-lines.ts';
import { type DeclaredFraming, type Framing, hasTabAround, readFraming } from './framing.ts';
import { headerIds } from './header-id.ts';
import { isLiteral, isToken, QUESTION } from './octets.ts';
import { createRequestTarget, parseTarget, type TargetForm } from './request-target.ts';
import type { WireErrorCode } from './wire-error.ts';

/** The most common first. */
const commonMethods = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];

/** A request head. Strings are sliced when asked for; keep them in variables rather than asking twice. */
export class RequestHead {
  readonly fields: FieldLines;
  /** Case-sensitive token. Any token is a method, CONNECT excepted, which is refused. */
  method = '';
  /** 0 or 1, as in HTTP/1.x. */
  minorVersion = 1;
  /** How the body is delimited; never `close` (RFC 9112 §6.3). */
  framing: Framing = 'none';
  /** Bytes of the body when the framing is `length`, else -1. */
  contentLength = -1;
  /** Whether the client lets the connection serve another request. */
  isKeepAlive = true;
  /** Whether the client waits for "100 Continue" before it sends the body (RFC 9110 §10.1.1). */
  expectsContinue = false;
  /** The protocols asked for when `Connection: upgrade` stands beside `Upgrade` (all its values), else ''. */
  upgrade = '';
  /** Offset of the request line in the text: 0, or 2 after an empty line. For the writer. */
  lineStart = 0;
  methodEnd = 0;
  targetEnd = 0;
  readonly #target = createRequestTarget();
  readonly #host = createAuthority();
  readonly #targetAuthority = createAuthority();
  readonly #options = createConnectionOptions();
  readonly #declared: DeclaredFraming = { isChunked: false, contentLength: -1 };
  /** The one authority that Host and target agree on. */
  #authority: Authority | null = null;

  constructor(fields: FieldLines) {
    this.fields = fields;
  }

  get targetForm(): TargetForm {
    return this.#target.form;
  }

  /** The request target as it was sent. */
  get target(): string {
    return this.fields.text.slice(this.methodEnd + 1, this.targetEnd);
  }

  /** The target in the form that an origin server gets (RFC 9112 §3.2.1, §3.2.4): "/path?query" as it was sent, or "*". */
  get originTarget(): string {
    const { pathStart, form } = this.#target;
    if (form === 'absolute') {
      if (pathStart === this.targetEnd) return this.method === 'OPTIONS' ? '*' : '/';
      if (this.fields.text.charCodeAt(pathStart) === QUESTION) {
        return `/${this.fields.text.slice(pathStart, this.targetEnd)}`;
      }
    }
    return this.fields.text.slice(pathStart, this.targetEnd);
  }

  /** Host and port as they were sent, from Host or else from the target; '' only for HTTP/1.0 without both. */
  get host(): string {
    const authority = this.#authority;
    return authority === null ? '' : this.fields.text.slice(authority.start, authority.end);
  }

  /** Whether `host` is this text. Cheaper than comparing `host`. */
  isHost(host: string): boolean {
    const authority = this.#authority;
    return authority === null ? host === '' : isLiteral(this.fields.bytes, authority.start, authority.end, host);
  }

  /** The host without its port, in the case it was sent in; IPv6 literals in brackets. */
  get hostname(): string {
    const authority = this.#authority;
    return authority === null ? '' : this.fields.text.slice(authority.start, authority.hostEnd);
  }

  /** The port that was sent, 0 to 65535, or -1. */
  get port(): number {
    return this.#authority === null ? -1 : this.#authority.port;
  }

  /** For the parser: reads everything but the request line. Returns why the request must be refused, or null. */
  check(): WireErrorCode | null {
    this.method = this.#readMethod();
    if (this.method === 'CONNECT') return 'connect-not-supported';
    return this.#checkTarget() ?? this.#checkHost() ?? this.#checkFraming() ?? this.#checkConnection();
  }

  /** One string for all requests with a common method: to hold on to a new one is dear. */
  #readMethod(): string {
    const { fields, lineStart, methodEnd } = this;
    for (const method of commonMethods) if (isLiteral(fields.bytes, lineStart, methodEnd, method)) return method;
    return fields.text.slice(lineStart, methodEnd);
  }

  #checkTarget(): WireErrorCode | null {
    const isSound = parseTarget(
      this.fields.bytes,
      this.methodEnd + 1,
      this.targetEnd,
      this.method === 'OPTIONS',
      this.#target,
      this.#targetAuthority,
    );
    return isSound ? null : 'bad-target';
  }

  #checkHost(): WireErrorCode | null {
    const { fields } = this;
    const isAbsolute = this.#target.form === 'absolute';
    const line = fields.find(headerIds.host);
    if (line === -1) {
      this.#authority = isAbsolute ? this.#targetAuthority : null;
      return this.minorVersion === 1 ? 'missing-host' : null;
    }
    if (fields.find(headerIds.host, line + 1) !== -1) return 'duplicate-host';
    if (hasTabAround(fields, line)) return 'bad-host';
    if (!parseAuthority(fields.bytes, fields.valueStart(line), fields.valueEnd(line), this.#host)) return 'bad-host';
    this.#authority = this.#host;
    const isAgreed =
      !isAbsolute || isSameAuthority(fields.bytes, this.#host, this.#targetAuthority, this.#target.defaultPort);
    return isAgreed ? null : 'host-mismatch';
  }

  #checkFraming(): WireErrorCode | null {
    const declared = this.#declared;
    const error = readFraming(this.fields, this.minorVersion, declared);
    this.framing = declared.isChunked ? 'chunked' : declared.contentLength === -1 ? 'none' : 'length';
    this.contentLength = declared.contentLength;
    return error;
  }

  #checkConnection(): WireErrorCode | null {
    const error = readConnectionOptions(this.fields, this.#options);
    if (error !== null) return error;
    this.isKeepAlive = isPersistent(this.#options, this.minorVersion);
    this.expectsContinue = this.minorVersion === 1 && this.#readExpect();
    this.upgrade = this.minorVersion === 1 && this.#options.hasUpgrade ? this.#readUpgrade() : '';
    const hasBody = this.framing === 'chunked' || this.contentLength > 0;
    return hasBody && this.isWebSocket ? 'websocket-with-body' : null;
  }

  /** Whether this is the upgrade that begins a WebSocket (RFC 6455 §4.1). */
  get isWebSocket(): boolean {
    return this.upgrade.length === 9 && this.upgrade.toLowerCase() === 'websocket';
  }

  #readExpect(): boolean {
    const { fields } = this;
    for (let i = fields.find(headerIds.expect); i !== -1; i = fields.find(headerIds.expect, i + 1)) {
      if (isToken(fields.bytes, fields.valueStart(i), fields.valueEnd(i), '100-continue')) return true;
    }
    return false;
  }

  #readUpgrade(): string {
    const { fields } = this;
    let protocols = '';
    for (let i = fields.find(headerIds.upgrade); i !== -1; i = fields.find(headerIds.upgrade, i + 1)) {
      protocols = protocols === '' ? fields.value(i) : `${protocols}, ${fields.value(i)}`;
    }
    return protocols;
  }
}
