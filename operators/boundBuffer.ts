import { asyncScheduler, catchError, concat, concatWith, filter, Observable, throwError } from 'rxjs';
import type { OperatorFunction, SchedulerLike, Subscription } from 'rxjs';
import { integerBetween, numberAtLeast } from './options.ts';
import { stateCell } from './stateCell.ts';
import type { StateCell } from './stateCell.ts';
import { BoundQueue, queueState, resolveQueueOptions } from './steps/buffer.ts';
import type { QueueOptions, QueueState } from './steps/buffer.ts';

export interface BufferOptions<T> extends QueueOptions<T> {
  /** Items in a batch at most. Integer >= 1. Default: capacity. */
  readonly maxBatch?: number;
  /** How long an item waits for company at most while the consumer is idle, from its arrival, in ms. >= 0. Default 0. */
  readonly maxWaitMs?: number;
  /** An item for which it is true is not kept waiting for company, nor are those before it. Default: none. */
  readonly urgent?: (item: T) => boolean;
  /** Told of every item that is not consumed. */
  readonly onDrop?: (reason: 'overflow' | 'putTimeout', item: T) => void;
  /** `pause`: true when the buffer has filled up, false when it has drained to half. */
  readonly onPressure?: (paused: boolean) => void;
  /** Clock and timers. Default: asyncScheduler. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Hands items to a consumer that takes its time, in batches that grow while it is busy, and bounds what waits.
 *
 *     source       --a--b-c-d--------|
 *     boundBuffer({ capacity: 10 }, commit)    commit takes 5 frames
 *     result       -------A----B-----|    A = [a], B = [b, c, d]
 *
 * Each batch is emitted after it was consumed: at once where `consume` returns no promise, when it resolves
 * otherwise. The next batch is everything that waits, up to `maxBatch`. What a full buffer does is `overflow`:
 *
 * - `pause`: tells `onPressure`; as many again wait up to `putTimeoutMs` for room, then are dropped (`putTimeout`).
 * - `dropOldest`, `dropNewest`: drops the oldest item in the buffer, or the arriving one (`overflow`).
 * - `latest`: keeps one item a `key`, the newest, in the place of the first; then the oldest goes (`overflow`).
 *
 * Completion and errors of the source pass on once the buffer is empty.
 *
 * State: at most `capacity` items, twice that with `pause`, plus those that are not `droppable`.
 * Drops: `overflow`, `putTimeout`. Errors: RangeError on bad options, when composed; what `consume` throws or
 * rejects with.
 *
 * @example
 * readings$.pipe(boundBuffer({ capacity: 1000 }, (batch) => store.commit(batch)))
 */
export function boundBuffer<T extends object | string>(
  options: BufferOptions<T>,
  consume: (batch: readonly T[]) => unknown,
  cell: StateCell<QueueState<T>> = stateCell(() => queueState<T>()),
): OperatorFunction<T, readonly T[]> {
  const queueOptions = resolveQueueOptions(options);
  const { capacity, overflow } = queueOptions;
  const maxBatch = integerBetween('maxBatch', options.maxBatch ?? capacity, 1);
  const maxWaitMs = numberAtLeast('maxWaitMs', options.maxWaitMs ?? 0, 0);
  const scheduler = options.scheduler ?? asyncScheduler;
  const enough = Math.min(maxBatch, capacity);

  return (source) =>
    new Observable((subscriber) => {
      const queue = new BoundQueue<T>(cell.open(), queueOptions, (reason, item) =>
        options.onDrop?.(reason === 'putTimeout' ? reason : 'overflow', item),
      );
      let busy = false;
      /** Something that waits is urgent. */
      let pressing = false;
      let paused = false;
      let ended: (() => void) | undefined;
      let waiting: Subscription | undefined;
      let expiry: Subscription | undefined;

      const fail = (error: unknown): void => subscriber.error(error);
      const press = (now: boolean): void => {
        if (paused === now) return;
        paused = now;
        options.onPressure?.(now);
      };
      /** @returns whether the batch was consumed at once. */
      const run = (batch: readonly T[]): boolean => {
        busy = true;
        try {
          const result: unknown = consume(batch);
          if (isPromiseLike(result)) {
            const done = (): void => {
              if (subscriber.closed) return;
              subscriber.next(batch);
              busy = false;
              // What came meanwhile goes on waiting for company from the time at which it came.
              if (waiting === undefined || pressing || ended !== undefined || queue.size >= enough) drain();
              else {
                if (queue.size <= capacity / 2) press(false);
                watch();
              }
            };
            result.then(done).then(undefined, fail);
            return false;
          }
        } catch (error) {
          fail(error);
          return false;
        }
        subscriber.next(batch);
        busy = false;
        return true;
      };
      const drain = (): void => {
        waiting?.unsubscribe();
        waiting = undefined;
        pressing = false;
        while (!busy && !subscriber.closed && queue.size > 0) {
          const batch = queue.take(maxBatch);
          // A source that goes on at once must find its place behind this batch.
          busy = true;
          if (queue.size <= capacity / 2) press(false);
          run(batch);
        }
        watch();
        if (!busy && ended !== undefined && queue.size === 0) ended();
      };
      /** Sets the timer for the first item that waits for room. */
      const watch = (): void => {
        const deadline = queue.deadline();
        if (deadline === null) {
          expiry?.unsubscribe();
          expiry = undefined;
        } else if (expiry === undefined || expiry.closed) {
          expiry = scheduler.schedule(
            () => {
              expiry?.unsubscribe();
              queue.expire(scheduler.now());
              watch();
            },
            Math.max(0, deadline - scheduler.now()),
          );
        }
      };
      const timeIsUp = (): void => {
        if (busy) pressing = true;
        else drain();
      };
      const offer = (item: T): void => {
        if (!busy && maxWaitMs === 0 && queue.size === 0) {
          // The consumer is idle: nothing needs to be kept.
          if (run([item])) drain();
          return;
        }
        const wasFull = overflow === 'pause' && queue.full;
        queue.offer(item, wasFull ? scheduler.now() : 0);
        if (overflow === 'pause' && queue.full) {
          press(true);
          if (wasFull) watch();
        }
        if (options.urgent?.(item) === true) pressing = true;
        if (!busy && (queue.size >= enough || maxWaitMs === 0 || pressing)) drain();
        else if (maxWaitMs > 0) waiting ??= scheduler.schedule(timeIsUp, maxWaitMs);
      };
      const drained = new Observable<never>((last) => {
        ended = () => last.complete();
        if (!busy) drain();
      });

      subscriber.add(() => {
        waiting?.unsubscribe();
        expiry?.unsubscribe();
      });
      drain();
      source
        .pipe(
          // Nothing passes: batches go to the subscriber by themselves.
          filter((item): item is never => {
            offer(item);
            return false;
          }),
          catchError((error: unknown) =>
            concat(
              drained,
              throwError(() => error),
            ),
          ),
          concatWith(drained),
        )
        .subscribe(subscriber);
    });
}

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
