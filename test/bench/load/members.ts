// The members as the benchmark holds them: their addresses, and the process that they live in.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort, type ProcessTree, startProcess } from '../processes.ts';
import type { SteadyOrder, SteadyReport } from './steady.ts';

/** `host:port` of a member. */
export interface MemberAddress {
  readonly host: string;
  readonly port: number;
}

export class Members {
  readonly port: number;
  readonly #tree: ProcessTree;

  private constructor(port: number, tree: ProcessTree) {
    this.port = port;
    this.#tree = tree;
  }

  static async start(): Promise<Members> {
    const port = await freePort();
    const script = fileURLToPath(new URL('./member-process.ts', import.meta.url));
    const tree = startProcess(process.execPath, [script, String(port)], { place: 'load', ipc: true });
    await once(tree.child, 'message');
    return new Members(port, tree);
  }

  /** Addresses from 127.1.0.1 on: loopback takes them all. */
  addresses(count: number): readonly MemberAddress[] {
    return Array.from({ length: count }, (_, index) => {
      const number = index + 1;
      return { host: `127.1.${number >> 8}.${number & 255}`, port: this.port };
    });
  }

  /** Sends requests to a proxy at a fixed rate. */
  async drive(order: SteadyOrder): Promise<SteadyReport> {
    const answer = once(this.#tree.child, 'message');
    this.#tree.child.send(order);
    const [report] = (await answer) as [SteadyReport | { readonly fault: string }];
    if ('fault' in report) throw new Error(report.fault);
    return report;
  }

  async stop(): Promise<void> {
    await this.#tree.stop();
  }
}
