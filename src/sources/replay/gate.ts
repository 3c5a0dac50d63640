import type { SchedulerLike } from 'rxjs';

/** Where an asynchronous loop waits: while it is paused, or for a time. */
export class Gate {
  #paused = false;
  readonly #waiting = new Set<() => void>();

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** Lets everyone look again whether there is still something to wait for. */
  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const go of waiting) go();
  }

  /** Resolves at the next `resume` or `wake`. */
  opened(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Resolves after a time of the scheduler's, or at the next `resume` or `wake`. */
  async sleep(ms: number, scheduler: SchedulerLike): Promise<void> {
    const opened = this.opened();
    const timer = scheduler.schedule(() => this.wake(), ms);
    await opened;
    timer.unsubscribe();
  }
}
