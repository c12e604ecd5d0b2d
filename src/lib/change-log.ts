// Which keys changed since a version, for readers who ask now and then and then look at those only. It remembers the latest
// changes and no more: whoever asks for older ones is told to look at everything.

/** What a reader needs of one. */
export interface Changed {
  /** Another number after each change. */
  readonly version: number;
  /** Keys of which something may have changed since that version; null: it may be any of them. */
  since(version: number): ReadonlySet<string> | null;
}

/** Between this many changes and twice as many are remembered. */
const REMEMBERED = 10_000;

export class ChangeLog implements Changed {
  readonly #remembered: number;
  /** The latest changes, and the version before the first of them. */
  #keys: string[] = [];
  #oldest = 0;

  constructor(remembered = REMEMBERED) {
    this.#remembered = remembered;
  }

  get version(): number {
    return this.#oldest + this.#keys.length;
  }

  note(key: string): void {
    this.#keys.push(key);
    if (this.#keys.length >= 2 * this.#remembered) this.#forget(this.#remembered);
  }

  /** Anything may have changed. */
  noteAll(): void {
    this.#forget(this.#keys.length);
    this.#oldest += 1;
  }

  since(version: number): ReadonlySet<string> | null {
    if (version < this.#oldest) return null;
    return new Set(this.#keys.slice(version - this.#oldest));
  }

  #forget(count: number): void {
    this.#keys = this.#keys.slice(count);
    this.#oldest += count;
  }
}
