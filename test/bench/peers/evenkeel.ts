// The product, as its users start it: files, one lane, metrics and timeouts on, sessions kept where the product does.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fieldsInForce } from '../../../src/api/in-force.ts';
import type { MemberAddress } from '../load/members.ts';
import { startProcess } from '../processes.ts';
import { type Peer, type PeerSetup, SESSION_COOKIE, TIMEOUTS_S } from './peer.ts';

export interface EvenkeelOptions {
  /** Root of the checkout to measure; another one than this can be compared with it. */
  readonly root: string;
  /** Folder for processor profiles; null: none are made. */
  readonly profileFolder: string | null;
  /** Further flags for Node. Default: none. */
  readonly nodeFlags?: readonly string[];
}

export function createEvenkeel({ root, profileFolder, nodeFlags = [] }: EvenkeelOptions): Peer {
  const entry = resolve(root, 'src/main.ts');
  return {
    name: 'evenkeel',
    title: 'Evenkeel',
    find: async () => {
      if (!existsSync(entry)) return { missing: `${entry} is not there` };
      const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string };
      return { version: `${version} (Node ${process.versions.node})` };
    },
    start: async (setup) => {
      const file = join(setup.folder, 'balancer.yaml');
      writeFileSync(file, balancerYaml(setup));
      const profile = profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
      const ports = ['--http-port', String(setup.port), '--admin-port', String(setup.adminPort)];
      const flags = ['--config', file, '--bind', '127.0.0.1', ...ports, '--lanes', String(setup.lanes)];
      return startProcess(
        process.execPath,
        [...nodeFlags, ...profile, entry, 'serve', ...flags, '--log-level', 'error'],
        {
          place: setup.place,
          logFile: join(setup.folder, 'output.log'),
        },
      );
    },
  };
}

/** More members than a list may name come from a Service. */
const MOST_LISTED = 256;
const ENDPOINTS_PER_SLICE = 1_000;

/** The file that the product serves. */
export function balancerYaml({ members }: Pick<PeerSetup, 'members'>): string {
  const session = fieldsInForce.some((field) => field.startsWith('spec.stickySession'))
    ? `  stickySession: { cookie: ${SESSION_COOKIE} }\n`
    : '';
  const idle = `${TIMEOUTS_S.idle}s`;
  const isListed = members.length <= MOST_LISTED;
  const listed = isListed
    ? members.map(({ host, port }, index) => `    - { url: "http://${host}:${port}", route: m${index} }`)
    : ['    - { service: { name: members, port: http } }'];
  return `apiVersion: evenkeel.dev/v1alpha1
kind: Balancer
metadata: { name: bench }
spec:
${session}  timeouts: { connect: ${TIMEOUTS_S.connect}s, response: ${idle}, body: ${idle}, keepAlive: ${idle} }
  members:
${listed.join('\n')}
${isListed ? '' : serviceYaml(members)}`;
}

/** A Service and its endpoints, all of which have the same port. */
function serviceYaml(members: readonly MemberAddress[]): string {
  const port = members[0]?.port ?? 80;
  const documents = [
    'apiVersion: v1\nkind: Service\nmetadata: { name: members }\n' +
      `spec: { ports: [{ name: http, port: 80, targetPort: ${port} }] }\n`,
  ];
  for (let first = 0; first < members.length; first += ENDPOINTS_PER_SLICE) {
    const endpoints = members.slice(first, first + ENDPOINTS_PER_SLICE).map(({ host }, index) => {
      const pod = `{ kind: Pod, name: m${first + index}, uid: pod-${first + index} }`;
      return `  - { addresses: ["${host}"], targetRef: ${pod} }`;
    });
    documents.push(
      'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n' +
        `metadata: { name: members-${first}, labels: { kubernetes.io/service-name: members } }\n` +
        `addressType: IPv4\nports: [{ name: http, port: ${port} }]\nendpoints:\n${endpoints.join('\n')}\n`,
    );
  }
  return documents.map((document) => `---\n${document}`).join('');
}
