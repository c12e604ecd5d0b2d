// Finds the parameters of one name in a URL: `;name=value` in the path, `name=value` in the query
// (httpd mod_proxy_balancer.c get_path_param). The path is understood percent-decoded, the query raw, as in httpd.
// Gives offsets into the URL as it stands; allocates nothing, and takes time linear in the URL.
import { AMPERSAND, EQUALS, PERCENT, percentDecoded, QUESTION, SEMICOLON, SLASH } from './octets.ts';

/** Re-usable. */
export class ParameterScanner {
  /** Whether what was found stands in the path. */
  isInPath = true;
  /** The value as it stands; never empty. */
  valueStart = 0;
  valueEnd = 0;
  #text = '';
  #name = '';
  #at = 0;
  #end = 0;

  /** Scans `text[start, end)`, which begins with the path (or with "?") and has no fragment, for `name` (case-sensitive). */
  open(text: string, start: number, end: number, name: string): void {
    this.#text = text;
    this.#name = name;
    this.#at = start;
    this.#end = end;
    this.isInPath = true;
  }

  /** Lets go of the text. */
  close(): void {
    this.#text = '';
  }

  /**
   * Finds the next parameter of the name that has a value.
   * Differs from httpd: parameter names match whole names only. There `xSID=a.r2` and `?fooSID=a.r2` have a SID.
   * Differs from httpd: an empty value is none. There `?SID=&b=x.r2` takes `b=x.r2` for the value.
   */
  next(): boolean {
    return (this.isInPath && this.#nextInPath()) || this.#nextInQuery();
  }

  #nextInPath(): boolean {
    const text = this.#text;
    const end = this.#end;
    let at = this.#at;
    while (at < end) {
      const code = text.charCodeAt(at);
      if (code === QUESTION) break;
      const isEncoded = code === PERCENT && percentDecoded(text, at, end) === SEMICOLON;
      at += isEncoded ? 3 : 1;
      if (code !== SEMICOLON && !isEncoded) continue;
      const valueStart = this.#matchDecoded(at);
      if (valueStart === -1) continue;
      const valueEnd = this.#endOfPathValue(valueStart);
      at = valueEnd;
      if (valueEnd > valueStart) return this.#found(valueStart, valueEnd);
    }
    this.isInPath = false;
    this.#at = at;
    return false;
  }

  /** `#at` is at a delimiter: the "?", or the one that ended the parameter before. */
  #nextInQuery(): boolean {
    const text = this.#text;
    const end = this.#end;
    let at = this.#at;
    while (at < end) {
      const nameEnd = at + 1 + this.#name.length;
      const isMatch = text.charCodeAt(nameEnd) === EQUALS && nameEnd < end && text.startsWith(this.#name, at + 1);
      at = isMatch ? nameEnd : at;
      const valueStart = at + 1;
      do at++;
      while (at < end && !isQueryDelimiter(text.charCodeAt(at)));
      if (isMatch && at > valueStart) return this.#found(valueStart, at);
    }
    this.#at = end;
    return false;
  }

  #found(valueStart: number, valueEnd: number): boolean {
    this.valueStart = valueStart;
    this.valueEnd = valueEnd;
    this.#at = valueEnd;
    return true;
  }

  /** Where the value begins if the decoded name and "=" stand at `start`, else -1. */
  #matchDecoded(start: number): number {
    const text = this.#text;
    const name = this.#name;
    let at = start;
    for (let place = 0; place <= name.length; place++) {
      if (at >= this.#end) return -1;
      const decoded = percentDecoded(text, at, this.#end);
      const code = decoded === -1 ? text.charCodeAt(at) : decoded;
      if (code !== (place === name.length ? EQUALS : name.charCodeAt(place))) return -1;
      at += decoded === -1 ? 1 : 3;
    }
    return at;
  }

  /**
   * Differs from httpd: `;jsessionid=x.route/next` ends at "/", and ";" always ends a value, also in the query
   * (httpd: only with scolonpathdelim=On).
   */
  #endOfPathValue(start: number): number {
    const text = this.#text;
    const end = this.#end;
    let at = start;
    while (at < end) {
      const decoded = percentDecoded(text, at, end);
      const code = decoded === -1 ? text.charCodeAt(at) : decoded;
      if (code === SLASH || isQueryDelimiter(code)) break;
      at += decoded === -1 ? 1 : 3;
    }
    return at;
  }
}

function isQueryDelimiter(code: number): boolean {
  return code === AMPERSAND || code === SEMICOLON || code === QUESTION;
}
