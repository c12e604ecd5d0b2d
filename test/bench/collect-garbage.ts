// Loaded into the product by the soak: has the main thread's garbage collected every ten seconds. By itself that thread has
// so little to do that it collects only every few minutes, and in between its heap grows whatever is kept.
// Needs --expose-gc.
import { isMainThread } from 'node:worker_threads';

const EVERY_MS = 10_000;

const { gc } = globalThis;
if (isMainThread && gc !== undefined) setInterval(() => void gc(), EVERY_MS).unref();
