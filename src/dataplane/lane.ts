// One lane of the data plane: takes settings and publications from its port, listens, serves. Composition
// root of everything in this folder. Knows no control plane, only the messages of snapshot/lane-protocol.ts.
import type { MessagePort } from 'node:worker_threads';
import { SessionSketch } from '../balancer/sessions/session-sketch.ts';
import { systemClock } from '../lib/clock.ts';
import { MemberGuard } from '../lib/member-guard.ts';
import { systemRandom } from '../lib/random.ts';
import { LaneScoreboard } from '../scoreboard/lane-side.ts';
import { mapColumn } from '../scoreboard/layout.ts';
import type { FromLane, LaneSettings, Publication, ToLane } from '../snapshot/lane-protocol.ts';
import { RequestParser } from '../wire/request-parser.ts';
import { AccessLog } from './access-log.ts';
import { AccessLogSink } from './access-log-sink.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientExchange } from './client-exchange.ts';
import { ExplainGate } from './explain.ts';
import { ForwardingHeaders } from './forwarding-headers.ts';
import { Http1Forwarder } from './http1-forwarder.ts';
import { LaneBalance } from './lane-balance.ts';
import { defaultLaneLimits, type LaneLimits, type LaneServices } from './lane-services.ts';
import { BlockPool } from './kept-bytes.ts';
import { Listener } from './listener.ts';
import { lookUpName, MemberDialler } from './member-dialler.ts';
import { MemberPool } from './member-pool.ts';
import { NameResolver } from './name-resolver.ts';
import { networkList, ownAddresses } from './network-list.ts';
import { OpenTunnels } from './open-tunnels.ts';
import { Outbox } from './outbox.ts';
import { ParserPool } from './parser-pool.ts';
import { ReadBuffer } from './read-buffer.ts';
import { ReadTurns } from './read-turns.ts';
import { statusOf } from './proxy-error.ts';
import { RequestIds } from './request-id.ts';
import { RequestWitness } from './request-facts.ts';
import { ResponseReader } from './response-reader.ts';
import { RoutingTable } from './routing-table.ts';
import { type StoryContext, serve } from './story.ts';
import { TimerWheel } from './timer-wheel.ts';
import { TurnClock } from './turn-clock.ts';

/** Runs a lane behind a port; it waits for the message `start`. */
export function runLane(port: MessagePort, limits: LaneLimits = defaultLaneLimits): void {
  let lane: Lane | null = null;
  const post = (message: FromLane): void => port.postMessage(message);
  port.on('message', (message: ToLane) => {
    if (message.type === 'start') lane = new Lane(message.settings, limits, post);
    else lane?.handle(message);
  });
  port.on('close', () => lane?.close());
}

class Lane {
  readonly #settings: LaneSettings;
  readonly #post: (message: FromLane) => void;
  readonly #table: RoutingTable;
  readonly #pool = new MemberPool();
  readonly #tunnels = new OpenTunnels();
  readonly #listener: Listener;
  readonly #story: StoryContext<ClientExchange>;
  readonly #ticker: NodeJS.Timeout;
  readonly #accessLog: AccessLog | null;
  #isListening = false;

  constructor(settings: LaneSettings, limits: LaneLimits, post: (message: FromLane) => void) {
    this.#settings = settings;
    this.#post = post;
    const clock = new TurnClock(systemClock);
    const scoreboard = new LaneScoreboard(settings.scoreboard, settings.lane);
    const wheel = new TimerWheel(clock);
    const readBuffer = new ReadBuffer();
    const services: LaneServices = {
      clock,
      wheel,
      scoreboard,
      outbox: new Outbox(readBuffer),
      dialler: this.#createDialler(),
      replayBudget: {
        usedBytes: 0,
        maxBytes: limits.maxReplayBytesInAll,
        maxBytesEach: limits.maxReplayBytes,
        blocks: new BlockPool(),
      },
      readBuffer,
      readTurns: new ReadTurns(),
      requestParsers: new ParserPool(() => new RequestParser(limits.request)),
      responseReaders: new ParserPool(() => new ResponseReader(limits.response, limits.body)),
      tunnels: this.#tunnels,
      limits,
    };
    this.#accessLog = this.#createAccessLog(scoreboard);
    const standings = { ...scoreboard.shared, ...scoreboard.column };
    const sketch = new SessionSketch({ cells: scoreboard.sessionCells, tick: scoreboard.shared.sessionTick });
    this.#table = new RoutingTable({ lane: settings.lane, standings, clock, random: systemRandom }, this.#pool, sketch);
    const story: StoryContext<ClientExchange> = {
      witness: this.#createWitness(settings.explainDigest),
      table: this.#table,
      forwarder: new Http1Forwarder(services),
      scoreboard,
      clock,
      newsWaitMs: limits.newsWaitMs,
    };
    this.#story = story;
    this.#listener = this.#createListener(services, story);
    const balance = this.#createBalance(scoreboard);
    this.#ticker = setInterval(() => {
      const nowMs = clock.nowMs();
      wheel.advance(nowMs);
      this.#table.wakeWaiting();
      balance.tick(nowMs);
      this.#accessLog?.tick();
    }, wheel.tickMs);
  }

  handle(message: Exclude<ToLane, { type: 'start' }>): void {
    switch (message.type) {
      case 'publish':
        return this.#publish(JSON.parse(message.publication) as Publication);
      case 'explain':
        this.#story.witness = this.#createWitness(message.digest);
        return;
      case 'retire-connections':
        return this.#listener.retire();
      case 'stop-accepting':
        return this.#listener.stop();
      case 'close':
        return this.close();
      case 'crash':
        return this.#crash();
      default:
        message satisfies never;
    }
  }

  close(): void {
    clearInterval(this.#ticker);
    this.#listener.close();
    this.#pool.close();
  }

  #publish(publication: Publication): void {
    try {
      this.#table.apply(publication);
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return this.#post({ type: 'refused', generation: publication.generation, message: reason });
    }
    this.#post({ type: 'applied', generation: publication.generation });
    this.#tunnels.published(publication);
    if (!this.#isListening) void this.#listen();
  }

  /** Nobody is let in before there is something to serve. */
  async #listen(): Promise<void> {
    this.#isListening = true;
    try {
      this.#post({ type: 'listening', port: await this.#listener.listen() });
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      this.#post({ type: 'listen-failed', code, message });
    }
  }

  #createListener(services: LaneServices, story: StoryContext<ClientExchange>): Listener {
    const { bind, httpPort, reusePort, viaName, trustedProxies, maxConnections } = this.#settings;
    const { column } = services.scoreboard;
    const forwarding = {
      ...this.#settings.forwarding,
      viaName,
      trusted: networkList(trustedProxies),
      requestIds: new RequestIds(),
    };
    return new Listener({
      bind,
      port: httpPort,
      reusePort,
      maxConnections,
      accept: (socket, onClose) => {
        const headers = new ForwardingHeaders(forwarding, socket.remoteAddress ?? '', 'http');
        return new ClientConnection({
          socket,
          services,
          forwarding: headers,
          serve: (exchange) => serve(exchange, story),
          onAnsweredHere: (request, fault, bytes) => {
            const status = fault === null ? (request?.status ?? 0) : statusOf(fault);
            services.scoreboard.countOwnResponse(0, Math.floor(status / 100));
            this.#accessLog?.noteAnswered(headers.peer, request, status, fault, bytes);
          },
          onClose,
        });
      },
      onConnectionCount: (open) => {
        column.connections[0] = open;
      },
      onConnection: () => {
        column.accepted[0]! += 1;
      },
      onIdle: () => this.#onIdle(),
    });
  }

  /** The access log is the last to know: what cut connections leave behind is noted after they are gone. */
  #onIdle(): void {
    const log = this.#accessLog;
    const post = (): void => this.#post({ type: 'idle' });
    if (log === null) post();
    else log.end(post);
  }

  #createAccessLog({ column }: LaneScoreboard): AccessLog | null {
    const { accessLog } = this.#settings;
    if (accessLog === null) return null;
    const onDrop = (lines: number): void => {
      column.accessLogDropped[0]! += lines;
    };
    return new AccessLog(new AccessLogSink(accessLog.path, systemClock, onDrop), systemClock);
  }

  #createWitness(explainDigest: string | null): RequestWitness | null {
    if (explainDigest === null && this.#accessLog === null) return null;
    return new RequestWitness(this.#accessLog, explainDigest === null ? null : new ExplainGate(explainDigest));
  }

  #createDialler(): MemberDialler {
    const { memberGuard } = this.#settings;
    return new MemberDialler({
      resolver: new NameResolver({ lookUp: lookUpName, clock: systemClock }),
      guard: memberGuard === null ? null : new MemberGuard(memberGuard.allowed, systemClock, ownAddresses),
      onRefused: (host, address) => this.#post({ type: 'member-refused', host, address }),
    });
  }

  #createBalance({ column }: LaneScoreboard): LaneBalance {
    const { scoreboard, lane } = this.#settings;
    // The last column is nobody's lane.
    const lanes = scoreboard.columns.slice(0, -1).map((_, index) => index);
    const others = lanes.filter((index) => index !== lane).map((index) => mapColumn(scoreboard, index));
    return new LaneBalance({ own: column, others, clock: systemClock, connections: this.#listener });
  }

  #crash(): void {
    if (!this.#settings.crashOnRequest) return;
    setImmediate(() => {
      throw new Error('lane was told to crash');
    });
  }
}
