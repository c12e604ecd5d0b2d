// All peers, and those of them that can run here: what is missing is installed where that is possible, and what
// cannot be is named, so that no table is silently short.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { run } from '../processes.ts';
import { caddy } from './caddy.ts';
import { createEvenkeel, type EvenkeelOptions } from './evenkeel.ts';
import { haproxy } from './haproxy.ts';
import { httpd } from './httpd.ts';
import { nginx } from './nginx.ts';
import { createUndiciPeer, httpProxy3 } from './node-peers.ts';
import type { Peer, PeerName } from './peer.ts';

export interface FoundPeer {
  readonly peer: Peer;
  readonly version: string;
}

export interface PeerSearch extends EvenkeelOptions {
  readonly names: readonly PeerName[];
  /** Whether missing programs may be installed. */
  readonly mayInstall: boolean;
  readonly say: (line: string) => void;
}

/** Debian's names of what apt can bring. */
const PACKAGES: Partial<Record<PeerName, string>> = {
  nginx: 'nginx',
  haproxy: 'haproxy',
  httpd: 'apache2',
  caddy: 'caddy',
};

/** Tells invoke-rc.d not to start what is installed. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';

/** The peers of these names that can run here, in the order of the tables. Installs wrk as well. */
export async function findPeers(search: PeerSearch): Promise<readonly FoundPeer[]> {
  const peers = [
    createEvenkeel(search),
    nginx,
    haproxy,
    httpd,
    caddy,
    createUndiciPeer(search.mayInstall),
    httpProxy3,
  ].filter(({ name }) => search.names.includes(name));
  await installMissing(peers, search);
  const found: FoundPeer[] = [];
  for (const peer of peers) {
    const result = await peer.find();
    if ('version' in result) found.push({ peer, version: result.version });
    else search.say(`SKIPPED: ${peer.title}: ${result.missing}`);
  }
  return found;
}

async function installMissing(peers: readonly Peer[], search: PeerSearch): Promise<void> {
  const missing: string[] = [];
  // wrk has no flag for its version that ends well; its usage is enough to know that it is there.
  if (!['/usr/bin/wrk', '/usr/local/bin/wrk'].some(existsSync)) missing.push('wrk');
  for (const { name, find } of peers) {
    const packageName = PACKAGES[name];
    if (packageName !== undefined && 'missing' in (await find())) missing.push(packageName);
  }
  if (missing.length === 0) return;
  if (!search.mayInstall || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    search.say(`MISSING: ${missing.join(', ')} (not installed: that needs apt-get and root)`);
    return;
  }
  search.say(`installing ${missing.join(', ')} …`);
  await install(missing).catch((error: unknown) => search.say(`apt-get failed: ${String(error)}`));
}

async function install(packages: readonly string[]): Promise<void> {
  const isPolicyOurs = !existsSync(POLICY_FILE);
  if (isPolicyOurs) writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await run('apt-get', ['update', '-qq']);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  } finally {
    if (isPolicyOurs) rmSync(POLICY_FILE);
  }
}
