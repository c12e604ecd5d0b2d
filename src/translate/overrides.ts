// spec.overrides: settings of single members, found by pod name or session route. Pure.
import type { Balancer, Override } from '../api/balancer.ts';
import { loadFactorHundredths } from '../api/load-factor.ts';
import { refOf } from '../api/parse.ts';
import { createNotice, type Problem } from '../api/problem.ts';
import type { MemberUnit } from '../snapshot/snapshot.ts';

/** The overrides of one Balancer, while its members are made. */
export interface Overrides {
  /**
   * The member as overridden. Those by its pod's name count first, so that the one by its session route, which
   * means this member alone, has the last word on each field.
   */
  apply(unit: MemberUnit, podName: string | null): MemberUnit;
  /** A notice for each override that no member was found for. */
  unused(): Problem[];
}

export function createOverrides(balancer: Balancer): Overrides {
  const { overrides } = balancer.spec;
  const byMember = new Map(overrides.map((override) => [override.member, override]));
  const used = new Set<Override>();
  return {
    apply(unit, podName) {
      if (byMember.size === 0) return unit;
      let overridden = unit;
      for (const member of new Set([podName, unit.sessionRoute])) {
        const override = member === null ? undefined : byMember.get(member);
        if (override === undefined) continue;
        used.add(override);
        overridden = withSettings(overridden, override);
      }
      return overridden;
    },
    unused() {
      return overrides.flatMap((override, index) => {
        if (used.has(override)) return [];
        const path = `spec.overrides[${index}].member`;
        const message = `${path}: there is no member ${override.member} now; the override has no effect`;
        return [createNotice(refOf(balancer), path, message)];
      });
    },
  };
}

/** The member with what is given there; the rest stays. */
export function withSettings(unit: MemberUnit, settings: Omit<Override, 'member'>): MemberUnit {
  const { state, loadFactor, role, lbSet } = settings;
  return {
    ...unit,
    state: state ?? unit.state,
    factor: loadFactor === undefined ? unit.factor : loadFactorHundredths(loadFactor),
    role: role ?? unit.role,
    lbSet: lbSet ?? unit.lbSet,
  };
}
