// The chart at a real API server: what it renders is accepted, within the restricted Pod Security Standard, and helm
// installs, upgrades, takes back and uninstalls it. No pods run here.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cases } from '../chart/cases.ts';
import { at, chart, helm, only, render, renderText, runHelm, type Values } from '../chart/helm.ts';
import { eventually } from '../helpers/patience.ts';
import type { KubeObject } from './api-client.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { kubectl } from './kubectl.ts';
import { balancerNamed } from './objects.ts';

/** Cases that go beyond the standard, each for a reason that values.yaml states or that is the operator's own. */
const privileged = ['each-node', 'every-field'];

describe.skipIf(absence !== null || helm === null)('the chart at an API server', () => {
  let plane: ControlPlane;
  let kubeconfig: string;
  beforeAll(async () => {
    // Services of both families.
    plane = await startControlPlane({ apiServerFlags: ['--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112'] });
    kubeconfig = plane.kubeconfig();
    for (const name of ['evenkeel', 'shop', 'backend']) {
      const labels = {
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/warn': 'restricted',
      };
      await plane.admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    }
    // A controller would make it.
    await plane.admin.apply(accountNamed('evenkeel', 'default'));
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test.each(Object.entries(cases))('is accepted whole: %s', async (name, values) => {
    const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--filename=-'];
    const { code, stdout, stderr } = await kubectl(kubeconfig, args, renderText(values));
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/(deployment|daemonset)\.apps\/edge\S* serverside-applied/);
    if (!privileged.includes(name)) expect(stderr).toBe('');
    else expect(stderr).toContain('would violate PodSecurity');
  });

  test('its pods are let in where the restricted standard is enforced', async () => {
    const deployment = only(render({}), 'Deployment');
    const { metadata, spec } = at(deployment, 'spec.template') as Pick<KubeObject, 'metadata'> & {
      readonly spec: object;
    };
    const account = await plane.admin.apply(accountNamed('evenkeel', 'edge-evenkeel'));
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'one', namespace: 'evenkeel' }, spec };
    const made = await plane.admin.create(pod, { dryRun: true });
    expect(JSON.stringify(made.spec)).toContain('/var/run/secrets/kubernetes.io/serviceaccount');
    const { securityContext: _, ...careless } = spec as { readonly securityContext: unknown };
    await expect(plane.admin.create({ ...pod, spec: careless }, { dryRun: true })).rejects.toThrow(
      'violates PodSecurity',
    );
    await plane.admin.delete(account);
  });

  test('is installed, upgraded, taken back and uninstalled, and the definition stays', async () => {
    const { admin } = plane;
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'edge-evenkeel', namespace: 'evenkeel' },
    };
    const sessions = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'edge-evenkeel-sessions', namespace: 'evenkeel' },
    };
    const clusterIpOf = async (): Promise<unknown> =>
      at(await admin.get({ ...sessions, metadata: { ...sessions.metadata, name: 'edge-evenkeel' } }), 'spec.clusterIP');
    const argsOf = async (): Promise<readonly string[]> =>
      at(await admin.get(deployment), 'spec.template.spec.containers.0.args') as readonly string[];

    expect(run(['install', 'edge', chart])).toContain('STATUS: deployed');
    await eventually(() => admin.list('evenkeel.dev/v1alpha1', 'Balancer'), 20_000);
    await admin.apply(balancerNamed('shop', 'app', { members: [{ url: 'http://app.example.com:8080' }] }));
    const [firstIp, firstArgs] = [await clusterIpOf(), await argsOf()];

    run(['upgrade', 'edge', chart], { replicas: 3, sessions: { enabled: true }, log: { level: 'debug' } });
    expect(at(await admin.get(deployment), 'spec.replicas')).toBe(3);
    expect(await argsOf()).toContain('--log-level=debug');
    await admin.get(sessions);

    run(['rollback', 'edge', '1'], null);
    expect(at(await admin.get(deployment), 'spec.replicas')).toBe(2);
    expect(await argsOf()).toEqual(firstArgs);
    expect(await clusterIpOf()).toBe(firstIp);
    await expect(admin.get(sessions)).rejects.toThrow('404');

    run(['uninstall', 'edge'], null);
    await expect(admin.get(deployment)).rejects.toThrow('404');
    expect(await admin.list('evenkeel.dev/v1alpha1', 'Balancer', 'shop')).toHaveLength(1);

    // The same release finds its definition; another one must be told that it may have it.
    run(['install', 'edge', chart]);
    run(['uninstall', 'edge'], null);
    expect(() => run(['install', 'other', chart])).toThrow('invalid ownership metadata');
    run(['install', 'other', chart, '--take-ownership']);
    expect(await admin.list('evenkeel.dev/v1alpha1', 'Balancer', 'shop')).toHaveLength(1);
  });

  /** What helm says. `null`: a command that takes no values. Throws with what it says if it fails. */
  function run(args: readonly string[], values: Values | null = {}): string {
    const { status, output } = runHelm([...args, '--namespace', 'evenkeel', '--kubeconfig', kubeconfig], values);
    if (status !== 0) throw new Error(output);
    return output;
  }
});

function accountNamed(namespace: string, name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
}
