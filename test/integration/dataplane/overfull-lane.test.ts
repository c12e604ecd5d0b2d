// Two lanes of which one has all the long connections: it gives some away, one answer at a time, and nobody loses any.
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { connectRaw } from '../../helpers/raw-client.ts';
import type { RawSocket } from '../../helpers/raw-socket.ts';
import { Configuration } from '../product/configuration.ts';
import { Scrape } from '../product/scrape.ts';
import { get, ok, startMember } from './stage.ts';

const CLIENTS = 32;
const PAUSE_MS = 50;

/** Asks again and again on one connection, and makes another one when it is told to close. */
class PatientClient {
  closes = 0;
  readonly #port: number;
  readonly #faults: string[];
  #connection: RawSocket;
  #isDone = false;

  constructor(port: number, connection: RawSocket, faults: string[]) {
    this.#port = port;
    this.#connection = connection;
    this.#faults = faults;
  }

  async run(): Promise<void> {
    while (!this.#isDone) {
      const { head, body } = await this.#connection.send(get()).takeMessage();
      if (!head.startsWith('HTTP/1.1 200 ') || body !== 'fine') this.#faults.push(head);
      if (/^connection: close\r$/im.test(head)) {
        this.closes += 1;
        this.#connection.destroy();
        this.#connection = await connectRaw(this.#port);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    this.#connection.destroy();
  }

  stop(): void {
    this.#isDone = true;
  }
}

async function connectionsOf(adminPort: number): Promise<readonly [number, number]> {
  const scrape = await Scrape.of(adminPort);
  const of = (lane: string): number => scrape.sum('evenkeel_lane_connections', { lane });
  return [of('0'), of('1')];
}

/** Connections that are all on lane 0. */
async function crowd(port: number, adminPort: number): Promise<RawSocket[]> {
  const kept: RawSocket[] = [];
  while (kept.length < CLIENTS) {
    const connection = await connectRaw(port);
    const lane = await eventually(async () => {
      const [first, second] = await connectionsOf(adminPort);
      expect(first + second).toBe(kept.length + 1);
      return first === kept.length + 1 ? 0 : 1;
    });
    if (lane === 0) {
      kept.push(connection);
      continue;
    }
    connection.destroy();
    await eventually(async () => expect(await connectionsOf(adminPort)).toEqual([kept.length, 0]));
  }
  return kept;
}

test('an overfull lane gives connections away until it has its share', async () => {
  const member = (await startMember()).answerAll(ok('fine'));
  using file = new Configuration(
    `apiVersion: evenkeel.dev/v1alpha1\nkind: Balancer\nmetadata: { name: test }\nspec:\n  members:\n    - url: http://127.0.0.1:${member.port}\n`,
  );
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  const { httpPort, adminPort } = evenkeel;
  const faults: string[] = [];
  const clients = (await crowd(httpPort, adminPort)).map(
    (connection) => new PatientClient(httpPort, connection, faults),
  );
  const running = clients.map((client) => client.run());
  try {
    await eventually(async () => {
      const [first, second] = await connectionsOf(adminPort);
      expect(first + second).toBe(CLIENTS);
      expect(first).toBeLessThanOrEqual(0.6 * CLIENTS + 1);
    }, 60_000);
  } finally {
    for (const client of clients) client.stop();
    await Promise.all(running);
  }
  const closes = clients.reduce((sum, client) => sum + client.closes, 0);
  const scrape = await Scrape.of(adminPort);
  expect(faults).toEqual([]);
  expect(closes).toBeGreaterThanOrEqual(0.3 * CLIENTS);
  expect(closes).toBeLessThanOrEqual(scrape.sum('evenkeel_lane_retired_connections_total'));
  for (const lane of ['0', '1']) {
    const use = scrape.sum('evenkeel_lane_loop_use', { lane });
    expect(use).toBeGreaterThan(0);
    expect(use).toBeLessThanOrEqual(1);
  }
}, 90_000);
