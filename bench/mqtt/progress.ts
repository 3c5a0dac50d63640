import { cpuSince } from '../support.ts';

/** What a receiving process tells of itself. */
export interface Received {
  /** Messages that arrived, or rows that were committed. */
  readonly count: number;
  /** From the first message to the last, or to the last commit, nanoseconds. */
  readonly cpuNs: number;
}

const SILENCE_MS = 2000;

/** Counts towards an end, and takes the CPU time between the first message and the last. */
export class Progress {
  #count = 0;
  #first: NodeJS.CpuUsage | undefined;
  #cpuNs = 0;
  readonly #expected: number;
  readonly #complete = Promise.withResolvers<undefined>();

  constructor(expected: number) {
    this.#expected = expected;
  }

  /** Before the first message is dealt with. */
  begin(): void {
    this.#first ??= process.cpuUsage();
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
    return { count: this.#count, cpuNs: this.#cpuNs };
  }

  #take(): void {
    if (this.#first !== undefined) this.#cpuNs = cpuSince(this.#first);
  }
}
