// How a configuration of httpd is read: lines, words, included files, options, and texts that mean harm.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadFactorHundredths } from '../../../src/api/load-factor.ts';
import { importText } from './import-text.ts';

const balancer = '<Proxy balancer://c>\nBalancerMember http://10.0.0.1:8080\n</Proxy>\nProxyPass / balancer://c/\n';

describe('lines and words', () => {
  it.each([
    ['a line that is continued', 'ProxyPass \\\n  / \\\n balancer://c/\nBalancerMember balancer://c http://m:8080'],
    ['Windows ends of lines', 'ProxyPass / balancer://c/\r\nBalancerMember balancer://c http://m:8080\r\n'],
    ['names in any case', 'PROXYPASS / BALANCER://C/\nbalancermember Balancer://c http://m:8080'],
    ['quotes of both sorts', `ProxyPass "/" 'balancer://c/'\nBalancerMember "balancer://c" "http://m:8080"`],
    ['no end of the last line', 'BalancerMember balancer://c http://m:8080\nProxyPass / balancer://c/'],
    ['tabs', '\tProxyPass\t/\tbalancer://c/\n\tBalancerMember\tbalancer://c\thttp://m:8080'],
    [
      'a comment that is continued',
      '# ProxyPass / \\\nProxyPass /x http://no\nProxyPass / balancer://c/\nBalancerMember balancer://c http://m:8080',
    ],
  ])('%s', (_, text) => {
    const { drafts } = importText({ 'httpd.conf': text });
    expect(drafts.map(({ name, spec }) => [name, spec.members])).toEqual([['c', [{ url: 'http://m:8080' }]]]);
  });
});

describe('included files', () => {
  it('are read where they are included, in order of their names, and named in findings', () => {
    const { drafts, findings } = importText({
      'etc/httpd.conf': 'Include conf.d/*.conf\nIncludeOptional nothing/*.conf\nInclude missing.conf',
      'etc/conf.d/b.conf': 'ProxyPass / balancer://c/\nMadeUp 1',
      'etc/conf.d/a.conf': 'BalancerMember balancer://c http://m:8080',
      'etc/other.conf': 'ProxyPass /other http://o:1/other',
    });
    expect(drafts.map(({ name }) => name)).toEqual(['c']);
    expect(findings.filter((line) => line.includes('lost'))).toEqual([
      expect.stringMatching(/^etc\/httpd\.conf:3: lost: Include missing\.conf: there is no file etc\/missing\.conf/),
      expect.stringMatching(/^etc\/conf\.d\/b\.conf:2: lost: MadeUp 1: /),
    ]);
  });

  it('that include themselves, and macros that use themselves, come to an end', () => {
    const loop = importText({ 'a.conf': `${balancer}Include a.conf` });
    expect(loop.findings.join('\n')).toMatch(/does a file include itself/);
    expect(loop.drafts).toHaveLength(1);
    const macro = importText({ 'a.conf': `<Macro M>\nUse M\nUse M\n</Macro>\nUse M\n${balancer}` });
    expect(macro.findings.join('\n')).toMatch(/more than 32 levels/);
  });
});

describe('options', () => {
  it('put a Service in the place of members', () => {
    const text = `<Proxy balancer://C>
      BalancerMember http://a:8080 route=a loadfactor=2
      BalancerMember ajp://b:8009 route=b loadfactor=3
      ProxySet stickysession=SID
      </Proxy>
      ProxyPass / balancer://c/`;
    const services = new Map([['c', { namespace: 'shop', name: 'app', port: 'http' }]]);
    const { drafts, findings } = importText({ 'a.conf': text }, { services, namespace: 'edge', className: 'inner' });
    expect(drafts).toMatchObject([
      {
        namespace: 'edge',
        spec: {
          className: 'inner',
          members: [{ service: { name: 'app', namespace: 'shop', port: 'http' }, routeFrom: 'PodName' }],
        },
      },
    ]);
    expect(findings.join('\n')).toMatch(/loadFactor differs between members/);
    expect(findings.join('\n')).toMatch(/session routes are the names of pods/);
  });

  it('define variables', () => {
    const text =
      '<IfDefine Blue>\nBalancerMember balancer://c http://\u0024{host}:8080\n</IfDefine>\nProxyPass / balancer://c/';
    const defines = new Map([
      ['host', 'm'],
      ['Blue', ''],
    ]);
    expect(importText({ 'a.conf': text }, { defines }).drafts).toHaveLength(1);
    expect(importText({ 'a.conf': text }).drafts).toHaveLength(0);
  });
});

it('load factors mean what httpd makes of them, to the last hundredth', () => {
  const factors = Array.from({ length: 9_900 }, (_, index) => ((index + 100) / 100).toFixed(2));
  const off = [...factors, '1.149', '4.3500', '2x', '007'].filter((factor) => {
    const one = `<Proxy balancer://c>\nBalancerMember http://m loadfactor=${factor}\n</Proxy>\nProxyPass / balancer://c/`;
    const [draft] = importText({ 'a.conf': one }).drafts;
    const [member] = draft!.spec.members as readonly { readonly loadFactor?: number | string }[];
    return loadFactorHundredths(member!.loadFactor ?? 1) !== loadFactorHundredths(factor);
  });
  expect(off).toEqual([]);
});

it('secrets are not told', () => {
  const { findings } = importText({ 'a.conf': balancer.replace(':8080', ':8080 secret=hush') });
  expect(findings.join('\n')).toMatch(/secret: there is nothing like it/);
  expect(findings.join('\n')).not.toContain('hush');
});

it('whatever the text, reading it ends, and what comes out is sound', () => {
  const word = fc.constantFrom(
    ...['<Proxy', 'balancer://c>', '</Proxy>', '<VirtualHost', '*:80>', '</VirtualHost>', 'ProxyPass', '/', '/a', '!'],
    ...['balancer://c', 'balancer://c/a', 'BalancerMember', 'http://m:8080', 'ProxySet', 'stickysession=S|s', '"', "'"],
    ...[
      '\\',
      '\n',
      '\u0024{X}',
      'Define',
      'X',
      '<Macro',
      'M',
      '$p>',
      '</Macro>',
      'Use',
      'ServerName',
      'a.b',
      '^/a(.*)$',
      '$1',
    ],
    ...[
      'ProxyPassMatch',
      'RewriteRule',
      '[P]',
      'route=1',
      'loadfactor=2',
      '<If',
      '>',
      '</If>',
      'Include',
      'a.conf',
      '#',
    ],
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 40 }), (words, noise) => {
      const { drafts, findings } = importText({ 'a.conf': `${words.join(' ')}\n${noise}` });
      // What the product itself would refuse is left out, and said so.
      const refused = findings.filter((line) => line.includes('lost: Balancer '));
      expect(drafts.length + refused.length).toBeLessThanOrEqual(60);
    }),
    { numRuns: 500 },
  );
});
