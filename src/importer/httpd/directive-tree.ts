// An httpd configuration → the tree of its directives, as httpd would see it: files included, variables and macros
// put in, sections under a condition taken or left. Reads files through the face it is given, and nothing else.
import type { FindingLog, SourceLine } from '../finding.ts';
import { splitLines, splitWords } from './logical-lines.ts';

/** A directive, or a section with directives in it. */
export interface Directive extends SourceLine {
  /** In lower case: httpd does not tell case. */
  readonly name: string;
  /** As it was written, for people. */
  readonly text: string;
  readonly args: readonly string[];
  /** Null: it is no section. */
  readonly children: readonly Directive[] | null;
}

/** Where files come from. Paths are as users and Includes write them, resolved by `resolve`. */
export interface ConfigFiles {
  /** Throws an Error with a message for people when it cannot be read. */
  read(path: string): string;
  /** Files that a pattern stands for, in order of their names; those of a folder and its folders if it names one. */
  find(pattern: string): readonly string[];
  /** A path that does not begin with `/`, below a folder. */
  resolve(folder: string, path: string): string;
  folderOf(path: string): string;
}

export interface TreeOptions {
  readonly files: ConfigFiles;
  /** Names that are defined as if by `-D`, or by Define, with their values. */
  readonly defines: ReadonlyMap<string, string>;
  readonly log: FindingLog;
}

const maxDepth = 32;
const maxDirectives = 200_000;

/** Reads a configuration and all that it includes. Throws an Error for people if the first file cannot be read. */
export function readDirectives(path: string, options: TreeOptions): readonly Directive[] {
  const reader = new Reader(options, options.files.folderOf(path));
  return reader.readFile(path, 0);
}

/** Lines of which the importers make something. */
const meansSomething = /^<?(proxy|balancer|server|rewrite|include|location|virtualhost|if|use|define|header|timeout)/i;

/** What is shown of a line: on one line, and without what is secret. */
function textOf(word: string, rest: string): string {
  return `${word}${rest}`.replaceAll(/\s+/g, ' ').replaceAll(/\bsecret=\S+/gi, 'secret=…');
}

/** A line that waits to be taken in. */
interface PendingLine extends SourceLine {
  readonly text: string;
}

class Reader {
  readonly #files: ConfigFiles;
  readonly #log: FindingLog;
  readonly #defines: Map<string, string>;
  readonly #macros = new Map<string, { readonly names: readonly string[]; readonly body: readonly PendingLine[] }>();
  /** Folder that relative paths are below: ServerRoot, once that is known. */
  #root: string;
  #count = 0;

  constructor({ files, log, defines }: TreeOptions, root: string) {
    this.#files = files;
    this.#log = log;
    this.#defines = new Map(defines);
    this.#root = root;
  }

  readFile(path: string, depth: number): Directive[] {
    const lines = splitLines(this.#files.read(path)).map(({ text, line }) => ({ text, file: path, line }));
    return this.#take(lines, depth);
  }

  /** Directives of lines that make whole sections. */
  #take(lines: readonly PendingLine[], depth: number): Directive[] {
    const taken: Directive[] = [];
    for (let at = 0; at < lines.length; ) {
      const line = lines[at]!;
      const section = /^<([A-Za-z][A-Za-z0-9_]*)\s*(.*?)>?$/s.exec(line.text);
      if (section === null) {
        if (line.text.startsWith('</')) this.#log.add('lost', line, line.text, 'it ends a section that has not begun');
        else taken.push(...this.#directive(line, depth));
        at += 1;
        continue;
      }
      const end = endOfSection(lines, at, section[1]!);
      if (end === null) {
        this.#log.add('lost', line, line.text, `there is no </${section[1]}>; the section ends with the file`);
      }
      const body = lines.slice(at + 1, end ?? lines.length);
      taken.push(...this.#section(line, section[1]!, section[2]!, body, depth));
      at = (end ?? lines.length) + 1;
    }
    return taken;
  }

  #section(
    line: PendingLine,
    word: string,
    rest: string,
    body: readonly PendingLine[],
    depth: number,
  ): readonly Directive[] {
    const name = word.toLowerCase();
    const args = splitWords(this.#substitute(rest, line));
    if (name === 'macro') {
      this.#macros.set((args[0] ?? '').toLowerCase(), { names: args.slice(1), body });
      return [];
    }
    const isTaken = this.#judgeCondition(name, args, line);
    if (isTaken !== null) return isTaken && this.#isRoomLeft(line, depth) ? this.#take(body, depth + 1) : [];
    if (!this.#isRoomLeft(line, depth)) return [];
    return [{ name, args, text: line.text, file: line.file, line: line.line, children: this.#take(body, depth + 1) }];
  }

  /** Whether a section under a condition of start-up is taken; null: it is a section of another sort. */
  #judgeCondition(name: string, args: readonly string[], line: PendingLine): boolean | null {
    const [text = ''] = args;
    const isNegated = text.startsWith('!');
    const subject = isNegated ? text.slice(1) : text;
    switch (name) {
      case 'ifdefine':
        return this.#defines.has(subject) !== isNegated;
      case 'ifmodule':
      case 'ifdirective':
      case 'ifsection':
        this.#log.add(
          'skipped',
          line,
          line.text,
          `taken as if httpd had it: the section is ${isNegated ? 'left' : 'read'}`,
        );
        return !isNegated;
      case 'ifversion':
        this.#log.add('skipped', line, line.text, 'taken as true');
        return true;
      case 'iffile':
        return this.#files.find(this.#files.resolve(this.#root, subject)).length > 0 !== isNegated;
      default:
        return null;
    }
  }

  #directive(line: PendingLine, depth: number): readonly Directive[] {
    const [word = '', ...raw] = splitWords(line.text);
    const name = word.toLowerCase();
    if (!this.#isRoomLeft(line, depth)) return [];
    const rest = this.#substitute(line.text.slice(word.length), line);
    const args = raw.length === 0 ? raw : splitWords(rest);
    switch (name) {
      case 'define':
        this.#defines.set(args[0] ?? '', args[1] ?? '');
        return [];
      case 'undefine':
        this.#defines.delete(args[0] ?? '');
        return [];
      case 'serverroot':
        this.#root = this.#files.resolve(this.#root, args[0] ?? '');
        return [];
      case 'use':
        return this.#useMacro(line, args, depth);
      case 'include':
      case 'includeoptional':
        return this.#include(line, args[0] ?? '', name === 'includeoptional', depth);
      default:
        return [{ name, args, text: textOf(word, rest), file: line.file, line: line.line, children: null }];
    }
  }

  #include(line: PendingLine, pattern: string, isOptional: boolean, depth: number): readonly Directive[] {
    const path = this.#files.resolve(this.#root, pattern);
    const found = this.#files.find(path);
    // What has no wildcard must be there; a pattern may stand for nothing.
    if (found.length === 0 && !isOptional && !/[*?[]/.test(pattern)) {
      this.#log.add('lost', line, line.text, `there is no file ${path}`);
    }
    return found.flatMap((file) => {
      try {
        return this.readFile(file, depth + 1);
      } catch (error) {
        this.#log.add('lost', line, line.text, error instanceof Error ? error.message : String(error));
        return [];
      }
    });
  }

  #useMacro(line: PendingLine, [name = '', ...values]: readonly string[], depth: number): readonly Directive[] {
    const macro = this.#macros.get(name.toLowerCase());
    if (macro === undefined) {
      this.#log.add('lost', line, line.text, `there is no macro ${name} above this line`);
      return [];
    }
    // The longest name first: $host must not be taken for $ho.
    const pairs = macro.names
      .map((parameter, index) => [parameter, values[index] ?? ''] as const)
      .sort(([a], [b]) => b.length - a.length);
    const body = macro.body.map((pending) => ({
      ...pending,
      text: pairs.reduce((text, [parameter, value]) => text.replaceAll(parameter, value), pending.text),
    }));
    return this.#take(body, depth + 1);
  }

  /** `${NAME}` of what is defined; httpd leaves others as they are, and so do we. */
  #substitute(text: string, line: PendingLine): string {
    return text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => {
      const value = this.#defines.get(name);
      // Logs of httpd are nobody's business here, wherever they are.
      if (value === undefined && meansSomething.test(line.text)) {
        this.#log.add('lost', line, line.text, `${whole} is not defined; give it by --define ${name}=VALUE`);
      }
      return value ?? whole;
    });
  }

  /** Files that include themselves, and macros that use themselves, end here. */
  #isRoomLeft(line: PendingLine, depth: number): boolean {
    this.#count += 1;
    if (depth <= maxDepth && this.#count <= maxDirectives) return true;
    const what = depth > maxDepth ? `${maxDepth} levels` : `${maxDirectives} directives`;
    this.#log.add('lost', line, line.text, `more than ${what}; does a file include itself?`);
    return false;
  }
}

/** Index of the line that ends the section which begins at `start`; null: none does. */
function endOfSection(lines: readonly PendingLine[], start: number, name: string): number | null {
  const [opens, closes] = [`<${name.toLowerCase()}`, `</${name.toLowerCase()}>`];
  let depth = 0;
  for (let at = start; at < lines.length; at += 1) {
    const text = lines[at]!.text.toLowerCase();
    if (text.startsWith(opens) && !/[a-z0-9_]/.test(text[opens.length] ?? '')) depth += 1;
    if (text.replaceAll(/\s/g, '') === closes) depth -= 1;
    if (depth === 0) return at;
  }
  return null;
}
