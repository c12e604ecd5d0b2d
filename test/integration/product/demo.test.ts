// The demo behind `make run`: it serves, its members can be killed and revived, and nothing of it outlives it.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFailed, test } from 'vitest';
import { eventually, within } from '../../helpers/patience.ts';
import { root } from '../../helpers/evenkeel-process.ts';
import { get, getInTurn } from './client.ts';

class Demo implements AsyncDisposable {
  written = '';
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(ports: Readonly<Record<string, number>>) {
    const env: NodeJS.ProcessEnv = { ...process.env };
    for (const [name, port] of Object.entries(ports)) env[`DEMO_${name}_PORT`] = String(port);
    this.#child = spawn(process.execPath, [join(root, 'examples', 'demo', 'main.ts')], { env, cwd: root });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.written += text;
      });
    }
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.#child.on('close', (code) => resolve(code));
    this.ended = promise;
    onTestFailed(() => console.error(`the demo wrote:\n${this.written}`));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** What the first group of the pattern stands for, once it is there. */
  find(pattern: RegExp): Promise<string> {
    return eventually(() => {
      const [, found] = pattern.exec(this.written) ?? [];
      if (found === undefined) throw new Error(`${pattern} is not in what the demo wrote`);
      return found;
    }, 20_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

const anyPorts = { HTTP: 0, ADMIN: 0, SWITCH: 0 };

/** The port that its text names, after it is ready. */
async function portsOf(demo: Demo): Promise<{ readonly http: number; readonly control: number }> {
  return {
    http: Number(await demo.find(/Open +http:\/\/127\.0\.0\.1:(\d+)\//)),
    control: Number(await demo.find(/POST http:\/\/127\.0\.0\.1:(\d+)\//)),
  };
}

async function isRefused(port: number): Promise<boolean> {
  try {
    await get(port);
    return false;
  } catch {
    return true;
  }
}

/** As curl -X POST. */
async function post(port: number, path: string): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' });
  expect(status).toBe(200);
}

const nameOf = (body: string): string => /^member (\w)/.exec(body)?.[1] ?? body;

test('members take turns, one is killed and revived, and SIGINT ends all of it', async () => {
  await using demo = new Demo(anyPorts);
  const { http, control } = await portsOf(demo);
  const turns = async (): Promise<string> => (await getInTurn(http, 6)).map(nameOf).join('');
  expect(await turns()).toBe('abcabc');
  await post(control, '/b/kill');
  expect(await turns()).not.toContain('b');
  await post(control, '/b/revive');
  expect(await get(control)).toMatchObject({ body: expect.stringMatching(/member b on port \d+ is up/) });

  const page = await get(http, { headers: { accept: 'text/html' } });
  expect(page).toMatchObject({ status: 200, body: expect.stringContaining('<h1>') });
  const json = await get(http, { headers: { accept: 'application/json', cookie: 'DEMOSESSION=abc' } });
  expect(JSON.parse(json.body)).toMatchObject({ session: 'abc', visits: 1 });

  demo.signal('SIGINT');
  expect(await within(demo.ended, 'the demo to end', 10_000)).toBe(0);
  expect(await isRefused(http)).toBe(true);
});

test('a demo that is killed leaves no balancer behind', async () => {
  await using demo = new Demo(anyPorts);
  const { http } = await portsOf(demo);
  expect((await get(http)).status).toBe(200);
  demo.signal('SIGKILL');
  await demo.ended;
  await eventually(async () => expect(await isRefused(http)).toBe(true));
});

test('a balancer that dies ends the demo, with the reason', async () => {
  await using demo = new Demo(anyPorts);
  await portsOf(demo);
  const pid = Number(await demo.find(/balancer has process id (\d{2,})\n/));
  process.kill(pid, 'SIGKILL');
  expect(await within(demo.ended, 'the demo to end', 10_000)).toBe(1);
  expect(demo.written).toContain('The demo ends: the balancer ended by SIGKILL');
});

test('a port that was asked for and is taken is named; a usual one that is taken is replaced', async () => {
  const taken = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  taken.listen({ host: '127.0.0.1', port: 0 }, resolve);
  await promise;
  const { port } = taken.address() as { port: number };
  await using demo = new Demo({ ...anyPorts, HTTP: port });
  expect(await within(demo.ended, 'the demo to end', 10_000)).toBe(1);
  expect(demo.written).toContain(`port ${port}, asked for by DEMO_HTTP_PORT, is taken`);
  taken.close();

  // Two demos at a time: the second finds the ports of the first one's members taken.
  await using first = new Demo(anyPorts);
  await portsOf(first);
  await using second = new Demo(anyPorts);
  const { http } = await portsOf(second);
  expect((await getInTurn(http, 3)).map(nameOf).join('')).toBe('abc');
  expect(second.written).toContain('the balancer serves a copy of the example');
});
