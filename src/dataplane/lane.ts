// One lane of the data plane: takes settings and publications from its port, listens, serves. Composition
// root of everything in this folder. Knows no control plane, only the messages of snapshot/lane-protocol.ts.
import { BlockList, isIPv6 } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { LaneScoreboard } from '../scoreboard/lane-side.ts';
import type { FromLane, LaneSettings, Publication, ToLane } from '../snapshot/lane-protocol.ts';
import { ClientConnection } from './client-connection.ts';
import type { ClientExchange } from './client-exchange.ts';
import { ForwardingHeaders } from './forwarding-headers.ts';
import { Http1Forwarder } from './http1-forwarder.ts';
import { defaultLaneLimits, type LaneLimits, type LaneServices } from './lane-services.ts';
import { Listener } from './listener.ts';
import { MemberPool } from './member-pool.ts';
import { RoutingTable } from './routing-table.ts';
import { SharedBuffer } from './shared-buffer.ts';
import { type StoryContext, serve } from './story.ts';
import { TimerWheel } from './timer-wheel.ts';

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
  readonly #listener: Listener;
  readonly #ticker: NodeJS.Timeout;
  #isListening = false;

  constructor(settings: LaneSettings, limits: LaneLimits, post: (message: FromLane) => void) {
    this.#settings = settings;
    this.#post = post;
    const clock = systemClock;
    const scoreboard = new LaneScoreboard(settings.scoreboard, settings.lane);
    const wheel = new TimerWheel(clock.nowMs());
    const services: LaneServices = {
      clock,
      wheel,
      scoreboard,
      replayBudget: {
        usedBytes: 0,
        maxBytes: limits.maxReplayBytesInAll,
        maxBytesEach: limits.maxReplayBytes,
      },
      readBuffer: new SharedBuffer(),
      limits,
    };
    const standings = { ...scoreboard.shared, ...scoreboard.column };
    this.#table = new RoutingTable({ lane: settings.lane, standings, clock, random: systemRandom }, this.#pool);
    const story: StoryContext<ClientExchange> = {
      table: this.#table,
      forwarder: new Http1Forwarder(services),
      scoreboard,
      clock,
    };
    this.#listener = this.#createListener(services, story);
    this.#ticker = setInterval(() => {
      wheel.advance(clock.nowMs());
      this.#table.wakeWaiting();
    }, wheel.tickMs);
  }

  handle(message: Exclude<ToLane, { type: 'start' }>): void {
    switch (message.type) {
      case 'publish':
        return this.#publish(JSON.parse(message.publication) as Publication);
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
    const forwarding = { viaName, trusted: blockListOf(trustedProxies) };
    return new Listener({
      bind,
      port: httpPort,
      reusePort,
      maxConnections,
      accept: (socket, onClose) =>
        new ClientConnection({
          socket,
          services,
          forwarding: new ForwardingHeaders(forwarding, socket.remoteAddress ?? '', 'http'),
          serve: (exchange) => serve(exchange, story),
          onAnsweredHere: (status) => services.scoreboard.countOwnResponse(0, Math.floor(status / 100)),
          onClose,
        }),
      onConnectionCount: (open) => {
        column.connections[0] = open;
      },
      onConnection: () => {
        column.accepted[0]! += 1;
      },
      onIdle: () => this.#post({ type: 'idle' }),
    });
  }

  #crash(): void {
    if (!this.#settings.crashOnRequest) return;
    setImmediate(() => {
      throw new Error('lane was told to crash');
    });
  }
}

function blockListOf(cidrs: readonly string[]): BlockList | null {
  if (cidrs.length === 0) return null;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}
