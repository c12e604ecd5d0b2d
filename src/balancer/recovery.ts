// How members come back from error: the retry check of one (httpd proxy_util.c ap_proxy_retry_worker) and
// forced recovery of all (mod_proxy_balancer.c recovery). Other flags than ERROR are left alone.
import type { CompiledBalancer } from './compiled-balancer.ts';
import { LevelDue, requestLevel } from './level.ts';
import { clearFlag, isInError, retryDueUs } from './member-state.ts';
import { ERROR } from './standings.ts';

/**
 * The retry check of a member in error: lifts the error when its rest is over, and says whether the member
 * is without error now. Several lanes may come at once; one of them counts the retry.
 */
export function liftErrorIfDue(balancer: CompiledBalancer, index: number, atUs: number): boolean {
  if (!(atUs > retryDueUs(balancer, index))) return false;
  if (liftError(balancer, index)) requestLevel(balancer, index, LevelDue.Traffic);
  return true;
}

/**
 * Before each election and each look-up of a session: members in error whose rest is over are lifted, in order of
 * configuration, up to the first that is not in error. When all of them are, and stay so, forced recovery wakes
 * them all. One member that is not in error prevents it, whatever else keeps that one out.
 */
export function recover(balancer: CompiledBalancer, atUs: number): void {
  const size = balancer.rows.length;
  for (let index = 0; index < size; index++) {
    if (!isInError(balancer, index) || liftErrorIfDue(balancer, index, atUs)) return;
  }
  if (!balancer.forceRecovery) return;
  for (let index = 0; index < size; index++) liftError(balancer, index);
}

/** Lifts the error whatever the time; true for the one caller that did it. */
function liftError(balancer: CompiledBalancer, index: number): boolean {
  const { standings } = balancer;
  const row = balancer.rows[index]!;
  if (!clearFlag(standings, row, ERROR)) return false;
  Atomics.add(standings.retries, row, 1);
  return true;
}
