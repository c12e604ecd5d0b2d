// The exposition of metrics for Prometheus. The only file that knows prom-client, which is used for the text format and
// for the metrics of the process; our own numbers are read from the scoreboard at each scrape.
import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type MetricDefinition, type MetricsSource, metricTable } from './metric-table.ts';

export interface Metrics {
  readonly contentType: string;
  /** The text of a scrape. Asked again while one is being made, gives the same one. */
  render(): Promise<string>;
}

/** Gauges of prom-client whose names end as those of counters do; Prometheus' own checks refuse them. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * How often the lag of the event loop is measured. Each time wakes the process: the default of 10 ms costs as much as
 * everything else together that it does while nothing happens. An idle loop shows about this much as its lag.
 */
const LAG_INTERVAL_MS = 50;

export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  // A scrape of tens of thousands of members takes a while: one metric per turn of the event loop, so that
  // probes and the control loop get theirs in between.
  let turn = Promise.resolve();
  const takeTurn = (): Promise<void> => {
    turn = turn.then(() => setImmediate());
    return turn;
  };
  for (const definition of metricTable) registry.registerMetric(new ReadMetric(definition, source, takeTurn));
  // Names of the process' metrics stay as everybody knows them: process_*, nodejs_*.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_INTERVAL_MS });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  let pending: Promise<string> | null = null;
  return {
    contentType: registry.contentType,
    render() {
      pending ??= registry.metrics().finally(() => {
        pending = null;
      });
      return pending;
    },
  };
}

type MetricObject = Awaited<ReturnType<Gauge['get']>>;

/**
 * A metric of any kind that keeps no numbers: what it exposes is read when it is asked. It extends Gauge because a
 * registry takes only prom-client's own classes; the store of a Gauge stays empty, since filling it for
 * tens of thousands of members at each scrape costs more than everything else together.
 */
class ReadMetric extends Gauge {
  readonly #definition: MetricDefinition;
  readonly #source: MetricsSource;
  readonly #takeTurn: () => Promise<void>;

  constructor(definition: MetricDefinition, source: MetricsSource, takeTurn: () => Promise<void>) {
    const { name, help, labels } = definition;
    super({ name: `evenkeel_${name}`, help, labelNames: labels, registers: [] });
    this.#definition = definition;
    this.#source = source;
    this.#takeTurn = takeTurn;
  }

  override async get(): Promise<MetricObject> {
    const { kind, read } = this.#definition;
    const empty = await super.get();
    await this.#takeTurn();
    const values: unknown = read(this.#source);
    return { ...empty, type: kind as unknown as MetricObject['type'], values: values as MetricObject['values'] };
  }
}
