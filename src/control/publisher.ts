// Turns snapshots into generations: claims rows, finds what changed, sends the difference to every lane
// and the whole to a new one, and knows which generation each lane serves.
import { createHash } from 'node:crypto';
import { ChangeLog, type Changed } from '../lib/change-log.ts';
import type { ControlScoreboard } from '../scoreboard/control-side.ts';
import type { FromLane, PlacedBalancer, Publication, ToLane } from '../snapshot/lane-protocol.ts';
import type { BalancerUnit, RuleUnit, Snapshot } from '../snapshot/snapshot.ts';
import { LaneProgress } from './lane-progress.ts';
import { RowClaims } from './row-claims.ts';

/** Where publications go; the supervisor of the lanes. */
export interface LaneSender {
  /** To one lane; a lane that is down is not told. */
  send(lane: number, message: ToLane): void;
}

/** A balancer that could not be placed, because the scoreboard is full. */
export interface Unplaced {
  readonly key: string;
  /** A sentence for people that says what is full and which flag makes room. */
  readonly message: string;
}

/** What came of a snapshot. */
export interface PublishResult {
  /** The newest generation, whether or not the snapshot made it. */
  readonly generation: number;
  /** Whether this snapshot made a generation. */
  readonly isNew: boolean;
  /** Balancers that were sent, and those that were taken back. */
  readonly sent: number;
  readonly dropped: number;
  readonly unplaced: readonly Unplaced[];
}

interface Published {
  readonly placed: PlacedBalancer;
  readonly hash: string;
  /** The generation that brought this version. */
  readonly generation: number;
}

export class Publisher {
  readonly #lanes: LaneSender;
  readonly #rows: RowClaims;
  readonly #progress = new LaneProgress();
  readonly #published = new Map<string, Published>();
  /** Generation in which a balancer was taken back, for lanes that may still have it. */
  readonly #dropped = new Map<string, number>();
  readonly #changes = new ChangeLog();
  #rules: readonly RuleUnit[] = [];
  #rulesHash = '';
  #generation = 0;

  constructor(scoreboard: ControlScoreboard, lanes: LaneSender) {
    this.#lanes = lanes;
    this.#rows = new RowClaims(scoreboard);
  }

  /** The newest generation; 0 before the first. */
  get generation(): number {
    return this.#generation;
  }

  /** The generation that every lane that serves has reached; 0 while none serves. */
  get acknowledged(): number {
    return this.#progress.acknowledged;
  }

  /** Whether the lane serves some generation. */
  isServing(lane: number): boolean {
    return this.#progress.isServing(lane);
  }

  /** The generation that brought what is published of a balancer; null: nothing is. */
  generationOf(key: string): number | null {
    return this.#published.get(key)?.generation ?? null;
  }

  /** Keys of balancers of which something else is published. */
  get changes(): Changed {
    return this.#changes;
  }

  /** What is published of a balancer; undefined: nothing is. */
  placedOf(key: string): PlacedBalancer | undefined {
    return this.#published.get(key)?.placed;
  }

  /** What is published now, in no particular order. */
  placed(): Iterable<PlacedBalancer> {
    return this.#published.values().map(({ placed }) => placed);
  }

  /**
   * Makes the snapshot the newest generation, unless nothing changed. A balancer for which the scoreboard has no
   * room keeps what was published of it before; if that is nothing, it is published without members, so that
   * its requests get 503 and not somebody else's answer. Call again later: room may be made by then.
   */
  publish(snapshot: Snapshot): PublishResult {
    const drop = [...this.#published.keys()].filter((key) => !snapshot.balancers.has(key));
    return this.#publish(snapshot.balancers.values(), drop, snapshot.rules);
  }

  /**
   * The same where nothing but these balancers differs from what was published last: what it costs does not grow with
   * the others.
   */
  publishBalancers(units: Iterable<BalancerUnit>): PublishResult {
    return this.#publish(units, [], this.#rules);
  }

  #publish(units: Iterable<BalancerUnit>, drop: readonly string[], newRules: readonly RuleUnit[]): PublishResult {
    this.#rows.reclaim(this.#progress.floor ?? this.#generation);
    const next = this.#generation + 1;
    const unplaced: Unplaced[] = [];
    const set: PlacedBalancer[] = [];
    for (const unit of units) {
      const before = this.#published.get(unit.key);
      if (before?.placed.unit === unit) continue;
      let placed = this.#rows.place(unit);
      if ('message' in placed) {
        unplaced.push(placed);
        if (before !== undefined) continue;
        placed = this.#rows.placeWithoutMembers(unit);
      }
      const hash = hashOf(placed);
      const isChanged = before?.hash !== hash;
      if (isChanged) set.push(placed);
      this.#published.set(unit.key, { placed, hash, generation: isChanged ? next : before.generation });
      this.#changes.note(unit.key);
      if (before !== undefined) this.#rows.retireMembers(before.placed.unit, placed.unit.members, next);
    }
    for (const key of drop) this.#drop(key, next);
    const rules = this.#takeRules(newRules);
    const isNew = rules !== null || set.length > 0 || drop.length > 0;
    if (isNew) this.#send({ generation: next, rules, set, drop });
    return { generation: this.#generation, isNew, sent: set.length, dropped: drop.length, unplaced };
  }

  /** A new lane comes up: the message that brings it to the newest generation; null before the first. */
  laneStarted(lane: number): ToLane | null {
    this.#progress.started(lane, this.#generation);
    return this.#generation === 0 ? null : publishMessage(this.#whole([]));
  }

  /** Notes what a lane says of a generation. */
  laneSaid(lane: number, message: FromLane): void {
    if (message.type === 'applied') this.#progress.applied(lane, message.generation);
    if (message.type !== 'refused') return;
    const isBehind = this.#progress.refused(lane, message.generation) && message.generation < this.#generation;
    // Newer differences are on their way to a lane that lacks what they build on: it needs the whole, as a generation
    // of its own, so that its answer tells when it is right again. Otherwise the next generation repairs it.
    if (isBehind) this.#send({ generation: this.#generation + 1, rules: null, set: [], drop: [] });
  }

  /** The lane is gone: it holds no rows back, and whoever comes after it starts from the whole. */
  laneGone(lane: number): void {
    this.#progress.gone(lane);
  }

  #send(publication: Publication): void {
    this.#generation = publication.generation;
    for (const key of publication.set) this.#dropped.delete(key.unit.key);
    for (const key of publication.drop) this.#dropped.set(key, publication.generation);
    const difference = publishMessage(publication);
    for (const lane of this.#progress.lanes()) {
      if (!this.#progress.needsWhole(lane)) {
        this.#lanes.send(lane, difference);
        continue;
      }
      this.#progress.repairing(lane, publication.generation);
      this.#lanes.send(lane, publishMessage(this.#whole([...this.#dropped.keys()])));
    }
    const floor = this.#progress.floor ?? publication.generation;
    for (const [key, generation] of this.#dropped) if (generation <= floor) this.#dropped.delete(key);
  }

  #whole(drop: readonly string[]): Publication {
    return { generation: this.#generation, rules: this.#rules, set: [...this.placed()], drop };
  }

  /** Takes the table of rules over; null: it is the one that lanes have. */
  #takeRules(rules: readonly RuleUnit[]): readonly RuleUnit[] | null {
    if (rules === this.#rules && this.#generation > 0) return null;
    const hash = hashOf(rules);
    const isSame = hash === this.#rulesHash;
    this.#rules = rules;
    this.#rulesHash = hash;
    return isSame ? null : rules;
  }

  #drop(key: string, generation: number): void {
    this.#rows.retire(this.#published.get(key)!.placed.unit, generation);
    this.#published.delete(key);
    this.#changes.note(key);
  }
}

function hashOf(value: PlacedBalancer | readonly RuleUnit[]): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64');
}

function publishMessage(publication: Publication): ToLane {
  return { type: 'publish', publication: JSON.stringify(publication) };
}
