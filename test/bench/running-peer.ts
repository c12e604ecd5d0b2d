// A proxy that runs, with members of its own, ready to be measured. Stopping it leaves nothing behind.
import { mkdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { Members } from './load/members.ts';
import { freePorts, type Place, type ProcessTree, waitUntil } from './processes.ts';
import type { Peer, PeerSetup } from './peers/peer.ts';

/** httpd with thousands of members needs this long. */
const START_TIMEOUT_MS = 60_000;

export class RunningPeer {
  readonly peer: Peer;
  readonly port: number;
  readonly adminPort: number;
  readonly folder: string;
  readonly members: Members;
  readonly tree: ProcessTree;

  private constructor(peer: Peer, setup: PeerSetup, members: Members, tree: ProcessTree) {
    this.peer = peer;
    this.port = setup.port;
    this.adminPort = setup.adminPort;
    this.folder = setup.folder;
    this.members = members;
    this.tree = tree;
  }

  /** Resolves when it answers. `parent`: a folder in which it gets one of its own. */
  static async start(
    peer: Peer,
    memberCount: number,
    parent: string,
    lanes = 1,
    place: Place = 'proxy',
  ): Promise<RunningPeer> {
    const folder = join(parent, peer.name);
    mkdirSync(folder, { recursive: true });
    const members = await Members.start();
    const addresses = members.addresses(memberCount);
    const setup = { ...(await freePorts()), members: addresses, folder, lanes, place };
    const running = new RunningPeer(peer, setup, members, await peer.start(setup));
    try {
      await waitUntil(() => running.#answers(), START_TIMEOUT_MS, `starting ${peer.title}`);
      if (running.tree.exitCode !== null) throw new Error(`${peer.title} ended at once`);
    } catch (error) {
      await running.stop();
      throw new Error(`${String(error)}\n${running.#output()}`);
    }
    return running;
  }

  async stop(): Promise<void> {
    await this.tree.stop();
    await this.members.stop();
  }

  async #answers(): Promise<boolean> {
    // Nothing to wait for any more; the caller looks.
    if (this.tree.exitCode !== null) return true;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    get({ host: '127.0.0.1', port: this.port, path: '/small', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', reject);
    return promise;
  }

  #output(): string {
    try {
      return readFileSync(join(this.folder, 'output.log'), 'utf8').slice(-1000);
    } catch {
      return '';
    }
  }
}
