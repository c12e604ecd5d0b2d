import { expect, test } from 'vitest';
import { faultOfConnecting } from '../../../src/dataplane/connect-fault.ts';
import { httpDate } from '../../../src/dataplane/http-date.ts';
import { ownAnswer } from '../../../src/dataplane/own-answer.ts';
import { PROXY_ERRORS, type ProxyErrorCode, type RequestFault, statusOf } from '../../../src/dataplane/proxy-error.ts';
import { ResponseParser } from '../../../src/wire/response-parser.ts';
import { wireErrorCodes } from '../../../src/wire/wire-error.ts';

const FAULTS: readonly RequestFault[] = [...(Object.keys(PROXY_ERRORS) as ProxyErrorCode[]), ...wireErrorCodes];

test.each(FAULTS.filter((fault) => statusOf(fault) !== 0))('the answer to %s is a sound message', (fault) => {
  const text = ownAnswer(fault, false, true, 1);
  const bytes = Buffer.from(text, 'latin1');
  const parser = new ResponseParser();
  expect(parser.feed(bytes, 0, bytes.length)).toBe('done');
  expect(parser.head.status).toBe(statusOf(fault));
  expect(bytes.length - parser.position).toBe(parser.head.contentLength);
  expect(parser.head.reason).not.toBe('');
});

test('it has no body for HEAD, and says what becomes of the connection', () => {
  expect(ownAnswer('no-rule', true, false, 1)).toMatch(
    /^HTTP\/1.1 404 Not Found\r\nContent-Type: text\/plain\r\nCache-Control: no-store\r\nDate: [^\r]+\r\nContent-Length: 51\r\n\r\n$/,
  );
  expect(ownAnswer('no-rule', true, true, 1)).toContain('\r\nConnection: close\r\n');
  expect(ownAnswer('no-rule', true, false, 0)).toContain('\r\nConnection: keep-alive\r\n');
});

test.each([
  ['ECONNREFUSED', 'connect-refused'],
  ['EHOSTUNREACH', 'connect-refused'],
  ['ETIMEDOUT', 'connect-timeout'],
  ['ENOTFOUND', 'name-not-resolved'],
  ['EMEMBERNOTALLOWED', 'member-not-allowed'],
  ['EMFILE', 'out-of-sockets'],
  ['EADDRNOTAVAIL', 'out-of-sockets'],
])('%s while connecting is %s', (code, fault) => {
  expect(faultOfConnecting(Object.assign(new Error(), { code }))).toBe(fault);
});

test('Date is the time of the answer', () => {
  expect(httpDate(784_111_777_999)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  expect(httpDate(784_111_778_000)).toBe('Sun, 06 Nov 1994 08:49:38 GMT');
  const before = Math.floor(Date.now() / 1000) * 1000;
  const date = Date.parse(/^Date: (.*)\r$/m.exec(ownAnswer('no-rule', false, true, 1))?.[1] ?? '');
  expect(date).toBeGreaterThanOrEqual(before);
  expect(date).toBeLessThanOrEqual(Date.now());
});
