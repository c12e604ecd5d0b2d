// The upgrades of a lane by their members, so that those of a member can be ended with its drain. Plain requests never get
// here: what is under way when a drain ends is finished, but a tunnel might never be.
import type { Publication } from '../snapshot/lane-protocol.ts';

/** A WebSocket that is asked for or open. */
export interface MembersTunnel {
  /** The drain of its member is over. May be told more than once. */
  drainEnded(): void;
}

export class OpenTunnels {
  /** By row of the scoreboard, which is one member's as long as anything is open on it. */
  readonly #ofRow = new Map<number, Set<MembersTunnel>>();

  add(row: number, tunnel: MembersTunnel): void {
    const tunnels = this.#ofRow.get(row) ?? new Set();
    this.#ofRow.set(row, tunnels.add(tunnel));
  }

  remove(row: number, tunnel: MembersTunnel): void {
    const tunnels = this.#ofRow.get(row);
    tunnels?.delete(tunnel);
    if (tunnels?.size === 0) this.#ofRow.delete(row);
  }

  /** Tells those whose member has drained. Members that only drain keep theirs, and so do those that are gone, as in httpd. */
  published({ set }: Publication): void {
    if (this.#ofRow.size === 0) return;
    for (const { unit, memberRows } of set) {
      for (const [index, { state }] of unit.members.entries()) {
        if (state !== 'Drained') continue;
        for (const tunnel of this.#ofRow.get(memberRows[index]!) ?? []) tunnel.drainEnded();
      }
    }
  }
}
