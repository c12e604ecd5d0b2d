// The ways by which members report their load to this process, put together: datagrams and HTTP, each off unless asked
// for. Reports in response headers are the lanes' business; of them this only knows whether they are the only way.
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { SharedCells } from '../../scoreboard/layout.ts';
import type { Publisher } from '../publisher.ts';
import { HttpListener } from './http-listener.ts';
import type { ListenAddress } from './listen-address.ts';
import { RareNotice } from './rare-notice.ts';
import { ReportIntake, type ReportResult, type ReportSource } from './report-intake.ts';
import { SenderIndex } from './sender-index.ts';
import { UdpListener } from './udp-listener.ts';

export interface ReportFeedsOptions {
  /** null: off. */
  readonly udp: ListenAddress | null;
  readonly http: ListenAddress | null;
  readonly publisher: Pick<Publisher, 'generation' | 'placed'>;
  readonly shared: SharedCells;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ReportCount {
  readonly source: ReportSource;
  readonly result: ReportResult;
  readonly count: number;
}

interface Feed {
  readonly source: ReportSource;
  readonly host: string;
  readonly intake: ReportIntake;
  readonly listener: UdpListener | HttpListener;
}

export class ReportFeeds {
  readonly #feeds: readonly Feed[];
  readonly #log: Logger;

  constructor({ udp, http, publisher, shared, clock, log }: ReportFeedsOptions) {
    this.#log = log;
    const senders = new SenderIndex(publisher);
    const notice = new RareNotice(clock, log);
    const intakeFor = (source: ReportSource) => new ReportIntake({ source, senders, shared, clock, notice });
    const feeds: Feed[] = [];
    if (udp !== null) {
      const intake = intakeFor('udp');
      feeds.push({ source: 'udp', host: udp.host, intake, listener: new UdpListener(udp, intake, notice) });
    }
    if (http !== null) {
      const intake = intakeFor('http');
      feeds.push({ source: 'http', host: http.host, intake, listener: new HttpListener(http, intake, notice) });
    }
    this.#feeds = feeds;
    // Whoever can only report in answers is silent until it is asked something.
    Atomics.store(shared.silentSlots, 0, feeds.length === 0 ? 1 : 0);
  }

  /** Resolves with the ports by source; rejects with the system's error, or with JoinError. */
  async listen(): Promise<ReadonlyMap<ReportSource, number>> {
    const ports = new Map<ReportSource, number>();
    for (const { source, host, listener } of this.#feeds) {
      const port = await listener.listen();
      ports.set(source, port);
      this.#log.info({ source, host, port }, 'listening for load reports');
    }
    return ports;
  }

  /** Of the ways that are on: every result there can be. */
  counts(): readonly ReportCount[] {
    return this.#feeds.flatMap(({ source, intake }) =>
      intake.counts.map(([result, count]) => ({ source, result, count })),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#feeds.map(({ listener }) => listener.close()));
  }
}
