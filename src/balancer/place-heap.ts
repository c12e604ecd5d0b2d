// Heaps over places 0, 1, 2 …: the place with the smallest key first, among equal keys the smallest place.
// Several heaps lie side by side in one array, each from `start` to `end`. Bounded, allocates nothing.

export class PlaceHeap {
  /** By place. Whoever changes one calls `sink` or `order`. */
  readonly keys: Float64Array;
  /** The heaps: places, each before those that come after it. */
  readonly places: Int32Array;
  /** By place: where in `places` it is. */
  readonly positions: Int32Array;

  constructor(size: number) {
    this.keys = new Float64Array(size);
    this.places = new Int32Array(size);
    this.positions = new Int32Array(size);
  }

  /** Makes a heap of what lies from `start` to `end` in `places`. */
  order(start: number, end: number): void {
    const { places, positions } = this;
    for (let at = start; at < end; at++) positions[places[at]!] = at;
    for (let at = start + ((end - start) >> 1) - 1; at >= start; at--) this.#sinkFrom(at, start, end);
  }

  /** Restores the order of the heap from `start` to `end` after the key of one of its places grew. */
  sink(place: number, start: number, end: number): void {
    this.#sinkFrom(this.positions[place]!, start, end);
  }

  #sinkFrom(from: number, start: number, end: number): void {
    const { keys, places, positions } = this;
    const place = places[from]!;
    const key = keys[place]!;
    let at = from;
    for (;;) {
      let child = start + 2 * (at - start) + 1;
      if (child >= end) break;
      let childPlace = places[child]!;
      let childKey = keys[childPlace]!;
      if (child + 1 < end) {
        const rightPlace = places[child + 1]!;
        const rightKey = keys[rightPlace]!;
        if (rightKey < childKey || (rightKey === childKey && rightPlace < childPlace)) {
          child += 1;
          childPlace = rightPlace;
          childKey = rightKey;
        }
      }
      if (key < childKey || (key === childKey && place < childPlace)) break;
      places[at] = childPlace;
      positions[childPlace] = at;
      at = child;
    }
    places[at] = place;
    positions[place] = at;
  }
}
