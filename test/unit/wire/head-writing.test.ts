// The outgoing head: what is kept is kept byte for byte, what must go is gone, and nothing can be smuggled in.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFieldValue, checkTarget, fieldLine, joinFieldText, noFieldText } from '../../../src/wire/field-text.ts';
import {
  createDropTable,
  forwardingIds,
  hopByHopIds,
  requestHeadOut,
  responseHeadOut,
} from '../../../src/wire/head-writer.ts';
import { headerIds } from '../../../src/wire/header-id.ts';
import { listLines, parseRequest, parseResponse } from './read-messages.ts';

const dropNothing = createDropTable([]);
const dropUntrusted = createDropTable([...hopByHopIds, ...forwardingIds]);

function rewrite(text: string, added = noFieldText, drops = dropUntrusted): string {
  return requestHeadOut(parseRequest(text).head, null, drops, null, added).toString();
}

describe('requests', () => {
  test('with nothing to change are copied byte for byte', () => {
    const text = 'GET /a?b HTTP/1.1\r\nhost:  a\r\nX-A:b \t\r\nX-A: c\r\nX-Empty:\r\nX-Obs: \xe9\r\n\r\n';
    expect(rewrite(text)).toBe(text);
  });

  test('lose headers of the connection, those that Connection names, and what clients may not claim', () => {
    const text =
      'GET / HTTP/1.1\r\nKeep-Alive: 5\r\nHost: a\r\nX-Named: 1\r\nConnection: close, x-named\r\nX-Forwarded-For: 1\r\nAccept: */*\r\n' +
      'x_forwarded_for: 2\r\nX-Forwarded_Proto: 3\r\nX-Forwarded-Anything: 4\r\nForwarded: 5\r\nx-real_ip: 6\r\nTE: trailers\r\nCookie: a=b\r\n' +
      'Proxy-Connection: 7\r\nUpgrade: h2c\r\nHTTP2-Settings: 8\r\n\r\n';
    expect(rewrite(text)).toBe('GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nCookie: a=b\r\n\r\n');
  });

  test('lose look-alikes of headers that frame or route, whatever else is dropped', () => {
    const text =
      'POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nContent-Length: 3\r\nX_A: b\r\n\r\n';
    expect(rewrite(text, noFieldText, dropNothing)).toBe(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX_A: b\r\n\r\n',
    );
  });

  test('get lines of ours at the end', () => {
    const added = joinFieldText(fieldLine('X-Forwarded-For', '192.0.2.1'), fieldLine('Via', '1.1 evenkeel'));
    expect(rewrite('GET / HTTP/1.1\r\nHost: a\r\n\r\n', added)).toBe(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nVia: 1.1 evenkeel\r\n\r\n',
    );
  });

  test('get another value in place of the old one', () => {
    const { head } = parseRequest('GET / HTTP/1.1\r\nHost: a\r\ncookie: id=1.x\r\nX-A: b\r\nX-B: c\r\n\r\n');
    const edits = new Map([
      [head.fields.find(headerIds.cookie), checkFieldValue('id=1')],
      [3, null],
    ]);
    expect(requestHeadOut(head, null, dropUntrusted, edits, noFieldText).toString()).toBe(
      'GET / HTTP/1.1\r\nHost: a\r\ncookie: id=1\r\nX-A: b\r\n\r\n',
    );
  });

  test('get another target', () => {
    const { head } = parseRequest('GET /a;id=1.x HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(requestHeadOut(head, checkTarget('/a;id=1'), dropUntrusted, null, noFieldText).toString()).toBe(
      'GET /a;id=1 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
  });

  test.each([
    ['GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /b?c HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['GET http://a HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['GET / HTTP/1.0\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['GET / HTTP/1.0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n'],
    ['\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%j goes out as %j', (text, expected) => {
    expect(rewrite(text)).toBe(expected);
  });
});

describe('responses', () => {
  const rewriteResponse = (text: string) =>
    responseHeadOut(parseResponse(text).head, createDropTable(hopByHopIds), null, noFieldText).toString();

  test('with nothing to change are copied byte for byte', () => {
    const text = 'HTTP/1.1 200 Sehr  gut\r\nSet-Cookie: a=b\r\nset-cookie:c=d\r\n\r\n';
    expect(rewriteResponse(text)).toBe(text);
  });

  test.each([
    ['HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n', 'HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n'],
    ['HTTP/1.1 200\r\nA: b\r\n\r\n', 'HTTP/1.1 200 \r\nA: b\r\n\r\n'],
    ['HTTP/1.1 200 \r\n\r\n', 'HTTP/1.1 200 \r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nConnection: close, A\r\nA: b\r\nKeep-Alive: 5\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('%j goes out as %j', (text, expected) => {
    expect(rewriteResponse(text)).toBe(expected);
  });
});

describe('text of our own', () => {
  test.each(['a\r\nb', 'a\nb', 'a\rb', 'a\0b', 'a\x7fb', 'a\u010ab', 'a\u560ab', '\u2028'])(
    '%j is no field value',
    (value) => {
      expect(() => checkFieldValue(value)).toThrow(TypeError);
      expect(() => fieldLine('X', value)).toThrow(TypeError);
    },
  );

  test.each(['', 'a b', 'a:', 'a\r\nb', '\xe9'])('%j is no header name', (name) => {
    expect(() => fieldLine(name, 'x')).toThrow(TypeError);
  });

  test.each(['', '/a b', '/a#b', '/\r\n', '/\xe9', '/\u0120'])('%j is no target', (target) => {
    expect(() => checkTarget(target)).toThrow(TypeError);
  });

  test('tabs and obs-text are field values', () => {
    expect(fieldLine('X-A', 'a\tb \xe9')).toBe('X-A: a\tb \xe9\r\n');
    expect(checkFieldValue('')).toBe('');
  });
});

const nameLetters = 'abcXYZ-_109!~'.split('');
const fieldNames = fc.string({ unit: fc.constantFrom(...nameLetters), minLength: 1, maxLength: 12 });
const valueOctets = fc.integer({ min: 0x20, max: 0xff }).filter((octet) => octet !== 0x7f);
const fieldValues = fc.array(valueOctets, { maxLength: 20 }).map((octets) => String.fromCharCode(...octets).trim());

describe('properties', () => {
  test('what was written parses to the same lines, and writes to the same text', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fieldNames, fieldValues), { maxLength: 40 }), (lines) => {
        const text = `GET / HTTP/1.1\r\nHost: a\r\n${lines.map(([name, value]) => fieldLine(name, value)).join('')}\r\n`;
        const { head } = parseRequest(text);
        expect(listLines(head.fields)).toEqual(['Host: a', ...lines.map(([name, value]) => `${name}: ${value}`)]);
        expect(requestHeadOut(head, null, dropNothing, null, noFieldText).toString()).toBe(text);
      }),
    );
  });

  test('whichever lines go, the others stay byte for byte and in order', () => {
    const line = fc.tuple(
      fc.constantFrom(
        'X-A: b\r\n',
        'x-a:b\t\r\n',
        'Accept: */*\r\n',
        'X-Forwarded-For: 1\r\n',
        'X_REAL_IP: 2\r\n',
        'te: x\r\n',
      ),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const { head } = parseRequest(`GET / HTTP/1.1\r\n${lines.map(([text]) => text).join('')}Host: a\r\n\r\n`);
        const edits = new Map(lines.flatMap(([, isEdited], i) => (isEdited ? [[i, null] as const] : [])));
        const kept = lines
          .filter(([text, isEdited]) => !isEdited && /^(?:x-a|accept)/i.test(text))
          .map(([text]) => text);
        expect(requestHeadOut(head, null, dropUntrusted, edits, noFieldText).toString()).toBe(
          `GET / HTTP/1.1\r\n${kept.join('')}Host: a\r\n\r\n`,
        );
      }),
    );
  });
});
