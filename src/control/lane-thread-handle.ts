// How the control plane holds a lane: a worker thread, or (for --lanes 0) the main thread
// behind the same message port, which proves that nothing else crosses.
import { extname } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { FromLane, ToLane } from '../snapshot/lane-protocol.ts';

/** A running lane. */
export interface LaneHandle {
  post(message: ToLane): void;
  /** Ends it at once. */
  terminate(): void;
}

export interface LaneEvents {
  onMessage(message: FromLane): void;
  /** The thread is confirmed to be gone; called once. `error` is what killed it, null for an orderly end. */
  onExit(error: Error | null): void;
}

/** Starts a lane; it waits for the message `start`. */
export type LaneStarter = (events: LaneEvents) => LaneHandle;

// Compiled or not, the lane's entry has the extension of this file.
const entry = new URL(`../dataplane/lane-thread${extname(import.meta.url)}`, import.meta.url);

/**
 * Room for what lives no longer than a request. With V8's default a lane under load collects several times as often, and
 * each time something survives that was about to be let go. Megabytes.
 */
const YOUNG_GENERATION_MB = 64;

export const startLaneThread: LaneStarter = (events) => {
  const worker = new Worker(entry, {
    name: 'lane',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  let error: Error | null = null;
  worker.on('message', (message: FromLane) => events.onMessage(message));
  worker.on('error', (cause) => {
    error = cause instanceof Error ? cause : new Error(String(cause));
  });
  worker.on('exit', (code) => events.onExit(error ?? (code === 0 ? null : new Error(`exit code ${code}`))));
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => void worker.terminate(),
  };
};

export const startLaneInMainThread: LaneStarter = (events) => {
  const { port1, port2 } = new MessageChannel();
  let error: Error | null = null;
  port1.on('message', (message: FromLane) => events.onMessage(message));
  port1.on('close', () => events.onExit(error));
  // Loaded only here: the main thread of a process with lanes of its own has no need of the data plane.
  import('../dataplane/lane.ts').then(
    ({ runLane }) => runLane(port2),
    (cause: unknown) => {
      error = cause instanceof Error ? cause : new Error(String(cause));
      port1.close();
    },
  );
  return {
    post: (message) => port1.postMessage(message),
    terminate: () => port1.close(),
  };
};
