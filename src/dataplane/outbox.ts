// What a lane sends in one turn of its event loop. Short messages are put one behind the other and written when all that
// had come is read: a write wakes whoever waits at the other end, which costs more than the write itself, and one who is
// kept awake is woken once. All that is written to our sockets goes through here, or it would overtake.
import type { Socket } from 'node:net';
import type { ReadBuffers } from './read-buffers.ts';

/** Bodies up to here are copied, which costs less than a second buffer in the call. Bytes. */
const MAX_COPIED_BYTES = 16_384;
/** A socket that is full keeps the whole block until it has sent its part. Bytes. */
const BLOCK_BYTES = 65_536;
/** What more than these hold is written before the turn is over. Count. */
const MAX_BLOCKS = 4;

/** Something that is done to a socket once all that was posted is written. */
export interface Closing {
  begin(): void;
}

/**
 * Whether the socket takes more. Node asks to wait after every write of its high-water mark, also when the
 * kernel took all of it at once; there is nothing to wait for then.
 */
export function hasRoom(socket: Socket): boolean {
  return !socket.writableNeedDrain || socket.writableLength === 0;
}

export class Outbox {
  readonly #readBuffers: ReadBuffers;
  readonly #schedule: (flush: () => void) => void;
  readonly #blocks = [Buffer.allocUnsafeSlow(BLOCK_BYTES)];
  /** Index of the block that is being filled, and what is in it. */
  #current = 0;
  #usedBytes = 0;
  /** What was posted, and to whom. Heads with a body are in the blocks. */
  readonly #sockets: Socket[] = [];
  readonly #messages: (string | Buffer)[] = [];
  readonly #closings: Closing[] = [];
  #isScheduled = false;
  /** Times that all that was posted was written. */
  flushes = 0;

  /** `schedule`: has it flushed once the turn is over. */
  constructor(readBuffers: ReadBuffers, schedule: (flush: () => void) => void = setImmediate) {
    this.#readBuffers = readBuffers;
    this.#schedule = schedule;
  }

  /** Sends a head (latin1) and what there is of its body, this turn. False: the socket is full, and will emit 'drain'. */
  post(socket: Socket, head: string, body: Buffer | null): boolean {
    if (body !== null && body.length > MAX_COPIED_BYTES) return this.#writePair(socket, head, body);
    this.#messages.push(body === null || body.length === 0 ? head : this.#putTogether(head, body));
    this.#sockets.push(socket);
    this.#flushSoon();
    return hasRoom(socket);
  }

  /** Writes at once, behind what was posted. `data`: latin1 or bytes. False: the socket is full, and will emit 'drain'. */
  write(socket: Socket, data: string | Buffer): boolean {
    this.flush();
    if (typeof data === 'string') socket.write(data, 'latin1');
    else {
      const copy = this.#readBuffers.borrowCopy(data);
      socket.write(copy ?? this.#readBuffers.keepable(data));
      if (copy !== null) this.#readBuffers.giveBack(copy, socket);
    }
    return hasRoom(socket);
  }

  /** Has the closing begun once all that was posted so far is written, this turn. */
  close(closing: Closing): void {
    this.#closings.push(closing);
    this.#flushSoon();
  }

  /** Writes all that was posted. */
  flush(): void {
    const sockets = this.#sockets;
    const messages = this.#messages;
    for (let i = 0; i < sockets.length; i += 1) {
      const socket = sockets[i]!;
      const message = messages[i]!;
      if (socket.destroyed) continue;
      if (typeof message === 'string') {
        socket.write(message, 'latin1');
        continue;
      }
      // Who was full before has one block already.
      const wasFull = socket.writableLength > 0;
      socket.write(wasFull ? Buffer.from(message) : message);
      if (!wasFull && socket.writableLength > 0) this.#letGoOf(message);
    }
    this.flushes += 1;
    sockets.length = 0;
    messages.length = 0;
    this.#current = 0;
    this.#usedBytes = 0;
    for (const closing of this.#closings) closing.begin();
    this.#closings.length = 0;
  }

  #putTogether(head: string, body: Buffer): Buffer {
    const bytes = head.length + body.length;
    if (bytes > BLOCK_BYTES) return Buffer.concat([Buffer.from(head, 'latin1'), body]);
    if (this.#usedBytes + bytes > BLOCK_BYTES) this.#beginBlock();
    const block = this.#blocks[this.#current]!;
    const start = this.#usedBytes;
    this.#usedBytes += bytes;
    block.write(head, start, 'latin1');
    body.copy(block, start + head.length);
    return block.subarray(start, this.#usedBytes);
  }

  #beginBlock(): void {
    if (this.#current + 1 === MAX_BLOCKS) return this.flush();
    this.#current += 1;
    this.#usedBytes = 0;
    this.#blocks[this.#current] ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  /** The block of the message stays with a socket. Those who share it have been written to, or hold it too. */
  #letGoOf(message: Buffer): void {
    const at = this.#blocks.findIndex(({ buffer }) => buffer === message.buffer);
    if (at !== -1) this.#blocks[at] = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  #writePair(socket: Socket, head: string, body: Buffer): boolean {
    this.flush();
    const copy = this.#readBuffers.borrowCopy(body);
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(copy ?? this.#readBuffers.keepable(body));
    socket.uncork();
    if (copy !== null) this.#readBuffers.giveBack(copy, socket);
    return hasRoom(socket);
  }

  #flushSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(this.#onTurnOver);
  }

  readonly #onTurnOver = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
}
