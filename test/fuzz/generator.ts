// Writes messages by grammar, mostly sound, from parts that are known to make parsers disagree.
// Knows nothing of the parsers under test; damage is done by the mutator.
import type { RandomSource } from './random-source.ts';

export type MessageKind = 'request' | 'response';

const methods = [
  'GET',
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'PATCH',
  'M-SEARCH',
  'get',
  'FOO',
  'CONNECT',
  'PRI',
  'SOURCE',
  'QUERY',
];
const targets = [
  '/',
  '/a/b?c=d',
  '/app;jsessionid=1.x',
  '*',
  '//',
  '/%00',
  '/a?b#c',
  'http://a/',
  'http://a',
  'http://a:80/x',
  'HTTP://A?q',
  'https://a:443/',
  'http://b/',
  'a:443',
  'http://u@a/',
  'ftp://a/',
  '/"<>\\^`{|}',
  '/\xe9',
  'http://[::1]/',
  '?',
  'a',
  'http:/a',
  'http://a:/x',
  'http://a/x y',
];
const versions = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.10',
  'HTTP/1.',
];
const hosts = [
  'a',
  'a',
  'a',
  'A',
  'a:80',
  'a:443',
  'b',
  '',
  '[::1]',
  '[::1]:80',
  'a:',
  'a:99999',
  'a/b',
  'u@a',
  'a,a',
  '[::g]',
  'a b',
  '1.2.3.4',
];
const blanks = ['', ' ', '  ', '\t', ' \t '];
const headerLines: readonly (readonly [string, readonly string[]])[] = [
  [
    'Connection',
    [
      'close',
      'keep-alive',
      'Keep-Alive, Upgrade',
      'upgrade',
      'close, x-a',
      'TE, X-A',
      'Content-Length',
      'a b',
      ',',
      ',close,',
    ],
  ],
  ['Upgrade', ['h2c', 'websocket', 'h2c, websocket', '']],
  ['Expect', ['100-continue', 'x', '100-Continue']],
  ['Content-Type', ['text/plain', 'a/b; c="d"']],
  ['Cookie', ['a=b; c=d', 'JSESSIONID=x.node1']],
  ['Set-Cookie', ['a=b; Path=/', 'c=d']],
  ['X-A', ['', 'b', 'b\tc', '\xe9\xff']],
  ['X_Forwarded_For', ['1.2.3.4']],
  ['X-Forwarded-For', ['1.2.3.4, 5.6.7.8']],
  ['Content_Length', ['3']],
  ['Trailer', ['X-T']],
  ['TE', ['trailers']],
  ['Proxy-Connection', ['keep-alive']],
  ['Keep-Alive', ['timeout=5']],
  ['X-Long', ['y'.repeat(300)]],
  ["!#$%&'*+-.^_`|~", ['z']],
];
const doubtfulLines: readonly (readonly [string, readonly string[]])[] = [
  ['Bad Name', ['z']],
  ['(bad)', ['z']],
  ['X-A', ['b\x00c', 'b\x7fc', 'b\x01']],
  ['Connection', ['Content-Length', 'a b', 'host', ',;']],
  ['Transfer-Encoding', ['chunked', 'identity', 'gzip, chunked', '']],
  ['Content-Length', ['0', '3', '+3', '3, 3']],
  ['Host', ['a', 'b']],
];
const lengths = [
  '0',
  '1',
  '5',
  '05',
  '+5',
  '-1',
  '5 ',
  '0x5',
  '5, 5',
  '',
  '9007199254740993',
  '99999999999999999999',
  '5\x0b',
  '١',
];
const codings = [
  'chunked',
  'chunked',
  'chunked',
  'Chunked',
  'CHUNKED',
  'chunked, identity',
  'gzip, chunked',
  'xchunked',
  'chunked,',
  'chunked;a=b',
  '\x0bchunked',
  '"chunked"',
  'chunked\t',
];
const chunkSizes = [
  '0',
  '1',
  '3',
  '5',
  'a',
  'A',
  '03',
  '000000000000003',
  '3 ',
  ' 3',
  '0x3',
  '',
  'g',
  '-1',
  'ffffffffffffffff',
  '10000000000000000',
  '3\t',
];
const extensions = [
  '',
  '',
  '',
  '',
  '',
  ';',
  ';a',
  ';a=b',
  ';a="b c"',
  ';a="b\\"c"',
  ' ;a',
  ';a ',
  '; a',
  ';a=',
  ';a="b',
  ';a;b=c',
  ';a="\n"',
  ';a\n',
  ';\x7f',
  ';a="\xe9"',
  ';a="\t"',
  ';a=b"c"',
];
const lineEnds = ['\n', '\r', '\r\r\n', '\n\r', ' \r\n', ''];
const trailers = [
  'X-T: u',
  'X-U:',
  'Content-Length: 3',
  'Transfer-Encoding: chunked',
  'Host: b',
  'X-V : w',
  ' fold',
  'X_Forwarded_For: 1',
  'X-Balancer-Member: a',
  'CDN-Loop: a',
  'Trailer: a',
  'Server-Timing: a;dur=1',
];
const statuses = [
  '200',
  '200',
  '200',
  '204',
  '304',
  '404',
  '500',
  '100',
  '103',
  '101',
  '000',
  '099',
  '600',
  '999',
  '20',
  '2000',
  '+20',
  '599',
];
const reasons = [' OK', ' OK', ' OK', '', ' ', ' Not Found', ' \xe9', ' a\tb', ' a\x01b', '  ', 'OK'];

function lineEnd(random: RandomSource): string {
  return random.oneIn(250) ? random.from(lineEnds) : '\r\n';
}

function writeField(random: RandomSource, name: string, value: string): string {
  const spelled = random.oneIn(8) ? name.toLowerCase() : random.oneIn(16) ? name.toUpperCase() : name;
  const colon = random.oneIn(200) ? random.from([' :', '\t:', '', '::', ':\r\n ']) : ':';
  const before = random.oneIn(10) ? random.from(blanks) : ' ';
  const after = random.oneIn(12) ? random.from(blanks) : '';
  return spelled + colon + before + value + after + lineEnd(random);
}

// Unsound parts are drawn seldom, so that enough messages get through to compare their bodies.
function mostly<Item>(random: RandomSource, usual: Item, items: readonly Item[]): Item {
  return random.oneIn(7) ? random.from(items) : usual;
}

function writeChunkedBody(random: RandomSource): string {
  let body = '';
  for (let left = random.below(4); left > 0; left--) {
    const data = 'x'.repeat(1 + random.below(20));
    const size = random.oneIn(20) ? random.from(chunkSizes) : data.length.toString(16);
    body += size + random.from(random.oneIn(6) ? extensions : ['']) + lineEnd(random) + data + lineEnd(random);
  }
  body += random.oneIn(30) ? random.from(['00', '0 ', '', '0;a=b']) : '0';
  body += lineEnd(random);
  if (random.oneIn(4)) body += random.from(trailers) + lineEnd(random);
  if (random.oneIn(12)) body += random.from(trailers) + lineEnd(random);
  return body + lineEnd(random);
}

/** Framing headers and a body that usually fit each other. */
function writeFraming(random: RandomSource): { readonly lines: string; readonly body: string } {
  const choice = random.below(10);
  if (choice < 4) return { lines: '', body: random.oneIn(30) ? 'stray' : '' };
  if (choice < 7) {
    const length = mostly(random, '5', lengths);
    return {
      lines: writeField(random, 'Content-Length', length),
      body: random.oneIn(30) ? 'abc' : 'abcde'.slice(0, Number(length) || 0),
    };
  }
  const coding = mostly(random, 'chunked', codings);
  const both = random.oneIn(20) ? writeField(random, 'Content-Length', '5') : '';
  return { lines: writeField(random, 'Transfer-Encoding', coding) + both, body: writeChunkedBody(random) };
}

function writeFields(random: RandomSource, lines: string): string {
  let before = '';
  let after = '';
  for (let left = random.below(5); left > 0; left--) {
    const [name, values] = random.from(random.oneIn(15) ? doubtfulLines : headerLines);
    const field = writeField(random, name, random.from(values));
    if (random.oneIn(2)) before += field;
    else after += field;
  }
  return before + lines + after + lineEnd(random);
}

function writeRequest(random: RandomSource): string {
  const { lines, body } = writeFraming(random);
  const space = random.oneIn(100) ? random.from(['  ', '\t', '']) : ' ';
  const line = `${mostly(random, 'POST', methods)}${space}${mostly(random, '/a', targets)} ${mostly(random, 'HTTP/1.1', versions)}`;
  const host = random.oneIn(40) ? '' : writeField(random, 'Host', mostly(random, 'a', hosts));
  const empty = random.oneIn(40) ? random.from(['\r\n', '\n', '\r\n\r\n', '\r']) : '';
  return empty + line + lineEnd(random) + writeFields(random, random.oneIn(2) ? host + lines : lines + host) + body;
}

function writeResponse(random: RandomSource): string {
  const { lines, body } = writeFraming(random);
  const line = `${mostly(random, 'HTTP/1.1', versions)} ${mostly(random, '200', statuses)}${mostly(random, ' OK', reasons)}`;
  return line + lineEnd(random) + writeFields(random, lines) + body;
}

/** One to three messages, one after the other, as latin1 text. */
export function generate(random: RandomSource, kind: MessageKind): string {
  const write = kind === 'request' ? writeRequest : writeResponse;
  let text = write(random);
  while (random.oneIn(4) && text.length < 4_000) text += write(random);
  return text;
}
