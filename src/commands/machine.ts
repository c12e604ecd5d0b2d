// What the machine offers, as far as defaults depend on it.
import { availableParallelism } from 'node:os';

export interface Machine {
  readonly processors: number;
  /** Whether several threads or processes can listen on one port and the system spreads connections over them. */
  readonly canSharePort: boolean;
}

/** Systems where Node can share a port so that connections are spread (libuv's UV_TCP_REUSEPORT). */
const SHARING: readonly NodeJS.Platform[] = ['linux', 'freebsd', 'sunos', 'aix'];

export function readMachine(): Machine {
  return { processors: availableParallelism(), canSharePort: SHARING.includes(process.platform) };
}
