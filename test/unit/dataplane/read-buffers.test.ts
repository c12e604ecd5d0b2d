import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ReadBuffers } from '../../../src/dataplane/read-buffers.ts';

const socketWith = (writableLength: number): Socket => ({ writableLength }) as Socket;

test('a large part of the shared buffer is copied to borrowed memory, which is used again once it was sent', () => {
  const buffers = new ReadBuffers();
  buffers.shared.fill('a');
  const copy = buffers.borrowCopy(buffers.shared.subarray(10, 10_010))!;
  buffers.shared.fill('b');
  expect(copy.toString()).toBe('a'.repeat(10_000));
  buffers.giveBack(copy, socketWith(0));
  const next = buffers.borrow();
  expect(next.buffer).toBe(copy.buffer);
  expect(next.length).toBe(buffers.shared.length);
});

test('what still waits in a socket is not given to anybody else', () => {
  const buffers = new ReadBuffers();
  const copy = buffers.borrowCopy(buffers.shared)!;
  buffers.giveBack(copy, socketWith(1));
  expect(buffers.borrow().buffer).not.toBe(copy.buffer);
});

test('bytes that are few, or not of the shared buffer, are not copied to borrowed memory', () => {
  const buffers = new ReadBuffers();
  expect(buffers.borrowCopy(buffers.shared.subarray(0, 4_095))).toBeNull();
  expect(buffers.borrowCopy(Buffer.alloc(65_536))).toBeNull();
});
