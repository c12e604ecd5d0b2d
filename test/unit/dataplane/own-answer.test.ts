import { expect, test } from 'vitest';
import { faultOfConnecting } from '../../../src/dataplane/connect-fault.ts';
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
  expect(ownAnswer('no-rule', true, false, 1)).toBe(
    'HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nContent-Length: 51\r\n\r\n',
  );
  expect(ownAnswer('no-rule', true, true, 1)).toContain('\r\nConnection: close\r\n');
  expect(ownAnswer('no-rule', true, false, 0)).toContain('\r\nConnection: keep-alive\r\n');
});

test.each([
  ['ECONNREFUSED', 'connect-refused'],
  ['EHOSTUNREACH', 'connect-refused'],
  ['ETIMEDOUT', 'connect-timeout'],
  ['ENOTFOUND', 'name-not-resolved'],
  ['EMFILE', 'out-of-sockets'],
  ['EADDRNOTAVAIL', 'out-of-sockets'],
])('%s while connecting is %s', (code, fault) => {
  expect(faultOfConnecting(Object.assign(new Error(), { code }))).toBe(fault);
});
