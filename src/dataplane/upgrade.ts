// One attempt to open a WebSocket on a member, and the tunnel after it. The only user of http-proxy-3, whose ws() is
// used for what it does well, asking the member and piping; around the rest there are guards:
// - it gets a stand-in for the client's socket, because it ends that after any error, so that nothing could follow;
// - it parses the path anew (/a/../b becomes /b) and drops an empty query: the raw target is put back;
// - it hands all headers on as an object: they are made from the head that a plain request would have;
// - it writes heads as UTF-8, joins lines and keeps hop-by-hop headers: answers, 101 too, go the way of plain ones;
// - it knows no response timeout and no idle time: the lane's timer wheel does.
// Bodies never get here: the wire refuses a WebSocket request that has one (http-proxy-3 crashes or desyncs by it).
import {
  Agent,
  type ClientRequest,
  type ClientRequestArgs,
  type IncomingMessage,
  type InformationEvent,
} from 'node:http';
import type { Socket } from 'node:net';
import { ProxyServer } from 'http-proxy-3';
import type { TimeoutsUnit } from '../snapshot/snapshot.ts';
import type { ClientExchange, ExchangePeer, TunnelEnd } from './client-exchange.ts';
import { faultOfConnecting } from './connect-fault.ts';
import type { Outcome } from './exchange.ts';
import type { LaneServices } from './lane-services.ts';
import { MAX_INTERIM_ANSWERS } from './member-connection.ts';
import { isClientsFault, type ProxyErrorCode, type RequestFault } from './proxy-error.ts';
import { reset } from './reset.ts';
import type { ServedMember } from './routing-table.ts';
import { Timed } from './timer-wheel.ts';
import { TunnelSocket } from './tunnel-socket.ts';
import { readUpgradeAnswer, UpgradeAnswer, upgradeHeaders } from './upgrade-messages.ts';

type State = 'connecting' | 'head' | 'answer' | 'tunnel' | 'closed';
type UpgradeListener = (response: IncomingMessage, socket: Socket, head: Buffer) => void;

const proxy = new ProxyServer({});
// Without a listener it throws; each attempt hears of its own errors by its callback.
proxy.on('error', () => {});
/** One for each lane, which it ends with. */
const agents = new WeakMap<LaneServices, Agent>();

/** Carries one attempt. Never rejects. */
export function openUpgrade(
  services: LaneServices,
  exchange: ClientExchange,
  member: ServedMember,
  timeouts: TimeoutsUnit,
): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  new Upgrade(services, exchange, member, timeouts, resolve).begin();
  return promise;
}

class Upgrade extends Timed implements ExchangePeer, TunnelEnd {
  readonly #services: LaneServices;
  readonly #exchange: ClientExchange;
  readonly #member: ServedMember;
  readonly #timeouts: TimeoutsUnit;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #standIn: TunnelSocket;
  #state: State = 'connecting';
  #request: ClientRequest | null = null;
  #memberSocket: Socket | null = null;
  #answer: UpgradeAnswer | null = null;
  #fault: RequestFault | null = null;
  #interimAnswers = 0;
  #isHalfClosed = false;

  constructor(
    services: LaneServices,
    exchange: ClientExchange,
    member: ServedMember,
    timeouts: TimeoutsUnit,
    resolve: (outcome: Outcome) => void,
  ) {
    super();
    this.#services = services;
    this.#exchange = exchange;
    this.#member = member;
    this.#timeouts = timeouts;
    this.#resolve = resolve;
    this.#standIn = new TunnelSocket(exchange.connection, services.readTurns, (count) => this.#onMemberBytes(count));
  }

  begin(): void {
    const exchange = this.#exchange;
    const { host, port, authority } = this.#member.address;
    const { replacesHost } = this.#member;
    const { head, requestEdits, connection } = exchange;
    const { forwarding } = connection;
    exchange.peer = this;
    this.#services.wheel.set(this, this.#timeouts.connectMs);
    const incoming = {
      method: 'GET',
      // Only what ws() reads; the raw target is put back below.
      url: '/',
      httpVersion: '1.1',
      httpVersionMajor: 1,
      headers: upgradeHeaders(forwarding.write(head, authority, requestEdits, replacesHost)),
    } as unknown as IncomingMessage;
    const keepRequest = (request: ClientRequest, _: unknown, standIn: Socket): void => {
      if ((standIn as unknown) !== this.#standIn) return;
      request.path = exchange.requestEdits?.target ?? exchange.target;
      // ws() looks for it in lower case.
      request.setHeader('Upgrade', 'websocket');
      this.#request = request;
    };
    proxy.on('proxyReqWs', keepRequest);
    const options = { target: { host, port, protocol: 'http:' }, toProxy: true, agent: agentOf(this.#services) };
    proxy.ws(incoming, this.#standIn, undefined, options, (error) => this.#onError(error));
    proxy.off('proxyReqWs', keepRequest);
    this.#takeOver(this.#request!);
  }

  /** From here on answers are ours; only the piping of a 101 is left to http-proxy-3. */
  #takeOver(request: ClientRequest): void {
    const [pipe] = request.listeners('upgrade') as UpgradeListener[];
    request.removeAllListeners('upgrade');
    request.removeAllListeners('response');
    request.on('upgrade', (response, socket, head) =>
      this.#onUpgrade(response, socket, () => pipe!(response, socket, head)),
    );
    request.on('response', (response) => this.#onResponse(response));
    request.on('information', (told) => this.#onInterim(told));
    request.on('socket', (socket) => socket.once('connect', () => this.#onConnect()));
    request.on('close', () => this.#onRequestClosed());
  }

  resumeAnswer(): void {
    this.#answer?.resume();
    if (this.#state === 'answer') this.#services.wheel.set(this, this.#timeouts.bodyMs);
  }

  abort(fault: RequestFault): void {
    this.#fault = fault;
    // A client that was reset has its member reset.
    if (this.#state === 'tunnel' && this.#exchange.connection.socket.errored !== null) {
      if (this.#memberSocket !== null) reset(this.#memberSocket);
    }
    this.#memberSocket?.destroy();
    this.#request?.destroy();
    // Of a member that had closed before, no further 'close' tells.
    if (this.#memberSocket?.destroyed) this.#onTunnelEnd();
  }

  clientSent(bytes: Buffer): boolean {
    this.#services.scoreboard.countSent(this.#member.row, bytes.length);
    this.#armIdle();
    return this.#standIn.push(bytes);
  }

  clientEnded(): void {
    this.#isHalfClosed = true;
    this.#armIdle();
    this.#standIn.push(null);
  }

  clientDrained(): void {
    this.#standIn.clientDrained();
  }

  override onDeadline(): void {
    switch (this.#state) {
      case 'connecting':
        return this.abort('connect-timeout');
      case 'head':
        return this.abort('response-timeout');
      case 'answer':
        return this.abort('response-cut');
      case 'tunnel':
        return this.abort('tunnel-idle');
      case 'closed':
        return;
    }
  }

  #onConnect(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'head';
    this.#services.wheel.set(this, this.#timeouts.responseMs);
  }

  #onError(error: Error): void {
    if (this.#state === 'connecting') this.#fault ??= faultOfConnecting(error);
    else if ((error as NodeJS.ErrnoException).code?.startsWith('HPE_')) this.#fault ??= 'bad-response-head';
    // The member of a tunnel was reset: so is the client, before ws() ends it in an orderly way.
    if (this.#state === 'tunnel') reset(this.#exchange.connection.socket);
    else this.#fail();
  }

  #onRequestClosed(): void {
    if (this.#state !== 'tunnel') this.#fail();
  }

  /** node:http goes on telling of what came in one piece with the answer that was refused. */
  #onInterim(told: InformationEvent): void {
    if (this.#fault !== null) return;
    const head = readUpgradeAnswer(told, this.#services.limits.response);
    this.#countStatusLine(told);
    this.#interimAnswers += 1;
    if (head === null || head.isSwitch || this.#interimAnswers > MAX_INTERIM_ANSWERS) this.abort('bad-response-head');
    else this.#exchange.interim(head);
  }

  #onUpgrade(response: IncomingMessage, socket: Socket, pipe: () => void): void {
    const { connection } = this.#exchange;
    const answer = readUpgradeAnswer(response, this.#services.limits.response);
    this.#countHeads(socket, response);
    if (answer === null || this.#exchange.isClientGone) {
      socket.destroy();
      return this.abort('upgrade-failed');
    }
    this.#state = 'tunnel';
    this.#memberSocket = socket;
    socket.allowHalfOpen = true;
    socket.once('end', () => {
      this.#isHalfClosed = true;
      this.#armIdle();
    });
    socket.once('close', () => this.#onTunnelEnd());
    this.#standIn.once('close', () => this.#onTunnelEnd());
    this.#exchange.switchProtocols(answer);
    this.#standIn.isOpen = true;
    this.#standIn.isHeadDue = true;
    pipe();
    connection.openTunnel(this);
    this.#armIdle();
  }

  #onResponse(response: IncomingMessage): void {
    if (this.#fault !== null) return;
    this.#countHeads(response.socket, response);
    const answer = readUpgradeAnswer(response, this.#services.limits.response);
    if (answer === null) return this.abort('bad-response-head');
    this.#state = 'answer';
    this.#answer = new UpgradeAnswer(response, answer, this.#exchange, {
      onBytes: (count) => this.#services.scoreboard.countReceived(this.#member.row, count),
      onProgress: (isRoomLeft) => {
        this.#services.wheel.set(this, isRoomLeft ? this.#timeouts.bodyMs : 0);
        if (!isRoomLeft) this.#exchange.connection.expectDrain(this.#timeouts.bodyMs);
      },
      onEnd: () => this.#finish({ kind: 'answered', status: answer.status }),
    });
    this.#services.wheel.set(this, this.#timeouts.bodyMs);
  }

  #onMemberBytes(count: number): void {
    this.#services.scoreboard.countReceived(this.#member.row, count);
    this.#armIdle();
  }

  /** The tunnel is over when the member's connection is, and the client was sent everything. */
  #onTunnelEnd(): void {
    const socket = this.#memberSocket!;
    const client = this.#exchange.connection.socket;
    if (this.#state !== 'tunnel' || !socket.destroyed) return;
    if (this.#fault === 'tunnel-idle') return this.#finish({ kind: 'cut', status: 101, fault: 'tunnel-idle' });
    if (!client.destroyed && !this.#standIn.writableFinished) {
      this.#standIn.once('finish', () => this.#onTunnelEnd());
      return;
    }
    this.#exchange.isAnswered = true;
    this.#finish({ kind: 'answered', status: 101 });
  }

  #fail(): void {
    if (this.#state === 'closed') return;
    const wasAnswering = this.#state === 'answer';
    const fault = this.#fault ?? 'closed-before-head';
    if (!wasAnswering) return this.#finish({ kind: 'failed', fault });
    const { status } = this.#exchange;
    this.#exchange.cutAnswer();
    this.#finish({ kind: 'cut', status, fault: cutBy(fault) });
  }

  #finish(outcome: Outcome): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#services.wheel.forget(this);
    this.#exchange.peer = null;
    this.#standIn.destroy();
    this.#request?.destroy();
    this.#resolve(outcome);
  }

  /** Everything written to the member is counted, and of its answer the status line (httpd mod_proxy_http.c). */
  #countHeads(socket: Socket, response: IncomingMessage): void {
    this.#services.scoreboard.countSent(this.#member.row, socket.bytesWritten);
    this.#countStatusLine(response);
  }

  #countStatusLine({ statusMessage = '' }: Pick<IncomingMessage, 'statusMessage'>): void {
    this.#services.scoreboard.countReceived(this.#member.row, 'HTTP/1.1 101 '.length + statusMessage.length);
  }

  /** With one side closed a tunnel that rests is over: the other side has heard of it. */
  #armIdle(): void {
    if (this.#state !== 'tunnel') return;
    const { tunnelMs, bodyMs } = this.#timeouts;
    this.#services.wheel.set(this, this.#isHalfClosed && bodyMs > 0 ? bodyMs : tunnelMs);
  }
}

/** Connects as plain requests do: the same names, the same refusals. */
function agentOf(services: LaneServices): Agent {
  let agent = agents.get(services);
  if (agent === undefined) {
    agent = new Agent({ keepAlive: false });
    agent.createConnection = ({ host, port }: ClientRequestArgs) =>
      services.dialler.connect({ host: host ?? '', port: Number(port), noDelay: true });
    agents.set(services, agent);
  }
  return agent;
}

function cutBy(fault: RequestFault): ProxyErrorCode {
  return isClientsFault(fault) ? 'client-gone' : 'response-cut';
}
