// A program whose four threads write numbered lines of many lengths to its standard output, each through a sink of its
// own, as lanes do. Its only argument: lines of each thread.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { MAX_LINE_BYTES } from '../../../src/dataplane/access-log-line.ts';
import { AccessLogSink } from '../../../src/dataplane/access-log-sink.ts';
import { systemClock } from '../../../src/lib/clock.ts';

const THREADS = 4;

if (isMainThread) {
  const lines = Number(process.argv[2]);
  const started = new Int32Array(new SharedArrayBuffer(4));
  for (let thread = 0; thread < THREADS; thread += 1) {
    new Worker(new URL(import.meta.url), { workerData: { thread, lines, started } }).on(
      'message',
      (dropped: number) => {
        if (dropped > 0) process.exitCode = 1;
      },
    );
  }
} else {
  const { thread, lines, started } = workerData as { thread: number; lines: number; started: Int32Array };
  let dropped = 0;
  const sink = new AccessLogSink(null, systemClock, (count) => {
    dropped += count;
  });
  let next = 0;
  const go = (): void => {
    // In small helpings, so that the threads take turns.
    for (let left = 100; left > 0 && next < lines && !sink.isFull; left -= 1, next += 1) sink.add(lineOf(thread, next));
    sink.flush();
    if (next < lines || !sink.isEmpty) return void setTimeout(go, 1);
    sink.close();
    parentPort!.postMessage(dropped);
  };
  // All begin at once, or there would be nothing to mix.
  Atomics.add(started, 0, 1);
  const wait = (): void => void (Atomics.load(started, 0) === THREADS ? go() : setTimeout(wait, 1));
  wait();
}

/** Mostly short, some as long as a line may be. */
function lineOf(thread: number, number: number): string {
  const head = `{"thread":${thread},"number":${number},"filling":"`;
  const tail = '"}\n';
  const room = MAX_LINE_BYTES - head.length - tail.length;
  const filling = number % 50 === 0 ? room : (number * 37) % 400;
  return `${head}${String(thread).repeat(filling)}${tail}`;
}
