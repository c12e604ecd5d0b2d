// The face of the logger that the rest of the code knows; pino stands behind it in main.ts.

/** Structured fields of a line. Values must be plain data. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Constant message, values as fields: `log.info({ lane: 1 }, 'lane is ready')`. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
