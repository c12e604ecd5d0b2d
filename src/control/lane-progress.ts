// Which generation each lane has reached, and which rows it may therefore still know. Bookkeeping only: sends nothing.

interface Progress {
  /** No generation before this one is served by the lane any more. */
  floor: number;
  /** The generation that it serves; 0: none yet. */
  serves: number;
  /** It refused a generation, so differences mean nothing to it. */
  needsWhole: boolean;
  /** What it says of earlier generations than this does not count: it was sent the whole anew. */
  repairedBy: number;
}

export class LaneProgress {
  readonly #lanes = new Map<number, Progress>();

  /** The generation that every lane that serves has reached; 0 while none serves. */
  get acknowledged(): number {
    const serving = this.#lanes.values().filter(({ serves }) => serves > 0);
    return serving.reduce<number | null>((least, { serves }) => Math.min(least ?? serves, serves), null) ?? 0;
  }

  /** No lane knows rows that were given up in this generation or before; null: there is no lane. */
  get floor(): number | null {
    return this.#lanes.values().reduce<number | null>((least, { floor }) => Math.min(least ?? floor, floor), null);
  }

  lanes(): Iterable<number> {
    return this.#lanes.keys();
  }

  isServing(lane: number): boolean {
    return (this.#lanes.get(lane)?.serves ?? 0) > 0;
  }

  needsWhole(lane: number): boolean {
    return this.#lanes.get(lane)?.needsWhole ?? false;
  }

  /** The lane was sent the whole of `generation` (0: nothing yet): it never knows rows given up until then. */
  started(lane: number, generation: number): void {
    this.#lanes.set(lane, { floor: generation, serves: 0, needsWhole: false, repairedBy: 0 });
  }

  applied(lane: number, generation: number): void {
    const progress = this.#lanes.get(lane);
    if (progress === undefined || progress.needsWhole || generation < progress.repairedBy) return;
    progress.floor = Math.max(progress.floor, generation);
    progress.serves = generation;
  }

  /** False: that was settled already, the lane was sent the whole since. */
  refused(lane: number, generation: number): boolean {
    const progress = this.#lanes.get(lane);
    if (progress === undefined || generation < progress.repairedBy) return false;
    progress.needsWhole = true;
    return true;
  }

  /** The lane is being sent the whole of `generation` in place of what it has. */
  repairing(lane: number, generation: number): void {
    const progress = this.#lanes.get(lane);
    if (progress === undefined) return;
    progress.needsWhole = false;
    progress.repairedBy = generation;
  }

  gone(lane: number): void {
    this.#lanes.delete(lane);
  }
}
