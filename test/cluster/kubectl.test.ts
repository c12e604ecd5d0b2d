// The resource as people meet it: explained, printed and edited by kubectl, on a real API server with no controller.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { eventually } from '../helpers/patience.ts';
import { root } from '../helpers/evenkeel-process.ts';
import type { KubeObject } from './api-client.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { kubectl, type Said } from './kubectl.ts';
import { balancerNamed, newNamespace } from './objects.ts';

const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml'));

describe.skipIf(absence !== null)('kubectl', () => {
  let plane: ControlPlane;
  let kubeconfig: string;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
    kubeconfig = plane.kubeconfig();
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  const run = (...args: readonly string[]): Promise<Said> => kubectl(kubeconfig, args);

  test('finds the definition established, and nothing to complain of in its schema', async () => {
    const crd = await plane.admin.get({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'balancers.evenkeel.dev' },
    });
    const { conditions } = crd.status as { conditions: readonly { type: string; status: string }[] };
    expect(Object.fromEntries(conditions.map(({ type, status }) => [type, status]))).toEqual({
      NamesAccepted: 'True',
      Established: 'True',
    });
  });

  test('explains every field, by the short name too', async () => {
    // The API server publishes schemas a little later than it takes objects.
    const stdout = await eventually(async () => {
      const said = await run('explain', 'balancer.spec');
      expect(said).toMatchObject({ code: 0, stderr: '' });
      return said.stdout;
    }, 30_000);
    for (const field of ['members', 'stickySession', 'rules', 'lbMethod']) expect(stdout).toContain(field);
    expect(stdout).toContain('What the user wants.');
    const nested = await run('explain', 'bal.spec.stickySession.strategy');
    expect(nested.stdout).toMatch(/ENUM:\s+Route\s+Suffix\s+Insert/);
  });

  test('applies a Balancer, prints its columns, and lists it in its category', async () => {
    const { metadata } = await plane.admin.apply(newNamespace('columns'));
    const spec = { lbMethod: 'bytraffic', className: 'evenkeel', members: [{ url: 'http://a' }] };
    await plane.admin.apply(balancerNamed(metadata.name, 'shop', spec));
    for (const name of ['balancers', 'bal', 'evenkeel']) {
      const { stdout, stderr } = await run('get', name, '--namespace', metadata.name);
      const [head, line] = stdout.split('\n').map((text) => text.split(/\s+/));
      expect(head, stderr).toEqual(['NAME', 'CLASS', 'METHOD', 'MEMBERS', 'READY', 'AGE']);
      expect(line?.slice(1, 3)).toEqual(['evenkeel', 'bytraffic']);
    }
  });

  test('the status is a resource of its own: what writes one does not write the other', async () => {
    const { metadata } = await plane.admin.apply(newNamespace('status'));
    const namespace = metadata.name;
    const status = {
      observedGeneration: 1,
      members: { total: 3, ready: 2, draining: 1 },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          observedGeneration: 1,
          lastTransitionTime: '2026-11-22T12:00:00Z',
          reason: 'Ready',
          message: 'all is well',
        },
      ],
    };
    const balancer = balancerNamed(namespace, 'shop', { members: [{ url: 'http://a' }] });
    const created = await plane.admin.create({ ...balancer, status });
    expect(created).not.toHaveProperty('status');
    expect(created.metadata.generation).toBe(1);

    const patch = JSON.stringify({ status, spec: { lbMethod: 'bytraffic' } });
    const written = await run(
      ...['patch', 'bal', 'shop', '--namespace', namespace, '--subresource', 'status', '--type', 'merge', '-p', patch],
    );
    expect(written.stderr).toBe('');
    const found = await plane.admin.get(balancer);
    expect(found.status).toEqual(status);
    expect(found.spec).toMatchObject({ lbMethod: 'byrequests' });
    expect(found.metadata.generation).toBe(1);
    const { stdout } = await run('get', 'bal', 'shop', '--namespace', namespace, '--no-headers');
    expect(stdout.split(/\s+/).slice(0, 4)).toEqual(['shop', 'byrequests', '3', 'True']);
  });

  test('a mistake is refused with a message that names field and reason', async () => {
    const text = `
apiVersion: evenkeel.dev/v1alpha1
kind: Balancer
metadata: { name: wrong }
spec:
  lbmethod: bytraffic
  members: [{ url: "http://a" }]
`;
    const unknown = await kubectl(kubeconfig, ['apply', '-f', '-'], text);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('unknown field "spec.lbmethod"');
    const both = text.replace('lbmethod', 'lbMethod').replace('url:', 'route: a, service: { name: a, port: 80 }, url:');
    const rule = await kubectl(kubeconfig, ['apply', '-f', '-'], both);
    expect(rule.code).toBe(1);
    expect(rule.stderr).toContain('spec.members[0]');
    expect(rule.stderr).toContain('a member must have exactly one of service and url');
  });

  test('overrides are merged by member: two managers own one each', async () => {
    const { metadata } = await plane.admin.apply(newNamespace('overrides'));
    const members = [{ url: 'http://a', route: 'a' }];
    const of = (overrides: unknown, fields = {}): KubeObject =>
      balancerNamed(metadata.name, 'shop', { ...fields, overrides });
    await plane.admin.apply(of([{ member: 'a', state: 'Draining' }], { members }), 'one');
    await plane.admin.apply(of([{ member: 'b', state: 'Disabled' }], { members }), 'two');
    const { spec } = await plane.admin.get(of([]));
    expect(spec).toMatchObject({
      overrides: [
        { member: 'a', state: 'Draining' },
        { member: 'b', state: 'Disabled' },
      ],
    });
  });

  test.each(examples)('examples/%s is accepted', async (name) => {
    const { metadata } = await plane.admin.apply(newNamespace('example'));
    const texts = parseAllDocuments(readFileSync(join(root, 'examples', name), 'utf8'));
    for (const text of texts) {
      const document = text.toJS() as KubeObject | null;
      // Loopback addresses, on which examples run without a cluster, are none of a pod.
      if (document === null || document.kind === 'EndpointSlice') continue;
      const { namespace: _, ...rest } = document.metadata;
      await plane.admin.create({ ...document, metadata: { ...rest, name: rest.name, namespace: metadata.name } });
    }
  });
});
