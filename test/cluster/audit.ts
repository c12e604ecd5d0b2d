// Who wrote what, or also read what, as the API server itself took it down: its audit log, of requests that had an answer.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One request that was answered. */
export interface AuditEntry {
  readonly user: string;
  readonly verb: string;
  /** `balancers/status`, `leases`, `events`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** HTTP status of the answer. */
  readonly code: number;
  /** When it came in, milliseconds since the epoch. */
  readonly atMs: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly requestReceivedTimestamp: string;
}

/** To be made before the control plane that it belongs to. */
export class Audit implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'evenkeel-audit-'));

  /** `writes` alone, by default, or `all` requests. */
  constructor(what: 'writes' | 'all' = 'writes') {
    const policy = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'Metadata', verbs: what === 'all' ? [] : ['create', 'update', 'patch', 'delete'] }],
    };
    writeFileSync(join(this.#folder, 'policy.json'), JSON.stringify(policy));
  }

  /** Flags for the API server. */
  get flags(): readonly string[] {
    const [policy, log] = [join(this.#folder, 'policy.json'), join(this.#folder, 'log')];
    return [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`, '--audit-log-mode=blocking'];
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** All so far, oldest first. */
  entries(): readonly AuditEntry[] {
    const lines = readFileSync(join(this.#folder, 'log'), 'utf8').split('\n');
    return lines.filter((line) => line.endsWith('}')).map((line) => toEntry(JSON.parse(line) as AuditEvent));
  }
}

function toEntry({ verb, user, objectRef, responseStatus, requestReceivedTimestamp }: AuditEvent): AuditEntry {
  const { resource = '', subresource, namespace = '', name = '' } = objectRef ?? {};
  return {
    user: user.username,
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    code: responseStatus?.code ?? 0,
    atMs: Date.parse(requestReceivedTimestamp),
  };
}
