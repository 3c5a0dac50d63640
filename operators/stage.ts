import { filter, NEVER, Observable, tap } from 'rxjs';
import type { MonoTypeOperatorFunction, OperatorFunction, Subscriber } from 'rxjs';
import type { StateCell } from './stateCell.ts';

/** Where a stage hands its results: the next stage, or the subscriber. */
export interface Sink<T> {
  next(item: T): void;
}

/** A part that does something with a tick of the clock (epoch milliseconds), or at the end of its source. */
export interface Timed {
  tick(now: number): void;
  flush(): void;
}

/**
 * Opens a stage, once a subscription. What is `Timed` is added to `timed`, after everything behind it.
 * @returns where the stage's items go in.
 */
export type OpenStage<T, R> = (down: Sink<R>, timed: Timed[]) => Sink<T>;

/** An operator like any other, which can also be put together with others in one subscription: see `fuse`. */
export interface Stage<T, R> extends OperatorFunction<T, R> {
  readonly open: OpenStage<T, R>;
  /** What drives its ticks; null where it has none. */
  readonly ticks: Observable<number> | null;
}

/** Makes an operator. The source is subscribed to first, then the ticks; the source ends the result. */
export function stage<T, R>(open: OpenStage<T, R>, ticks: Observable<number> | null = null): Stage<T, R> {
  const clock = ticks === NEVER ? null : ticks;
  return Object.assign((source: Observable<T>) => run(source, open, clock), { open, ticks: clock });
}

/** One result an item: `apply(state, item, options)`. */
export function mapStage<S, T, R, O>(
  cell: StateCell<S>,
  options: O,
  apply: (state: S, item: T, options: O) => R,
): Stage<T, R> {
  return stage((down) => new MapBody(cell.open(), options, apply, down));
}

/** A step that emits any number of results for an item, for a tick, and at the end. */
export interface EmittingStep<S, T, R, O> {
  next(state: S, item: T, options: O, emit: (result: R) => void): void;
  tick(state: S, now: number, options: O, emit: (result: R) => void): void;
  flush(state: S, options: O, emit: (result: R) => void): void;
}

export function emittingStage<S, T, R, O>(
  cell: StateCell<S>,
  options: O,
  step: EmittingStep<S, T, R, O>,
  ticks: Observable<number>,
): Stage<T, R> {
  return stage((down, timed) => {
    const body = new EmittingBody(cell.open(), options, step, down);
    timed.push(body);
    return body;
  }, ticks);
}

/**
 * Two operators as one, which does the same as `pipe(first, second)` in a single subscription: the first hands its
 * results to the second by a plain call. Rxjs makes several objects an operator and subscription; with a thousand sensors
 * of ten operators each, reaching for them in memory costs more than the arithmetic.
 *
 * @throws RangeError where the two are driven by different clocks.
 */
export function fuse<A, B, C>(first: Stage<A, B>, second: Stage<B, C>): Stage<A, C> {
  return stage((down, timed) => first.open(second.open(down, timed), timed), commonClock([first, second]));
}

/** Hands every item to each of the stages, in their order; the results come together. One subscription for all. */
export function fanOut<T, R>(stages: readonly Stage<T, R>[]): Stage<T, R> {
  return stage((down, timed) => {
    // From the last to the first, so that `timed` has them in reverse like stages that follow each other.
    const sinks = stages.toReversed().map((each) => each.open(down, timed));
    return new FanOutBody(sinks.reverse());
  }, commonClock(stages));
}

// Bodies are classes, and as small as can be: of their methods there is one copy for all sensors, which stays in the cache.

class MapBody<S, T, R, O> implements Sink<T> {
  readonly #state: S;
  readonly #options: O;
  readonly #apply: (state: S, item: T, options: O) => R;
  readonly #down: Sink<R>;

  constructor(state: S, options: O, apply: (state: S, item: T, options: O) => R, down: Sink<R>) {
    this.#state = state;
    this.#options = options;
    this.#apply = apply;
    this.#down = down;
  }

  next(item: T): void {
    const apply = this.#apply;
    this.#down.next(apply(this.#state, item, this.#options));
  }
}

class EmittingBody<S, T, R, O> implements Sink<T>, Timed {
  readonly #state: S;
  readonly #options: O;
  readonly #step: EmittingStep<S, T, R, O>;
  readonly #emit: (result: R) => void;

  constructor(state: S, options: O, step: EmittingStep<S, T, R, O>, down: Sink<R>) {
    this.#state = state;
    this.#options = options;
    this.#step = step;
    this.#emit = (result) => down.next(result);
  }

  next(item: T): void {
    this.#step.next(this.#state, item, this.#options, this.#emit);
  }

  tick(now: number): void {
    this.#step.tick(this.#state, now, this.#options, this.#emit);
  }

  flush(): void {
    this.#step.flush(this.#state, this.#options, this.#emit);
  }
}

class FanOutBody<T> implements Sink<T> {
  readonly #sinks: readonly Sink<T>[];

  constructor(sinks: readonly Sink<T>[]) {
    this.#sinks = sinks;
  }

  next(item: T): void {
    for (const sink of this.#sinks) sink.next(item);
  }
}

function commonClock(
  stages: readonly { readonly ticks: Observable<number> | null }[],
): Observable<number> | null {
  const [clock = null, another] = new Set(stages.flatMap(({ ticks }) => ticks ?? []));
  if (another === undefined) return clock;
  throw new RangeError('ticks: two clocks are not valid, expected one that drives all of the stages');
}

function run<T, R>(
  source: Observable<T>,
  open: OpenStage<T, R>,
  ticks: Observable<number> | null,
): Observable<R> {
  return new Observable<R>((subscriber) => {
    const timed: Timed[] = [];
    const inlet = open(subscriber, timed);
    // The nearer to the source, the earlier: what it hands on is there when the next one's turn comes.
    connect(source, inlet, timed.reverse(), ticks, subscriber);
  });
}

/** A function of its own, so that what lives as long as the subscription does not keep hold of how it was composed. */
function connect<T, R>(
  source: Observable<T>,
  inlet: Sink<T>,
  timed: readonly Timed[],
  ticks: Observable<number> | null,
  subscriber: Subscriber<R>,
): void {
  // Nothing passes the filters: they are the leanest way to a sink whose errors, and whose end, are the subscriber's.
  const driven = source.pipe(
    filter((item): item is never => {
      inlet.next(item);
      return false;
    }),
  );
  (timed.length === 0 ? driven : driven.pipe(atEnd(timed))).subscribe(subscriber);
  if (ticks === null || timed.length === 0 || subscriber.closed) return;
  const ticking = ticks.pipe(
    filter((now): now is never => {
      for (const each of timed) each.tick(now);
      return false;
    }),
  );
  // The end of the ticks is not the end of the readings.
  subscriber.add(ticking.subscribe({ error: (error: unknown) => subscriber.error(error) }));
}

const atEnd = (timed: readonly Timed[]): MonoTypeOperatorFunction<never> =>
  tap({
    complete: () => {
      for (const each of timed) each.flush();
    },
  });
