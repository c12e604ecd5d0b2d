// The secret with which a client may ask how its request was served: read from a file, again and again, since a mounted
// Secret changes in place. Hands on a digest only; neither the secret nor a part of it is ever logged.
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Timers } from '../lib/hold-off.ts';
import type { Logger } from '../lib/logger.ts';

export interface ExplainSecretOptions {
  readonly path: string;
  readonly timers: Timers;
  readonly log: Logger;
  /** There is another secret. */
  readonly onChange: (digest: string) => void;
  /** Default: reads the file as latin1 text. */
  readonly read?: (path: string) => Promise<string>;
}

/** The file cannot be read, or holds no secret. The message is for people. */
export class ExplainSecretError extends Error {}

const MIN_LENGTH = 16;
const MAX_LENGTH = 256;
/** How often the file is read. Milliseconds. */
const PERIOD_MS = 2_000;

export class ExplainSecret {
  readonly #options: ExplainSecretOptions;
  #digest = '';
  /** What is wrong with the file now; '' when nothing is. */
  #fault = '';
  #timer: unknown = null;
  #isStopped = false;

  constructor(options: ExplainSecretOptions) {
    this.#options = options;
  }

  /** SHA-256 of the secret, in hex. '' before `start`. */
  get digest(): string {
    return this.#digest;
  }

  /** Rejects with ExplainSecretError. Afterwards the last good secret stays, whatever becomes of the file. */
  async start(): Promise<void> {
    this.#digest = await this.#read();
    this.#plan();
  }

  stop(): void {
    this.#isStopped = true;
    this.#options.timers.clear(this.#timer);
  }

  #plan(): void {
    if (!this.#isStopped) this.#timer = this.#options.timers.set(() => void this.#look(), PERIOD_MS);
  }

  async #look(): Promise<void> {
    const { log, onChange, path } = this.#options;
    try {
      const digest = await this.#read();
      if (this.#isStopped) return;
      if (this.#fault !== '') log.info({ path }, 'the explain secret can be read again');
      this.#fault = '';
      if (digest !== this.#digest) {
        this.#digest = digest;
        log.info({ path }, 'the explain secret has changed');
        onChange(digest);
      }
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      // Once for each change, not for each look.
      if (fault !== this.#fault) log.warn({ reason: fault }, 'the explain secret stays as it was');
      this.#fault = fault;
    }
    this.#plan();
  }

  async #read(): Promise<string> {
    const { path, read = readLatin1 } = this.#options;
    let text: string;
    try {
      text = await read(path);
    } catch (error) {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      throw new ExplainSecretError(code === 'ENOENT' ? `${path} does not exist` : `${path} cannot be read (${code})`);
    }
    const secret = text.replace(/\r?\n$/, '');
    const fault = faultOf(secret);
    if (fault !== null) throw new ExplainSecretError(`${path} ${fault}`);
    return hash('sha256', secret, 'hex');
  }
}

/** What is wrong with a secret, without a word of it; null: nothing. */
function faultOf(secret: string): string | null {
  const { length } = secret;
  const counted = `${length} ${length === 1 ? 'character' : 'characters'}`;
  if (length < MIN_LENGTH) return `holds ${counted}; a secret must have at least ${MIN_LENGTH}`;
  if (length > MAX_LENGTH) return `holds ${counted}; a secret must have at most ${MAX_LENGTH}`;
  const at = secret.search(/[^\x21-\x7e]/);
  return at === -1
    ? null
    : `has a sign at character ${at + 1} that no header value can be sure to keep; a secret is one line of visible ASCII without spaces`;
}

function readLatin1(path: string): Promise<string> {
  return readFile(path, 'latin1');
}
