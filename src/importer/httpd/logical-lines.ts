// Text of an httpd configuration → its lines as httpd sees them: continued lines joined, comments and empty lines gone.
// Source: httpd's manual "Configuration Files", server/util.c (ap_cfg_getline).

export interface LogicalLine {
  /** Without surrounding white space. */
  readonly text: string;
  /** Number of its first line, from 1. */
  readonly line: number;
}

/** A comment is a whole line: `#` behind a directive is an argument. A backslash at the end of a line joins the next one. */
export function splitLines(text: string): readonly LogicalLine[] {
  const found: LogicalLine[] = [];
  let joined = '';
  let first = 0;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (first === 0) first = index + 1;
    if (raw.endsWith('\\')) {
      joined += raw.slice(0, -1);
      continue;
    }
    const line = (joined + raw).trim();
    if (line !== '' && !line.startsWith('#')) found.push({ text: line, line: first });
    joined = '';
    first = 0;
  }
  const rest = joined.trim();
  if (rest !== '' && !rest.startsWith('#')) found.push({ text: rest, line: first });
  return found;
}

/** The words of a line: separated by white space, or quoted, with a backslash before a quote that is meant. */
export function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    const char = text[at]!;
    if (/\s/.test(char)) {
      at += 1;
      continue;
    }
    const quote = char === '"' || char === "'" ? char : null;
    let word = '';
    if (quote !== null) at += 1;
    while (at < text.length) {
      const next = text[at]!;
      if (quote === null ? /\s/.test(next) : next === quote) break;
      // Only quotes and backslashes are escaped: \d of a regular expression stays as it is.
      const isEscape = next === '\\' && (text[at + 1] === '\\' || (quote !== null && text[at + 1] === quote));
      word += isEscape ? text[at + 1] : next;
      at += isEscape ? 2 : 1;
    }
    if (quote !== null) at += 1;
    words.push(word);
  }
  return words;
}
