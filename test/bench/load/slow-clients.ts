// Clients that drip, stall and do not read. They live in a process of their own.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ProcessTree, startProcess } from '../processes.ts';

export class SlowClients {
  readonly #tree: ProcessTree;

  private constructor(tree: ProcessTree) {
    this.#tree = tree;
  }

  /** Resolves when all of them are at it. */
  static async open(port: number, count: number): Promise<SlowClients> {
    const script = fileURLToPath(new URL('./slow-clients-process.ts', import.meta.url));
    const tree = startProcess(process.execPath, [script, String(port), String(count)], { place: 'load', ipc: true });
    const clients = new SlowClients(tree);
    await clients.#hear('open');
    return clients;
  }

  /** From now on whoever is closed stays away. */
  stayAway(): void {
    this.#tree.child.send('stay-away');
  }

  /** Ends those that are left. */
  async close(): Promise<void> {
    await this.#tree.stop();
  }

  async #hear(word: string): Promise<void> {
    const [said] = (await Promise.race([once(this.#tree.child, 'message'), once(this.#tree.child, 'exit')])) as [
      unknown,
    ];
    if (said !== word) throw new Error(`the slow clients have ended: ${String(said)}`);
  }
}
