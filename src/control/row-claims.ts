// Gives balancers and members their rows of the scoreboard and takes them back when nobody uses them any more.
// A row belongs to (balancer, identity of the member); weight, order and address change nothing about it.
import type { ControlScoreboard } from '../scoreboard/control-side.ts';
import { RowTable } from '../scoreboard/rows.ts';
import type { PlacedBalancer } from '../snapshot/lane-protocol.ts';
import type { BalancerUnit, MemberUnit } from '../snapshot/snapshot.ts';

/** Why a balancer got no rows. */
interface NoRoom {
  readonly key: string;
  readonly message: string;
}

/** Row of a balancer that there was no room for: its answers are counted with those that no balancer gave. */
const NO_BALANCER_ROW = 0;

export class RowClaims {
  readonly #scoreboard: ControlScoreboard;
  readonly #members: RowTable;
  readonly #balancers: RowTable;
  /** Key of the balancer that has or had the member row, until the row is wiped. */
  readonly #balancerOfRow = new Map<number, string>();
  /** How many member rows a balancer has or had that are not wiped yet. */
  readonly #rowsOfBalancer = new Map<string, number>();
  readonly #keyOfBalancerRow = new Map<number, string>();

  constructor(scoreboard: ControlScoreboard) {
    this.#scoreboard = scoreboard;
    this.#members = new RowTable(scoreboard.memberRows, 1);
    this.#balancers = new RowTable(scoreboard.balancerRows, 1);
  }

  /** Rows for a balancer and all its members. If there are not enough, claims nothing: others may still fit. */
  place(unit: BalancerUnit): PlacedBalancer | NoRoom {
    const { memberRows, balancerRows } = this.#scoreboard;
    const row = this.#claimBalancer(unit.key);
    if (row === null) {
      return { key: unit.key, message: `there is room for ${balancerRows - 1} Balancers; --max-balancers makes more` };
    }
    const needed = unit.members.filter((member) => !this.#members.has(rowKey(unit.key, member))).length;
    if (needed > this.#members.free) {
      return {
        key: unit.key,
        message: `there is room for ${memberRows - 1} members of all Balancers together, and not enough of it is left for the ${unit.members.length} of this one; --max-members makes more`,
      };
    }
    return { unit, row, memberRows: unit.members.map((member) => this.#claimMember(unit.key, member)) };
  }

  /** A stand-in for a balancer for which there is no room: all its requests are answered with 503. */
  placeWithoutMembers(unit: BalancerUnit): PlacedBalancer {
    return { unit: { ...unit, members: [] }, row: this.#claimBalancer(unit.key) ?? NO_BALANCER_ROW, memberRows: [] };
  }

  /** Members of `before` that are not in `members` are gone as of `generation`. */
  retireMembers(before: BalancerUnit, members: readonly MemberUnit[], generation: number): void {
    const kept = new Set(members.map(({ identity }) => identity));
    for (const member of before.members) {
      if (!kept.has(member.identity)) this.#members.retire(rowKey(before.key, member), generation);
    }
  }

  /** The balancer is gone as of `generation`. */
  retire(unit: BalancerUnit, generation: number): void {
    this.retireMembers(unit, [], generation);
    this.#balancers.retire(unit.key, generation);
  }

  /** Wipes and frees the rows given up in generation `floor` or before on which nothing is open. */
  reclaim(floor: number): void {
    const { shared } = this.#scoreboard;
    this.#members.reclaim(
      floor,
      (row) => Atomics.load(shared.busyTotal, row) === 0,
      (row) => this.#wipeMember(row),
    );
    // Requests in flight end in the balancer's row too, so it waits for those of its members.
    this.#balancers.reclaim(
      floor,
      (row) => !this.#rowsOfBalancer.has(this.#keyOfBalancerRow.get(row)!),
      (row) => {
        this.#keyOfBalancerRow.delete(row);
        this.#scoreboard.wipeBalancerRow(row);
      },
    );
  }

  #claimBalancer(key: string): number | null {
    const row = this.#balancers.claim(key);
    if (row !== null) this.#keyOfBalancerRow.set(row, key);
    return row;
  }

  #claimMember(key: string, member: MemberUnit): number {
    const row = this.#members.claim(rowKey(key, member));
    if (row === null) throw new Error(`no row for ${rowKey(key, member)}, although there was room`);
    if (!this.#balancerOfRow.has(row)) {
      this.#balancerOfRow.set(row, key);
      this.#rowsOfBalancer.set(key, (this.#rowsOfBalancer.get(key) ?? 0) + 1);
    }
    return row;
  }

  #wipeMember(row: number): void {
    const key = this.#balancerOfRow.get(row)!;
    const left = this.#rowsOfBalancer.get(key)! - 1;
    this.#balancerOfRow.delete(row);
    if (left === 0) this.#rowsOfBalancer.delete(key);
    else this.#rowsOfBalancer.set(key, left);
    this.#scoreboard.wipeMemberRow(row);
  }
}

/** Keys of balancers hold no space. */
function rowKey(key: string, member: MemberUnit): string {
  return `${key} ${member.identity}`;
}
