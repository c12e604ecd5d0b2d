#!/usr/bin/env node
// The command line: which command, with which options, and how a fault of people is shown. Commands are loaded when
// they are called, so that --help and `check` start fast; the parts of `serve` stand in commands/serve.ts.
import { readMachine } from './commands/machine.ts';
import { describeSystemFault, UserError, usageError } from './commands/user-error.ts';
import { type Command, readOptions } from './options.ts';

const commandNames: readonly Command[] = ['serve', 'check', 'import', 'crd'];

/** Runs one command; resolves with the exit code, or with null if the command goes on and ends the process itself. */
async function run(args: readonly string[]): Promise<number | null> {
  const [first, ...rest] = args;
  if (args.includes('--help') || args.includes('-h') || first === 'help') {
    const { helpText } = await import('./commands/help.ts');
    process.stdout.write(helpText());
    return 0;
  }
  if (first === '--version') {
    const { readVersion } = await import('./commands/version.ts');
    process.stdout.write(`${readVersion()}\n`);
    return 0;
  }
  const command = commandNames.find((name) => name === first);
  if (command === undefined) throw await unknownCommand(first);
  const { options, operands } = readOptions(command, rest, process.env, readMachine());
  if (command !== 'check' && command !== 'import' && operands.length > 0) {
    throw usageError(`${command} takes flags only, not ${JSON.stringify(operands[0])}`);
  }
  switch (command) {
    case 'serve': {
      // Half of these threads look up names, each for as long as a silent name server lets it wait. They start with the
      // first work there is for them, so that this must stand before everything else.
      process.env.UV_THREADPOOL_SIZE ??= '32';
      const { serve } = await import('./commands/serve.ts');
      await serve(options);
      return null;
    }
    case 'check': {
      const { check } = await import('./commands/check.ts');
      return check(operands, options, (text) => process.stdout.write(text));
    }
    case 'import': {
      const { importFiles } = await import('./commands/import.ts');
      return importFiles(operands, options, process.stdout, process.stderr);
    }
    case 'crd': {
      const { crdText } = await import('./commands/crd.ts');
      process.stdout.write(crdText());
      return 0;
    }
    default:
      return command satisfies never;
  }
}

async function unknownCommand(name: string | undefined): Promise<UserError> {
  if (name === undefined) return usageError(`name a command: ${commandNames.join(', ')}; see --help`);
  const { nearest } = await import('./api/schema/nearest.ts');
  const meant = nearest(name, [...commandNames, '--help', '--version']);
  const hint = meant === undefined ? `the commands are ${commandNames.join(', ')}` : `did you mean ${meant}?`;
  return usageError(`unknown ${name.startsWith('-') ? 'flag' : 'command'} ${name}; ${hint}`);
}

// Whoever reads our output may stop early: `evenkeel check . | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  // Set, not exited with: what was printed gets out first.
  process.exitCode = (await run(process.argv.slice(2))) ?? process.exitCode ?? 0;
} catch (error) {
  const fault = error instanceof UserError ? error.message : describeSystemFault(error);
  if (fault === null) throw error;
  process.stderr.write(`evenkeel: ${fault}\n`);
  process.exit(error instanceof UserError ? error.exitCode : 1);
}
