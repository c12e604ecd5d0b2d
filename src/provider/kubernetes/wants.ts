// The groups of objects that somebody wants, `namespace/name`, and how far each is known. It asks nobody for anything.

export interface Want {
  count: number;
  /** Whether all that there is of it is known. */
  isKnown: boolean;
  /** Why it is waited for no longer although it is not known; null: it is waited for, or known. */
  unread: string | null;
  /** Whether it waits for a look-up, or between two. There is one at a time, since there is one `touched`. */
  isSought: boolean;
  /** Objects that the watch spoke of while they were looked up: what it says is what counts. Null: no look-up is under way. */
  touched: Set<string> | null;
  /** Wanted in the middle of a list, of which pages are past. */
  isLate: boolean;
}

export class Wants {
  readonly #wants = new Map<string, Want>();
  readonly #onUnread: (group: string, why: string | undefined) => void;

  /** `onUnread`: why a group counts as settled although nobody knows what there is of it; undefined: it is known now. */
  constructor(onUnread: (group: string, why: string | undefined) => void) {
    this.#onUnread = onUnread;
  }

  get(group: string): Want | undefined {
    return this.#wants.get(group);
  }

  /** Those of a namespace, or all for null. */
  in(namespace: string | null): readonly [string, Want][] {
    return [...this.#wants].filter(([group]) => namespace === null || namespaceOf(group) === namespace);
  }

  /** Undefined: it was wanted before, and is so once more. */
  add(group: string, { isKnown, isLate }: Pick<Want, 'isKnown' | 'isLate'>): Want | undefined {
    const known = this.#wants.get(group);
    if (known !== undefined) {
      known.count += 1;
      return undefined;
    }
    const want: Want = { count: 1, isKnown, unread: null, isSought: false, touched: null, isLate };
    this.#wants.set(group, want);
    return want;
  }

  /** True: that was the last who wanted it, and it is forgotten. */
  release(group: string): boolean {
    const want = this.#wants.get(group);
    if (want === undefined) return false;
    want.count -= 1;
    return want.count === 0 && this.#wants.delete(group);
  }

  know(group: string, want: Want): void {
    want.isKnown = true;
    if (want.unread === null) return;
    want.unread = null;
    this.#onUnread(group, undefined);
  }

  giveUp(group: string, want: Want, why: string): void {
    if (want.isKnown || want.unread === why) return;
    want.unread = why;
    this.#onUnread(group, why);
  }
}

export function namespaceOf(group: string): string {
  return group.slice(0, group.indexOf('/'));
}
