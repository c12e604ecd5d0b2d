// What the outside world does to the process: signals, and faults that nobody caught. Decides when the process ends;
// what has to be stopped before that is not known here.
import type { ProcessLogger } from './pino-logger.ts';

/** Exit codes of a process that a signal ended, as shells count them. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs `stop` on the first SIGTERM or SIGINT and ends the process after it, with 0 if it went well. A second signal
 * ends the process at once.
 */
export function onShutdownSignal(log: ProcessLogger, stop: (signal: string) => Promise<void>): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) {
        log.warn({ signal }, 'ending at once');
        process.exit(SIGNAL_CODES[signal]);
      }
      isStopping = true;
      stop(signal).then(
        () => process.exit(0),
        (error: unknown) => endBadly(log, error, 'stopping failed'),
      );
    });
  }
}

/** A fault that nobody caught leaves the process in a state that nobody knows: it is logged, and the process ends. */
export function logFatalFaults(log: ProcessLogger): void {
  process.on('uncaughtException', (error) => endBadly(log, error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => endBadly(log, error, 'unhandled rejection'));
}

function endBadly(log: ProcessLogger, error: unknown, message: string): never {
  try {
    // The log writes synchronously: the line is out when this returns.
    log.fatal({ reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }, message);
  } finally {
    process.exit(1);
  }
}

/** Off unless EVENKEEL_TEST_HOOKS is `on`: then SIGUSR2 makes a lane die, to see it come back. */
export const testHooks = {
  areOn: process.env.EVENKEEL_TEST_HOOKS === 'on',
  onCrashSignal(crash: () => void): void {
    if (this.areOn) process.on('SIGUSR2', crash);
  },
};
