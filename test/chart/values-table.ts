// The table of values in the chart's README, from the comments of values.yaml.
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** A Markdown table; throws for a value without a comment above it. */
export function describeValues(text: string): string {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml is no map');
  const lines = ['| value | default | |', '|---|---|---|', ...rowsOf(contents, '', commentAtHead(text))];
  return `${lines.join('\n')}\n`;
}

function rowsOf(map: YAMLMap, prefix: string, headComment: string): readonly string[] {
  return map.items.flatMap((pair, index) => {
    const { name, comment } = nameAndComment(pair, index === 0 ? (map.commentBefore ?? headComment) : '');
    const path = prefix + name;
    if (comment === '') throw new Error(`values.yaml does not describe ${path}`);
    const { value } = pair;
    if (isMap(value) && isDescribedInside(value)) {
      return [`| **\`${path}\`** | | ${comment} |`, ...rowsOf(value, `${path}.`, '')];
    }
    const json = JSON.stringify((value as { toJSON(): unknown } | null)?.toJSON() ?? null);
    return [`| \`${path}\` | ${json === 'null' || json === '""' ? '' : `\`${json}\``} | ${comment} |`];
  });
}

function nameAndComment({ key }: Pair, firstComment: string): { readonly name: string; readonly comment: string } {
  if (!isScalar(key)) throw new Error('values.yaml has a key that is no text');
  const comment = (key.commentBefore ?? firstComment).trim().split('\n').at(-1)?.trim() ?? '';
  return { name: String(key.value), comment };
}

/** Maps without comments inside are values as a whole. */
function isDescribedInside(map: YAMLMap): boolean {
  return map.commentBefore != null || map.items.some(({ key }) => isScalar(key) && key.commentBefore != null);
}

/** The first value's comment belongs to the document for the parser. */
function commentAtHead(text: string): string {
  const end = text.search(/^[^#\n]/m);
  return text
    .slice(0, end)
    .split('\n')
    .filter((line) => line.startsWith('# '))
    .map((line) => line.slice(2))
    .join('\n');
}
