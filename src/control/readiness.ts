// Whether this process should be sent requests, and if not, why. At start every lane must be up; later one is enough,
// since the others carry on while it is restarted. Computed when asked; keeps nothing but how far it has come.

/** What readiness depends on. */
export interface ReadinessFacts {
  readonly lanes: number;
  isListening(lane: number): boolean;
  isServing(lane: number): boolean;
}

export interface Readiness {
  readonly isReady: boolean;
  /** One sentence for people. */
  readonly reason: string;
}

export class ReadinessGate {
  readonly #facts: ReadinessFacts;
  #hasStarted = false;
  #isShuttingDown = false;

  constructor(facts: ReadinessFacts) {
    this.#facts = facts;
  }

  /** From now on the answer is no. */
  shutDown(): void {
    this.#isShuttingDown = true;
  }

  read(): Readiness {
    const { lanes } = this.#facts;
    if (this.#isShuttingDown) return { isReady: false, reason: 'shutting down' };
    let up = 0;
    for (let lane = 0; lane < lanes; lane += 1) {
      if (this.#facts.isListening(lane) && this.#facts.isServing(lane)) up += 1;
    }
    const state = `${up} of ${lanes} lanes listen and serve a snapshot`;
    if (up === lanes) this.#hasStarted = true;
    if (!this.#hasStarted) return { isReady: false, reason: `starting: ${state}` };
    return { isReady: up > 0, reason: state };
  }
}
