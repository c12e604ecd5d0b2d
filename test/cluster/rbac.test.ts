// The roles that the chart makes are the least that works: under them everything works and nothing is refused, each of their
// rules is used, and what nobody needs is refused.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { helm, only, type Rendered, render, type Values } from '../chart/helm.ts';
import { eventually } from '../helpers/patience.ts';
import { type EvenkeelProcess, startEvenkeel } from '../helpers/evenkeel-process.ts';
import { get } from '../integration/product/client.ts';
import type { KubeObject, Refusal } from './api-client.ts';
import { Audit, type AuditEntry } from './audit.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerNamed, newNamespace, readyPods, serviceNamed } from './objects.ts';
import { Scene } from './scene.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** The kind that grants access to other namespaces, as far as an API server must know it. */
const grantDefinition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'referencegrants.gateway.networking.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api' },
  },
  spec: {
    group: 'gateway.networking.k8s.io',
    scope: 'Namespaced',
    names: {
      kind: 'ReferenceGrant',
      listKind: 'ReferenceGrantList',
      plural: 'referencegrants',
      singular: 'referencegrant',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** A release of the chart that serves one namespace's Balancer, with members of another, under its own account. */
class Edge implements AsyncDisposable {
  readonly documents: readonly Rendered[];
  readonly namespace: string;
  readonly scene: Scene;
  readonly backend: Scene;
  readonly token: string;
  readonly #evenkeel: EvenkeelProcess;
  readonly #plane: ControlPlane;

  static async start(plane: ControlPlane, className: string, isNamespaced: boolean): Promise<Edge> {
    const { admin } = plane;
    const namespace = (await admin.apply(newNamespace(className))).metadata.name;
    const scene = await Scene.open(admin, `${className}-shop`);
    const backend = await Scene.open(admin, `${className}-backend`);
    const values: Values = {
      className,
      defaultClass: false,
      namespaces: isNamespaced ? [scene.namespace, backend.namespace] : [],
      allowMemberCidrs: ['10.77.0.0/16'],
      rbac: { secretNames: ['session-keys'] },
      podMetadata: !isNamespaced,
      lanes: 1,
    };
    const documents = render(values, { namespace });
    const made = documents.filter(({ kind }) => /^(ServiceAccount|Service|(Cluster)?Role(Binding)?)$/.test(kind));
    await admin.applyAll(made);
    const token = await admin.tokenFor(namespace, 'edge-evenkeel');
    await furnish(plane, { scene, backend, className });
    const kubeconfig = plane.kubeconfig({ token, namespace });
    const env = { POD_NAME: 'edge-evenkeel-1', POD_NAMESPACE: namespace };
    const evenkeel = await startEvenkeel(['--kubeconfig', kubeconfig, ...argsOf(documents)], env);
    return new Edge(plane, evenkeel, { documents, namespace, scene, backend, token });
  }

  private constructor(
    plane: ControlPlane,
    evenkeel: EvenkeelProcess,
    parts: Pick<Edge, 'documents' | 'namespace' | 'scene' | 'backend' | 'token'>,
  ) {
    this.#plane = plane;
    this.#evenkeel = evenkeel;
    this.documents = parts.documents;
    this.namespace = parts.namespace;
    this.scene = parts.scene;
    this.backend = parts.backend;
    this.token = parts.token;
  }

  get user(): string {
    return `system:serviceaccount:${this.namespace}:edge-evenkeel`;
  }

  /** Everything that the product does with a cluster. */
  async work(events: () => readonly AuditEntry[]): Promise<void> {
    const { admin } = this.#plane;
    const { scene } = this;
    await scene.untilCondition('Ready', 'True');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => get(this.#evenkeel.httpPort, { headers: { host: scene.host } })),
    );
    // Members of both namespaces, and a signed session.
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size).toBe(2);
    expect(String(answers[0]!.headers['set-cookie'])).toMatch(/\bKEEL=[a-z0-9.-]{30,}/);
    const { spec } = await admin.get(serviceNamed(this.namespace, 'edge-evenkeel'));
    await eventually(async () => {
      expect((await admin.get(scene.balancer)).status).toMatchObject({
        addresses: [{ type: 'IPAddress', value: (spec as { clusterIP: string }).clusterIP }],
      });
    }, 15_000);

    // The same said again is written again after a minute at the earliest.
    await eventually(async () => {
      await admin.delete(scene.service);
      await scene.untilCondition('ResolvedRefs', 'False');
      await admin.apply(scene.service);
      await scene.untilCondition('ResolvedRefs', 'True');
      const verbs = events().filter(({ resource }) => resource === 'events');
      expect(verbs.map(({ verb }) => verb)).toEqual(expect.arrayContaining(['create', 'patch']));
    }, 120_000);

    // Given to another controller, its status is taken back.
    await admin.merge(scene.balancer, { spec: { className: 'another' } });
    await eventually(async () => {
      const { status } = await admin.get(scene.balancer);
      expect((status as { conditions?: unknown } | undefined)?.conditions ?? []).toEqual([]);
    }, 15_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#evenkeel.kill();
    await this.scene[Symbol.asyncDispose]();
    await this.backend[Symbol.asyncDispose]();
  }
}

interface Stage {
  readonly scene: Scene;
  readonly backend: Scene;
  readonly className: string;
}

async function furnish({ admin }: ControlPlane, { scene, backend, className }: Stage): Promise<void> {
  // Both of one scene, for names of their own.
  const [own, foreign] = [await scene.startMember(), await scene.startMember()];
  await backend.write(readyPods(foreign));
  await scene.write(readyPods(own));
  const keys = randomBytes(32).toString('base64');
  await admin.applyAll([
    backend.service,
    scene.service,
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'ReferenceGrant',
      metadata: { name: 'shop', namespace: backend.namespace },
      spec: {
        from: [{ group: 'evenkeel.dev', kind: 'Balancer', namespace: scene.namespace }],
        to: [{ group: '', kind: 'Service' }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'session-keys', namespace: scene.namespace },
      data: { keys: Buffer.from(keys).toString('base64') },
    },
    balancerNamed(scene.namespace, 'app', {
      className,
      rules: [{ hosts: [scene.host] }],
      members: [
        { service: { name: 'app', port: 'http' }, routeFrom: 'PodName' },
        { service: { name: 'app', namespace: backend.namespace, port: 'http' } },
      ],
      stickySession: { cookie: 'KEEL', strategy: 'Insert', signing: { secretName: 'session-keys', mode: 'Require' } },
    }),
  ]);
}

/** The arguments of the chart, but for the ports, which are free ones here. */
function argsOf(documents: readonly Rendered[]): readonly string[] {
  const { template } = only(documents, 'Deployment').spec as {
    readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
  };
  const isPort = /^--(bind|http-port|admin-bind|admin-port)=/;
  return template.spec.containers[0]!.args.slice(1).filter((arg) => !isPort.test(arg));
}

/** What a role allows and nobody did: `watch secrets by shop-1/edge-evenkeel`. */
function unusedOf(roles: readonly Rendered[], entries: readonly AuditEntry[]): readonly string[] {
  return roles.flatMap(({ rules, metadata }) =>
    (rules as readonly Rule[]).flatMap(({ resources, resourceNames, verbs }) =>
      resources.flatMap((resource) =>
        verbs
          .filter(
            (verb) =>
              !entries.some(
                (entry) =>
                  entry.verb === verb &&
                  entry.resource === resource &&
                  (metadata.namespace === undefined || metadata.namespace === entry.namespace) &&
                  (resourceNames === undefined || resourceNames.includes(entry.name)),
              ),
          )
          .map((verb) => `${verb} ${resource} by ${metadata.namespace ?? ''}/${metadata.name}`),
      ),
    ),
  );
}

describe.skipIf(absence !== null || helm === null)('the roles of the chart', () => {
  const audit = absence === null ? new Audit('all') : null;
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane({ apiServerFlags: audit!.flags });
    await applyCrds(plane.admin);
    await plane.admin.apply(grantDefinition);
    await eventually(() => plane.admin.list('gateway.networking.k8s.io/v1', 'ReferenceGrant'), 20_000);
  });
  afterAll(async () => {
    await plane?.[Symbol.asyncDispose]();
    audit?.[Symbol.dispose]();
  });

  test('are enough, and none is more than that', async () => {
    await using wide = await Edge.start(plane, 'wide', false);
    await using narrow = await Edge.start(plane, 'narrow', true);
    const doneBy = ({ user }: Edge): readonly AuditEntry[] => audit!.entries().filter((entry) => entry.user === user);
    await Promise.all([wide, narrow].map((edge) => edge.work(() => doneBy(edge))));

    for (const edge of [wide, narrow]) {
      const entries = doneBy(edge);
      expect(entries.filter(({ code }) => code === 403)).toEqual([]);
      const roles = edge.documents.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
      expect(roles.length).toBe(edge === wide ? 3 : 4);
      // Not to be there is an answer, too.
      const unused = unusedOf(roles, entries).filter((line) => edge === wide || !isOfBackend(line, edge));
      expect(unused).toEqual([]);
    }
  }, 240_000);

  test('allow nothing else', async () => {
    await using narrow = await Edge.start(plane, 'tight', true);
    const client = plane.clientFor(narrow.token);
    const { namespace } = narrow.scene;
    const secrets = `/api/v1/namespaces/${namespace}/secrets`;
    const statusOf = async (path: string): Promise<number> =>
      client.send(path).then(
        () => 200,
        (refusal: Refusal) => refusal.status,
      );
    expect(await statusOf(`/api/v1/namespaces/${namespace}/services`)).toBe(200);
    expect(await statusOf(`${secrets}?fieldSelector=metadata.name%3Dsession-keys`)).toBe(200);
    for (const path of [
      secrets,
      `${secrets}?fieldSelector=metadata.name%3Danother`,
      `${secrets}/session-keys`,
      '/api/v1/secrets',
      '/api/v1/services',
      '/apis/evenkeel.dev/v1alpha1/balancers',
      `/api/v1/namespaces/${namespace}/configmaps`,
      `/api/v1/namespaces/${namespace}/pods`,
      `/apis/coordination.k8s.io/v1/namespaces/${narrow.namespace}/leases`,
      `/apis/coordination.k8s.io/v1/namespaces/${narrow.namespace}/leases/another`,
      '/api/v1/nodes',
    ]) {
      expect(await statusOf(path), path).toBe(403);
    }
    client.close();
  });
});

/** In the namespace that has members only, nothing is signed, reported or told. */
function isOfBackend(line: string, { backend }: Edge): boolean {
  return /secrets|balancers\/status|events|get balancers/.test(line) && line.includes(` ${backend.namespace}/`);
}
