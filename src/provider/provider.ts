// The contract of a provider: where what users wrote comes from. Owned by the control loop that uses it.
// Implementations stand beside (file/, kubernetes/); nothing here knows either of them.
import type { Problem } from '../api/problem.ts';
import type { ResourceSet } from '../api/resource-set.ts';

/** A place in a file that a person can open. */
export interface Location {
  /** Path as the user gave it, plus the file's name where a folder was given. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** A problem and where it stands; null: the provider has no places (a cluster), or the problem is about no document. */
export interface LocatedProblem {
  readonly problem: Problem;
  readonly location: Location | null;
}

/** What a reading differs in from an earlier one. */
export interface Changes {
  /** The version of that earlier reading. */
  readonly since: number;
  /** Keys (`namespace/name`) of the Services of which the object or the EndpointSlices may have changed; nothing else has. */
  readonly services: ReadonlySet<string>;
}

/**
 * Everything a provider knows at one moment. A change makes another one, in which resources that did not change are the
 * same objects, so that whoever builds from them can compare by identity. `resources` may be live: use it up at once.
 */
export interface Reading {
  /** Another number for each reading. */
  readonly version: number;
  /** A hint for those who have the reading it names: only this is worth a look. Null: anything may have changed. */
  readonly changes: Changes | null;
  /** Valid resources only, last good versions where a newer one is faulty. */
  readonly resources: ResourceSet;
  /** What is wrong with the documents themselves, in order of place. */
  readonly problems: readonly LocatedProblem[];
  /** Finds the place of a problem that someone else found in `resources` (translate, for one). May parse a file again: not for hot paths. */
  locate(problem: Problem): Location | null;
}

/**
 * A source of resources.
 *
 * Ordering: `start` once, then `read` as often as wanted, then `stop` once; `read` before `start` has
 * resolved throws. `onChange` is level-triggered: it says that `read()` may now answer
 * something else, carries nothing, may come in bursts (the caller holds off), is never called before `start` has
 * resolved nor after `stop` was called, and must return at once and not throw.
 */
export interface Provider {
  /** Resolves after the first full read; rejects with a message for people when there is nothing to read from. */
  start(onChange: () => void): Promise<void>;
  /** The last consistent whole. Costs nothing: the same object until something changes. */
  read(): Reading;
  /** Stops watching. Safe to call twice, and while `start` is under way. */
  stop(): Promise<void>;
}
