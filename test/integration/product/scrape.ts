// Reads the metrics of a running product, as Prometheus would.
import { expect } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { get } from './client.ts';

export type Labels = Readonly<Record<string, string>>;

export class Scrape {
  readonly text: string;
  /** Values by series, as it is written: `name{label="value"}`. */
  readonly series = new Map<string, number>();

  constructor(text: string) {
    this.text = text;
    for (const line of text.split('\n')) {
      const [, series, value] = /^([^#\s].*) (\S+)$/.exec(line) ?? [];
      if (series !== undefined) this.series.set(series, Number(value));
    }
  }

  static async of(adminPort: number): Promise<Scrape> {
    const { status, body } = await get(adminPort, { path: '/metrics' });
    if (status !== 200) throw new Error(`/metrics answers ${status}: ${body}`);
    return new Scrape(body);
  }

  /** The sum over all series of that name that have these labels. Throws if there is none. */
  sum(name: string, labels: Labels = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const found = [...this.series].filter(
      ([series]) => series.replace(/\{.*/, '') === name && wanted.every((pair) => series.includes(pair)),
    );
    if (found.length === 0)
      throw new Error(
        `no ${name} with ${wanted.join(', ')} among:\n${[...this.series.keys()].filter((series) => series.startsWith('evenkeel_member')).join('\n')}`,
      );
    return found.reduce((sum, [, value]) => sum + value, 0);
  }

  /** Series whose values must not fall: counters and the parts of histograms of ours. */
  get counters(): ReadonlyMap<string, number> {
    const isCounter = /^evenkeel_\w+_(total|bucket|count|sum)(\{|$)/;
    return new Map([...this.series].filter(([series]) => isCounter.test(series)));
  }
}

/** Nothing is under way at any member; a client may have its answer a moment before the lane has ended the attempt. */
export async function expectIdle(adminPort: number): Promise<void> {
  await eventually(async () => expect((await Scrape.of(adminPort)).sum('evenkeel_member_busy')).toBe(0));
}
