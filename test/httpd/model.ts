// The balancer of httpd once more, as plainly as it can be told, and with each difference of ours as a switch: without
// any it must come to what httpd does, with all of them to what Evenkeel does. No caches, a full walk each time.
import type { Predicted } from './differences.ts';
import { find } from './model-session.ts';
import {
  type Change,
  firstShape,
  maxAttemptsOf,
  newcomer,
  type Method,
  type Story,
  type StoryMember,
} from './story.ts';
import { isLater, type Span } from './span.ts';

export interface ModelMember {
  is: StoryMember;
  readonly route: string;
  /** Hundredths. */
  factor: number;
  lbstatus: number;
  busy: number;
  elected: number;
  sent: number;
  received: number;
  /** Added to the load that bytraffic compares. */
  offset: number;
  isInError: boolean;
  erroredAt: Span;
  isUp: boolean;
  /** What is to be put at the level of the others when it is next offered. */
  creditDue: boolean;
  trafficDue: boolean;
}

/** How one request went. */
export interface Told {
  /** Members in the order in which they were tried. */
  readonly tried: readonly number[];
  readonly status: number;
  /** The member that answered, or null. */
  readonly served: ModelMember | null;
  /** Members whose busy ends with the request only. */
  readonly keptBusy: readonly ModelMember[];
}

/** httpd cuts 1.15 * 100, which is less than 115. */
const hundredths = (factor: number): number => Math.trunc(factor * 100);

export class Model {
  readonly members: ModelMember[];
  /** Whether something depended on a time that was not measured sharply enough. */
  isUncertain = false;
  readonly #story: Story;
  readonly #differs: ReadonlySet<Predicted>;
  #method: Method;
  #now: Span = { from: 0, to: 0 };

  constructor(story: Story, differs: readonly Predicted[]) {
    this.#story = story;
    this.#differs = new Set(differs);
    const { method, members } = firstShape(story);
    this.#method = method;
    this.members = members.map((member, index) => this.#memberOf(member, index));
  }

  /** A request; `route` that of its session, or null; `status`: what a member answers. */
  request(route: string | null, status: number, now: Span): Told {
    this.#now = now;
    const tried: number[] = [];
    const keptBusy: ModelMember[] = [];
    const end = (seen: number, served: ModelMember | null): Told => ({ tried, status: seen, served, keptBusy });
    for (let attempts = 0; ; attempts += 1) {
      const member = this.#choose(route);
      if (member === null) return end(503, null);
      tried.push(this.members.indexOf(member));
      member.elected += 1;
      member.busy += 1;
      if (member.isUp) {
        if (this.#story.failOnStatus.includes(status)) this.#fail(member);
        return end(status, member);
      }
      if (this.#differs.has('busy')) member.busy -= 1;
      else keptBusy.push(member);
      this.#fail(member);
      if (this.usable(member) || attempts >= maxAttemptsOf(this.#story)) return end(503, null);
    }
  }

  /** The request's answer is through. */
  finish({ served, keptBusy }: Told): void {
    for (const member of keptBusy) member.busy -= 1;
    if (served !== null) served.busy -= 1;
  }

  set(index: number, change: Change): void {
    const member = this.members[index]!;
    const before = member.is;
    member.is = { ...before, ...change };
    if ('factor' in change) this.#reweigh(member, change.factor);
    if (!this.#differs.has('levels')) return;
    const hasMoved = 'factor' in change || 'role' in change || 'lbSet' in change;
    if (hasMoved) member.creditDue = true;
    if (hasMoved || (member.is.state === 'Enabled' && before.state !== 'Enabled')) member.trafficDue = true;
    this.#offer(false);
  }

  join(): void {
    this.members.push(this.#memberOf(newcomer, this.members.length));
    if (!this.#differs.has('levels')) return;
    this.members.at(-1)!.creditDue = true;
    this.members.at(-1)!.trafficDue = true;
    this.#offer(false);
  }

  changeMethod(method: Method): void {
    this.#method = method;
    for (const member of this.members) {
      member.creditDue = false;
      member.trafficDue = false;
    }
    this.#reset();
  }

  usable(member: ModelMember): boolean {
    return !member.isInError && member.is.state !== 'Disabled' && member.is.state !== 'Stopped';
  }

  retryCheck(member: ModelMember): void {
    if (!member.isInError || member.is.state === 'Stopped') return;
    if (!member.is.ignoresErrors && !this.#isDue(member)) return;
    member.isInError = false;
    if (this.#differs.has('levels')) member.trafficDue = true;
  }

  #fail(member: ModelMember): void {
    if (member.is.ignoresErrors) return;
    member.isInError = true;
    member.erroredAt = this.#now;
  }

  #memberOf(is: StoryMember, index: number): ModelMember {
    const counters = { lbstatus: 0, busy: 0, elected: 0, sent: 0, received: 0, offset: 0 };
    const flags = { isInError: false, erroredAt: this.#now, isUp: true, creditDue: false, trafficDue: false };
    return { is, route: `r${index}`, factor: hundredths(is.factor), ...counters, ...flags };
  }

  /** httpd: whoever edits a factor sets every credit to the member's factor, and that of an only member to 100. */
  #reweigh(member: ModelMember, factor: number): void {
    member.factor = hundredths(factor);
    if (this.#differs.has('levels')) return;
    if (this.members.length === 1) member.factor = 100;
    for (const other of this.members) other.lbstatus = other.factor;
  }

  #reset(): void {
    for (const member of this.members) {
      if (this.#method !== 'bytraffic') member.lbstatus = 0;
      else if (this.#differs.has('levels')) member.offset = -this.#bytesPerFactor(member);
      else {
        member.sent = 0;
        member.received = 0;
      }
    }
  }

  #isDue({ erroredAt }: ModelMember): boolean {
    const { retrySeconds } = this.#story;
    if (retrySeconds === 0) return true;
    const isDue = isLater(this.#now, erroredAt, retrySeconds * 1000);
    if (isDue === null) this.isUncertain = true;
    return isDue !== false;
  }

  #choose(route: string | null): ModelMember | null {
    this.#recover();
    const found = route === null ? 'unknown' : find(this, route);
    if (found === 'down' && this.#story.sticky?.rejects) return null;
    if (typeof found !== 'string') {
      this.#chargeSession(found);
      return found;
    }
    const offered = this.#offer(true);
    const best = this.#best(offered);
    if (best !== null && this.#method !== 'bytraffic') this.#charge(offered, best);
    return best;
  }

  /** httpd: whatever the method, and everybody who is usable earns. */
  #chargeSession(found: ModelMember): void {
    const all = this.members.filter((member) => this.usable(member));
    if (!this.#differs.has('sessionCredits')) return this.#charge(all, found);
    if (this.#method !== 'bytraffic') this.#charge(this.#offer(false), found);
  }

  #recover(): void {
    for (const member of this.members) {
      this.retryCheck(member);
      if (!member.isInError) return;
    }
    if (this.#story.forceRecovery) for (const member of this.members) member.isInError = false;
  }

  /** Who is compared. `mayLift`: members in error whose rest is over are woken. */
  #offer(mayLift: boolean): readonly ModelMember[] {
    const sets = [...new Set(this.members.map(({ is }) => is.lbSet))].sort((a, b) => a - b);
    for (const set of sets) {
      const offered = this.#offerSet(
        this.members.filter(({ is }) => is.lbSet === set),
        mayLift,
      );
      if (offered.length === 0) continue;
      this.#level(offered);
      return offered;
    }
    return [];
  }

  #offerSet(members: readonly ModelMember[], mayLift: boolean): readonly ModelMember[] {
    const offered: ModelMember[] = [];
    const spares: ModelMember[] = [];
    const standbys: ModelMember[] = [];
    let holes = 0;
    for (const member of members) {
      const { role, state } = member.is;
      if (state !== 'Draining' && mayLift) this.retryCheck(member);
      const isReady = state !== 'Draining' && this.usable(member);
      if (!isReady) holes += role === 'Active' ? 1 : 0;
      else if (role === 'HotSpare') spares.push(member);
      else if (role === 'HotStandby') standbys.push(member);
      else offered.push(member);
    }
    offered.push(...spares.slice(0, holes));
    return offered.length > 0 ? offered : standbys;
  }

  /** Newcomers get the mean credit of the others, and the lowest of their loads. */
  #level(offered: readonly ModelMember[]): void {
    const credits = offered.filter((member) => !member.creditDue).map(({ lbstatus }) => lbstatus);
    const loads = offered.filter((member) => !member.trafficDue).map((member) => this.#load(member));
    const credit = Math.trunc(credits.reduce((sum, one) => sum + one, 0) / credits.length);
    for (const member of offered) {
      if (member.creditDue && credits.length > 0 && this.#method !== 'bytraffic') member.lbstatus = credit;
      if (member.trafficDue && loads.length > 0 && this.#method === 'bytraffic') {
        member.offset = Math.min(...loads) - this.#bytesPerFactor(member);
      }
      member.creditDue = false;
      member.trafficDue = false;
    }
  }

  #best(offered: readonly ModelMember[]): ModelMember | null {
    let best: ModelMember | null = null;
    for (const member of offered) if (best === null || this.#isBetter(member, best)) best = member;
    return best;
  }

  #isBetter(a: ModelMember, b: ModelMember): boolean {
    if (this.#method === 'bytraffic') return this.#load(a) < this.#load(b);
    if (this.#method === 'bybusyness' && a.busy !== b.busy) return a.busy < b.busy;
    return a.lbstatus + a.factor > b.lbstatus + b.factor;
  }

  #charge(earners: readonly ModelMember[], payer: ModelMember): void {
    for (const member of earners) {
      member.lbstatus += member.factor;
      payer.lbstatus -= member.factor;
    }
  }

  #load(member: ModelMember): number {
    return this.#bytesPerFactor(member) + member.offset;
  }

  #bytesPerFactor({ sent, received, factor }: ModelMember): number {
    return Math.trunc(sent / factor) + Math.trunc(received / factor);
  }
}
