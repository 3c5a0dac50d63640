import { Subject, VirtualTimeScheduler } from 'rxjs';
import type { Subscription } from 'rxjs';
import { boundBuffer } from '../operators/boundBuffer.ts';
import type { BufferOptions } from '../operators/boundBuffer.ts';

/** boundBuffer with a consumer that the test finishes by hand, and a clock that it moves by hand. */
export class VirtualWork {
  readonly source = new Subject<{ readonly id: number; readonly key: string }>();
  readonly scheduler = new VirtualTimeScheduler();
  readonly started: number[][] = [];
  readonly emitted: number[][] = [];
  readonly dropped: string[] = [];
  readonly pressure: boolean[] = [];
  /** '' while it runs, then 'complete' or the error's message. */
  ending = '';
  readonly subscription: Subscription;
  #inFlight: (() => void) | undefined;

  constructor(options: BufferOptions<{ readonly id: number; readonly key: string }>) {
    this.subscription = this.source
      .pipe(
        boundBuffer(
          {
            ...options,
            scheduler: this.scheduler,
            onDrop: (reason, item) => this.dropped.push(`${reason} ${item.id}`),
            onPressure: (paused) => this.pressure.push(paused),
          },
          (batch) => {
            this.started.push(batch.map((item) => item.id));
            return new Promise<void>((resolve) => (this.#inFlight = resolve));
          },
        ),
      )
      .subscribe({
        next: (batch) => this.emitted.push(batch.map((item) => item.id)),
        error: (error: unknown) => (this.ending = error instanceof Error ? error.message : String(error)),
        complete: () => (this.ending = 'complete'),
      });
  }

  offer(...ids: number[]): void {
    for (const id of ids) this.source.next({ id, key: `k${id % 2}` });
  }

  /** Ends the batch in flight, if there is one, and lets what hangs on it happen. */
  async finish(): Promise<void> {
    this.#inFlight?.();
    this.#inFlight = undefined;
    for (let i = 0; i < 5; i += 1) await Promise.resolve();
  }

  pass(ms: number): void {
    const until = this.scheduler.frame + ms;
    this.scheduler.maxFrames = until;
    this.scheduler.flush();
    this.scheduler.frame = until;
  }
}
