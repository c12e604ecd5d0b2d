// Waiting that can be called off.
import type { Timers } from '../../lib/hold-off.ts';

/** Resolves after `delayMs`. Rejects with the signal's reason as soon as that is aborted. */
export function pause(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = (): void => {
      timers.clear(handle);
      reject(signal.reason);
    };
    const handle = timers.set(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    signal.addEventListener('abort', abort, { once: true });
  });
}
