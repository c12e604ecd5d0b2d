// Runs Node's own parser (llhttp, strict) over a stream of bytes in this process and writes down what it made of it.
// _http_common is an inner module of Node: it serves here as a second opinion, and nowhere else.
import type { MessageKind } from './generator.ts';
import type { Message, Transcript } from './transcript.ts';

interface NodeParser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenientFlags: number): void;
  execute(bytes: Buffer): number | (Error & { readonly code?: string });
  finish(): undefined | (Error & { readonly code?: string });
  [slot: number]: (...args: never[]) => number | undefined;
}

interface NodeParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
}

const inner = process.getBuiltinModule('_http_common') as unknown as {
  readonly HTTPParser: NodeParserClass;
  readonly methods: readonly string[];
};
const { HTTPParser } = inner;
const maxHeaderBytes = 65_536;
const skipBody = 1;
const resource = {};

/** The methods that Node's parser knows; it refuses all others. */
export const nodeMethods: ReadonlySet<string> = new Set(inner.methods);

/** Reads whole streams, one after another. */
export class NodeReader {
  readonly #parser = new HTTPParser();
  readonly #type: number;
  #methodNames: readonly string[] = [];
  #requestMethod = 'GET';
  #messages: Message[] = [];
  #head: Message | null = null;
  #headers: string[] = [];
  #url = '';
  #body = '';
  #isUpgrade = false;

  constructor(kind: MessageKind) {
    this.#type = kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE;
    const slots = this.#parser;
    slots[HTTPParser.kOnHeaders] = (headers: string[], url: string) => this.#onHeaders(headers, url);
    slots[HTTPParser.kOnHeadersComplete] = (
      _major: number,
      minor: number,
      headers: string[] | null,
      method: number | null,
      url: string | null,
      status: number | null,
      reason: string | null,
      isUpgrade: boolean,
    ) => this.#onHead(minor, headers, method, url, status, reason, isUpgrade);
    slots[HTTPParser.kOnBody] = (part: Buffer) => {
      this.#body += part.toString('latin1');
      return undefined;
    };
    slots[HTTPParser.kOnMessageComplete] = () => this.#onEnd();
    if (kind === 'request') this.#methodNames = this.#learnMethods();
  }

  /** Reads the stream in one piece. `requestMethod` is the one that responses answer. */
  read(bytes: Buffer, requestMethod: string): Transcript {
    this.#requestMethod = requestMethod;
    this.#messages = [];
    this.#head = null;
    this.#headers = [];
    this.#url = '';
    this.#body = '';
    this.#isUpgrade = false;
    this.#parser.initialize(this.#type, resource, maxHeaderBytes, HTTPParser.kLenientNone);
    const taken = this.#parser.execute(bytes);
    const messages = this.#messages;
    if (typeof taken !== 'number')
      return { messages, openHead: this.#head, error: taken.code ?? taken.message, stoppedAt: -1 };
    if (this.#isUpgrade && this.#head === null) return { messages, openHead: null, error: null, stoppedAt: taken };
    this.#parser.finish();
    return { messages, openHead: this.#head, error: null, stoppedAt: -1 };
  }

  #onHeaders(headers: string[], url: string): undefined {
    this.#headers.push(...headers);
    this.#url += url;
  }

  #onHead(
    minorVersion: number,
    headers: string[] | null,
    method: number | null,
    url: string | null,
    status: number | null,
    reason: string | null,
    isUpgrade: boolean,
  ): number {
    this.#head = {
      method: this.#type === HTTPParser.RESPONSE ? '' : (this.#methodNames[method!] ?? String(method)),
      target: url ?? this.#url,
      status: status ?? 0,
      reason: reason ?? '',
      minorVersion,
      headers: headers ?? this.#headers,
      trailers: [],
      body: '',
    };
    this.#headers = [];
    this.#url = '';
    this.#body = '';
    this.#isUpgrade = isUpgrade;
    return this.#type === HTTPParser.RESPONSE && this.#requestMethod === 'HEAD' ? skipBody : 0;
  }

  #onEnd(): undefined {
    this.#messages.push({ ...this.#head!, trailers: this.#headers, body: this.#body });
    this.#head = null;
    this.#headers = [];
    this.#url = '';
  }

  /** The parser tells methods by number; which number is which is found by asking. */
  #learnMethods(): string[] {
    const names: string[] = [];
    for (const method of nodeMethods) {
      const target = method === 'CONNECT' ? 'a:1' : '/';
      const { messages, openHead } = this.read(Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`), 'GET');
      const head = messages[0] ?? openHead;
      if (head !== null) names[Number(head.method)] = method;
    }
    return names;
  }
}
