// docs/httpd-differences.md against what it speaks of: the marks in the code, the fields and flags there are, and the
// parameters of httpd.
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { balancerSchema } from '../../src/api/balancer.ts';
import { forceOf } from '../../src/api/in-force.ts';
import { nodeAt, schemaTree } from '../../src/api/schema/tree.ts';
import { flags } from '../../src/options.ts';
import { AVOIDED, PREDICTED } from '../httpd/differences.ts';

const root = new URL('../..', import.meta.url).pathname;
const page = readFileSync(`${root}/docs/httpd-differences.md`, 'utf8');

/** A mark names a difference up to the end of its sentence, or to a remark in brackets. */
const marks = [
  ...new Set(
    globSync('src/**/*.ts', { cwd: root })
      .map((path) => readFileSync(`${root}/${path}`, 'utf8').replaceAll(/\n\s*(\/\/|\*(?!\/)) ?/g, ' '))
      .flatMap((text) => [...text.matchAll(/Differs from httpd: (.+?)(?:\.(?=\s|\*|$)| \(|\n)/g)])
      .map(([, name]) => name!.replace(/\s*\*\/.*/, '')),
  ),
].sort();

test('the page has each difference that the code marks, and no other', () => {
  const section = page.slice(page.indexOf('\n## Deliberate'), page.indexOf('\n## Around'));
  const named = [...section.replaceAll(/\n {2}/g, ' ').matchAll(/^- \*\*(.+?)\.\*\*/gm)].map(([, name]) => name!);
  expect(named.sort()).toEqual(marks);
});

test('the comparison with a real httpd knows each difference, and no other', () => {
  expect([...Object.values(PREDICTED), ...Object.keys(AVOIDED)].sort()).toEqual(marks);
});

const rows = page
  .slice(page.indexOf('\n## Parameters'))
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, theirs, ours]) => ({ theirs: theirs!, ours: ours! }));

describe('parameters', () => {
  const fields = rows.flatMap(({ ours }) =>
    [...ours.matchAll(/`(spec\.[\w.[\]]+)`/g)].map(([, path]) => ({ path: path!, ours })),
  );

  test.each(fields)('$path is a field, and in force as the page says', ({ path, ours }) => {
    const keys = path.split('.').flatMap((key) => (key.endsWith('[]') ? [key.slice(0, -2), 0] : [key]));
    expect(nodeAt(schemaTree(balancerSchema), keys)).toBeDefined();
    // The remark stands in the sentence of the field that it is about.
    const sentence = ours.split(';').find((part) => part.includes(`\`${path}\``));
    expect(forceOf(path) === 'yes').toBe(!sentence?.includes('not in force yet'));
  });

  test('each flag that is named is one', () => {
    const named = [...page.matchAll(/`--([\w-]+)`/g)].map(([, name]) => name);
    const known: readonly string[] = Object.values(flags).map(({ name }) => name);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !known.includes(name!))).toEqual([]);
  });

  test.each([
    [
      'BalancerMember',
      'loadfactor lbset route redirect status retry timeout connectiontimeout ping acquire max smax min ttl',
    ],
    ['BalancerMember', 'disablereuse enablereuse addressttl keepalive flushpackets flushwait iobuffersize'],
    [
      'BalancerMember',
      'receivebuffersize responsefieldsize upgrade secret flusher mapping nocanon interpolate noquery',
    ],
    ['Balancer', 'lbmethod stickysession stickysessionsep scolonpathdelim nofailover timeout maxattempts failonstatus'],
    ['Balancer', 'failontimeout nonce growth forcerecovery'],
    ['Directives', 'ProxyTimeout ProxyStatus BalancerGrowth BalancerPersist BalancerInherit ProxyPassInherit'],
    ['Directives', 'ProxyErrorOverride ProxyVia ProxyPreserveHost ProxyAddHeaders Proxy100Continue ProxyMaxForwards'],
    ['Directives', 'ProxyBadHeader ProxyIOBufferSize ProxyReceiveBufferSize'],
    [
      'Health checks',
      'hcmethod hcinterval hcpasses hcfails hcuri hcexpr hctemplate ProxyHCTPsize ProxyHCExpr ProxyHCTemplate',
    ],
    ['Heartbeat', 'HeartbeatAddress HeartbeatListen HeartbeatStorage HeartbeatMaxServers'],
  ])('%s: %s have a row', (heading, names) => {
    const [, section = ''] = page.split(new RegExp(`^### ${heading}$`, 'm'));
    const cells = section
      .split(/^###? /m)[0]!
      .split('\n')
      .map((line) => line.split('|')[1] ?? '');
    const missing = names.split(' ').filter((name) => !cells.some((cell) => new RegExp(`\`${name}[=\`]`).test(cell)));
    expect(missing).toEqual([]);
  });
});
