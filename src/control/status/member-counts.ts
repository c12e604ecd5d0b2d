// How the members of a Balancer are counted for its status: from what is published, and the flags of the scoreboard.
import { MemberFlag, type SharedCells } from '../../scoreboard/layout.ts';
import type { PlacedBalancer } from '../../snapshot/lane-protocol.ts';

/**
 * The leader's view of the members of one Balancer; each is counted once below `total`.
 *
 * Ready is who takes new sessions: Enabled and without any flag, be it active, spare or standby, which take them when
 * they are needed. A member that failed rests, and is not ready until a request or a probe has shown it well, though an
 * election may try it again before that: that its rest is over says nothing of it. Draining is who takes requests of its
 * sessions only, in error or not, and who has done so for as long as it may. Switched off is who takes none.
 */
export interface MemberCounts {
  readonly total: number;
  readonly ready: number;
  readonly draining: number;
  /** Enabled, but resting after a failure. */
  readonly inError: number;
  /** Disabled or Stopped, or flagged for another reason than an error. */
  readonly off: number;
}

export function countMembers(
  { unit, memberRows }: Pick<PlacedBalancer, 'unit' | 'memberRows'>,
  { flags }: Pick<SharedCells, 'flags'>,
): MemberCounts {
  const counts = { total: memberRows.length, ready: 0, draining: 0, inError: 0, off: 0 };
  for (const [index, row] of memberRows.entries()) {
    const { state } = unit.members[index]!;
    switch (state) {
      case 'Draining':
      case 'Drained':
        counts.draining += 1;
        break;
      case 'Disabled':
      case 'Stopped':
        counts.off += 1;
        break;
      case 'Enabled': {
        const set = Atomics.load(flags, row);
        if (set === 0) counts.ready += 1;
        else if ((set & MemberFlag.Error) !== 0) counts.inError += 1;
        else counts.off += 1;
        break;
      }
      default:
        state satisfies never;
    }
  }
  return counts;
}

/** Of a Balancer of which nothing is published. */
export const noMembers: MemberCounts = { total: 0, ready: 0, draining: 0, inError: 0, off: 0 };
