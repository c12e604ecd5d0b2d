// Times the wire by itself: nanoseconds to parse and write one head. Run by hand: node test/unit/wire/wire-speed.ts
// Not a test, because a shared machine's clock proves nothing; the best of many rounds is printed.
import { BodyDecoder } from '../../../src/wire/body-decoder.ts';
import { fieldLine, joinFieldText } from '../../../src/wire/field-text.ts';
import {
  createDropTable,
  forwardingIds,
  hopByHopIds,
  requestHeadOut,
  responseHeadOut,
} from '../../../src/wire/head-writer.ts';
import { RequestParser } from '../../../src/wire/request-parser.ts';
import { ResponseParser } from '../../../src/wire/response-parser.ts';

const request = Buffer.from(
  'GET /shop/catalog/items?page=2&sort=price HTTP/1.1\r\nHost: shop.example.com\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n' +
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n' +
    'Accept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n' +
    'Cookie: JSESSIONID=0A1B2C3D4E5F60718293A4B5C6D7E8F9.node1; theme=dark\r\nReferer: https://shop.example.com/shop\r\n\r\n',
  'latin1',
);
const response = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: Apache-Coyote/1.1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/html;charset=UTF-8\r\n' +
    'Content-Length: 129\r\nETag: "33a64df551425fcc55e4d42a148795d9f25f89d4"\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n' +
    'Connection: keep-alive\r\n\r\n',
  'latin1',
);
const chunked = Buffer.from(`${`${(1000).toString(16)}\r\n${'x'.repeat(1000)}\r\n`.repeat(16)}0\r\n\r\n`, 'latin1');
const requestDrops = createDropTable([...hopByHopIds, ...forwardingIds]);
const responseDrops = createDropTable(hopByHopIds);
const out = Buffer.alloc(16_384);
const rounds = 15;
const callsPerRound = 100_000;
let sink = 0;

function time(name: string, call: () => number): void {
  let bestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < callsPerRound; i++) sink += call();
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - start) / callsPerRound);
  }
  console.log(`${name.padEnd(44)} ${bestNs.toFixed(0).padStart(6)} ns`);
}

const requestParser = new RequestParser();
const responseParser = new ResponseParser();
const body = new BodyDecoder();
const parseRequest = (): number => {
  requestParser.feed(request, 0, request.length);
  return requestParser.position;
};
const parseResponse = (): number => {
  responseParser.begin('GET');
  responseParser.feed(response, 0, response.length);
  return responseParser.position;
};
const forwarded = joinFieldText(fieldLine('X-Forwarded-For', '192.0.2.7'), fieldLine('X-Forwarded-Proto', 'http'));
const writeRequest = (): number =>
  requestHeadOut(requestParser.head, null, requestDrops, null, forwarded).write(out, 0);
const writeResponse = (): number => responseHeadOut(responseParser.head, responseDrops, null, forwarded).write(out, 0);

console.log(`request head ${request.length} bytes, response head ${response.length} bytes, 8 header lines each`);
time('parse request', parseRequest);
time('parse request, ask target, host', () => {
  parseRequest();
  return requestParser.head.target.length + requestParser.head.hostname.length;
});
time('parse request, write', () => parseRequest() + writeRequest());
time('parse response', parseResponse);
time('parse response, write', () => parseResponse() + writeResponse());
time('one line of our own', () => fieldLine('X-Forwarded-For', '192.0.2.7').length);
time(`chunked body, 16 chunks of 1000 bytes`, () => {
  body.begin('chunked', -1);
  body.feed(chunked, 0, chunked.length);
  return body.position;
});
if (sink === 0) throw new Error('nothing was done');
