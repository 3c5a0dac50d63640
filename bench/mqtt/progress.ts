import { cpuSince } from '../support.ts';

/** What a receiving process tells of itself. */
export interface Received {
  /** Messages that arrived, or rows that were committed. */
  readonly count: number;
  /** CPU time a message, nanoseconds: from the end of the warm-up to the last message, or to the last commit. */
  readonly cpuNs: number;
}

const SILENCE_MS = 2000;

/** Share of the messages in which the compiler warms up; a service runs for months. */
const WARM_UP = 0.25;

/** Counts towards an end, and takes the CPU time of what comes after the warm-up. */
export class Progress {
  #arrived = 0;
  #count = 0;
  #first: NodeJS.CpuUsage | undefined;
  #cpuNs = 0;
  readonly #expected: number;
  readonly #warmUp: number;
  readonly #complete = Promise.withResolvers<undefined>();

  constructor(expected: number) {
    this.#expected = expected;
    this.#warmUp = Math.floor(expected * WARM_UP);
  }

  /** Before a message is dealt with. */
  arrive(): void {
    if (this.#arrived === this.#warmUp) this.#first = process.cpuUsage();
    this.#arrived += 1;
  }

  add(count: number): void {
    this.#count += count;
    if (this.#count >= this.#expected) {
      this.#take();
      this.#complete.resolve(undefined);
    }
  }

  /** Everything expected has come, or `published` is over and nothing more has come for a while. */
  async done(published: Promise<void>): Promise<Received> {
    let before = -1;
    let silence: NodeJS.Timeout | undefined;
    const silent = published.then(
      () =>
        new Promise<void>((resolve) => {
          silence = setInterval(() => {
            if (this.#count === before) resolve();
            else this.#take();
            before = this.#count;
          }, SILENCE_MS);
        }),
    );
    await Promise.race([this.#complete.promise, silent]);
    clearInterval(silence);
    return { count: this.#count, cpuNs: this.#cpuNs / Math.max(1, this.#count - this.#warmUp) };
  }

  #take(): void {
    if (this.#first !== undefined) this.#cpuNs = cpuSince(this.#first);
  }
}
