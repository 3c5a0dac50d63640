import { setImmediate as nextTurn } from 'node:timers/promises';
import { Problem } from './problem.ts';

export interface WorkbenchOptions {
  /** Computations that may be under way at a time. Default 2. */
  readonly maxRunning?: number;
  /** The pipeline has its turn after so long. Default 8. */
  readonly sliceMs?: number;
  /** Processor time of one, after which it is given up. Default 5000. */
  readonly budgetMs?: number;
}

/** Steps between two looks at the clock. */
const STEPS = 16;

/** Computes what people ask for in slices, so that readings never wait for it. */
export class Workbench {
  readonly #maxRunning: number;
  readonly #sliceMs: number;
  readonly #budgetMs: number;
  #running = 0;

  constructor({ maxRunning = 2, sliceMs = 8, budgetMs = 5000 }: WorkbenchOptions = {}) {
    this.#maxRunning = maxRunning;
    this.#sliceMs = sliceMs;
    this.#budgetMs = budgetMs;
  }

  /**
   * What fits in one slice is done at once.
   *
   * @throws Problem 429 where as many are under way as may be, 400 where it takes too long.
   */
  async run<T>(work: Generator<undefined, T>, signal: AbortSignal): Promise<T> {
    let spentMs = 0;
    let isCounted = false;
    try {
      for (;;) {
        const startedAt = performance.now();
        const before = process.threadCpuUsage();
        let sliceMs = 0;
        while (sliceMs < this.#sliceMs) {
          for (let i = 0; i < STEPS; i++) {
            const next = work.next();
            if (next.done === true) return next.value;
          }
          sliceMs = performance.now() - startedAt;
        }
        // Not by the clock: what else the machine is busy with is not the question's fault.
        const { user, system } = process.threadCpuUsage(before);
        spentMs += (user + system) / 1000;
        if (spentMs > this.#budgetMs) {
          throw new Problem(
            400,
            `This takes more than ${this.#budgetMs} ms to compute, expected a shorter horizonS, fewer points or fewer limits.`,
          );
        }
        if (!isCounted) {
          if (this.#running >= this.#maxRunning) {
            throw new Problem(
              429,
              `${this.#running} computations are under way, expected fewer than ${this.#maxRunning}; try again.`,
              {},
              { 'retry-after': '1' },
            );
          }
          this.#running += 1;
          isCounted = true;
        }
        await nextTurn();
        signal.throwIfAborted();
      }
    } finally {
      if (isCounted) this.#running -= 1;
    }
  }
}
