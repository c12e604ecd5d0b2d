// Members as real processes on addresses of their own, as pods are.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { within } from '../helpers/patience.ts';

const program = join(import.meta.dirname, 'member-main.ts');
const START_MS = 20_000;
let addresses = 0;

/** An address of 10.77.0.0/16 that no member had before, in this process. */
function nextAddress(): string {
  addresses += 1;
  return `10.77.${1 + Math.floor(addresses / 250)}.${1 + (addresses % 250)}`;
}

export class MemberProcess implements AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Of the pod that it would be. */
  readonly uid = crypto.randomUUID();
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  /** Resolves when it listens. By default on an address of its own; a given one is that of a pod before. */
  static async start(name: string, { address = nextAddress(), port = 8080 } = {}): Promise<MemberProcess> {
    const child = fork(program, [address, String(port), name], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.once('message', (said) => resolve((said as { port: number }).port));
    child.once('exit', () => reject(new Error(`member ${name} did not start on ${address}:${port}`)));
    child.once('error', reject);
    return new MemberProcess(name, address, await within(promise, `member ${name} to listen`, START_MS), child);
  }

  private constructor(name: string, address: string, port: number, child: ChildProcess) {
    this.name = name;
    this.address = address;
    this.port = port;
    this.#child = child;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    this.#ended = promise;
    child.channel?.unref();
  }

  /** As a pod ends: finishes what is under way and accepts nothing more. Resolves when it is gone, at last by force. */
  async stop(graceMs = 3_000): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#ended;
    clearTimeout(timer);
  }

  /** As by kill -9 or a lost node: connections break. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
