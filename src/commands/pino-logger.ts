// The logger behind the face that the rest of the code knows. The only file that knows pino.
// Writes synchronously to standard output, so that the last line before the end is not lost.
import { type Level, pino } from 'pino';
import type { Logger } from '../lib/logger.ts';

export interface LoggerOptions {
  readonly level: Level | 'silent';
  readonly format: 'json' | 'pretty';
}

/** A logger, and a way to say why the process ends. */
export interface ProcessLogger extends Logger {
  fatal(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** JSON lines: level by name, time in ISO 8601, message under `msg`. */
export async function createLogger({ level, format }: LoggerOptions): Promise<ProcessLogger> {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'json' ? pino.destination({ dest: 1, sync: true }) : await prettyDestination(),
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    fatal: (fields, message) => logger.fatal(fields, message),
  };
}

/** Loaded only for people. */
async function prettyDestination() {
  const { PinoPretty } = await import('pino-pretty');
  return PinoPretty({
    destination: 1,
    sync: true,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
  });
}
