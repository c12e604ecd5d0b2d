// Express with express-session in memory, three processes that know nothing of each other: a login survives whatever the
// balancer does, as long as its process is there.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { within } from '../helpers/patience.ts';
import { root, startEvenkeel } from '../helpers/evenkeel-process.ts';
import { Browser, setCookies } from '../integration/sessions/browser.ts';
import { edit, type Fields, sticky } from '../integration/sessions/sticky-file.ts';
import { Configuration } from '../integration/product/configuration.ts';

const preload = join(root, 'examples', 'demo', 'end-with-parent.ts');
const program = join(import.meta.dirname, 'express-application.ts');

/** A process of the application. */
class Shop implements AsyncDisposable {
  readonly name: string;
  port = 0;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  static async start(name: string): Promise<Shop> {
    const shop = new Shop(name);
    const { promise, resolve } = Promise.withResolvers<string>();
    createInterface({ input: shop.#child.stdout! }).on('line', resolve);
    const line = await within(promise, `${name} to listen`, 20_000);
    shop.port = Number(line.replace('listening ', ''));
    return shop;
  }

  private constructor(name: string) {
    this.name = name;
    this.#child = spawn(process.execPath, ['--import', preload, program, name], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

type Shops = readonly Shop[] & AsyncDisposable;

async function startShops(names: string): Promise<Shops> {
  const shops = await Promise.all([...names].map((name) => Shop.start(name)));
  return Object.assign(shops, {
    async [Symbol.asyncDispose]() {
      await Promise.all(shops.map((shop) => shop.kill()));
    },
  });
}

/** What the application says of whoever asks. */
interface Page {
  readonly name: string;
  readonly user: string | null;
  readonly count: number;
  readonly id: string;
  readonly cookie: string;
}

/** A customer who is logged in and has things in the cart. */
class Customer {
  readonly browser = new Browser();
  readonly user: string;
  home = '';
  count = 0;

  constructor(user: string) {
    this.user = user;
  }

  async login(port: number): Promise<void> {
    // Some cookies are there already, as in any browser.
    this.browser.cookies.set('_ga', 'GA1.1.77.88');
    const answer = await this.browser.post(port, `/login?user=${this.user}`, '');
    expect(answer.status).toBe(200);
    this.home = (JSON.parse(answer.body) as Page).name;
    this.count = 0;
  }

  /** Puts things into the cart and looks at it. */
  async shop(port: number): Promise<void> {
    for (let i = 0; i < 2; i += 1) {
      this.count += 1;
      const { status, body } = await this.browser.post(port, '/cart', 'item=1');
      expect({ status, page: JSON.parse(body) }).toEqual({
        status: 200,
        page: { name: this.home, user: this.user, count: this.count },
      });
    }
    expect(await this.look(port)).toMatchObject({ name: this.home, user: this.user, count: this.count });
  }

  async look(port: number): Promise<Page> {
    const { status, body } = await this.browser.get(port);
    expect(status).toBe(200);
    return JSON.parse(body) as Page;
  }
}

async function customers(port: number, count: number): Promise<readonly Customer[]> {
  const all = Array.from({ length: count }, (_, at) => new Customer(`user${at}`));
  for (const customer of all) await customer.login(port);
  expect(new Set(all.map(({ home }) => home)).size).toBe(3);
  return all;
}

const suffix = { cookie: 'connect.sid', strategy: 'Suffix' };
const insert = { cookie: 'LB', strategy: 'Insert' };

test.each<[string, Fields]>([
  ['Suffix on connect.sid', suffix],
  ['Insert beside it', insert],
])('a login survives a restart of the balancer and changes of members: %s', { timeout: 90_000 }, async (_, session) => {
  await using shops = await startShops('abc');
  await using more = await startShops('d');
  using file = new Configuration(sticky(shops, session));
  const before = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  const { httpPort } = before;
  const all = await customers(httpPort, 12);
  const shopAll = async (port: number): Promise<void> => {
    await Promise.all(all.map((customer) => customer.shop(port)));
  };
  await shopAll(httpPort);
  await before.stop();

  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2', '--http-port', String(httpPort)]);
  await shopAll(httpPort);
  const everyone = [...more, ...shops];
  await edit(file, sticky(everyone, session), evenkeel);
  await shopAll(httpPort);
  await edit(file, sticky(everyone, session, { a: { state: 'Draining' }, b: { loadFactor: 7 } }), evenkeel);
  await shopAll(httpPort);
  await edit(file, sticky(everyone.toReversed(), session, { a: { state: 'Draining' } }), evenkeel);
  await shopAll(httpPort);

  // When a's process ends, its customers log in once more, and everybody else notices nothing.
  await edit(file, sticky(everyone.slice(0, 1).concat(everyone.slice(2)), session), evenkeel);
  await shops[0]!.kill();
  for (const customer of all) {
    const isHomeless = customer.home === 'a';
    expect((await customer.look(httpPort)).user).toBe(isHomeless ? null : customer.user);
    if (isHomeless) await customer.login(httpPort);
    expect(customer.home).not.toBe('a');
  }
  await shopAll(httpPort);
});

test('the application sees its own signed cookie, byte for byte, and a rolling one does not change with each answer', {
  timeout: 90_000,
}, async () => {
  await using shops = await startShops('abc');
  using file = new Configuration(sticky(shops, suffix));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  const { httpPort } = evenkeel;
  const customer = new Customer('ada');
  await customer.login(httpPort);
  const held = customer.browser.cookies.get('connect.sid')!;
  const [, own] = /^(s%3A[\w-]+\.[\w%]+)\.[a-z0-9]{34}$/.exec(held)!;
  for (let i = 0; i < 6; i += 1) {
    const answer = await customer.browser.get(httpPort);
    const page = JSON.parse(answer.body) as Page;
    expect(page.cookie).toBe(`_ga=GA1.1.77.88; connect.sid=${own}`);
    expect(own!.startsWith(`s%3A${page.id}.`)).toBe(true);
    expect(setCookies(answer)).toEqual([expect.stringMatching(/^connect\.sid=.*; Path=\/; Expires=[^;]*; HttpOnly$/)]);
    expect(customer.browser.cookies.get('connect.sid')).toBe(held);
  }
});

test('a new login has a new id on whichever member, and after a logout there is no cookie', {
  timeout: 90_000,
}, async () => {
  await using shops = await startShops('abc');
  using file = new Configuration(sticky(shops, suffix));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  const { httpPort } = evenkeel;
  const customer = new Customer('ada');
  await customer.login(httpPort);
  const { home } = customer;
  const first = (await customer.look(httpPort)).id;
  // The session that logs in again is on its member, which gives it another id.
  await customer.login(httpPort);
  expect(customer.home).toBe(home);
  expect((await customer.look(httpPort)).id).not.toBe(first);
  await customer.shop(httpPort);
  const answer = await customer.browser.post(httpPort, '/logout', '');
  expect(setCookies(answer)).toEqual(['connect.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT']);
  expect(customer.browser.cookies.has('connect.sid')).toBe(false);
  expect((await customer.look(httpPort)).user).toBe(null);
});
