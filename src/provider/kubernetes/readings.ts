// What has changed since the last reading, and the readings themselves: one and the same until something changes.
import type { Problem } from '../../api/problem.ts';
import type { ResourceSet } from '../../api/resource-set.ts';
import type { Changes, Reading } from '../provider.ts';

export interface ReadingsOptions {
  /** Live. */
  readonly resources: ResourceSet;
  /** What is wrong with the documents as they are. */
  readonly findProblems: () => readonly Problem[];
  /** There is something to read; not called before `begin`. */
  readonly onNews: () => void;
}

export class Readings {
  readonly #options: ReadingsOptions;
  #hasBegun = false;
  #isAllChanged = true;
  #changedServices = new Set<string>();
  /** Null: they are to be found anew. */
  #problems: Reading['problems'] | null = null;
  #reading: Reading | null = null;

  constructor(options: ReadingsOptions) {
    this.#options = options;
  }

  /** What there is now is a consistent whole, and may be read. */
  begin(): void {
    this.#hasBegun = true;
  }

  /** Anything may have changed. */
  noteAll(): void {
    this.#isAllChanged = true;
    if (this.#hasBegun) this.#options.onNews();
  }

  /** Something behind this Service (key) may have. */
  noteService(key: string): void {
    this.#changedServices.add(key);
    if (this.#hasBegun) this.#options.onNews();
  }

  noteProblems(): void {
    this.#problems = null;
    this.noteAll();
  }

  read(): Reading {
    if (!this.#hasBegun) throw new Error('the provider was asked before it had started');
    if (this.#reading !== null && !this.#isAllChanged && this.#changedServices.size === 0) return this.#reading;
    const { resources, findProblems } = this.#options;
    this.#problems ??= findProblems().map((problem) => ({ problem, location: null }));
    const version = (this.#reading?.version ?? 0) + 1;
    const changes = this.#takeChanges();
    this.#reading = { version, changes, resources, problems: this.#problems, locate: () => null };
    return this.#reading;
  }

  #takeChanges(): Changes | null {
    const since = this.#isAllChanged ? undefined : this.#reading?.version;
    const services = this.#changedServices;
    this.#isAllChanged = false;
    this.#changedServices = new Set();
    return since === undefined ? null : { since, services };
  }
}
