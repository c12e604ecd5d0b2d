// Which connections to members carry another request.
import * as http from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { get, ok, stage } from './stage.ts';

test('an HTTP/1.0 member that keeps its connection gets the next request on it', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/1'));
  const connection = await member.next();
  for (const path of ['/2', '/3', '']) {
    await connection.takeMessage();
    connection.send(
      'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=60\r\nContent-Length: 2\r\n\r\nok',
    );
    const { head, body } = await client.takeMessage();
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(head).not.toMatch(/^(?:connection|keep-alive):/im);
    expect(body).toBe('ok');
    if (path !== '') client.send(get(path));
  }
  expect(member.connections).toHaveLength(1);
});

test('a connection that is too old is used no more, and no request is lost by it', async () => {
  const maxMemberConnectionAgeMs = 1_500;
  const { lane, member } = await stage({ laneLimits: { maxMemberConnectionAgeMs } });
  member.answerAll(ok('x'));
  const client = await lane.client();
  const beganMs = performance.now();
  let requests = 0;
  while (member.connections.length < 2) {
    client.send(get());
    expect((await client.takeMessage()).body).toBe('x');
    requests += 1;
  }
  expect(performance.now() - beganMs).toBeGreaterThan(maxMemberConnectionAgeMs);
  expect(requests).toBeGreaterThan(2);
  await member.connections[0]!.gone();
});

test('plain requests have nothing to do with http-proxy-3, which asks by node:http', async () => {
  const { lane, member } = await stage();
  member.answerAll(ok('x'));
  const asked = vi.spyOn(http.Agent.prototype as unknown as { addRequest(): void }, 'addRequest');
  onTestFinished(() => asked.mockRestore());
  const client = await lane.client();
  for (const request of [get(), get('/', 'Connection: Upgrade', 'Upgrade: h2c')]) {
    client.send(request);
    expect((await client.takeMessage()).body).toBe('x');
  }
  expect(asked).not.toHaveBeenCalled();
  client.send(get('/', 'Connection: Upgrade', 'Upgrade: websocket'));
  await client.takeMessage();
  expect(asked).toHaveBeenCalledTimes(1);
});
