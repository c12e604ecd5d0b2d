// Values: wrong ones are refused with a message that names them, and schema, defaults and description agree.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cases, monitorCases } from './cases.ts';
import { chart, helm, runHelm, type Values } from './helm.ts';
import { describeValues } from './values-table.ts';

const defaultsText = readFileSync(join(chart, 'values.yaml'), 'utf8');
const defaults = parse(defaultsText) as Values;

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

describe.skipIf(helm === null)('wrong values are refused', () => {
  test.each<readonly [string, Values, string]>([
    ['a name that is not known', { replica: 3 }, "additional properties 'replica' not allowed"],
    ['one further in', { service: { prot: 80 } }, "at '/service': additional properties 'prot' not allowed"],
    ['Balancers, which belong into the cluster', { balancers: [] }, "additional properties 'balancers' not allowed"],
    ['a choice', { kind: 'StatefulSet' }, "at '/kind': value must be one of 'Deployment', 'DaemonSet'"],
    ['a type', { replicas: 'two' }, "at '/replicas': got string, want integer"],
    ['a port', { service: { port: 0 } }, "at '/service/port': minimum: got 0, want 1"],
    ['lanes', { lanes: 65 }, "at '/lanes'"],
    ['a network', { trustedProxies: ['the office'] }, "at '/trustedProxies/0': 'the office' does not match pattern"],
    ['a namespace', { namespaces: ['*'] }, "at '/namespaces/0': '*' does not match pattern"],
    ['a duration', { sessions: { window: '30' } }, "at '/sessions/window': '30' does not match pattern"],
    ['a switch', { via: 'yes' }, "at '/via': got string, want boolean"],
    ['a digest', { image: { digest: 'latest' } }, "at '/image/digest': 'latest' does not match pattern"],
    ['an argument', { extraArgs: ['lanes 3'] }, "at '/extraArgs/0': 'lanes 3' does not match pattern"],
    [
      'a grace period that cuts requests',
      { terminationGracePeriodSeconds: 39, shutdown: { delaySeconds: 5, timeoutSeconds: 30 } },
      'terminationGracePeriodSeconds is 39: with shutdown.delaySeconds and shutdown.timeoutSeconds it must be at least 40',
    ],
    [
      'a policy that the Service cannot have',
      { service: { externalTrafficPolicy: 'Local' } },
      'service.externalTrafficPolicy is Local: service.type must be NodePort or LoadBalancer',
    ],
    ['a node port', { service: { nodePort: 30080 } }, 'service.nodePort is 30080: service.type must be'],
    ['a class', { service: { loadBalancerClass: 'x' } }, 'service.loadBalancerClass is x: service.type must be'],
    [
      'sources',
      { service: { loadBalancerSourceRanges: ['192.0.2.0/24'] } },
      'service.loadBalancerSourceRanges is given: service.type must be',
    ],
    [
      'a DaemonSet that grows',
      { kind: 'DaemonSet', autoscaling: { enabled: true } },
      'autoscaling.enabled is true: kind must be Deployment',
    ],
    [
      'a percentage of nothing',
      { autoscaling: { enabled: true }, resources: { requests: { cpu: null } } },
      'autoscaling.targetCPUUtilizationPercentage is of resources.requests.cpu, which is not given',
    ],
    [
      'a memory target of nothing',
      {
        autoscaling: { enabled: true, targetMemoryUtilizationPercentage: 9 },
        resources: { requests: { memory: null } },
      },
      'autoscaling.targetMemoryUtilizationPercentage is of resources.requests.memory',
    ],
    [
      'growth by nothing',
      { autoscaling: { enabled: true, targetCPUUtilizationPercentage: null } },
      'nothing says by what',
    ],
    [
      'more at least than at most',
      { autoscaling: { enabled: true, minReplicas: 11 } },
      'autoscaling.minReplicas is 11, more than autoscaling.maxReplicas, which is 10',
    ],
    ['two budgets', { podDisruptionBudget: { minAvailable: 1 } }, 'needs one of minAvailable and maxUnavailable'],
    ['one port twice', { metrics: { port: 8080 } }, 'metrics.port is 8080, and so is the traffic port of the pods'],
    [
      'another port twice',
      { sessions: { enabled: true, port: 9090 } },
      'sessions.port is 9090, and so is metrics.port',
    ],
    [
      'a monitor of no Service',
      { metrics: { service: { enabled: false }, monitor: { kind: 'ServiceMonitor' } } },
      'metrics.monitor.kind is ServiceMonitor, which needs metrics.service.enabled',
    ],
  ])('%s', (_, values, message) => {
    const { status, output } = runHelm(['template', 'edge', chart], values);
    expect(status, output).not.toBe(0);
    expect(output).toContain(message);
  });
});

test.skipIf(helm === null)('a parent chart may have switched this one on, and share values', () => {
  const { status, output } = runHelm(['lint', chart], { enabled: true, global: { environment: 'test' } });
  expect(status, output).toBe(0);
});

describe('values', () => {
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema;

  /** Paths of the schema; objects that Kubernetes itself checks have none further in. */
  function pathsOf({ properties }: Schema, prefix = ''): readonly string[] {
    return Object.entries(properties ?? {}).flatMap(([name, inner]) => [
      prefix + name,
      ...pathsOf(inner, `${prefix}${name}.`),
    ]);
  }
  /** But for `enabled`, by which parent charts switch this one. */
  const known = pathsOf(schema).filter((path) => path !== 'enabled');

  function pathsOfValues(values: unknown, prefix = ''): readonly string[] {
    if (typeof values !== 'object' || values === null || Array.isArray(values)) return [];
    return Object.entries(values).flatMap(([name, inner]) => {
      const path = prefix + name;
      const isOpen = !known.some((other) => other.startsWith(`${path}.`));
      return isOpen ? [path] : [path, ...pathsOfValues(inner, `${path}.`)];
    });
  }

  test('the schema knows those that have a default, and no others', () => {
    expect(pathsOfValues(defaults).toSorted()).toEqual(known.toSorted());
  });

  test('each one is set by a case of the golden files', () => {
    const given = new Set(
      [...Object.values(cases), ...Object.values(monitorCases)].flatMap((each) => pathsOfValues(each)),
    );
    const parents = known.filter((path) => known.some((other) => other.startsWith(`${path}.`)));
    expect(known.filter((path) => !given.has(path) && !parents.includes(path))).toEqual([]);
  });

  test('README.md describes each with its default', () => {
    const path = join(chart, 'README.md');
    const readme = readFileSync(path, 'utf8');
    const [begin, end] = ['<!-- values: written by UPDATE_GOLDEN=1 -->\n', '<!-- end of values -->\n'];
    const [head, rest = ''] = readme.split(begin);
    const [, tail = ''] = rest.split(end);
    const wanted = `${head}${begin}${describeValues(defaultsText)}${end}${tail}`;
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, wanted);
    expect(readFileSync(path, 'utf8')).toBe(wanted);
  });
});
