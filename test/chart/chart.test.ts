// The chart, rendered by a real helm: it is sound, it asks for no privilege, and what it hands to the product is what the
// product takes.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { root, runEvenkeel, startEvenkeel } from '../helpers/evenkeel-process.ts';

const chart = join(root, 'charts', 'evenkeel');
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-chart-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function findHelm(): string | null {
  if (spawnSync('helm', ['version']).status === 0) return 'helm';
  const { status, stdout, stderr } = spawnSync(join(root, '.ci', 'fetch-helm'), { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  console.warn(`SKIPPED: no helm, so the chart is not rendered: ${stderr.trim()}`);
  return null;
}

const helm = findHelm();

type Rendered = Readonly<Record<string, unknown>> & { readonly kind: string };

function render(values: unknown): readonly Rendered[] {
  const file = join(folder, 'values.yaml');
  writeFileSync(file, stringify(values));
  const args = ['template', 'edge', chart, '--namespace', 'shop', '--values', file];
  const text = execFileSync(helm!, args, { encoding: 'utf8' });
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((document) => document !== null);
}

function only(documents: readonly Rendered[], kind: string): Rendered {
  const found = documents.filter((document) => document.kind === kind);
  expect(found).toHaveLength(1);
  return found[0]!;
}

/** What stands at a path of keys such as `spec.template.spec.containers.0`. */
function at(document: unknown, path: string): unknown {
  return path.split('.').reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
}

const shop = { name: 'shop', spec: { members: [{ url: 'http://app.shop.svc.cluster.local:8080', route: 'a' }] } };
const container = 'spec.template.spec.containers.0';

describe.skipIf(helm === null)('the chart', () => {
  test('helm lint has nothing to say, with and without values', () => {
    const lint = (...args: readonly string[]): void => {
      const { status, stdout, stderr } = spawnSync(helm!, ['lint', '--strict', chart, ...args], { encoding: 'utf8' });
      expect({ status, text: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, text: '' });
    };
    lint();
    const file = join(folder, 'lint.yaml');
    writeFileSync(file, stringify({ balancers: [shop], crds: { install: true } }));
    lint('--values', file);
  });

  test('the pods are within the restricted pod security standard', () => {
    const deployment = only(render({}), 'Deployment');
    const pod = at(deployment, 'spec.template.spec');
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(at(deployment, `${container}.securityContext`)).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod).not.toHaveProperty(field);
  });

  test('the grace period covers delay and timeout of the shutdown', () => {
    const deployment = only(render({ shutdown: { delaySeconds: 20, timeoutSeconds: 100 } }), 'Deployment');
    expect(at(deployment, 'spec.template.spec.terminationGracePeriodSeconds')).toBeGreaterThan(120);
  });

  test('the selector of the Service finds the pods, and its port leads to the traffic port alone', () => {
    const documents = render({});
    const deployment = only(documents, 'Deployment');
    const service = only(documents, 'Service');
    expect(at(deployment, 'spec.template.metadata.labels')).toMatchObject(at(service, 'spec.selector') as object);
    expect(at(service, 'spec.ports')).toEqual([{ name: 'http', port: 80, targetPort: 'http' }]);
  });

  test('the definition is that of the repository, kept at uninstall, and there only when asked for', () => {
    expect(render({}).map(({ kind }) => kind)).not.toContain('CustomResourceDefinition');
    const crd = only(render({ crds: { install: true } }), 'CustomResourceDefinition');
    const ours = parse(readFileSync(join(root, 'crds', 'evenkeel.dev_balancers.yaml'), 'utf8')) as Rendered;
    expect(crd.spec).toEqual(ours.spec);
    expect(at(crd, 'metadata.annotations')).toMatchObject({ 'helm.sh/resource-policy': 'keep' });
  });

  test('check finds no fault with the ConfigMap', async () => {
    const config = only(
      render({
        balancers: [shop, { ...shop, name: 'other', spec: { ...shop.spec, rules: [{ hosts: ['b.example.com'] }] } }],
      }),
      'ConfigMap',
    );
    const file = join(folder, 'balancers.yaml');
    writeFileSync(file, (at(config, 'data') as Record<string, string>)['balancers.yaml']!);
    expect(await runEvenkeel(['check', file])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^2 Balancers .* 0 errors/),
    });
  });

  test.each([
    ['without Balancers', {}],
    [
      'with all values',
      {
        balancers: [shop],
        lanes: 2,
        trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
        logLevel: 'debug',
        extraArgs: ['--max-connections=100'],
      },
    ],
  ])('serve takes its arguments: %s', async (_, values) => {
    const documents = render(values);
    const config = only(documents, 'ConfigMap');
    const file = join(folder, 'served.yaml');
    writeFileSync(file, (at(config, 'data') as Record<string, string>)['balancers.yaml']!);
    const [command, ...args] = at(only(documents, 'Deployment'), `${container}.args`) as string[];
    expect(command).toBe('serve');
    const replaced = args
      .filter((arg) => !/^--(http-port|admin-port)=/.test(arg))
      .map((arg) => arg.replace('/etc/evenkeel', file).replace('--log-level=info', '--log-level=debug'));
    await using evenkeel = await startEvenkeel(replaced);
    evenkeel.signal('SIGKILL');
    expect((await evenkeel.ended).stderr).toBe('');
  });
});
