// Makes a copy of a text with pieces left out or put in. Until the first piece nothing is made.

/** Re-usable. Pieces come in ascending order. */
export class Cutting {
  isChanged = false;
  #text = '';
  #copied = 0;
  #out = '';

  open(text: string, start: number): void {
    this.#text = text;
    this.#copied = start;
    this.#out = '';
    this.isChanged = false;
  }

  /** Leaves out `[from, to)` and puts `inserted` in its place. What was left out already stays out. */
  replace(from: number, to: number, inserted: string): void {
    if (from > this.#copied) this.#out += this.#text.slice(this.#copied, from);
    this.#out += inserted;
    this.#copied = Math.max(this.#copied, to);
    this.isChanged = true;
  }

  /** The copy up to `end`; lets go of the text. */
  finish(end: number): string {
    const out = this.#copied < end ? this.#out + this.#text.slice(this.#copied, end) : this.#out;
    this.#text = '';
    this.#out = '';
    return out;
  }
}
