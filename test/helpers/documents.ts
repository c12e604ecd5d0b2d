// The documents of this repository, and the code in them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './evenkeel-process.ts';

const folders = [
  '.',
  '.ci',
  'docs',
  'docs/reference',
  'docs/decisions',
  'src',
  'examples',
  'charts/evenkeel',
  'test/cluster',
];

/** Pages, by path from the root. */
export const documents: ReadonlyMap<string, string> = new Map(
  folders.flatMap((folder) =>
    filesOf(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name))
      .map((path): [string, string] => [path, readFileSync(join(root, path), 'utf8')]),
  ),
);

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(join(root, folder));
  } catch {
    return [];
  }
}

/** One piece of code of a page. */
export interface CodeBlock {
  /** From 1: where its fence stands. */
  readonly line: number;
  /** Behind the fence: `sh`, `yaml`, … or ''. */
  readonly language: string;
  readonly text: string;
  /** What the comment right above says, such as `in the background`; '' where there is none. */
  readonly mark: string;
}

export function codeBlocksOf(page: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = page.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const fence = /^ *```(\S*)$/.exec(lines[at]!);
    if (fence === null) continue;
    const end = lines.findIndex((line, index) => index > at && /^ *```$/.test(line));
    const above = lines[at - 1] ?? '';
    const mark = /^ *<!-- (.*) -->$/.exec(above)?.[1] ?? '';
    blocks.push({ line: at + 1, language: fence[1]!, text: lines.slice(at + 1, end).join('\n'), mark });
    at = end;
  }
  return blocks;
}
