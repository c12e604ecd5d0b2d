// The loads that bytraffic compares, kept in order so that an election need not read them all. Bytes only grow, so
// a load that was read earlier is never above the true one: the member with the lowest known load is read again,
// and if it has not moved, it is the lowest of all. Exact, ties included.
import type { Offered } from './offered.ts';
import { PlaceHeap } from './place-heap.ts';
import { readInt64, type Standings } from './standings.ts';

/**
 * Load by the bytes alone, in bytes per unit of factor: each direction divided for itself and cut to a whole
 * number (httpd mod_lbmethod_bytraffic.c). Exact while a member has moved fewer than 2^53 bytes each way.
 */
export function bytesPerFactor(standings: Standings, row: number, factor: number): number {
  const sent = readInt64(standings.sentTotal, row);
  const received = readInt64(standings.receivedTotal, row);
  return Math.floor(sent / factor) + Math.floor(received / factor);
}

/** Load as compared: with the offset that puts a newcomer at the level of the others. */
export function loadOf(standings: Standings, row: number, factor: number): number {
  return bytesPerFactor(standings, row, factor) + standings.loadOffset[row]!;
}

export class TrafficBook {
  readonly #standings: Standings;
  readonly #offered: Offered;
  readonly #heap: PlaceHeap;

  constructor(standings: Standings, offered: Offered, size: number) {
    this.#standings = standings;
    this.#offered = offered;
    this.#heap = new PlaceHeap(size);
  }

  /** Reads the loads of the members that are offered now. */
  open(): void {
    const { count } = this.#offered;
    const { keys, places } = this.#heap;
    for (let place = 0; place < count; place++) {
      keys[place] = this.#loadNow(place);
      places[place] = place;
    }
    this.#heap.order(0, count);
  }

  /** The place of the member with the lowest load; the first among equals. */
  leastLoaded(): number {
    const { count } = this.#offered;
    const { keys, places } = this.#heap;
    // Bytes may move while we look; after as many steps as there are members the lowest known one will do.
    for (let step = 0; step < count; step++) {
      const place = places[0]!;
      const load = this.#loadNow(place);
      if (load <= keys[place]!) return place;
      keys[place] = load;
      this.#heap.sink(place, 0, count);
    }
    return places[0]!;
  }

  #loadNow(place: number): number {
    return loadOf(this.#standings, this.#offered.row[place]!, this.#offered.factor[place]!);
  }
}
