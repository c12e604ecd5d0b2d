// The chart, rendered by a real helm: it is sound, it asks for no privilege, and what it hands to the product is what the
// product takes.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Options, readOptions } from '../../src/options.ts';
import { codeBlocksOf } from '../helpers/documents.ts';
import { root, runEvenkeel, startEvenkeel } from '../helpers/evenkeel-process.ts';
import { cases, monitorCases } from './cases.ts';
import { at, chart, helm, only, type Rendered, render, runHelm, type Values } from './helm.ts';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-chart-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const container = 'spec.template.spec.containers.0';
const allCases = Object.entries({ ...cases, ...monitorCases });

function workload(documents: readonly Rendered[]): Rendered {
  return documents.find(({ kind }) => kind === 'DaemonSet') ?? only(documents, 'Deployment');
}

function argsOf(documents: readonly Rendered[]): readonly string[] {
  return at(workload(documents), `${container}.args`) as readonly string[];
}

/** What the process in the pod makes of its arguments. */
function optionsOf(values: Values): Options {
  const [command, ...args] = argsOf(render(values));
  expect(command).toBe('serve');
  return readOptions('serve', args, {}, { processors: 3, canSharePort: true }).options;
}

describe.skipIf(helm === null)('the chart', () => {
  test.each(allCases)('helm lint has nothing to say: %s', (_, values) => {
    const { status, output } = runHelm(['lint', '--strict', chart], values);
    expect(status, output).toBe(0);
    expect(output).not.toMatch(/\[(WARNING|ERROR)\]/);
  });

  test('pods are within the restricted Pod Security Standard', () => {
    const documents = render({});
    for (const [pod, path] of [
      [only(documents, 'Deployment'), 'spec.template.spec'],
      [only(documents, 'Pod'), 'spec'],
    ] as const) {
      const spec = at(pod, path) as object;
      expect(spec).toMatchObject({
        securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(at(spec, 'containers.0.securityContext')).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'volumes']) expect(spec).not.toHaveProperty(field);
    }
  });

  test('the token goes to the pods and to nobody else', () => {
    const documents = render({});
    expect(only(documents, 'ServiceAccount').automountServiceAccountToken).toBe(false);
    expect(at(only(documents, 'Deployment'), 'spec.template.spec.automountServiceAccountToken')).toBe(true);
    expect(at(only(documents, 'Pod'), 'spec.automountServiceAccountToken')).toBe(false);
    const fromFiles = render(cases['from-files']!);
    expect(at(only(fromFiles, 'Deployment'), 'spec.template.spec.automountServiceAccountToken')).toBe(false);
  });

  test.each(allCases)('the grace period covers delay and timeout of the shutdown: %s', (_, values) => {
    const documents = render(values);
    const { shutdownDelayMs, shutdownTimeoutMs } = optionsOf(values);
    const seconds = at(workload(documents), 'spec.template.spec.terminationGracePeriodSeconds');
    expect(seconds).toBeGreaterThanOrEqual((shutdownDelayMs + shutdownTimeoutMs) / 1_000 + 5);
  });

  test.each(allCases)('selectors find the pods, and those alone: %s', (_, values) => {
    const documents = render(values);
    const labels = at(workload(documents), 'spec.template.metadata.labels') as Record<string, string>;
    const ports = (at(workload(documents), `${container}.ports`) as { name: string }[]).map(({ name }) => name);
    const testPod = documents.find(({ kind }) => kind === 'Pod');
    const select = (selector: unknown): void => {
      expect(labels).toMatchObject(selector as object);
      if (testPod !== undefined) expect(testPod.metadata.labels).not.toMatchObject(selector as object);
    };
    select(at(workload(documents), 'spec.selector.matchLabels'));
    for (const document of documents) {
      if (document.kind === 'PodDisruptionBudget') select(at(document, 'spec.selector.matchLabels'));
      if (document.kind === 'NetworkPolicy') select(at(document, 'spec.podSelector.matchLabels'));
      if (document.kind === 'PodMonitor') select(at(document, 'spec.selector.matchLabels'));
      if (document.kind !== 'Service') continue;
      select(at(document, 'spec.selector'));
      for (const { targetPort } of at(document, 'spec.ports') as { targetPort: string }[]) {
        expect(ports).toContain(targetPort);
      }
    }
  });

  test('the Service for clients leads to the traffic port alone', () => {
    expect(at(only(render({}), 'Service', 'edge-evenkeel'), 'spec.ports')).toEqual([
      { name: 'http', port: 80, targetPort: 'http' },
    ]);
  });

  test('a ServiceMonitor selects the Service for metrics and no other', () => {
    const documents = render({ ...monitorCases['service-monitor'], sessions: { enabled: true } });
    const selector = at(only(documents, 'ServiceMonitor'), 'spec.selector.matchLabels') as Record<string, string>;
    const isSelected = ({ metadata }: Rendered): boolean =>
      Object.entries(selector).every(([name, value]) => metadata.labels?.[name] === value);
    const found = documents.filter((document) => document.kind === 'Service' && isSelected(document));
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['edge-evenkeel-metrics']);
  });

  test('the definition is that of the repository, kept at uninstall unless told otherwise', () => {
    const crd = only(render({}), 'CustomResourceDefinition');
    const ours = parse(readFileSync(join(root, 'crds', 'evenkeel.dev_balancers.yaml'), 'utf8')) as Rendered;
    expect(crd.spec).toEqual(ours.spec);
    expect(crd.metadata.annotations).toMatchObject({
      ...ours.metadata.annotations,
      'helm.sh/resource-policy': 'keep',
    });
    const gone = only(render({ crds: { keep: false } }), 'CustomResourceDefinition');
    expect(gone.metadata.annotations ?? {}).not.toHaveProperty(['helm.sh/resource-policy']);
    expect(render({ crds: { install: false } }).map(({ kind }) => kind)).not.toContain('CustomResourceDefinition');
  });

  test('there is a budget only where more than one pod is sure', () => {
    const hasBudget = (values: Values): boolean => render(values).some(({ kind }) => kind === 'PodDisruptionBudget');
    expect(hasBudget({ replicas: 2 })).toBe(true);
    expect(hasBudget({ replicas: 1 })).toBe(false);
    expect(hasBudget({ replicas: 2, autoscaling: { enabled: true, minReplicas: 1 } })).toBe(false);
    expect(hasBudget({ replicas: 1, autoscaling: { enabled: true, minReplicas: 2 } })).toBe(true);
  });

  test.each<readonly [unknown, number]>([
    ['500m', 1],
    ['1500m', 2],
    [2, 2],
    ['2.5', 3],
    [32, 8],
  ])('a limit of %s processors makes %i lanes', (cpu, lanes) => {
    expect(optionsOf({ resources: { limits: { cpu } } }).lanes).toBe(lanes);
  });

  test('an image has its registry, and a digest goes before a tag', () => {
    const imageOf = (values: Values): unknown => at(workload(render(values)), `${container}.image`);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(imageOf({})).toBe(`evenkeel:${version}`);
    expect(imageOf({ image: { registry: 'a.example', tag: '1' } })).toBe('a.example/evenkeel:1');
    expect(imageOf({ global: { imageRegistry: 'b.example/x/' }, image: { registry: 'a.example', digest } })).toBe(
      `b.example/x/evenkeel@${digest}`,
    );
  });
});

describe.skipIf(helm === null)('serve', () => {
  test.each(allCases)('takes its arguments: %s', (_, values) => {
    expect(() => optionsOf(values)).not.toThrow();
  });

  test('gets what the values say', () => {
    expect(optionsOf({})).toMatchObject({
      bind: '0.0.0.0',
      adminBind: '0.0.0.0',
      httpPort: 8080,
      namespaces: 'all',
      lanes: 3,
      publishService: { namespace: 'evenkeel', name: 'edge-evenkeel' },
      leaderElectionName: 'edge-evenkeel',
      sessionsPort: null,
      accessLog: 'off',
      explainSecretFile: null,
      trustedProxies: [],
    });
    expect(optionsOf(cases['few-namespaces']!)).toMatchObject({
      className: 'internal',
      isDefaultClass: false,
      namespaces: new Set(['shop', 'backend']),
      hostOwnership: 'Shared',
      catchAllNamespaces: new Set(['shop']),
      allowsExternalNames: false,
      leaderElectionNamespace: 'backend',
      leaderElectionName: 'edge-lease',
      publishService: null,
      publishAddresses: ['192.0.2.10', 'edge.example.com'],
    });
    expect(optionsOf(cases['every-field']!)).toMatchObject({
      catchAllNamespaces: 'all',
      allowedMemberNetworks: ['169.254.10.0/24'],
      adminPort: 9191,
      sendsForwarded: true,
      sendsVia: true,
      requestId: 'make',
      sessionsPort: 9100,
      accessLog: 'json',
      explainSecretFile: '/etc/evenkeel/explain/secret',
      maxConnections: 1_000,
      maxMembers: 1_000,
      logLevel: 'debug',
      logFormat: 'pretty',
    });
    expect(optionsOf(cases['load-balancer']!)).toMatchObject({
      bind: '::',
      sessionsBind: '::',
      trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
      sessionWindowMs: 5_400_000,
      lanes: 2,
      shutdownDelayMs: 20_000,
      shutdownTimeoutMs: 120_000,
    });
    expect(optionsOf(cases['each-node']!)).toMatchObject({ bind: '::', zone: 'zone-a', lanes: 4 });
  });

  test('serves files as the README says', () => {
    const readme = readFileSync(join(chart, 'README.md'), 'utf8');
    const blocks = codeBlocksOf(readme).filter(({ text: yaml }) => yaml.includes('--config='));
    expect(blocks).toHaveLength(1);
    const documents = render(parse(blocks[0]!.text) as Values);
    expect(only(documents, 'Deployment')).toEqual(only(render(cases['from-files']!), 'Deployment'));
    expect(at(only(documents, 'ConfigMap', 'balancers'), 'data')).toHaveProperty(['shop.yaml']);
  });

  test('serves Balancers of files without any right, and `helm test` finds it', async () => {
    const documents = render(cases['from-files']!);
    for (const { kind } of documents) expect(kind).not.toMatch(/Role/);
    const file = join(folder, 'shop.yaml');
    writeFileSync(file, (at(only(documents, 'ConfigMap'), 'data') as Record<string, string>)['shop.yaml']!);
    expect(await runEvenkeel(['check', file])).toMatchObject({ code: 0 });
    const args = argsOf(documents).slice(1);
    const replaced = args
      .filter((arg) => !/^--(bind|http-port|admin-bind|admin-port)=/.test(arg))
      .map((arg) => arg.replace('/etc/evenkeel/balancers', folder));
    await using evenkeel = await startEvenkeel(replaced);

    const { command, args: script } = at(only(documents, 'Pod'), 'spec.containers.0') as {
      readonly command: readonly string[];
      readonly args: readonly string[];
    };
    expect(command[0]).toBe('node');
    const runTest = async (env: Readonly<Record<string, string>>) => {
      const child = spawn(process.execPath, [...command.slice(1), ...script], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      const output = await text(child.stdout);
      return { code: await ended, output };
    };
    const trafficUrl = `http://127.0.0.1:${evenkeel.httpPort}/`;
    const adminUrl = `http://127.0.0.1:${evenkeel.adminPort}`;
    expect(await runTest({ TRAFFIC_URL: trafficUrl, ADMIN_URL: adminUrl })).toMatchObject({
      code: 0,
      output: expect.stringContaining('/readyz: 200 ready'),
    });
    // The other port is none of ours to a scraper.
    expect(await runTest({ TRAFFIC_URL: trafficUrl, ADMIN_URL: trafficUrl.slice(0, -1) })).toMatchObject({ code: 1 });
    await evenkeel.kill();
    expect(await runTest({ TRAFFIC_URL: trafficUrl, ADMIN_URL: adminUrl })).toMatchObject({ code: 1 });
  });
});

/** What `check` says of an example, given the Service that it names, with an endpoint. */
async function checkBalancer(balancer: Rendered, className?: string) {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'app', namespace: balancer.metadata.namespace },
    spec: { ports: [{ name: 'http', port: 80 }] },
  };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...service.metadata, labels: { 'kubernetes.io/service-name': 'app' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
  };
  const file = join(folder, 'example.yaml');
  writeFileSync(file, [balancer, service, slice].map((document) => JSON.stringify(document)).join('\n---\n'));
  const given = className === undefined ? [] : ['--class', className, '--no-default-class'];
  return runEvenkeel(['check', ...given, file]);
}

describe.skipIf(helm === null)('what is shown', () => {
  test.each<readonly [string, Values, RegExp]>([
    ['all namespaces', {}, /in all namespaces\.[\s\S]*port-forward[\s\S]*Secrets cannot be read/],
    ['some', cases['few-namespaces']!, /in the namespaces shop, backend\.[\s\S]*className: internal/],
    ['a load balancer', cases['load-balancer']!, /EXTERNAL-IP/],
    ['each node', cases['each-node']!, /daemonset\/edge-evenkeel[\s\S]*PORT\(S\)/],
    ['a definition that goes', { crds: { keep: false } }, /deletes every Balancer/],
  ])('after an installation has a Balancer that works: %s', async (_, values, expected) => {
    const { status, output } = runHelm(['install', 'edge', chart, '--dry-run=client'], values);
    expect(status, output).toBe(0);
    const notes = output.slice(output.indexOf('NOTES:'));
    expect(notes).toMatch(expected);
    expect(notes).not.toMatch(/<no value>|\n\n\n/);
    const [, balancer = ''] = /<<'END'\n([\s\S]*?)\n *END\n/.exec(notes) ?? [];
    expect(await checkBalancer(parse(balancer), values.className as string | undefined)).toMatchObject({ code: 0 });
  });

  test('on Artifact Hub is an example that works', async () => {
    const { annotations } = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as {
      readonly annotations: Readonly<Record<string, string>>;
    };
    const [example] = parse(annotations['artifacthub.io/crdsExamples']!) as readonly Rendered[];
    expect(await checkBalancer(example!)).toMatchObject({ code: 0 });
    const [crd] = parse(annotations['artifacthub.io/crds']!) as readonly Record<string, string>[];
    const definition = only(render({}), 'CustomResourceDefinition');
    expect(definition.metadata.name).toBe(crd!.name);
    expect(at(definition, 'spec.versions.0.name')).toBe(crd!.version);
  });
});
