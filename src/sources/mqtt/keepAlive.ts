/** What a keep-alive needs of its connection. */
export interface Probed {
  /** Sends PINGREQ. */
  ping(): void;
  /** Nothing was heard for too long. */
  dead(): void;
}

/** Looks in a keep-alive period; as the broker allows one and a half of them, each second one sends a PINGREQ. */
const LOOKS = 4;
const SILENT_LOOKS = 5;

/**
 * Keeps one connection alive, and notices that it is dead between 1.25 and 1.5 keep-alive periods after the last byte.
 *
 * Any byte is a sign of life, not only PINGRESP: behind a backlog an answer can take minutes. Silence is counted in looks
 * rather than in time, so that a process that was itself stopped does not hold the broker for dead. While paused, nothing is
 * read and nothing can be heard; PINGREQ go out all the same, for the broker's sake.
 */
export class KeepAlive {
  #timer: NodeJS.Timeout | undefined;
  #heard = true;
  #silent = 0;
  #looks = 0;
  #paused = false;

  /** @param periodMs keep-alive period; 0 = none */
  start(periodMs: number, probed: Probed): void {
    this.stop();
    if (periodMs === 0) return;
    this.#heard = true;
    this.#timer = setInterval(() => this.#look(probed), periodMs / LOOKS);
  }

  heard(): void {
    this.#heard = true;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#heard = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(probed: Probed): void {
    this.#silent = this.#heard || this.#paused ? 0 : this.#silent + 1;
    this.#heard = false;
    if (this.#silent >= SILENT_LOOKS) {
      this.stop();
      probed.dead();
      return;
    }
    this.#looks += 1;
    if (this.#looks % 2 === 0) probed.ping();
  }
}
