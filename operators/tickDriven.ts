import { Observable, takeWhile } from 'rxjs';

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
    const fail = (error: unknown): void => subscriber.error(error);
    const handler = open((result) => subscriber.next(result));
    // A source that emits at once, before there is anything to unsubscribe, still ends with its subscriber.
    const guarded = source.pipe(takeWhile(() => !subscriber.closed));
    const attempt = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        fail(error);
      }
    };
    const finish = (): void => {
      handler.flush();
      subscriber.complete();
    };
    subscriber.add(
      guarded.subscribe({
        next: (item) => {
          try {
            handler.next(item);
          } catch (error) {
            fail(error);
          }
        },
        error: fail,
        complete: () => {
          if (!subscriber.closed) attempt(finish);
        },
      }),
    );
    if (!subscriber.closed) {
      subscriber.add(ticks.subscribe({ next: (tick) => attempt(() => handler.tick(tick)), error: fail }));
    }
  });
}
