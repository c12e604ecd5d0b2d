// What passes through unchanged, and what is framed anew for the client that asked.
import { expect, onTestFinished, test, vi } from 'vitest';
import { Outlet } from '../../../src/dataplane/outlet.ts';
import { until } from '../../helpers/patience.ts';
import { get, ok, request, stage } from './stage.ts';

test('a request and its answer pass byte for byte but for what a proxy must change', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(
    request(
      'GET /a/../b?%zz="x" HTTP/1.1',
      'hOsT: A.Example:81',
      'x-Twice: 1',
      'X-twice:2 ',
      'Cookie: a=b',
      'TE: trailers',
    ),
  );
  const attempt = await member.next();
  expect((await attempt.takeMessage()).head).toBe(
    'GET /a/../b?%zz="x" HTTP/1.1\r\nhOsT: A.Example:81\r\nx-Twice: 1\r\nX-twice:2 \r\nCookie: a=b\r\n' +
      'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: A.Example:81\r\nX-Forwarded-Proto: http\r\nX-Real-IP: 127.0.0.1\r\n' +
      'CDN-Loop: evenkeel-test\r\n\r\n',
  );
  const answer =
    'HTTP/1.1 207 Multi \xe9\r\ncontent-length: 2\r\nSet-Cookie: a\r\nSET-COOKIE: b\r\nServer: x\r\n\r\nhi';
  attempt.send(answer);
  expect(await client.takeBytes(answer.length)).toBe(answer);
});

test('hop-by-hop headers and those that Connection names go neither way', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(
    get('/', 'Connection: X-Mine, keep-alive', 'X-Mine: 1', 'Keep-Alive: 5', 'Proxy-Connection: x', 'X-Kept: 1'),
  );
  const attempt = await member.next();
  const sent = (await attempt.takeMessage()).head;
  expect(sent).not.toMatch(/mine|keep-alive|proxy-connection|^connection/im);
  expect(sent).toContain('X-Kept: 1');
  attempt.send(ok('', 'Connection: X-Theirs', 'X-Theirs: 1', 'Keep-Alive: timeout=5', 'Upgrade: h2c', 'X-Kept: 1'));
  const { head } = await client.takeMessage();
  expect(head).not.toMatch(/theirs|keep-alive|upgrade|^connection/im);
  expect(head).toContain('X-Kept: 1');
});

test('an upgrade that is not served is ignored, as the h2c that Java sends with every request', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAM'));
  const attempt = await member.next();
  expect((await attempt.takeMessage()).head).not.toMatch(/upgrade|http2-settings/i);
  attempt.send(ok('plain'));
  expect((await client.takeMessage()).body).toBe('plain');
});

test.each(['DELETE', 'OPTIONS', 'GET', 'POST'])(
  '%s with a chunked body passes intact and framed once',
  async (method) => {
    const { lane, member } = await stage();
    const client = await lane.client();
    const body = '5;a="b"\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n';
    client.send(request(`${method} / HTTP/1.1`, 'Host: a', 'Transfer-Encoding: chunked', 'Trailer: X-Sum') + body);
    const attempt = await member.next();
    const head = await attempt.take('\r\n\r\n');
    expect(head).toMatch(/^Transfer-Encoding: chunked\r\n/m);
    expect(head).not.toMatch(/content-length/i);
    expect(await attempt.takeBytes(body.length)).toBe(body);
    attempt.send(ok('done'));
    expect((await client.takeMessage()).body).toBe('done');
    client.send(get('/next'));
    expect((await attempt.takeMessage()).head).toContain('GET /next');
  },
);

test('chunks and trailers of an answer pass as they are', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  await attempt.sendPieces(
    'HTTP/1.1 200 OK\r\nTransfer-Enc',
    'oding: chunked\r\nTrailer: X-Sum\r\n\r',
    '\n3\r',
    '\nabc\r\n0\r\nX-Su',
    'm: 7\r\n\r\n',
  );
  const { head, body } = await client.takeMessage();
  expect(head).toContain('Trailer: X-Sum');
  expect(body).toBe('abc|X-Sum: 7\r\n');
});

test('an answer that ends with its connection reaches HTTP/1.1 clients in chunks, and their connection stays', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const first = await member.next();
  await first.takeMessage();
  await first.sendPieces('HTTP/1.0 200 OK\r\n\r\nhel', 'lo');
  first.end();
  const { head, body } = await client.takeMessage();
  expect(head).toBe('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  expect(body).toBe('hello');
  client.send(get());
  const second = await member.next();
  await second.takeMessage();
  second.send(ok('again'));
  expect((await client.takeMessage()).body).toBe('again');
});

test('HTTP/1.0 clients get no chunks: the end of the connection ends the answer', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const attempt = await member.next();
  expect((await attempt.takeMessage()).head).toMatch(/^GET \/ HTTP\/1.1\r\nHost: 127.0.0.1:\d+\r\n/);
  attempt.send(
    'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
  );
  expect(await client.ended()).toBe('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello');
});

test('what HTTP/1.0 clients get of many small chunks is written in few pieces', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send('GET / HTTP/1.0\r\n\r\n');
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  await client.take('\r\n\r\n');
  const write = vi.spyOn(Outlet.prototype, 'send');
  onTestFinished(() => write.mockRestore());
  const letters = 'abcdefghij'.repeat(500);
  attempt.send(`${[...letters].map((letter) => `1\r\n${letter}\r\n`).join('')}0\r\n\r\n`);
  await client.gone();
  expect(client.text).toBe(letters);
  expect(write.mock.calls.length).toBeLessThan(letters.length / 50);
});

test('a short chunk of ours is written in one piece, and the first one with its head', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  const write = vi.spyOn(Outlet.prototype, 'send');
  onTestFinished(() => write.mockRestore());
  attempt.send('HTTP/1.1 200 OK\r\n\r\none');
  expect(await client.take('one\r\n')).toBe('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  attempt.send('three');
  expect(await client.take('three\r\n')).toBe('5\r\nthree\r\n');
  expect(write).toHaveBeenCalledTimes(2);
  attempt.end();
  expect(await client.take('0\r\n\r\n')).toBe('0\r\n\r\n');
});

test('much in chunks of ours arrives as it was sent', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  const body = Array.from({ length: 100_000 }, (_, line) => line.toString(36)).join(' ');
  attempt.send(`HTTP/1.1 200 OK\r\n\r\n${body}`).end();
  expect((await client.takeMessage()).body === body).toBe(true);
});

test('HTTP/1.0 clients keep their connection if they ask for it and the answer has a length', async () => {
  const { lane, member } = await stage();
  member.answerAll(ok('x'));
  const client = await lane.client();
  client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  expect((await client.takeMessage()).head).toContain('Connection: keep-alive');
  client.send('GET / HTTP/1.0\r\n\r\n');
  expect((await client.takeMessage()).head).toContain('Connection: close');
  await client.ended();
});

test('a Host that stands in an absolute target only still reaches the member', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send('GET http://b.example/x HTTP/1.0\r\n\r\n');
  expect((await (await member.next()).takeMessage()).head).toMatch(/^GET \/x HTTP\/1.1\r\nHost: b.example\r\n/);
});

test.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'],
  ['HEAD', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n'],
])('%s answered by %j has no body, and the connections stay', async (method, answer) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(request(`${method} / HTTP/1.1`, 'Host: a'));
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(answer);
  expect(await client.take('\r\n\r\n')).toBe(answer);
  client.send(get('/2'));
  await attempt.takeMessage();
  attempt.send(ok('second'));
  expect((await client.takeMessage()).body).toBe('second');
});

test('100 Continue and 103 pass on; a 100 comes from the member, not from us', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 5'));
  const attempt = await member.next();
  expect(await attempt.take('\r\n\r\n')).toContain('Expect: 100-continue');
  expect(client.text).toBe('');
  attempt.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n');
  expect(await client.take('100 Continue\r\n\r\n')).toBe(
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
  );
  client.send('hello');
  expect(await attempt.takeBytes(5)).toBe('hello');
  attempt.send(ok('thanks'));
  const { head, body } = await client.takeMessage();
  expect(body).toBe('thanks');
  expect(head).not.toContain('close');
});

test('a refused expectation goes to the client, and the connections end: nobody knows whether a body follows', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 5'));
  const attempt = await member.next();
  await attempt.take('\r\n\r\n');
  attempt.send('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n');
  expect((await client.takeMessage()).head).toBe(
    'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  );
  await client.ended();
  await attempt.gone();
});

test('pipelined requests are answered in order, also when the client has closed its side', async () => {
  const { lane, member } = await stage();
  member.answerAll((head) => ok(/ \/(\d+) /.exec(head)![1]!));
  const client = await lane.client();
  client.send(Array.from({ length: 1000 }, (_, i) => get(`/${i}`)).join(''));
  client.end();
  for (let i = 0; i < 1000; i += 1) expect((await client.takeMessage()).body).toBe(String(i));
  await client.ended();
  expect(member.connections.length).toBe(1);
  expect(lane.counts).toEqual({ responses: 1000, own: 0, durations: 1000 });
});

test.each([
  ['large answers of a member', '/', 500],
  ['small answers of our own', '/nowhere', 60_000],
])('a client that only sends and never reads is not served endlessly: %s', async (_, path, most) => {
  const { lane, member } = await stage({
    rules: [{ host: '*', pathType: 'Exact', path: '/', balancer: 'test/app' }],
  });
  member.answerAll(ok('x'.repeat(100_000)));
  const client = await lane.client();
  client.stopReading();
  const batch = get(path).repeat(1_000);
  let left = 400;
  const pump = (): void => {
    while (left > 0 && client.socket.write(batch)) left -= 1;
  };
  client.socket.on('drain', pump);
  pump();
  // The lane stops when the client's and its own buffers are full, which the kernel decides.
  const served = (): number => lane.member('elected') + lane.own(4, 0);
  let before = -1;
  let still = 0;
  await until(() => {
    still = served() === before && before > 0 ? still + 1 : 0;
    before = served();
    return still > 20;
  }, 'the lane to stop');
  expect(served()).toBeLessThan(most);
});

test('half a request behind a whole one is no reason to wait once the client has closed its side', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(`${get()}GET /half HT`).end();
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(ok('whole'));
  expect((await client.takeMessage()).body).toBe('whole');
  await client.ended();
  expect(lane.counts).toEqual({ responses: 1, own: 0, durations: 1 });
});

test('a request dripped byte by byte is the same request', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  await client.sendPieces(...request('POST /p HTTP/1.1', 'Host: a', 'Content-Length: 3'), ...'abc');
  const attempt = await member.next();
  const { head, body } = await attempt.takeMessage();
  expect(head).toContain('POST /p');
  expect(body).toBe('abc');
});

test('an answer dripped byte by byte is the same answer', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  await attempt.sendPieces(...'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n');
  expect((await client.takeMessage()).body).toBe('ab');
});

test('answers that come in pieces at the same time do not mix, and one that breaks off leaves nothing behind', async () => {
  const { lane, member } = await stage();
  const clients = await Promise.all(Array.from({ length: 4 }, () => lane.client()));
  const attempts: Awaited<ReturnType<typeof member.next>>[] = [];
  for (const [index, client] of clients.entries()) {
    client.send(get(`/${index}`));
    const attempt = await member.next();
    await attempt.takeMessage();
    attempts.push(attempt);
  }
  const answers = [0, 1, 2].map(
    (index) =>
      `HTTP/1.1 200 OK\r\nX-Who: ${index}\r\nConnection: close\r\nContent-Length: 3\r\n\r\n${index}${index}${index}`,
  );
  await Promise.all([
    ...answers.map((answer, index) => attempts[index]!.sendPieces(...answer)),
    attempts[3]!.sendPieces(...'HTTP/1.1 200 OK\r\nX-Who: brok').then(() => attempts[3]!.destroy()),
  ]);
  for (const index of [0, 1, 2]) {
    const { head, body } = await clients[index]!.takeMessage();
    expect([head, body]).toEqual([expect.stringContaining(`X-Who: ${index}\r\n`), `${index}`.repeat(3)]);
  }
  expect((await clients[3]!.takeMessage()).head).toContain('502 Bad Gateway');
  member.answerAll('HTTP/1.1 200 OK\r\nX-Who: next\r\nContent-Length: 0\r\n\r\n');
  clients[3]!.send(get());
  expect((await clients[3]!.takeMessage()).head).toBe('HTTP/1.1 200 OK\r\nX-Who: next\r\nContent-Length: 0\r\n\r\n');
});

test('Max-Forwards counts down for OPTIONS and TRACE, and the last hop answers', async () => {
  const { lane, member } = await stage();
  member.answerAll(ok('from the member'));
  const client = await lane.client();
  client.send(request('OPTIONS * HTTP/1.1', 'Host: a', 'Max-Forwards: 3'));
  expect((await client.takeMessage()).body).toBe('from the member');
  client.send(request('OPTIONS / HTTP/1.1', 'Host: a', 'Max-Forwards: 0'));
  expect((await client.takeMessage()).head).toContain('200 OK');
  client.send(request('TRACE /t HTTP/1.1', 'Host: a', 'Max-Forwards: 0', 'Cookie: secret', 'X-Y: 1'));
  expect((await client.takeMessage()).body).toBe('TRACE /t HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nX-Y: 1\r\n\r\n');
  client.send(request('OPTIONS / HTTP/1.1', 'Host: a', 'Max-Forwards: -1'));
  expect((await client.takeMessage()).head).toContain('400 Bad Request');
  client.send(get('/', 'Max-Forwards: 0'));
  expect((await client.takeMessage()).body).toBe('from the member');
  const heads = member.connections[0]!.text;
  expect(heads.match(/^Max-Forwards.*$/gm)?.map((line) => line.trim())).toEqual(['Max-Forwards: 2', 'Max-Forwards: 0']);
  expect(lane.counts).toEqual({ responses: 2, own: 3, durations: 2 });
});
