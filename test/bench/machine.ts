// What the figures were measured on.
import { cpus, release, type } from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  /** ISO 8601. */
  readonly date: string;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    kernel: `${type()} ${release().split('-', 1)[0]}`,
    date: new Date().toISOString().slice(0, 10),
  };
}
