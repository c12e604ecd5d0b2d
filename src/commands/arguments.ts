// Takes a command line apart: which flags were given with which texts, and what else stands there. Knows of a flag
// only what the table says; what a text means is for the flag's reader.
import { parseArgs } from 'node:util';
import { nearest } from '../api/schema/nearest.ts';
import type { FlagDefinition } from './flag-values.ts';
import { type UserError, usageError } from './user-error.ts';

/** Takes the arguments behind a command's name apart. Throws UserError for what is no flag of the command. */
export function readArguments(
  command: string,
  args: readonly string[],
  definitions: readonly FlagDefinition[],
): { readonly given: ReadonlyMap<string, readonly string[]>; readonly operands: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      definitions.map((flag) => [
        flag.name,
        { type: flag.value === undefined ? ('boolean' as const) : ('string' as const), multiple: true },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    allowNegative: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const isNegated = token.rawName.startsWith('--no-');
    const name = isNegated ? token.rawName.slice('--no-'.length) : token.name;
    const flag = definitions.find((candidate) => candidate.name === name);
    if (flag === undefined || (isNegated && flag.value !== undefined)) throw unknownFlag(token.rawName, definitions);
    if (!flag.commands.includes(command)) {
      throw usageError(`${token.rawName} is not a flag of ${command}; it belongs to ${flag.commands.join(' and ')}`);
    }
    const text = flag.value === undefined ? (token.value ?? String(!isNegated)) : token.value;
    // A value that looks like a flag is a forgotten value: --bind --http-port 80.
    if (text === undefined || (!token.inlineValue && flag.value !== undefined && text.startsWith('--'))) {
      throw usageError(`--${name} needs a value: --${name} ${flag.value}`);
    }
    const texts = given.get(name) ?? [];
    if (texts.length > 0 && flag.isList !== true) throw usageError(`--${name} is given twice`);
    given.set(name, [...texts, text]);
  }
  return { given, operands };
}

function unknownFlag(rawName: string, definitions: readonly FlagDefinition[]): UserError {
  const names = [...definitions.map(({ name }) => `--${name}`), '--help', '--version'];
  const meant = nearest(rawName, names);
  return usageError(`unknown flag ${rawName}${meant === undefined ? '; see --help' : `; did you mean ${meant}?`}`);
}
