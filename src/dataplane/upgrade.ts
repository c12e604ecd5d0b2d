// One attempt to open a WebSocket on a member, and the tunnel after it. Asking and piping are http-proxy-3's (see
// upgrade-request.ts); around them there are guards:
// - it gets a stand-in for the client's socket, because it ends that after any error, so that nothing could follow;
// - it writes heads as UTF-8, joins lines and keeps hop-by-hop headers: answers, 101 too, go the way of plain ones;
// - it knows no response timeout, no idle time and no drains: the lane does.
// Bodies never get here: the wire refuses a WebSocket request that has one (http-proxy-3 crashes or desyncs by it).
import type { ClientRequest, IncomingMessage, InformationEvent } from 'node:http';
import type { Socket } from 'node:net';
import type { TimeoutsUnit } from '../snapshot/snapshot.ts';
import type { ClientExchange, ExchangePeer, TunnelEnd } from './client-exchange.ts';
import { faultOfConnecting } from './connect-fault.ts';
import type { Outcome } from './exchange.ts';
import { MAX_SILENCES } from './farewell.ts';
import type { LaneServices } from './lane-services.ts';
import { MAX_INTERIM_ANSWERS } from './member-connection.ts';
import type { MembersTunnel } from './open-tunnels.ts';
import { isClientsFault, type ProxyErrorCode, type RequestFault } from './proxy-error.ts';
import { reset } from './reset.ts';
import type { ServedMember } from './routing-table.ts';
import { Timed } from './timer-wheel.ts';
import { TunnelSocket } from './tunnel-socket.ts';
import { readUpgradeAnswer, UpgradeAnswer } from './upgrade-messages.ts';
import { askForUpgrade } from './upgrade-request.ts';

type State = 'connecting' | 'head' | 'answer' | 'tunnel' | 'closed';

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

class Upgrade extends Timed implements ExchangePeer, TunnelEnd, MembersTunnel {
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
  /** Of the member. */
  #isDrainOver = false;
  /** When the tunnel must be over because its member's drain is; 0: it may go on. */
  #endByMs = 0;

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

  /** Answers are ours; only the piping of a 101 is left to http-proxy-3. */
  begin(): void {
    this.#exchange.peer = this;
    this.#services.tunnels.add(this.#member.row, this);
    this.#services.wheel.set(this, this.#timeouts.connectMs);
    const onError = (error: Error): void => this.#onError(error);
    const { request, pipe } = askForUpgrade(this.#services, this.#exchange, this.#member, this.#standIn, onError);
    this.#request = request;
    request.on('upgrade', (response, socket, head) =>
      this.#onUpgrade(response, socket, () => pipe(response, socket, head)),
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
    // The member was told that there is no more.
    if (this.#endByMs !== 0) return true;
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

  drainEnded(): void {
    this.#isDrainOver = true;
    if (this.#state === 'tunnel' && this.#endByMs === 0) this.#endWithDrain();
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
        return this.#endByMs === 0 ? this.abort('tunnel-idle') : this.#leaveMember();
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
    if (this.#state !== 'tunnel') this.#fail();
    else if (this.#endByMs === 0) reset(this.#exchange.connection.socket);
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
    if (this.#fault !== null) return void socket.destroy();
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
    if (this.#isDrainOver) this.#endWithDrain();
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
    this.#finishTunnel();
  }

  /** The member is told first: it may have a last word for its client, whose own end comes with the member's. */
  #endWithDrain(): void {
    const { clock, limits } = this.#services;
    this.#endByMs = clock.nowMs() + MAX_SILENCES * limits.lingerMs;
    this.#standIn.push(null);
    // What it says is for nobody, but that it leaves is noticed by reading only.
    this.#exchange.connection.resumeTunnel();
    this.#armIdle();
  }

  /** It does not end its side, or the client does not take what it was sent. */
  #leaveMember(): void {
    this.#memberSocket?.destroy();
    this.#finishTunnel();
  }

  /** The client's connection is closed in an orderly way, if it is not yet. */
  #finishTunnel(): void {
    this.#exchange.isAnswered = true;
    if (this.#endByMs === 0) this.#finish({ kind: 'answered', status: 101 });
    else this.#finish({ kind: 'cut', status: 101, fault: 'drain-over' });
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
    this.#services.tunnels.remove(this.#member.row, this);
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
    const { wheel, clock, limits } = this.#services;
    if (this.#endByMs !== 0) return wheel.arm(this, Math.min(clock.nowMs() + limits.lingerMs, this.#endByMs));
    wheel.set(this, this.#isHalfClosed && bodyMs > 0 ? bodyMs : tunnelMs);
  }
}

function cutBy(fault: RequestFault): ProxyErrorCode {
  return isClientsFault(fault) ? 'client-gone' : 'response-cut';
}
