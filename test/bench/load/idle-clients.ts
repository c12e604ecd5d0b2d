// Connections that have had one answer and then say nothing more. They live in a process of their own.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ProcessTree, startProcess } from '../processes.ts';

export class IdleClients {
  readonly #tree: ProcessTree;

  private constructor(tree: ProcessTree) {
    this.#tree = tree;
  }

  /** Resolves when every connection has had its answer; rejects when one cannot be had. */
  static async open(port: number, count: number): Promise<IdleClients> {
    const script = fileURLToPath(new URL('./idle-clients-process.ts', import.meta.url));
    const tree = startProcess(process.execPath, [script, String(port), String(count)], { place: 'load', ipc: true });
    const [answer] = (await Promise.race([once(tree.child, 'message'), once(tree.child, 'exit')])) as [unknown];
    if (answer === 'open') return new IdleClients(tree);
    await tree.stop();
    throw new Error(`cannot hold ${count} idle connections: ${String(answer)}`);
  }

  async close(): Promise<void> {
    await this.#tree.stop();
  }
}
