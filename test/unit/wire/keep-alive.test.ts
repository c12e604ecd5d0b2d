import { expect, test } from 'vitest';
import { readKeepAliveTimeout } from '../../../src/wire/keep-alive.ts';
import { ResponseParser } from '../../../src/wire/response-parser.ts';

test.each([
  [5, 'Keep-Alive: timeout=5'],
  [5, 'keep-alive: timeout=5, max=100'],
  [15, 'Keep-Alive: max=100, Timeout=15'],
  [7, 'Keep-Alive: timeout = "7"'],
  [0, 'Keep-Alive: timeout=0'],
  [-1, 'Keep-Alive: 300'],
  [-1, 'Keep-Alive: xtimeout=5'],
  [-1, 'Keep-Alive: timeout=-5'],
  [-1, 'Keep_Alive: timeout=5'],
  [-1, 'Server: timeout=5'],
])('%d seconds: %s', (seconds, line) => {
  const parser = new ResponseParser();
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 0\r\n\r\n`);
  expect(parser.feed(bytes, 0, bytes.length)).toBe('done');
  expect(readKeepAliveTimeout(parser.head.fields)).toBe(seconds);
});
