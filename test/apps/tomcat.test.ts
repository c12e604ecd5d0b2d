// Two Tomcats with sessions in memory: with a jvmRoute, as behind httpd (strategy Route), and without any (Suffix).
import { expect, type TestContext, test } from 'vitest';
import { type EvenkeelProcess, startEvenkeel } from '../helpers/evenkeel-process.ts';
import { Browser } from '../integration/sessions/browser.ts';
import { edit, type Fields, sticky } from '../integration/sessions/sticky-file.ts';
import { type Answer, get } from '../integration/product/client.ts';
import { Configuration } from '../integration/product/configuration.ts';
import { requireTomcat, Tomcat, type TomcatPage } from './tomcat.ts';

const USERS = 8;
const names = ['node1', 'node2'] as const;

interface Way {
  readonly name: string;
  readonly strategy: string;
  readonly hasJvmRoute: boolean;
  /** What the client holds, as a pattern over the application's own id. */
  readonly held: (page: TomcatPage) => RegExp;
}

const ways: readonly Way[] = [
  {
    name: 'Route, jvmRoute set',
    strategy: 'Route',
    hasJvmRoute: true,
    held: ({ id, name }) => new RegExp(`^${id}$(?<=\\.${name})`),
  },
  {
    name: 'Suffix, jvmRoute not set',
    strategy: 'Suffix',
    hasJvmRoute: false,
    held: ({ id }) => new RegExp(`^${id}\\.[a-z0-9]{34}$`),
  },
];

const pageOf = ({ status, body }: Answer): TomcatPage => {
  expect(status).toBe(200);
  return JSON.parse(body) as TomcatPage;
};

/** A user whose session counts on. */
class User {
  readonly browser = new Browser();
  last: TomcatPage | null = null;

  async visit(port: number): Promise<TomcatPage> {
    const page = pageOf(await this.browser.get(port));
    this.last = page;
    return page;
  }

  /** Visits again: the session goes on as it was. */
  async goOn(port: number): Promise<void> {
    const { name, id, count } = this.last!;
    expect(await this.visit(port)).toMatchObject({ name, id, count: count + 1, asked: id });
  }
}

/** Members that are new take turns, so that both have some; later on it depends on what they have done. */
function haveBothNodes(users: readonly User[]): void {
  expect(new Set(users.map(({ last }) => last!.name)).size).toBe(2);
}

async function usersOf(port: number): Promise<readonly User[]> {
  const users = Array.from({ length: USERS }, () => new User());
  for (const user of users) await user.visit(port);
  return users;
}

const sessionFor = ({ strategy }: Way): Fields => ({ cookie: 'JSESSIONID', urlParameter: 'jsessionid', strategy });

function serve(file: Configuration): Promise<EvenkeelProcess> {
  return startEvenkeel(['--config', file.path, '--lanes', '2']);
}

async function startTomcats(context: TestContext, { hasJvmRoute }: Way): Promise<readonly Tomcat[] & AsyncDisposable> {
  const home = requireTomcat(context);
  const tomcats = await Promise.all(names.map((name) => Tomcat.start(home, name, hasJvmRoute ? name : null)));
  return Object.assign(tomcats, {
    async [Symbol.asyncDispose]() {
      for (const tomcat of tomcats) await tomcat[Symbol.asyncDispose]();
    },
  });
}

test.for(ways)(
  'a roll-out: sessions stay, and those of a Tomcat that stops begin anew without an error: $name',
  {
    timeout: 120_000,
  },
  async (way, context) => {
    await using tomcats = await startTomcats(context, way);
    const [first, second] = tomcats;
    const session = sessionFor(way);
    using file = new Configuration(sticky(tomcats, session));
    await using evenkeel = await serve(file);
    const { httpPort } = evenkeel;
    const users = await usersOf(httpPort);
    haveBothNodes(users);
    const goOn = (some: readonly User[]): Promise<unknown> => Promise.all(some.map((user) => user.goOn(httpPort)));
    for (const { browser, last } of users) expect(browser.cookies.get('JSESSIONID')).toMatch(way.held(last!));
    for (let i = 0; i < 3; i += 1) await goOn(users);

    await edit(file, sticky(tomcats, session, { node1: { state: 'Draining' } }), evenkeel);
    for (let i = 0; i < 3; i += 1) {
      await goOn(users);
      expect((await new User().visit(httpPort)).name).toBe('node2');
    }
    const homeless = users.filter(({ last }) => last!.name === 'node1');
    const others = users.filter(({ last }) => last!.name === 'node2');
    await first!.stop();
    // Nobody has told the balancer: it finds out by itself, and no client sees it.
    for (const user of homeless) {
      const { id } = user.last!;
      const page = await user.visit(httpPort);
      expect(page).toMatchObject({ name: 'node2', count: 1, asked: id });
      expect(page.id).not.toBe(id);
      expect(user.browser.cookies.get('JSESSIONID')).toMatch(way.held(page));
    }
    await goOn(others);
    await edit(file, sticky([second!], session), evenkeel);
    for (let i = 0; i < 2; i += 1) await goOn(users);

    // Its successor, under the same name: nobody's session moves there.
    await using successor = await Tomcat.start(requireTomcat(context), 'node1', way.hasJvmRoute ? 'node1' : null);
    await edit(file, sticky([successor, second!], session), evenkeel);
    await goOn(users);
    const newcomers = await usersOf(httpPort);
    await goOn([...users, ...newcomers]);

    // And one that is killed in the middle of everything.
    await second!.kill();
    for (const user of [...users, ...newcomers]) {
      const { name, id, count } = user.last!;
      const page = await user.visit(httpPort);
      expect(page).toMatchObject({ name: 'node1', asked: id, count: name === 'node1' ? count + 1 : 1 });
    }
    await goOn([...users, ...newcomers]);
  },
);

test.for(ways)(
  'a login changes the id and a logout ends the session, on the same Tomcat: $name',
  { timeout: 120_000 },
  async (way, context) => {
    await using tomcats = await startTomcats(context, way);
    using file = new Configuration(sticky(tomcats, sessionFor(way)));
    await using evenkeel = await serve(file);
    const { httpPort } = evenkeel;
    const users = await usersOf(httpPort);
    haveBothNodes(users);
    for (const user of users) {
      const before = user.last!;
      const { status, headers } = await user.browser.get(httpPort, '/login.jsp?user=ada');
      expect({ status, location: headers.location }).toEqual({ status: 302, location: '/' });
      const after = await user.visit(httpPort);
      expect(after).toMatchObject({ name: before.name, user: 'ada', count: before.count + 1 });
      expect(after.id).not.toBe(before.id);
      expect(user.browser.cookies.get('JSESSIONID')).toMatch(way.held(after));
      expect((await user.browser.get(httpPort, '/logout.jsp')).status).toBe(200);
      const page = await user.visit(httpPort);
      expect(page).toMatchObject({ count: 1, user: null, asked: after.id });
      // The client said a session of that Tomcat, so that is where the next one is, too.
      expect(page.name).toBe(before.name);
    }
  },
);

test.for(ways)(
  'a client without cookies has its session in the URL: $name',
  { timeout: 120_000 },
  async (way, context) => {
    await using tomcats = await startTomcats(context, way);
    using file = new Configuration(sticky(tomcats, sessionFor(way)));
    await using evenkeel = await serve(file);
    const { httpPort } = evenkeel;
    const seen = new Set<string>();
    for (let user = 0; user < 6; user += 1) {
      const redirect = await get(httpPort, { path: `/login.jsp?user=ada${user}` });
      const location = String(redirect.headers.location);
      const id = /;jsessionid=(.*)$/.exec(location)![1]!;
      let count = 0;
      for (let i = 0; i < 3; i += 1) {
        const page = pageOf(
          await get(httpPort, { path: location, headers: { referer: `http://127.0.0.1${location}` } }),
        );
        count += 1;
        expect(page).toMatchObject({ user: `ada${user}`, count, asked: page.id, isFromUrl: true });
        expect(id).toMatch(way.held(page));
        // A link in a page has what the application knows; with a jvmRoute that is enough.
        expect(page.link).toBe(`/;jsessionid=${page.id}`);
        if (way.hasJvmRoute) {
          const next = pageOf(await get(httpPort, { path: page.link }));
          count += 1;
          expect(next).toMatchObject({ name: page.name, user: `ada${user}`, count });
        }
        seen.add(page.name);
      }
    }
    expect([...seen].sort()).toEqual([...names]);
  },
);
