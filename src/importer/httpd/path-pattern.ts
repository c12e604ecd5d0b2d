// Regular expressions over paths, as ProxyPassMatch, LocationMatch and RewriteRule have them → the paths that the resource can
// say: a prefix or one path alone. Whatever it is not sure of, it does not translate.

/** A set of paths that a rule can name. */
export interface PathMatch {
  readonly type: 'Prefix' | 'Exact';
  /** Begins with `/`. */
  readonly path: string;
}

/** A pattern, and where what it matches goes. */
export interface PatternMatch extends PathMatch {
  /** What `$1` stands for, as a part of the path: from where, and whether up to the end. Null: there is no group. */
  readonly group: { readonly start: number } | null;
}

const literal = String.raw`(?:[A-Za-z0-9_~!@&=:,;%/-]|\\[.\-/_+$^()])*`;
/** `^/app/(.*)$`, `^/app(/.*)?$`, `^(/app.*)`, `^/app$`, `^/app/?$`, `^/app`. */
const shapes: readonly (readonly [RegExp, (parts: readonly string[]) => PatternMatch | null])[] = [
  [
    new RegExp(`^\\^(${literal})\\((/)?\\.[*+]\\)\\??\\$?$`),
    ([text, slash]) => prefix(text!, text!, slash !== undefined),
  ],
  [new RegExp(`^\\^\\((${literal})\\.\\*\\)\\$?$`), ([text]) => prefix(text!, '')],
  [new RegExp(`^\\^(${literal})(?:\\.\\*)\\$?$`), ([text]) => prefix(text!)],
  [new RegExp(`^\\^(${literal})/\\?\\$$`), ([text]) => exact(text!)],
  [new RegExp(`^\\^(${literal})\\$$`), ([text]) => exact(text!)],
  [new RegExp(`^\\^(${literal})\\(/\\|\\$\\)$`), ([text]) => prefix(text!)],
  [new RegExp(`^\\^(${literal})$`), ([text]) => prefix(text!)],
];

/** Null: no rule can say what the pattern matches. */
export function readPattern(pattern: string): PatternMatch | null {
  for (const [shape, read] of shapes) {
    const match = shape.exec(pattern);
    if (match !== null) return read(match.slice(1));
  }
  return null;
}

/** `groupFrom`: the literal text before the group; left out: there is none. */
function prefix(text: string, groupFrom?: string, isSlashInGroup = false): PatternMatch | null {
  const path = unescaped(text);
  // `^/app(.*)` also takes /apple, which a prefix by segments does not.
  const isWholeSegments = path.endsWith('/') || isSlashInGroup || path === '';
  if (!path.startsWith('/') && path !== '') return null;
  if (!isWholeSegments && path !== '/') return null;
  const group = groupFrom === undefined ? null : { start: unescaped(groupFrom).length };
  return { type: 'Prefix', path: withoutSlash(path), group };
}

function exact(text: string): PatternMatch | null {
  const path = unescaped(text);
  return path.startsWith('/') ? { type: 'Exact', path, group: null } : null;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1');
}

/** `/app/` and `/app` are the same prefix. */
export function withoutSlash(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed;
}

/** Whether `inner` matches nothing that `outer` does not. */
export function covers(outer: PathMatch, inner: PathMatch): boolean {
  if (outer.type === 'Exact') return inner.type === 'Exact' && inner.path === outer.path;
  return outer.path === '/' || inner.path === outer.path || inner.path.startsWith(`${outer.path}/`);
}
