// What people see who mistype, and what scripts rely on: messages and exit codes.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, runEvenkeel, startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get } from './client.ts';
import { balancerOf, Configuration } from './configuration.ts';
import { startMembers } from './named-member.ts';

const example = join(root, 'examples', 'first-balancer.yaml');
const ports = ['--bind', '127.0.0.1', '--http-port', '0', '--admin-port', '0'];

test.each([
  { args: [], says: /name a command: serve, check, import, crd/ },
  { args: ['server'], says: /unknown command server; did you mean serve\?/ },
  { args: ['serve'], says: /there is nothing to serve from: no --config PATH is given, and no cluster is found/ },
  {
    args: ['serve', '--config', example, '--http-prot', '80'],
    says: /unknown flag --http-prot; did you mean --http-port\?/,
  },
  { args: ['serve', '--config', example, '--http-port', '99999'], says: /--http-port is "99999"; it must be a port/ },
  { args: ['serve', '--config', example, '--lanes', 'many'], says: /--lanes is "many"; it must be a whole number/ },
  { args: ['serve', '--config', example, '--bind'], says: /--bind needs a value/ },
  { args: ['serve', '--config', example, '--http-port', '81', '--admin-port', '81'], says: /must differ/ },
  { args: ['check'], says: /check needs the PATH/ },
  { args: ['import'], says: /import needs the format first, httpd or ingress-nginx; it is missing/ },
  { args: ['import', 'nginx', example], says: /httpd or ingress-nginx; it is "nginx"/ },
  { args: ['import', 'httpd'], says: /import httpd needs the FILE/ },
  { args: ['import', 'httpd', '--service', 'app', example], says: /--service is "app"; it must be like mycluster=/ },
])('a wrong command line ends with 2 and one line: $args', async ({ args, says }) => {
  // Without a home there is no ~/.kube/config.
  const { code, stdout, stderr } = await runEvenkeel(args, { HOME: '/nowhere', KUBECONFIG: '' });
  expect(stderr).toMatch(says);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('what import prints is what check takes, and what it says goes elsewhere', async () => {
  using file = new Configuration('');
  const write = (name: string, text: string): string => {
    writeFileSync(join(file.folder, name), text);
    return join(file.folder, name);
  };
  const lines = [
    'ProxyPass / balancer://c/',
    'BalancerMember balancer://c http://10.0.0.1 ping=1',
    'Include sites/*.conf',
  ];
  const httpd = write('httpd.conf', `ServerRoot .\n${lines.join('\n')}\n`);
  const imported = await runEvenkeel(['import', 'httpd', '--namespace', 'shop', httpd]);
  expect(imported.code).toBe(0);
  expect(imported.stdout).toMatch(/^# balancer:\/\/c of .*httpd\.conf:3\n/);
  expect(imported.stderr).toMatch(/httpd\.conf:3: lost: ping=1: there is nothing like it\n1 Balancer; lines: 1 lost, /);
  const balancer = write('balancer.yaml', imported.stdout);
  expect(await runEvenkeel(['check', balancer])).toMatchObject({ code: 0, stderr: '' });
  const nothing = await runEvenkeel(['import', 'httpd', write('empty.conf', 'Listen 80\n')]);
  expect(nothing).toMatchObject({ code: 1, stdout: '' });
  const missing = await runEvenkeel(['import', 'ingress-nginx', '/nowhere/ingress.yaml']);
  expect(missing).toMatchObject({ code: 1, stderr: 'evenkeel: cannot read /nowhere/ingress.yaml: ENOENT\n' });
});

test.each(['serve', 'check'])('%s: a path that does not exist ends with 1 and its name', async (command) => {
  const path = '/nowhere/balancer.yaml';
  const { code, stderr } = await runEvenkeel(
    command === 'serve' ? ['serve', '--config', path, ...ports] : ['check', path],
  );
  expect(stderr).toMatch(/^evenkeel: .*\/nowhere\/balancer\.yaml/);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(1);
});

test('a taken port ends with 1, the traffic port and the admin port alike', async () => {
  const taken = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  taken.listen({ host: '127.0.0.1', port: 0 }, resolve);
  await promise;
  const { port } = taken.address() as { port: number };
  try {
    for (const flag of ['--http-port', '--admin-port']) {
      const others = ports.filter((_, index) => ports[index - (index % 2)] !== flag);
      const { code, stderr } = await runEvenkeel(['serve', '--config', example, ...others, flag, String(port)]);
      expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken`);
      expect(code).toBe(1);
    }
  } finally {
    taken.close();
  }
});

test('a second process on the same port is refused, though lanes could share it; --take-over lets it in', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members));
  await using first = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  const again = ['serve', '--config', file.path, '--lanes', '2', '--bind', '127.0.0.1', '--admin-port', '0'];
  const { code, stderr } = await runEvenkeel([...again, '--http-port', String(first.httpPort)]);
  expect(stderr).toContain(`port ${first.httpPort} on 127.0.0.1 is taken`);
  expect(code).toBe(1);
  expect((await get(first.httpPort)).status).toBe(200);

  const flags = ['--config', file.path, '--lanes', '2', '--http-port', String(first.httpPort), '--take-over'];
  await using second = await startEvenkeel(flags);
  expect(second.httpPort).toBe(first.httpPort);
  expect((await first.stop()).code).toBe(0);
  for (let i = 0; i < 10; i += 1) expect((await get(second.httpPort)).status).toBe(200);
});

test('check prints file, line, column and field of each problem and ends with 1', async () => {
  const text = balancerOf([]).replace('members:', 'members:\n    - { url: "ftp://x", loadFactor: 500 }');
  using file = new Configuration(text.replace('spec:', 'spec:\n  lbMethd: byrequests'));
  const { code, stdout } = await runEvenkeel(['check', file.path]);
  const places = stdout.split('\n').filter((line) => line.includes(' error: '));
  expect(places).toEqual([
    expect.stringMatching(
      `^${file.path}:5:\\d+: error: Balancer default/test: spec.lbMethd is not a known field; did you mean`,
    ),
    expect.stringMatching(`^${file.path}:7:\\d+: error: Balancer default/test: spec.members\\[0\\].url`),
    expect.stringMatching(`^${file.path}:7:\\d+: error: Balancer default/test: spec.members\\[0\\].loadFactor is 500`),
  ]);
  expect(stdout).toMatch(/^0 Balancers .* 3 errors/m);
  expect(code).toBe(1);
});

test('check names what is not in force yet, and that is no error', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members).replace('spec:', 'spec:\n  healthCheck: { path: /healthz }'));
  const { code, stdout } = await runEvenkeel(['check', file.path]);
  expect(stdout).toMatch(/notice: Balancer default\/test: spec.healthCheck is not in force yet/);
  expect(code).toBe(0);
});

test('check reads a folder', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members));
  mkdirSync(join(file.folder, 'below'));
  expect(existsSync(file.path)).toBe(true);
  const { code, stdout } = await runEvenkeel(['check', file.folder]);
  expect(stdout).toMatch(/^1 Balancer of class evenkeel can be served, 0 errors/m);
  expect(code).toBe(0);
});

test('--help names every command, --version says a version, crd prints the definition', async () => {
  const [help, version, crd] = await Promise.all([
    runEvenkeel(['--help']),
    runEvenkeel(['--version']),
    runEvenkeel(['crd']),
  ]);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const name of ['serve', 'check', 'crd', '--http-port']) expect(help.stdout).toContain(name);
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect(crd).toMatchObject({ code: 0, stdout: expect.stringContaining('kind: CustomResourceDefinition') });
});
