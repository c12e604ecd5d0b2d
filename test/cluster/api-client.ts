// What the tests themselves say to the API server: single requests over HTTPS, with a token. Shares nothing with the
// product's own client, which is what is tested.
import { Agent, request } from 'node:https';

/** An object as it is written; what a test needs of it, it looks up itself. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** Which object, without its content. */
export type Reference = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;

interface Cause {
  /** Such as `spec.members[0]`. */
  readonly field?: string;
  readonly message?: string;
}

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly Cause[] };
}

/** An answer that is not a success, with what the API server says about it. */
export class Refusal extends Error {
  readonly status: number;
  /** Such as `NotFound`, `Forbidden`, `Invalid`. */
  readonly reason: string;
  /** What it found in which field, where it says so. */
  readonly causes: readonly Cause[];

  constructor(what: string, status: number, { reason = '', message = '', details }: Status) {
    super(`${what}: ${status} ${reason} ${message}`);
    this.status = status;
    this.reason = reason;
    this.causes = details?.causes ?? [];
  }
}

interface Send {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly contentType?: string;
  readonly body?: unknown;
}

/** Where an API server is and who asks. */
export interface ApiAccess {
  /** Such as `https://10.77.0.1:6443`. */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
}

/** Milliseconds without a byte after which a request fails. */
const PATIENCE_MS = 15_000;

const clusterWide: ReadonlySet<string> = new Set([
  'Namespace',
  'Node',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
]);

/** The path of all objects of a kind, in one namespace if one is given: `/api/v1/namespaces/shop/services`. */
export function collectionPath(apiVersion: string, kind: string, namespace?: string): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const within = namespace === undefined || clusterWide.has(kind) ? '' : `/namespaces/${namespace}`;
  return `${group}${within}/${kind.toLowerCase()}s`;
}

/** The path of one object; without a namespace it is in `default`. */
export function objectPath({ apiVersion, kind, metadata }: Reference): string {
  return `${collectionPath(apiVersion, kind, metadata.namespace ?? 'default')}/${metadata.name}`;
}

export class ApiClient {
  readonly access: ApiAccess;
  readonly #agent: Agent;

  constructor(access: ApiAccess) {
    this.access = access;
    this.#agent = new Agent({ keepAlive: true, ca: access.ca });
  }

  /** Sends a request and resolves to the answer's body, read as JSON where it is that. Rejects with a Refusal. */
  async send(path: string, { method = 'GET', contentType, body }: Send = {}): Promise<unknown> {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const sent = request(
      new URL(path, this.access.server),
      {
        method,
        agent: this.#agent,
        timeout: PATIENCE_MS,
        headers: {
          authorization: `Bearer ${this.access.token}`,
          accept: 'application/json',
          ...(text !== undefined && { 'content-type': contentType ?? 'application/json' }),
        },
      },
      (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          answer += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          const isJson = response.headers['content-type']?.includes('json') ?? false;
          const content: unknown = isJson ? JSON.parse(answer) : answer;
          const status = response.statusCode ?? 0;
          if (status < 300) return resolve(content);
          reject(new Refusal(`${method} ${path}`, status, isJson ? (content as Status) : { message: answer }));
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer within ${PATIENCE_MS} ms`)));
    sent.on('error', reject);
    sent.end(text);
    return promise;
  }

  async get(reference: Reference): Promise<KubeObject> {
    return (await this.send(objectPath(reference))) as KubeObject;
  }

  /** All objects of a kind, in one namespace if one is given. */
  async list(apiVersion: string, kind: string, namespace?: string): Promise<readonly KubeObject[]> {
    const list = (await this.send(collectionPath(apiVersion, kind, namespace))) as { items: readonly KubeObject[] };
    return list.items;
  }

  /** Creates it; `dryRun` only judges it, with everything that creating it would check. Unknown fields are refused. */
  async create(object: KubeObject, { dryRun = false } = {}): Promise<KubeObject> {
    const { apiVersion, kind, metadata } = object;
    const path = collectionPath(apiVersion, kind, metadata.namespace ?? 'default');
    const query = `?fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
    return (await this.send(path + query, { method: 'POST', body: object })) as KubeObject;
  }

  /** Creates it or makes it what is given, by server-side apply: what was applied before and is not given now, goes. */
  async apply(object: KubeObject, fieldManager = 'test'): Promise<KubeObject> {
    const path = `${objectPath(object)}?fieldManager=${fieldManager}&force=true&fieldValidation=Strict`;
    const contentType = 'application/apply-patch+yaml';
    return (await this.send(path, { method: 'PATCH', contentType, body: object })) as KubeObject;
  }

  /** Applies them one after the other. */
  async applyAll(objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) await this.apply(object);
  }

  /** A JSON merge patch: `null` deletes a field. */
  async merge(reference: Reference, patch: unknown): Promise<KubeObject> {
    const contentType = 'application/merge-patch+json';
    return (await this.send(objectPath(reference), { method: 'PATCH', contentType, body: patch })) as KubeObject;
  }

  async replace(object: KubeObject): Promise<KubeObject> {
    return (await this.send(objectPath(object), { method: 'PUT', body: object })) as KubeObject;
  }

  async delete(reference: Reference): Promise<void> {
    await this.send(objectPath(reference), { method: 'DELETE' });
  }

  /** Makes a ServiceAccount if there is none, and a token for it, as a pod would be given. */
  async tokenFor(namespace: string, name: string): Promise<string> {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
    await this.apply(account);
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
    const made = (await this.send(`${objectPath(account)}/token`, { method: 'POST', body })) as {
      status: { token: string };
    };
    return made.status.token;
  }

  close(): void {
    this.#agent.destroy();
  }
}
