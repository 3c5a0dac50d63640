import { filter, Observable, tap } from 'rxjs';

/** What an operator that also listens to a clock does with its two inputs. */
export interface TickDriven<T, K = number> {
  next(item: T): void;
  tick(tick: K): void;
  /** Hands on what is left; the result completes after it. */
  flush(): void;
}

/**
 * Runs a handler on a source and on ticks: the source is subscribed to first, and ends the result.
 * `open` is called once a subscription, with the way to emit.
 */
export function tickDriven<T, R, K = number>(
  source: Observable<T>,
  ticks: Observable<K>,
  open: (emit: (result: R) => void) => TickDriven<T, K>,
): Observable<R> {
  return new Observable<R>((subscriber) => {
    const handler = open((result) => subscriber.next(result));
    // Nothing passes the filter: it is the leanest way to a handler whose errors, and whose end, are the subscriber's.
    const driven = source.pipe(
      filter((item): item is never => {
        handler.next(item);
        return false;
      }),
      tap({ complete: () => handler.flush() }),
    );
    driven.subscribe(subscriber);
    if (subscriber.closed) return;
    const ticking = ticks.pipe(
      filter((tick): tick is never => {
        handler.tick(tick);
        return false;
      }),
    );
    // The end of the ticks is not the end of the readings.
    subscriber.add(ticking.subscribe({ error: (error: unknown) => subscriber.error(error) }));
  });
}
