// The path of a request target as rules see it. Members get the target exactly as received;
// these forms are for matching only and are never forwarded.
// Servers differ in what they make of encoded slashes and dots, empty segments, `..;` and backslashes.
// So there are two readings, and a path whose readings lead to different rules is refused.

/** The two readings of a path; the same string where the path is plain. */
export interface PathReadings {
  /** Parameters off, harmless encodings decoded, nothing else touched. */
  readonly literal: string;
  /** Everything decoded, empty and dot segments resolved. */
  readonly resolved: string;
}

/** `null`: the path cannot be understood (bad percent-encoding or an encoded NUL). */
export function readPath(rawPath: string): PathReadings | null {
  if (isPlain(rawPath)) return { literal: rawPath, resolved: rawPath };
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(rawPath)) return null;
  const literal = dropParameters(rawPath).replace(HARMLESS_ENCODING, decodeByte);
  const resolved = resolveSegments(dropParameters(rawPath.replace(ANY_ENCODING, decodeByte)));
  return { literal, resolved };
}

/** The part of an origin-form target before the query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

const ANY_ENCODING = /%([0-9A-Fa-f]{2})/g;
/** Not those of `.` `/` `;` and `\\`, which may change where a path leads. */
const HARMLESS_ENCODING = /%(?!2[eEfF]|3[bB]|5[cC])([0-9A-Fa-f]{2})/g;

// Nearly every path is plain; one scan without allocation tells.
function isPlain(path: string): boolean {
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    if (code === PERCENT || code === SEMICOLON || code === BACKSLASH) return false;
    if (code === SLASH) {
      const next = path.charCodeAt(at + 1);
      if (next === SLASH || next === DOT) return false;
    }
  }
  return true;
}

/** One character per byte, as the rules' paths are. */
function decodeByte(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function dropParameters(path: string): string {
  return path.replace(/;[^/]*/g, '');
}

/** Climbing above the root ends there (RFC 3986 §5.2.4); a last segment that is empty or dots stays a folder. */
function resolveSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.replaceAll('\\', '/').split('/');
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(segment);
  }
  const last = segments[segments.length - 1];
  const isFolder = last === '' || last === '.' || last === '..';
  return `/${kept.join('/')}${isFolder && kept.length > 0 ? '/' : ''}`;
}
