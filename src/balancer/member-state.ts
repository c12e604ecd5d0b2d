// The states of one member: usable, resting in error, tried again (httpd proxy_util.c ap_proxy_retry_worker).
// The only writer of `flags` here; whoever else raises or clears one uses raiseFlag and clearFlag too.
import { type CompiledBalancer, Trait } from './compiled-balancer.ts';
import { ERROR, readInt64, type SharedStandings } from './standings.ts';

type FlagCells = Pick<SharedStandings, 'flags' | 'flagChanges' | 'flagTurns'>;

/** Raises a flag of a row and says whether it was down. Lanes see it at their next election. */
export function raiseFlag(cells: FlagCells, row: number, flag: number): boolean {
  const wasDown = (Atomics.or(cells.flags, row, flag) & flag) === 0;
  if (wasDown) countTurn(cells);
  return wasDown;
}

/** Clears a flag of a row. Of several threads that try at once, exactly one is told true. */
export function clearFlag(cells: FlagCells, row: number, flag: number): boolean {
  const wasUp = (Atomics.and(cells.flags, row, ~flag) & flag) !== 0;
  if (wasUp) countTurn(cells);
  return wasUp;
}

function countTurn(cells: FlagCells): void {
  Atomics.add(cells.flagChanges, 0, 1);
  Atomics.add(cells.flagTurns, 0, 1);
}

/** Whole microseconds on the hrtime axis. */
export function nowUs(balancer: CompiledBalancer): number {
  return Math.floor(balancer.clock.nowMs() * 1000);
}

/** Whether the member may take a request at all: neither switched off nor flagged. Drain and role are not asked. */
export function isUsable(balancer: CompiledBalancer, index: number): boolean {
  return (balancer.traits[index]! & Trait.Off) === 0 && balancer.standings.flags[balancer.rows[index]!] === 0;
}

export function isInError(balancer: CompiledBalancer, index: number): boolean {
  return (balancer.standings.flags[balancer.rows[index]!]! & ERROR) !== 0;
}

/** Whether the member has as many attempts under way as it may have. */
export function isFull(balancer: CompiledBalancer, index: number): boolean {
  const most = balancer.maxConnectionsPerMember;
  return most > 0 && balancer.standings.busyTotal[balancer.rows[index]!]! >= most;
}

/**
 * After this moment, strictly, a member in error may be tried again: microseconds on the hrtime axis;
 * -Infinity where errors are ignored, Infinity while it is stopped.
 */
export function retryDueUs(balancer: CompiledBalancer, index: number): number {
  const traits = balancer.traits[index]!;
  if ((traits & Trait.Stopped) !== 0) return Infinity;
  if ((traits & Trait.IgnoresErrors) !== 0) return -Infinity;
  return readInt64(balancer.standings.erroredAtUs, balancer.rows[index]!) + balancer.retryAfterUs;
}

/**
 * Puts a member to rest after an error, unless its errors are ignored. True when it was not in error before,
 * for the log. The rest starts anew with each error.
 */
export function markFailed(balancer: CompiledBalancer, index: number): boolean {
  if ((balancer.traits[index]! & Trait.IgnoresErrors) !== 0) return false;
  const { standings } = balancer;
  const row = balancer.rows[index]!;
  Atomics.store(standings.erroredAtUs.whole, row, BigInt(nowUs(balancer)));
  const isNew = raiseFlag(standings, row, ERROR);
  // The end of the rest has moved even where the flag had been up already.
  if (!isNew) Atomics.add(standings.flagChanges, 0, 1);
  return isNew;
}

/** A connection to the member stands: its retries are forgotten. */
export function markSucceeded(balancer: CompiledBalancer, index: number): void {
  const { retries } = balancer.standings;
  const row = balancer.rows[index]!;
  if (retries[row] !== 0) Atomics.store(retries, row, 0);
}
