// What httpd's own tests ask of its balancer and its proxy (t/modules/proxy_balancer.t, proxy.t), asked of Evenkeel:
// as far as it is not about modules, directives or backends that there are not here.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startEvenkeel } from '../helpers/evenkeel-process.ts';
import { eventually } from '../helpers/patience.ts';
import { Configuration } from '../integration/product/configuration.ts';

/** Nobody listens there. */
const CLOSED = 'http://127.0.0.1:1';

/** Answers with what it was asked: target, one header, body. */
async function startEcho(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    response.writeProcessing();
    response.setHeader('x-target', request.url ?? '');
    response.setHeader('x-seen-for', request.headers['x-forwarded-for'] ?? 'nothing');
    response.end(Buffer.concat(pieces));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function balancer(members: readonly string[], fields = ''): string {
  const lines = members.map((member) => `    - { ${member} }\n`);
  return `apiVersion: evenkeel.dev/v1alpha1\nkind: Balancer\nmetadata: { name: replay }\nspec:\n${fields}  members:\n${lines.join('')}`;
}

test.each(['byrequests', 'bytraffic', 'bybusyness'])('GET through two members by %s is 200', async (method) => {
  await using one = await startEcho();
  await using other = await startEcho();
  using file = new Configuration(balancer([`url: "${one.url}"`, `url: "${other.url}"`], `  lbMethod: ${method}\n`));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1']);
  expect((await fetch(`http://127.0.0.1:${evenkeel.httpPort}/index.html`)).status).toBe(200);
});

test('PR 63891: a POST whose first member refuses reaches the standby with its body', async () => {
  await using echo = await startEcho();
  const fields = '  failover: { retryAfter: 1ms }\n';
  using file = new Configuration(balancer([`url: "${CLOSED}"`, `url: "${echo.url}", role: HotStandby`], fields));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1']);
  for (const size of [8, 64, 2048, 4096]) {
    const body = 'x'.repeat(size);
    const response = await fetch(`http://127.0.0.1:${evenkeel.httpPort}/echo_post`, { method: 'POST', body });
    expect([response.status, await response.text()]).toEqual([200, body]);
  }
});

test('a balancer with nobody to serve is 503; 200 once a member is enabled', async () => {
  await using echo = await startEcho();
  using file = new Configuration(balancer([`url: "${echo.url}", state: Disabled`]));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1']);
  const url = `http://127.0.0.1:${evenkeel.httpPort}/`;
  expect((await fetch(url)).status).toBe(503);
  file.write(balancer([`url: "${echo.url}"`]));
  await eventually(async () => expect((await fetch(url)).status).toBe(200));
});

test('query, %25 in the path (PR 15207), X-Forwarded-For, an interim answer and a body in drips pass', async () => {
  await using echo = await startEcho();
  using file = new Configuration(balancer([`url: "${echo.url}"`]));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1']);
  const drips = new ReadableStream({
    async start(controller) {
      for (const drip of ['a', 'b', 'c']) {
        controller.enqueue(new TextEncoder().encode(drip));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      controller.close();
    },
  });
  const url = `http://127.0.0.1:${evenkeel.httpPort}/nonesuch/file%25?horizontal=yes`;
  const response = await fetch(url, { method: 'POST', body: drips, duplex: 'half' });
  expect(response.headers.get('x-target')).toBe('/nonesuch/file%25?horizontal=yes');
  expect(response.headers.get('x-seen-for')).toBe('127.0.0.1');
  expect([response.status, await response.text()]).toEqual([200, 'abc']);
});
