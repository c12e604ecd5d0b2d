// What --help prints and what docs/reference/command-line.md says, both made from the table of flags.
// Run as a program it writes the page. Says nothing that the table does not.
import { writeFileSync } from 'node:fs';
import { type Command, flags, variableOf } from '../options.ts';
import type { FlagDefinition } from './flag-values.ts';

interface CommandHelp {
  readonly name: Command;
  readonly usage: string;
  readonly help: string;
}

const commands: readonly CommandHelp[] = [
  { name: 'serve', usage: 'serve --config PATH [flags]', help: 'Serve what the given YAML files and folders say.' },
  {
    name: 'check',
    usage: 'check [flags] PATH…',
    help: 'Check YAML files and folders; print each problem with file, line and field. Ends with 1 if one is an error.',
  },
  {
    name: 'import',
    usage: 'import httpd|ingress-nginx [flags] FILE…',
    help: 'Print Balancers that do what the files say, and on standard error each line that has no equivalent, and why.',
  },
  { name: 'crd', usage: 'crd', help: 'Print the CustomResourceDefinition of the kind Balancer as YAML.' },
];

const WIDTH = 100;

/** The text of `--help`. */
export function helpText(): string {
  const lines = [
    'Evenkeel: load balancing and sticky sessions as Apache httpd does them.',
    '',
    'Usage:',
    ...commands.flatMap(({ usage, help }) => [`  evenkeel ${usage}`, ...wrap(help, 6)]),
    '  evenkeel --help | --version',
    '',
    'Flags:',
  ];
  for (const flag of definitions()) {
    const scope = flag.commands.length === 1 ? '' : ` (${flag.commands.join(', ')})`;
    lines.push(`  ${spell(flag)}${scope}`, ...wrap(`${flag.help} ${defaultSentence(flag)}`.trim(), 6));
  }
  lines.push(
    '',
    'Each flag can also be set in the environment: --http-port is EVENKEEL_HTTP_PORT. Flags win.',
    'Flags are flags of serve where nothing else is said.',
  );
  return `${lines.join('\n')}\n`;
}

/** The page docs/reference/command-line.md. */
export function helpPage(): string {
  const lines = [
    '<!-- Generated from src/options.ts by `node src/commands/help.ts`. Do not edit. -->',
    '',
    '# Command line',
    '',
    '| command | what it does |',
    '|---|---|',
    ...commands.map(({ usage, help }) => `| \`${usage}\` | ${help} |`),
    '| `--help` | Print commands and flags. |',
    '| `--version` | Print the version. |',
    '',
    'Exit codes: 0 when all is well, 1 when something failed or `check` found an error, 2 when the command line is wrong.',
    '',
    '## Flags',
    '',
    'A flag wins over its environment variable, and that over the default. An empty variable counts as not set, and so does',
    'one that Kubernetes sets for a Service (`tcp://…`). Durations are written as in the Gateway API: `500ms`, `10s`, `1m30s`.',
    '',
    '| flag | environment | default | commands | meaning |',
    '|---|---|---|---|---|',
    ...definitions().map((flag) => {
      const initial = flag.initialHelp ?? (flag.initial === '' ? 'none' : `\`${flag.initial}\``);
      const cells = [`\`${spell(flag)}\``, `\`${variableOf(flag)}\``, initial, flag.commands.join(', '), flag.help];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function definitions(): readonly FlagDefinition[] {
  return Object.values(flags);
}

function spell({ name, value }: FlagDefinition): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function defaultSentence({ initial, initialHelp }: FlagDefinition): string {
  if (initialHelp !== undefined) return `Default: ${initialHelp}.`;
  return initial === '' ? '' : `Default: ${initial}.`;
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each);
}

if (import.meta.main) {
  writeFileSync(new URL('../../docs/reference/command-line.md', import.meta.url), helpPage());
}
