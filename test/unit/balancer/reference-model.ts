// The candidate walk, the methods and the session look-up once more, as plainly as they can be told: no caches, no
// books, a full walk each time. What src/balancer does fast must come to the same.
import type { BalancerUnit, MemberUnit } from '../../../src/snapshot/snapshot.ts';

export interface ModelMember {
  unit: MemberUnit;
  lbstatus: number;
  busy: number;
  sent: number;
  received: number;
  isInError: boolean;
  erroredAtUs: number;
  retries: number;
}

export class ReferenceModel {
  unit: BalancerUnit;
  members: ModelMember[];
  nowUs = 0;

  constructor(unit: BalancerUnit) {
    this.unit = unit;
    this.members = unit.members.map((member) => ({
      unit: member,
      lbstatus: 0,
      busy: 0,
      sent: 0,
      received: 0,
      isInError: false,
      erroredAtUs: 0,
      retries: 0,
    }));
  }

  elect(): number {
    this.recover();
    const offered = this.offer(true);
    const best = this.best(offered);
    if (best !== null) this.charge(offered, best);
    return best === null ? -1 : this.members.indexOf(best);
  }

  stick(route: string): number {
    this.recover();
    if (!this.members.some((member) => member.unit.sessionRoute === route)) return -1;
    const found = this.find(route, 1);
    if (found === null) return -2;
    this.charge(this.offer(false), found);
    return this.members.indexOf(found);
  }

  fail(index: number): void {
    const member = this.members[index]!;
    if (member.unit.ignoreErrors) return;
    member.isInError = true;
    member.erroredAtUs = this.nowUs;
  }

  private usable(member: ModelMember): boolean {
    return !member.isInError && member.unit.state !== 'Disabled' && member.unit.state !== 'Stopped';
  }

  private retryCheck(member: ModelMember): void {
    if (!member.isInError || member.unit.state === 'Stopped') return;
    const isDue = this.nowUs > member.erroredAtUs + this.unit.failover.retryAfterMs * 1000;
    if (!member.unit.ignoreErrors && !isDue) return;
    member.isInError = false;
    member.retries += 1;
  }

  private recover(): void {
    for (const member of this.members) {
      this.retryCheck(member);
      if (!member.isInError) return;
    }
    if (!this.unit.failover.forceRecovery) return;
    for (const member of this.members) {
      member.isInError = false;
      member.retries += 1;
    }
  }

  private offer(mayLift: boolean): ModelMember[] {
    const sets = [...new Set(this.members.map((member) => member.unit.lbSet))].sort((a, b) => a - b);
    for (const set of sets) {
      const offered = this.offerSet(
        this.members.filter((member) => member.unit.lbSet === set),
        mayLift,
      );
      if (offered.length > 0) return offered;
    }
    return [];
  }

  private offerSet(members: readonly ModelMember[], mayLift: boolean): ModelMember[] {
    const offered: ModelMember[] = [];
    const spares: ModelMember[] = [];
    const standbys: ModelMember[] = [];
    let holes = 0;
    for (const member of members) {
      const { role, state } = member.unit;
      if (state === 'Draining') {
        if (role === 'Active') holes += 1;
        continue;
      }
      if (mayLift && !this.usable(member)) this.retryCheck(member);
      if (role === 'HotSpare') {
        if (this.usable(member)) spares.push(member);
      } else if (role === 'HotStandby') {
        if (this.usable(member)) standbys.push(member);
      } else if (this.usable(member)) offered.push(member);
      else holes += 1;
    }
    offered.push(...spares.slice(0, holes));
    return offered.length > 0 ? offered : standbys;
  }

  /** Better first; among equals the one offered first. */
  private best(offered: readonly ModelMember[]): ModelMember | null {
    const better = (a: ModelMember, b: ModelMember): boolean => {
      const [creditA, creditB] = [a.lbstatus + a.unit.factor, b.lbstatus + b.unit.factor];
      switch (this.unit.lbMethod) {
        case 'bytraffic':
          return this.load(a) < this.load(b);
        case 'bybusyness':
          return a.busy < b.busy || (a.busy === b.busy && creditA > creditB);
        default:
          return creditA > creditB;
      }
    };
    let best: ModelMember | null = null;
    for (const member of offered) if (best === null || better(member, best)) best = member;
    return best;
  }

  private load({ sent, received, unit }: ModelMember): number {
    return Math.trunc(sent / unit.factor) + Math.trunc(received / unit.factor);
  }

  private charge(offered: readonly ModelMember[], payer: ModelMember): void {
    if (this.unit.lbMethod === 'bytraffic') return;
    for (const member of offered) {
      member.lbstatus += member.unit.factor;
      payer.lbstatus -= member.unit.factor;
    }
  }

  private find(route: string, depth: number): ModelMember | null {
    for (const isStandby of [false, true]) {
      for (const member of this.members) {
        if (member.unit.sessionRoute !== route || (member.unit.role === 'HotStandby') !== isStandby) continue;
        if (!this.usable(member)) this.retryCheck(member);
        if (this.usable(member)) return member;
        if (member.unit.redirect === null || depth >= this.members.length) continue;
        const other = this.find(member.unit.redirect, depth + 1);
        if (other !== null) return other;
      }
    }
    return null;
  }
}
