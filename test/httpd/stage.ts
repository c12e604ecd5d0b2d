// The members of all stories in this process: one listener for each on an address of loopback that is its own, since a
// port of 127.0.0.1 might be taken by somebody's outgoing connection while the member is down.
import { createServer, type Server, type Socket } from 'node:net';

/** Which proxy a request came through. Marks of one length: bytes are counted. */
export type Side = 'httpd' | 'evenk';

/** What came of a request that reached a member. */
export interface Arrival {
  readonly member: number;
  /** Bytes of head and body, as the member got them. */
  readonly sent: number;
}

/** What a member does with a request. */
interface Expected {
  readonly down: number;
  readonly status: number;
  readonly isHeld: boolean;
  readonly arrived: (arrival: Arrival) => void;
}

const keyOf = (side: Side, path: string): string => `${side} ${path}`;

/** Without CR LF: what httpd counts of it. Of one length for every status. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} OK`;
}

export class Stage implements AsyncDisposable {
  readonly #members = new Set<StageMember>();
  readonly #expected = new Map<string, Expected>();
  readonly #held = new Map<string, () => void>();
  /** Of all members. Whoever has it on the first address has it on all. */
  readonly #port: number;
  #addresses = 0;

  /** A stage of its own, beside those of other processes. */
  static async open(): Promise<Stage> {
    for (const port of PORTS) {
      const stage = new Stage(port);
      try {
        await stage.add(0);
        return stage;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
    throw new Error('all ports for members are taken');
  }

  private constructor(port: number) {
    this.#port = port;
  }

  /** A member on an address of its own. */
  async add(index: number): Promise<StageMember> {
    const number = this.#addresses;
    this.#addresses += 1;
    // 127.1.0.1 and further, without .0 and .255.
    const address = `127.${1 + Math.floor(number / 64_516)}.${Math.floor(number / 254) % 254}.${(number % 254) + 1}`;
    const member = new StageMember(address, this.#port, index, this);
    this.#members.add(member);
    await member.listen();
    return member;
  }

  /** Says what becomes of a request, before it is sent. Resolves when a member has it. */
  expect(side: Side, path: string, down: number, status: number, isHeld: boolean): Promise<Arrival> {
    const { promise, resolve } = Promise.withResolvers<Arrival>();
    this.#expected.set(keyOf(side, path), { down, status, isHeld, arrived: resolve });
    return promise;
  }

  /** Lets a held answer go. */
  release(side: Side, path: string): void {
    this.#held.get(keyOf(side, path))?.();
    this.#held.delete(keyOf(side, path));
  }

  /** For members: a request is here. */
  take(member: StageMember, head: string, bytes: number, answer: (head: string, bodyBytes: number) => void): void {
    const path = /^\S+ ([^ ;?]+)/.exec(head)?.[1] ?? '';
    const side = /^x-side: (\S+)/im.exec(head)?.[1] as Side;
    const expected = this.#expected.get(keyOf(side, path));
    if (expected === undefined) return answer(statusLine(599), 0);
    if (expected.isHeld) this.#held.set(keyOf(side, path), () => answer(statusLine(expected.status), expected.down));
    else answer(statusLine(expected.status), expected.down);
    expected.arrived({ member: member.index, sent: bytes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) member.close();
  }
}

/** Below the ports that outgoing connections take; who comes second takes the next one. */
const PORTS = Array.from({ length: 100 }, (_, index) => 20_080 + index);

export class StageMember {
  readonly url: string;
  readonly index: number;
  readonly #address: string;
  readonly #port: number;
  readonly #stage: Stage;
  readonly #sockets = new Set<Socket>();
  /** Connections with a request under way. */
  readonly #busy = new Set<Socket>();
  #server: Server | null = null;

  constructor(address: string, port: number, index: number, stage: Stage) {
    this.#address = address;
    this.#port = port;
    this.url = `http://${address}:${port}`;
    this.index = index;
    this.#stage = stage;
  }

  async listen(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen({ host: this.#address, port: this.#port, backlog: 64 }, resolve);
    await promise;
  }

  /** Refuses connections from now on and ends the idle ones; answers under way are the last on theirs. */
  refuse(): void {
    this.#server?.close();
    this.#server = null;
    for (const socket of this.#sockets) if (!this.#busy.has(socket)) socket.destroy();
  }

  close(): void {
    this.refuse();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const end = pending.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = pending.toString('latin1', 0, end + 4);
      const length = end + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (pending.length < length) return;
      pending = Buffer.alloc(0);
      this.#busy.add(socket);
      this.#stage.take(this, head, length, (line, bodyBytes) => this.#answer(socket, line, bodyBytes));
    });
  }

  #answer(socket: Socket, statusLine: string, bodyBytes: number): void {
    this.#busy.delete(socket);
    const isLast = this.#server === null;
    const fields = `content-length: ${bodyBytes}\r\nx-member: ${this.index}\r\n${isLast ? 'connection: close\r\n' : ''}`;
    const head = `${statusLine}\r\n${fields}\r\n`;
    const answer = Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(bodyBytes, 'x')]);
    if (isLast) socket.end(answer);
    else socket.write(answer);
  }
}
