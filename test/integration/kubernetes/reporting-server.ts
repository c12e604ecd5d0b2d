// As much of an API server as writing reports takes, over real sockets: Leases that are written only over what was read,
// statuses by server-side apply, events, one Service. It notes every write that took effect, and answers with the faults
// that a test asks for.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from '../../../src/provider/kubernetes/cluster-access.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A request that comes in. */
export interface Asked {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: Fields;
  /** Which of the clients sent it. */
  readonly client: string;
}

export interface FaultAnswer {
  readonly status: number;
  readonly retryAfterS?: number;
}

interface BalancerRecord {
  readonly uid: string;
  version: number;
  /** By field manager. */
  statuses: Map<string, Fields>;
}

export class ReportingServer implements AsyncDisposable {
  /** Writes that changed something, oldest first. */
  readonly writes: Asked[] = [];
  readonly asked: Asked[] = [];
  /** What goes wrong with a request; null: nothing. */
  fault: (asked: Asked) => FaultAnswer | null = () => null;
  service: Fields | null = null;
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));
  readonly #balancers = new Map<string, BalancerRecord>();
  readonly #leases = new Map<string, Fields>();
  #version = 100;

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve()));
    return this;
  }

  /** What a client of that name needs. */
  access(client: string): ClusterAccess {
    const server = new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
    const agent = new http.Agent({ keepAlive: true });
    return {
      server: server.href,
      namespace: 'edge',
      open: async () => ({ server, agent, headers: { 'x-client': client } }),
      renew: () => false,
      dropIdle: () => undefined,
      close: () => agent.destroy(),
    };
  }

  addBalancer(name: string, uid = `uid-${name}`): void {
    this.#balancers.set(name, { uid, version: this.#balancers.has(name) ? 50 : 1, statuses: new Map() });
  }

  deleteBalancer(name: string): void {
    this.#balancers.delete(name);
  }

  versionOf(name: string): number {
    return this.#balancers.get(name)!.version;
  }

  /** What a manager says in the status. */
  statusOf(name: string, manager: string): Fields | undefined {
    return this.#balancers.get(name)?.statuses.get(manager);
  }

  leaseOf(name: string): Fields | undefined {
    return this.#leases.get(name)?.spec as Fields | undefined;
  }

  /** Writes of a sort, by the end of their paths. */
  written(sort: 'status' | 'events'): readonly Asked[] {
    return this.writes.filter(({ path }) => path.includes(`/${sort}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const url = new URL(request.url ?? '/', 'http://x');
    const asked: Asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      contentType: request.headers['content-type'] ?? '',
      body: text === '' ? {} : (JSON.parse(text) as Fields),
      client: String(request.headers['x-client']),
    };
    this.asked.push(asked);
    const fault = this.fault(asked);
    const { status, body } =
      fault === null ? this.#answer(asked) : { status: fault.status, body: statusObject(fault.status) };
    const retryAfter = fault?.retryAfterS === undefined ? {} : { 'retry-after': String(fault.retryAfterS) };
    response.writeHead(status, { 'content-type': 'application/json', ...retryAfter });
    response.end(JSON.stringify(body));
  }

  #answer(asked: Asked): { readonly status: number; readonly body: unknown } {
    const [collection = '', name = '', subresource = ''] = asked.path.split('/').slice(6);
    const found = (body: unknown) => ({ status: 200, body });
    const refused = (status: number) => ({ status, body: statusObject(status) });
    switch (`${asked.method} ${collection}`) {
      case 'GET leases':
        return this.#leases.has(name) ? found(this.#leases.get(name)) : refused(404);
      case 'POST leases':
      case 'PUT leases': {
        const metadata = asked.body.metadata as Fields;
        const key = String(metadata.name);
        const before = this.#leases.get(key)?.metadata as Fields | undefined;
        if (asked.method === 'PUT' && before === undefined) return refused(404);
        if (before?.resourceVersion !== metadata.resourceVersion) return refused(409);
        this.#version += 1;
        this.#leases.set(key, { ...asked.body, metadata: { ...metadata, resourceVersion: String(this.#version) } });
        this.writes.push(asked);
        return found(this.#leases.get(key));
      }
      case 'GET balancers':
      case 'PATCH balancers': {
        const balancer = this.#balancers.get(name);
        if (balancer === undefined) return refused(404);
        return asked.method === 'GET'
          ? found(toObject(name, balancer))
          : this.#apply(asked, name, balancer, subresource);
      }
      case 'POST events':
      case 'PATCH events':
        this.writes.push(asked);
        return found(asked.body);
      default:
        return asked.path.includes('/services/') && this.service !== null ? found(this.service) : refused(404);
    }
  }

  #apply(asked: Asked, name: string, balancer: BalancerRecord, subresource: string) {
    const isApply = asked.contentType === 'application/apply-patch+yaml' && asked.query.get('force') === 'true';
    const manager = asked.query.get('fieldManager');
    if (!isApply || manager === null || subresource !== 'status') return { status: 400, body: statusObject(400) };
    const { resourceVersion } = asked.body.metadata as Fields;
    if (resourceVersion !== String(balancer.version)) return { status: 409, body: statusObject(409) };
    const status = asked.body.status as Fields | undefined;
    if (JSON.stringify(status) !== JSON.stringify(balancer.statuses.get(manager))) {
      if (status === undefined) balancer.statuses.delete(manager);
      else balancer.statuses.set(manager, status);
      balancer.version += 1;
      this.writes.push(asked);
    }
    return { status: 200, body: toObject(name, balancer) };
  }
}

function toObject(name: string, { uid, version, statuses }: BalancerRecord): Fields {
  const managedFields = [...statuses.keys()].map((manager) => ({ manager, operation: 'Apply', subresource: 'status' }));
  return { metadata: { name, namespace: 'shop', uid, resourceVersion: String(version), managedFields } };
}

function statusObject(code: number): Fields {
  const reasons: Readonly<Record<number, string>> = { 404: 'NotFound', 409: 'Conflict', 429: 'TooManyRequests' };
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason: reasons[code] ?? 'InternalError',
    message: 'no',
  };
}
