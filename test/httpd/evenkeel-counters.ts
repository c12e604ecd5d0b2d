// What the metrics of Evenkeel tell of members, by balancer and URL.
import type { Counters } from './apache-text.ts';

const fields = {
  evenkeel_member_elected_total: 'elected',
  evenkeel_member_sent_bytes_total: 'sent',
  evenkeel_member_received_bytes_total: 'received',
  evenkeel_member_busy: 'busy',
  evenkeel_member_in_error: 'error',
} as const;

type Numbers = Partial<Record<(typeof fields)[keyof typeof fields], number>>;

export class EvenkeelCounters {
  readonly #members = new Map<string, Numbers>();

  static async read(adminPort: number): Promise<EvenkeelCounters> {
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
    if (!response.ok) throw new Error(`/metrics answers ${response.status}`);
    return new EvenkeelCounters(await response.text());
  }

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, name, labels, value] = /^(evenkeel_member_\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
      if (name === undefined || !(name in fields)) continue;
      const label = (wanted: string): string => new RegExp(`(?:^|,)${wanted}="([^"]*)"`).exec(labels!)?.[1] ?? '';
      const key = `${label('balancer')} ${label('member')}`;
      const numbers = this.#members.get(key) ?? {};
      this.#members.set(key, numbers);
      numbers[fields[name as keyof typeof fields]] = Number(value);
    }
  }

  /** Of these members, in this order; those that are not there are left out. */
  of(balancer: string, urls: readonly string[]): readonly Counters[] {
    return urls.flatMap((url) => {
      const numbers = this.#members.get(`${balancer} ${url}`);
      if (numbers === undefined) return [];
      const { elected = 0, sent = 0, received = 0, busy = 0, error = 0 } = numbers;
      return [{ elected, sent, received, busy, isInError: error !== 0, lbstatus: null }];
    });
  }
}
