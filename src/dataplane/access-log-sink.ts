// Where the lines of the access log go: in batches that a pipe takes whole, straight from the lane's thread, and never
// waiting. When whoever reads does not keep up, a bounded amount is kept and the rest is dropped and counted.
//
// Writing through the thread pool would not do: a pipe that nobody reads would hold its threads, and name look-ups with
// them. Nor may standard output be made non-blocking, since other programs share it. A second description of the same
// pipe, opened through /proc, can be, and is nobody else's. Where that cannot be had, the pool is used after all, for
// one write at a time.
import { closeSync, constants, fstatSync, openSync, statSync, write, writeSync } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { MAX_LINE_BYTES } from './access-log-line.ts';

/** Nothing longer is written at once: lines of several threads must not mix. Bytes. */
const MAX_BATCH_BYTES = MAX_LINE_BYTES;
/** Kept for a reader that does not keep up. Bytes. */
const MAX_WAITING_BYTES = 1_048_576;
/** How long a pipe that was full is left alone: trying costs more than keeping. Milliseconds. */
const REST_MS = 2;
/** How often it is looked whether the file was moved away. Flushes; they come every tenth of a second. */
const FLUSHES_PER_LOOK = 10;

const STDOUT = 1;
/** Instead of a count: the system took nothing, and not because it was busy. */
const FAILED = -1;
const NEVER_WAITING = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
  /** How much of it is written. */
  written: number;
}

export class AccessLogSink {
  readonly #path: string | null;
  readonly #clock: Clock;
  readonly #onDrop: (lines: number) => void;
  /** Null: it could not be opened, and is tried again. */
  #target: { readonly fd: number; readonly usesPool: boolean } | null = null;
  #text = '';
  #lines = 0;
  readonly #waiting: Batch[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  /** When the pipe was last found to be full. */
  #fullAtMs = Number.NEGATIVE_INFINITY;
  #flushes = 0;
  #isClosed = false;

  /** `path`: null for standard output. `onDrop`: so many lines were lost. */
  constructor(path: string | null, clock: Clock, onDrop: (lines: number) => void) {
    this.#path = path;
    this.#clock = clock;
    this.#onDrop = onDrop;
    this.#open();
  }

  /** Whether a line would be dropped: it need not be made. */
  get isFull(): boolean {
    return this.#waitingBytes >= MAX_WAITING_BYTES;
  }

  /** Whether everything has been handed over. */
  get isEmpty(): boolean {
    return this.#lines === 0 && this.#waiting.length === 0;
  }

  /** A line with its end, plain ASCII. */
  add(line: string): void {
    if (this.#text.length + line.length > MAX_BATCH_BYTES) this.#handOver();
    this.#text += line;
    this.#lines += 1;
  }

  /** A line was not even made. */
  drop(): void {
    this.#onDrop(1);
  }

  /** Writes what can be written. To be called every tenth of a second or so. */
  flush(): void {
    this.#flushes += 1;
    if (this.#flushes % FLUSHES_PER_LOOK === 0) this.#look();
    this.#writeWaiting();
    if (this.#lines > 0 && !this.isFull) this.#handOver();
  }

  /** Writes what can be written now; the rest is lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#fullAtMs = Number.NEGATIVE_INFINITY;
    this.flush();
    this.#isClosed = true;
    const left = this.#waiting.reduce((sum, { lines }) => sum + lines, this.#lines);
    if (left > 0) this.#onDrop(left);
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#text = '';
    this.#lines = 0;
    this.#closeTarget();
  }

  #handOver(): void {
    const text = this.#text;
    const lines = this.#lines;
    this.#text = '';
    this.#lines = 0;
    if (this.#waiting.length > 0) this.#writeWaiting();
    const written = this.#waiting.length > 0 ? 0 : this.#writeNow(text);
    if (written === text.length) return;
    if (written === FAILED) return this.#fail(lines);
    if (this.isFull || this.#isClosed) return this.#onDrop(lines);
    this.#waiting.push({ bytes: Buffer.from(text, 'latin1'), lines, written });
    this.#waitingBytes += text.length;
    if (this.#target?.usesPool) this.#writeByPool();
  }

  /** How much was written of a text, or of bytes from `start` on. */
  #writeNow(data: string | Buffer, start = 0): number {
    const target = this.#target;
    if (target === null || target.usesPool || this.#clock.nowMs() - this.#fullAtMs < REST_MS) return 0;
    try {
      return typeof data === 'string' ? writeSync(target.fd, data, null, 'latin1') : writeSync(target.fd, data, start);
    } catch (error) {
      if (!isBusy(error)) return FAILED;
      this.#fullAtMs = this.#clock.nowMs();
      return 0;
    }
  }

  #writeWaiting(): void {
    if (this.#target?.usesPool) return this.#writeByPool();
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      const written = this.#writeNow(batch.bytes, batch.written);
      if (written === FAILED) return this.#failWaiting(batch);
      batch.written += written;
      if (batch.written < batch.bytes.length) return;
      this.#forget(batch);
    }
  }

  #writeByPool(): void {
    const batch = this.#waiting[0];
    if (batch === undefined || this.#isWriting) return;
    this.#isWriting = true;
    write(this.#target!.fd, batch.bytes, batch.written, (error, count) => {
      this.#isWriting = false;
      if (this.#isClosed) return;
      if (error !== null) {
        if (!isBusy(error)) this.#failWaiting(batch);
        return;
      }
      batch.written += count;
      if (batch.written === batch.bytes.length) this.#forget(batch);
      this.#writeByPool();
    });
  }

  #forget(batch: Batch): void {
    this.#waiting.shift();
    this.#waitingBytes -= batch.bytes.length;
  }

  #failWaiting(batch: Batch): void {
    this.#forget(batch);
    this.#fail(batch.lines);
  }

  /** The disk is full, or the reader is gone. */
  #fail(lines: number): void {
    this.#onDrop(lines);
    if (this.#path !== null) this.#closeTarget();
  }

  #open(): void {
    try {
      this.#target = this.#path === null ? openStdout() : { fd: openLog(this.#path), usesPool: false };
    } catch {
      // Looked at when the process started; what has happened since may pass.
      this.#target = null;
    }
  }

  /** Opens a file anew that was moved away, or could not be written. */
  #look(): void {
    if (this.#path === null || this.#isClosed) return;
    if (this.#target !== null && isMoved(this.#target.fd, this.#path)) this.#closeTarget();
    if (this.#target === null) this.#open();
  }

  #closeTarget(): void {
    const target = this.#target;
    this.#target = null;
    if (target === null || target.fd === STDOUT) return;
    try {
      closeSync(target.fd);
    } catch {
      // Late news of lines that were taken: nobody knows which.
    }
  }
}

/** Opens a file or a named pipe for appending, without waiting. Throws the system's error. */
export function openLog(path: string): number {
  return openSync(path, NEVER_WAITING | constants.O_CREAT, 0o640);
}

function openStdout(): { readonly fd: number; readonly usesPool: boolean } {
  // Of a file there must not be a second description: each has a place of its own, and one would overwrite the other.
  if (fstatSync(STDOUT).isFile()) return { fd: STDOUT, usesPool: false };
  try {
    return { fd: openSync(`/proc/self/fd/${STDOUT}`, NEVER_WAITING), usesPool: false };
  } catch {
    return { fd: STDOUT, usesPool: true };
  }
}

function isMoved(fd: number, path: string): boolean {
  try {
    const there = statSync(path);
    const ours = fstatSync(fd);
    return there.ino !== ours.ino || there.dev !== ours.dev;
  } catch {
    return true;
  }
}

/** The pipe is full. */
function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}
