// What reads messages, between two messages. It is large beside the rest of a connection, and what was used a moment ago is
// still near the processor; so connections have one only while there is a message to read, whoever they are.

/** Kept for the messages to come. Count. */
const MAX_FREE = 1_024;

/** Something that reads one message after another. */
export interface Reusable {
  /** Forgets the last message. */
  reset(): void;
}

export class ParserPool<T extends Reusable> {
  readonly #make: () => T;
  readonly #free: T[] = [];

  constructor(make: () => T) {
    this.#make = make;
  }

  take(): T {
    return this.#free.pop() ?? this.#make();
  }

  /** Takes back one whose message nobody reads any more. */
  giveBack(parser: T): void {
    if (this.#free.length === MAX_FREE) return;
    parser.reset();
    this.#free.push(parser);
  }
}
