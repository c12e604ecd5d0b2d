// The methods that go by what members do or what requests carry, over sockets: what is measured, reported or hashed
// reaches the election.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../../helpers/patience.ts';
import { type EvenkeelProcess, startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get } from '../product/client.ts';
import { Configuration } from '../product/configuration.ts';
import { Scrape } from '../product/scrape.ts';

type Answer = (response: ServerResponse) => void | Promise<void>;

/** Members a, b, … that answer so, behind a Balancer with this spec, served by one lane. */
async function stage(answers: readonly Answer[], spec: Readonly<Record<string, unknown>>) {
  const stack = new AsyncDisposableStack();
  const members = await Promise.all(
    answers.map(async (answer) => {
      const server = createServer((_, response) => void answer(response));
      stack.defer(() => void server.close().closeAllConnections());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    }),
  );
  const metadata = { name: 'test' };
  const document = { apiVersion: 'evenkeel.dev/v1alpha1', kind: 'Balancer', metadata, spec: { members, ...spec } };
  const file = stack.use(new Configuration(stringify(document)));
  const evenkeel: EvenkeelProcess = stack.use(await startEvenkeel(['--config', file.path, '--lanes', '1']));
  return Object.assign(stack, { evenkeel });
}

const named =
  (name: string, lines: Readonly<Record<string, string>> = {}): Answer =>
  (response) =>
    void response.writeHead(200, lines).end(name);

async function bodies(port: number, count: number, headers: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i += 1) all.push((await get(port, { headers })).body);
  return all;
}

test('heartbeat: load reports in answers weigh the draw, and clients do not see them', async () => {
  const busy = named('a', { 'Endpoint-Load-Metrics': 'TEXT named_metrics.ready=1,named_metrics.busy=99' });
  const idle = named('b', { 'Endpoint-Load-Metrics': 'JSON {"named_metrics":{"ready":99,"busy":1}}' });
  await using here = await stage([busy, idle], { lbMethod: 'heartbeat' });
  const { httpPort, adminPort } = here.evenkeel;
  const { headers } = await get(httpPort);
  expect(headers['endpoint-load-metrics']).toBeUndefined();
  let sent = 1;
  // Reports are read every second.
  await eventually(async () => {
    sent += 100;
    const drawn = await bodies(httpPort, 100);
    expect(drawn.filter((name) => name === 'b').length).toBeGreaterThan(80);
  });
  const scrape = await Scrape.of(adminPort);
  expect(scrape.sum('evenkeel_load_reports_total', { source: 'header', result: 'taken' })).toBe(sent);
});

test('leasttime: the member that answers sooner gets nearly all', async () => {
  const slow: Answer = async (response) => {
    // Much more than a stall of the machine can take from the other one, which is then asked no more.
    await sleep(1_000);
    response.end('slow');
  };
  await using here = await stage([slow, named('quick')], { lbMethod: 'leasttime' });
  const drawn = await bodies(here.evenkeel.httpPort, 40);
  expect(drawn.filter((name) => name === 'quick').length).toBeGreaterThan(34);
});

test.each([
  ['Header', 'X-Tenant', (key: string) => ({ 'X-Tenant': key })],
  ['Cookie', 'tenant', (key: string) => ({ Cookie: `a=b; tenant=${key}` })],
])('hash by %s: a key stays where it is, and keys are spread', async (source, name, headersOf) => {
  const names = ['a', 'b', 'c', 'd'];
  const spec = { lbMethod: 'hash', hash: { source, name } };
  await using here = await stage(
    names.map((each) => named(each)),
    spec,
  );
  const homes = new Set<string>();
  for (let key = 0; key < 20; key += 1) {
    const drawn = new Set(await bodies(here.evenkeel.httpPort, 3, headersOf(`key-${key}`)));
    expect(drawn.size).toBe(1);
    for (const home of drawn) homes.add(home);
  }
  expect(homes.size).toBeGreaterThan(2);
});
