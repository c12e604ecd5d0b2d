// What the scenarios share: a namespace with one Service over member processes, and the product as a process that serves
// the cluster. Members come and go as the test says; nothing happens by itself.
import { expect } from 'vitest';
import { eventually } from '../helpers/patience.ts';
import { type EvenkeelProcess, startEvenkeel } from '../helpers/evenkeel-process.ts';
import { type Answer, get } from '../integration/product/client.ts';
import type { ApiClient, KubeObject } from './api-client.ts';
import type { ControlPlane } from './control-plane.ts';
import { MemberProcess } from './member-process.ts';
import { balancerOver, newNamespace, type Pods, serviceNamed, sliceOf } from './objects.ts';

interface Serve {
  readonly kubeconfig?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it must be ready. */
  readonly deadlineMs?: number;
}

/**
 * From the API server's acknowledgement until requests are served by it: a second, and another one in which the machine may
 * stand still. How long it really takes is measured at scale.
 */
export const SOON_MS = 2_000;

let processes = 0;

/**
 * Starts the product on this cluster, as the administrator unless a kubeconfig is given; resolves when it is ready. It
 * leads at once: unless the arguments name a Lease, it has one of its own, and need not wait until a dead one's ends.
 */
export async function serveCluster(
  plane: ControlPlane,
  { kubeconfig = plane.kubeconfig(), args = [], env = {}, deadlineMs }: Serve = {},
): Promise<EvenkeelProcess> {
  // All addresses of the network are on this machine's loopback device: elsewhere they would be those of pods.
  const inside = ['--allow-member-cidr', '10.77.0.0/16'];
  processes += 1;
  const lease = args.includes('--leader-election-name') ? [] : ['--leader-election-name', `evenkeel-${processes}`];
  return startEvenkeel(['--kubeconfig', kubeconfig, '--lanes', '2', ...inside, ...lease, ...args], env, deadlineMs);
}

/** A namespace with the Service `app`, its EndpointSlice and a Balancer `app` for a host of its own. */
export class Scene implements AsyncDisposable {
  readonly namespace: string;
  readonly host: string;
  readonly #admin: ApiClient;
  readonly #members: MemberProcess[] = [];
  #pods: Pods = new Map();

  /** Writes the namespace alone; the rest is written by the test, or by `furnish`. */
  static async open(admin: ApiClient, name: string): Promise<Scene> {
    const { metadata } = await admin.apply(newNamespace(name));
    return new Scene(admin, metadata.name);
  }

  private constructor(admin: ApiClient, namespace: string) {
    this.#admin = admin;
    this.namespace = namespace;
    this.host = `${namespace}.example`;
  }

  get service(): KubeObject {
    return serviceNamed(this.namespace, 'app');
  }

  get balancer(): KubeObject {
    return balancerOver(this.namespace, 'app', this.host);
  }

  /** Service, Balancer, and so many members, `app-1`, `app-2`, …, ready and in the EndpointSlice. */
  async furnish(count: number): Promise<readonly MemberProcess[]> {
    await this.#admin.applyAll([this.service, this.balancer]);
    const members: MemberProcess[] = [];
    for (let index = 0; index < count; index += 1) members.push(await this.startMember());
    await this.write(new Map(members.map((member) => [member, 'Ready'])));
    return members;
  }

  /** A process that nothing refers to yet. */
  async startMember(): Promise<MemberProcess> {
    const member = await MemberProcess.start(`app-${this.#members.length + 1}`);
    this.#members.push(member);
    return member;
  }

  get pods(): Pods {
    return this.#pods;
  }

  /** Writes the EndpointSlice; resolves when the API server has it. */
  async write(pods: Pods): Promise<void> {
    this.#pods = pods;
    await this.#admin.apply(sliceOf(this.namespace, 'app', pods));
  }

  request(evenkeel: EvenkeelProcess, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return get(evenkeel.httpPort, { headers: { host: this.host, ...headers } });
  }

  /** Resolves when requests get this status. */
  async untilAnswered(evenkeel: EvenkeelProcess, status: number, deadlineMs = 5_000): Promise<void> {
    await eventually(async () => expect((await this.request(evenkeel)).status).toBe(status), deadlineMs);
  }

  /** Resolves when exactly these members answer, in any order. */
  async untilServedBy(evenkeel: EvenkeelProcess, names: readonly string[], deadlineMs = 5_000): Promise<void> {
    const turns = Math.max(16, names.length * 4);
    await eventually(async () => {
      const answers = await Promise.all(Array.from({ length: turns }, () => this.request(evenkeel)));
      expect([...new Set(answers.map(({ status, body }) => `${status} ${body}`))].sort()).toEqual(
        names.map((name) => `200 ${name}`).sort(),
      );
    }, deadlineMs);
  }

  /** Resolves when the Balancer's condition of this type is so, for its newest generation. */
  async untilCondition(type: string, status: 'True' | 'False', reason?: string, deadlineMs = 10_000): Promise<void> {
    await eventually(async () => {
      const { status: found, metadata } = await this.#admin.get(this.balancer);
      const { conditions = [] } = (found ?? {}) as { conditions?: readonly Record<string, unknown>[] };
      const condition = conditions.find((one) => one.type === type);
      expect(condition, JSON.stringify(conditions)).toMatchObject({
        status,
        observedGeneration: metadata.generation,
        ...(reason !== undefined && { reason }),
      });
    }, deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((member) => member.kill()));
  }
}
