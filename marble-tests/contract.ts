/** What every operator promises, whatever it does with the readings; each operator's marble test runs it. */
import { Subject, take } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { RunHelpers } from 'rxjs/testing';
import { describe, expect, test } from 'vitest';
import type { StateCell } from '../operators/stateCell.ts';

/** Runs marble assertions in virtual time. */
export function marbles(body: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(body);
}

/** Freezes plain data all the way down, so that an operator which changes its input throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

interface Driven<I, O> {
  readonly out: O[];
  readonly source: Subject<I>;
  readonly isDone: () => boolean;
  readonly stop: () => void;
}

/** Subscribes the operator to a source that the test drives by hand. */
function drive<I, O>(operator: OperatorFunction<I, O>): Driven<I, O> {
  const source = new Subject<I>();
  const out: O[] = [];
  let done = false;
  const subscription = source.pipe(operator).subscribe({
    next: (value) => out.push(value),
    complete: () => (done = true),
  });
  return { out, source, isDone: () => done, stop: () => subscription.unsubscribe() };
}

function feed<I>(source: Subject<I>, inputs: readonly I[]): void {
  for (const input of inputs) source.next(input);
}

/** What the operator makes of the inputs, from subscription to completion. */
export function outputsOf<I, O>(operator: OperatorFunction<I, O>, inputs: readonly I[]): O[] {
  const { out, source, isDone } = drive(operator);
  feed(source, inputs);
  source.complete();
  expect(isDone()).toBe(true);
  return out;
}

/**
 * The shared operator contract: never, empty, error, early unsubscribe, untouched inputs, fresh state a
 * subscription, and a state that survives a JSON round trip between any two inputs.
 *
 *     operatorContract('flagSpikes', (cell) => flagSpikes({}, cell), inputs, spikeState);
 *     operatorContract('validateRange', () => validateRange({ min: 0, max: 1 }), inputs); // has no state
 *
 * @param create makes the operator anew; passes `cell` on (undefined = the operator's own).
 * @param inputs at least two, which make the operator do its work and emit something before or at completion.
 * @param state makes a fresh state; leave it out only for an operator without one.
 */
export function operatorContract<I, O, S>(
  name: string,
  create: (cell: StateCell<S> | undefined) => OperatorFunction<I, O>,
  inputs: readonly I[],
  state?: () => S,
): void {
  const samples = deepFreeze([...inputs]);
  const fresh = (): OperatorFunction<I, O> => create(undefined);

  describe(`${name} keeps the operator contract`, () => {
    test('the samples make it emit', () => {
      expect(samples.length).toBeGreaterThanOrEqual(2);
      expect(outputsOf(fresh(), samples).length).toBeGreaterThan(0);
    });

    test('never: stays silent and open', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<I>('-');
        expectObservable(source.pipe(fresh()), '^ 5s !').toBe('-');
        expectSubscriptions(source.subscriptions).toBe('^ 5s !');
      });
    });

    test('empty: completes with the source and makes nothing up', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<I>('--|');
        expectObservable(source.pipe(fresh())).toBe('--|');
        expectSubscriptions(source.subscriptions).toBe('^-!');
      });
    });

    test('error: passes the error on at once and lets go of the source', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<I>('--#', undefined, new Error('source lost'));
        expectObservable(source.pipe(fresh())).toBe('--#', undefined, new Error('source lost'));
        expectSubscriptions(source.subscriptions).toBe('^-!');
      });
      const lost = new Error('lost in mid-stream');
      const seen: unknown[] = [];
      const source = new Subject<I>();
      source.pipe(fresh()).subscribe({ error: (error: unknown) => seen.push(error) });
      feed(source, samples);
      source.error(lost);
      expect(seen).toEqual([lost]);
      expect(seen[0]).toBe(lost);
    });

    test('early unsubscribe: lets go of the source at once and falls silent', () => {
      marbles(({ cold, expectSubscriptions, expectObservable }) => {
        const source = cold<I>('-----|');
        expectObservable(source.pipe(fresh()), '^--!').toBe('----');
        expectSubscriptions(source.subscriptions).toBe('^--!');
      });
      const driven = drive(fresh());
      feed(driven.source, samples.slice(0, 1));
      const before = driven.out.length;
      driven.stop();
      expect(driven.source.observed).toBe(false);
      feed(driven.source, samples);
      expect(driven.out.length).toBe(before);
    });

    test('take(1): a consumer that has enough releases the source', () => {
      const source = new Subject<I>();
      let emitted = 0;
      source.pipe(fresh(), take(1)).subscribe(() => (emitted += 1));
      feed(source, samples);
      source.complete();
      expect(emitted).toBe(1);
      expect(source.observed).toBe(false);
    });

    test('fresh state a subscription: one after the other, and side by side', () => {
      const operator = fresh();
      const expected = outputsOf(operator, samples);
      expect(outputsOf(operator, samples)).toEqual(expected);

      const left = drive(operator);
      const right = drive(operator);
      for (const sample of samples) {
        left.source.next(sample);
        right.source.next(sample);
      }
      left.source.complete();
      right.source.complete();
      expect(left.out).toEqual(expected);
      expect(right.out).toEqual(expected);
    });

    test('composition alone subscribes to nothing', () => {
      const source = new Subject<I>();
      source.pipe(fresh());
      expect(source.observed).toBe(false);
    });

    if (state === undefined) return;

    test('its state survives a JSON round trip between any two inputs', () => {
      const expected = outputsOf(fresh(), samples);
      for (let cut = 0; cut <= samples.length; cut += 1) {
        const kept = state();
        const before = drive(create({ open: () => kept }));
        feed(before.source, samples.slice(0, cut));
        const restored = roundTrip(kept);
        before.stop();

        const after = drive(create({ open: () => restored }));
        feed(after.source, samples.slice(cut));
        after.source.complete();
        expect([...before.out, ...after.out], `cut after ${cut} inputs`).toEqual(expected);
      }
    });
  });
}

/** @returns the state as a checkpoint would restore it, after making sure that nothing was lost. */
export function roundTrip<S>(state: S): S {
  const restored = JSON.parse(JSON.stringify(state)) as S;
  expect(restored).toStrictEqual(state);
  return restored;
}
