// The proxies that one would write in Node with what there is: bare http-proxy-3, and node:http with undici.
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, startProcess } from '../processes.ts';
import { type Peer, type PeerSetup, TIMEOUTS_S } from './peer.ts';

/** undici is no dependency of the product, so the benchmark gets it for itself. */
const UNDICI_VERSION = '8.12.4';

/** What the servers of these peers get as their one argument, as JSON. */
export interface NodePeerSettings {
  readonly port: number;
  readonly members: readonly { readonly host: string; readonly port: number }[];
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** File of the module undici; only its peer needs it. */
  readonly undici: string;
}

export const httpProxy3: Peer = {
  name: 'http-proxy-3',
  title: 'http-proxy-3',
  find: async () => {
    const { version } = createRequire(import.meta.url)('http-proxy-3/package.json') as { version: string };
    return { version };
  },
  start: async (setup) => startServer(new URL('./http-proxy-3-server.ts', import.meta.url), setup, ''),
};

export function createUndiciPeer(mayInstall: boolean): Peer {
  let entry = '';
  return {
    name: 'undici',
    title: 'node:http + undici',
    find: async () => {
      const folder = join(tmpdir(), `evenkeel-bench-undici-${UNDICI_VERSION}`);
      entry = join(folder, 'node_modules/undici/index.js');
      if (!existsSync(entry) && mayInstall) {
        mkdirSync(folder, { recursive: true });
        const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder];
        await run('npm', ['install', ...flags, `undici@${UNDICI_VERSION}`]).catch(() => null);
      }
      return existsSync(entry)
        ? { version: UNDICI_VERSION }
        : { missing: `undici ${UNDICI_VERSION} cannot be installed` };
    },
    start: async (setup) => startServer(new URL('./undici-server.ts', import.meta.url), setup, entry),
  };
}

function startServer(script: URL, { port, members, folder, place }: PeerSetup, undici: string) {
  const settings: NodePeerSettings = {
    port,
    members,
    connectTimeoutMs: TIMEOUTS_S.connect * 1000,
    idleTimeoutMs: TIMEOUTS_S.idle * 1000,
    undici,
  };
  const args = [fileURLToPath(script), JSON.stringify(settings)];
  return startProcess(process.execPath, args, { place, logFile: join(folder, 'output.log') });
}
