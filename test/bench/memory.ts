// Memory of a process once it has come to rest: runtimes that collect garbage give back what they do not need later.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessTree } from './processes.ts';

const STEP_MS = 500;
const LEAST_STEPS = 4;
const MOST_STEPS = 40;
const CALM_SHARE = 0.002;

/** Waits until the memory in use hardly changes any more, and returns it. Bytes. */
export async function settledMemoryBytes(tree: ProcessTree): Promise<number> {
  let last = tree.memoryBytes();
  let calmSteps = 0;
  for (let step = 0; step < MOST_STEPS && calmSteps < LEAST_STEPS; step += 1) {
    await sleep(STEP_MS);
    const now = tree.memoryBytes();
    calmSteps = Math.abs(now - last) < last * CALM_SHARE ? calmSteps + 1 : 0;
    last = now;
  }
  return last;
}
