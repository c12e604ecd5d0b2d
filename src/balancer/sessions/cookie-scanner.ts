// Finds the cookies of one name in a Cookie line (RFC 6265bis §5.8.3; httpd mod_proxy_balancer.c get_cookie_param).
// Gives offsets only; allocates nothing, and takes time linear in the text however many cookies there are.
import { COMMA, EQUALS, isBlank, SEMICOLON } from './octets.ts';

/**
 * Re-usable. Lines of one text are scanned in order, so that native searches, which do not stop at the end of a line, go
 * over the text once.
 */
export class CookieScanner {
  /** Where the name of the cookie found begins. */
  nameStart = 0;
  /** The value, from behind the "=" to the delimiter: white space and quotes included. */
  valueStart = 0;
  valueEnd = 0;
  #text = '';
  #name = '';
  #lineStart = 0;
  #lineEnd = 0;
  #from = 0;
  /** The first occurrence of the name at or after some earlier `from`; text.length: none. */
  #hit = -1;
  /** The first delimiters likewise. */
  #semicolon = -1;
  #comma = -1;
  #endsAtComma = false;

  /**
   * Looks for `name` (case-sensitive) from now on. `endsAtComma`: a comma delimits cookies as ";" does (httpd);
   * otherwise it belongs to the value, as applications have it.
   */
  open(text: string, name: string, endsAtComma: boolean): void {
    this.#text = text;
    this.#name = name;
    this.#endsAtComma = endsAtComma;
    this.#hit = -1;
    this.#semicolon = -1;
    this.#comma = endsAtComma ? -1 : text.length;
  }

  /** Goes to the line `[start, end)`; lines must come in ascending order. */
  openLine(start: number, end: number): void {
    this.#lineStart = start;
    this.#lineEnd = end;
    this.#from = start;
  }

  /** Lets go of the text. */
  close(): void {
    this.#text = '';
  }

  /** Finds the next cookie of the name in the line, empty ones included. */
  next(): boolean {
    const text = this.#text;
    const nameLength = this.#name.length;
    const lineEnd = this.#lineEnd;
    while (this.#search() + nameLength < lineEnd) {
      const start = this.#hit;
      let at = start + nameLength;
      // A name token holds no delimiter, so no other cookie can begin inside this occurrence.
      this.#from = at;
      if (!this.#isNameStart(start)) continue;
      while (at < lineEnd && isBlank(text.charCodeAt(at))) at++;
      if (at === lineEnd || text.charCodeAt(at) !== EQUALS) continue;
      this.nameStart = start;
      this.valueStart = at + 1;
      this.valueEnd = this.#delimiterAfter(at + 1);
      this.#from = this.valueEnd;
      return true;
    }
    return false;
  }

  #search(): number {
    if (this.#hit >= this.#from) return this.#hit;
    this.#hit = this.#find(this.#name, this.#from);
    return this.#hit;
  }

  /** The first delimiter at or after `at`, or the end of the line. */
  #delimiterAfter(at: number): number {
    if (this.#semicolon < at) this.#semicolon = this.#find(';', at);
    if (this.#comma < at) this.#comma = this.#find(',', at);
    return Math.min(this.#semicolon, this.#comma, this.#lineEnd);
  }

  #find(what: string, from: number): number {
    const at = this.#text.indexOf(what, from);
    return at === -1 ? this.#text.length : at;
  }

  /**
   * Differs from httpd: cookie names match whole names only. There white space, too, may stand before a name, so that
   * `a="b SID=x"` has a cookie SID.
   */
  #isNameStart(start: number): boolean {
    let at = start;
    while (at > this.#lineStart && isBlank(this.#text.charCodeAt(at - 1))) at--;
    return at === this.#lineStart || this.#isDelimiter(this.#text.charCodeAt(at - 1));
  }

  #isDelimiter(code: number): boolean {
    return code === SEMICOLON || (code === COMMA && this.#endsAtComma);
  }
}
