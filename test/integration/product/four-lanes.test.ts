// Four lanes at once on one balancer: nothing is lost, nothing is counted twice, and everybody has their share.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { Configuration } from './configuration.ts';
import { expectIdle, Scrape } from './scrape.ts';

const BODY = 'x'.repeat(100);
const STATUS_LINE = 'HTTP/1.1 200 OK';
const ANSWER = `${STATUS_LINE}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const REQUEST = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

/** Answers each request at once and counts bytes; lean, so that the lanes are what is tested. */
class RawMember implements AsyncDisposable {
  requests = 0;
  bytes = 0;
  readonly #server: Server = createServer({ noDelay: true }, (socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.bytes += chunk.length;
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        text = text.slice(end + 4);
        this.requests += 1;
        socket.write(ANSWER);
      }
    });
  });

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
  }
}

/**
 * Sends requests one after another on one connection, or on another one where a lane that has more than its share says
 * that it closes; resolves when all are answered, rejects if one is not whole.
 */
async function drive(port: number, count: number): Promise<void> {
  let left = count;
  while (left > 0) left -= await driveOne(port, left);
}

/** Resolves with how many were answered. */
async function driveOne(port: number, count: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let answered = 0;
  let text = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on('error', reject);
  socket.on('close', () => reject(new Error(`closed with ${count - answered} requests left`)));
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    if (!text.endsWith(BODY)) return;
    if (!text.startsWith(STATUS_LINE)) return reject(new Error(`answered with ${text}`));
    const isLast = text.includes('\r\nConnection: close\r\n');
    text = '';
    answered += 1;
    if (answered === count || isLast) resolve();
    else socket.write(REQUEST);
  });
  socket.write(REQUEST);
  await promise;
  socket.removeAllListeners('close');
  socket.destroy();
  return answered;
}

test('four lanes: sums are exact and shares within one percent after 100,000 requests', async () => {
  const factors = [1, 2, 3, 4];
  const members = await Promise.all(factors.map(() => new RawMember().listen()));
  await using stack = new AsyncDisposableStack();
  for (const member of members) stack.use(member);
  const lines = members.map(({ url }, index) => `    - { url: "${url}", loadFactor: ${factors[index]} }\n`);
  using file = new Configuration(
    `apiVersion: evenkeel.dev/v1alpha1\nkind: Balancer\nmetadata: { name: test }\nspec:\n  members:\n${lines.join('')}`,
  );
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '4']);
  const connections = 50;
  const total = 100_000;
  await Promise.all(Array.from({ length: connections }, () => drive(evenkeel.httpPort, total / connections)));
  await expectIdle(evenkeel.adminPort);
  await eventually(async () => {
    const scrape = await Scrape.of(evenkeel.adminPort);
    expect(scrape.sum('evenkeel_member_elected_total')).toBe(total);
    expect(scrape.sum('evenkeel_requests_total', { balancer: 'test', code_class: '2xx' })).toBe(total);
    for (const [index, member] of members.entries()) {
      const labels = { member: member.url };
      expect(scrape.sum('evenkeel_member_elected_total', labels)).toBe(member.requests);
      expect(scrape.sum('evenkeel_member_sent_bytes_total', labels)).toBe(member.bytes);
      const received = member.requests * (STATUS_LINE.length + BODY.length);
      expect(scrape.sum('evenkeel_member_received_bytes_total', labels)).toBe(received);
      const share = (total * factors[index]!) / 10;
      expect(Math.abs(member.requests - share)).toBeLessThanOrEqual(share / 100);
    }
  });
}, 120_000);
