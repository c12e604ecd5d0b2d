// The demo behind `make run`: three small members and a balancer before them, on this machine only. Says what to open
// and what to try. All parts end together: on Ctrl-C, or as soon as one of them fails.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { styleText } from 'node:util';
import { type BalancerProcess, startBalancer } from './balancer-process.ts';
import { Member } from './member.ts';
import { startMemberSwitch } from './member-switch.ts';
import { isFree, type PortChoice, readPortChoice } from './ports.ts';

const root = join(import.meta.dirname, '..', '..');
const example = join(root, 'examples', 'first-balancer.yaml');
/** The members that the example names, with their ports there. */
const examplePorts = { a: 8081, b: 8082, c: 8083 } as const;
const keys = Object.keys(examplePorts).join(', ');

function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

function strong(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}

/** One event of the demo itself or one line of the balancer's log. */
function tell(who: string, text: string): void {
  say(`${styleText('dim', who.padEnd(9), { stream: process.stdout })} ${text}`);
}

let balancer: BalancerProcess | null = null;
let isEnding = false;

/** Ends all parts, then the process. Nothing is waited for twice. */
async function end(code: number, reason: string): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  say();
  say(reason);
  await balancer?.stop();
  process.exit(code);
}

function fail(error: unknown): void {
  void end(1, `The demo ends: ${error instanceof Error ? error.message : String(error)}`);
}

async function startMembers(): Promise<readonly Member[]> {
  const members: Member[] = [];
  for (const [name, port] of Object.entries(examplePorts)) {
    const member = new Member(name, fail);
    // Whether a port is free is known for sure only by taking it.
    await member.listen((await isFree(port)) ? port : 0).catch(() => member.listen(0));
    members.push(member);
  }
  return members;
}

/** The example itself, or a copy with the ports that the members got, if theirs were taken. */
function fileFor(members: readonly Member[]): string {
  const taken = members.filter(
    ({ name, port }) => port !== Object.entries(examplePorts).find(([key]) => key === name)?.[1],
  );
  if (taken.length === 0) return example;
  let text = readFileSync(example, 'utf8');
  for (const [index, port] of Object.values(examplePorts).entries()) {
    text = text.replace(`127.0.0.1:${port}`, `127.0.0.1:${members[index]!.port}`);
  }
  const copy = join(root, '.cache', 'demo', 'first-balancer.yaml');
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, text);
  const moved = taken.map(({ name, port }) => `${name} is on ${port}`).join(', ');
  tell('demo', `ports of members are taken: ${moved}; the balancer serves a copy of the example`);
  return copy;
}

/** The port asked for or the usual one; 0 if the usual one is taken. */
async function choosePort({ port, isAsked, variable }: PortChoice): Promise<number> {
  if (port === 0 || (await isFree(port))) return port;
  if (isAsked) throw new Error(`port ${port}, asked for by ${variable}, is taken`);
  tell('demo', `port ${port} is taken: another one is used; ${variable} chooses one`);
  return 0;
}

function explain(file: string, httpPort: number, adminPort: number, switchPort: number): void {
  const url = `http://127.0.0.1:${httpPort}/`;
  const shown = relative(process.cwd(), file);
  say();
  say(`${strong('Open')}      ${url}`);
  say(`          http://127.0.0.1:${adminPort}/metrics`);
  say();
  say(`${strong('Try')}       members take turns:`);
  say(`            for i in 1 2 3 4 5 6; do curl -s ${url}; done`);
  say('          kill a member and look who answers; revive it:');
  say(`            curl -X POST http://127.0.0.1:${switchPort}/b/kill`);
  say(`            curl -X POST http://127.0.0.1:${switchPort}/b/revive`);
  if (process.stdin.isTTY) say(`            or press its key here: ${keys}`);
  say(`          edit ${strong(shown)} while it runs:`);
  say('            add `loadFactor: 4` to a member: it gets four requests for each one of the others');
  say(
    '            add `stickySession: { cookie: DEMOSESSION, strategy: Suffix }` below `spec:`: a browser stays on its member',
  );
  say('            misspell a field: the line is named below, and nothing changes for clients');
  say();
  say(`${strong('End')}       Ctrl-C`);
  say();
}

function toggle(member: Member | undefined): void {
  if (member === undefined) return;
  if (member.isUp) member.kill();
  else member.listen(member.port).catch(fail);
}

/** Keys that toggle members, where somebody sits at the keyboard. */
function listenToKeys(members: readonly Member[]): void {
  if (!process.stdin.isTTY) return;
  process.stdin.setRawMode(true);
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (text: string) => {
    for (const key of text) {
      // In raw mode Ctrl-C and Ctrl-D are keys like any other.
      if (key === '\u0003' || key === '\u0004') void end(0, 'Ended.');
      toggle(members.find(({ name }) => name === key));
    }
  });
}

async function run(): Promise<void> {
  const choices = {
    http: readPortChoice('DEMO_HTTP_PORT', 8080),
    admin: readPortChoice('DEMO_ADMIN_PORT', 9090),
    switch: readPortChoice('DEMO_SWITCH_PORT', 8090),
  };
  const members = await startMembers();
  for (const member of members) {
    tell('demo', `member ${member.name} listens on 127.0.0.1:${member.port}`);
    member.onChange = (isUp) => tell('demo', `member ${member.name} ${isUp ? 'is back' : 'is dead'}`);
  }
  const switchPort = await startMemberSwitch(members, await choosePort(choices.switch), fail);
  const file = fileFor(members);
  // One lane, so that turns are exact to the eye: each lane keeps its own.
  const args = ['--config', relative(root, file), '--lanes', '1', '--bind', '127.0.0.1'];
  args.push('--http-port', String(await choosePort(choices.http)));
  args.push('--admin-port', String(await choosePort(choices.admin)));
  balancer = startBalancer(root, args, (line) => tell('evenkeel', line));
  tell('demo', `evenkeel serve ${args.join(' ')}`);
  tell('demo', `the balancer has process id ${balancer.pid}`);
  balancer.ended.then((reason) => fail(new Error(reason)), fail);
  const { httpPort, adminPort } = await balancer.ready;
  explain(file, httpPort, adminPort, switchPort);
  listenToKeys(members);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0, 'Ended.'));
process.on('uncaughtException', fail);
run().catch(fail);
