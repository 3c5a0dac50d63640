import { from, take } from 'rxjs';
import { expect, test } from 'vitest';
import { windowState } from '../operators/steps/window.ts';
import type { Reading, WindowAggregate } from '../operators/types.ts';
import { windowAggregate } from '../operators/windowAggregate.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

const at = (seconds: number, value: number | null, overrides: Partial<Reading> = {}): Reading =>
  reading(value, { timestamp: seconds * 1000, ...overrides });

const inputs = [
  at(0.1, 1),
  at(0.6, 2),
  at(1.2, null),
  at(0.4, 9),
  at(2.3, 4, { imputed: true }),
  at(2.3, 5, { quality: 'Bad' }),
  at(9, -0),
  at(1.9, 3),
];

operatorContract('windowAggregate', (cell) => windowAggregate({ sizeMs: 1000 }, cell), inputs, windowState);
operatorContract(
  'windowAggregate, sliding with lateness',
  (cell) =>
    windowAggregate({ sizeMs: 2500, everyMs: 1000, offsetMs: 300, latenessMs: 8000, maxSamples: 2 }, cell),
  inputs,
  windowState,
);

/** A window of one reading with nothing before it. */
const windowOf = (
  startS: number,
  value: number,
  overrides: Partial<WindowAggregate> = {},
): WindowAggregate => ({
  asset: 'R101',
  sensor: 'temperature',
  unit: 'degC',
  sizeMs: 1000,
  everyMs: 1000,
  start: startS * 1000,
  end: startS * 1000 + 1000,
  count: 1,
  badCount: 0,
  imputedCount: 0,
  mean: value,
  timeWeightedMean: value,
  min: value,
  max: value,
  stdDev: null,
  first: value,
  last: value,
  revision: 0,
  ...overrides,
});

const [a, b, c, d] = [at(0, 1), at(0.5, 2), at(1, 4), at(2.5, 6)];
const A = windowOf(0, 1, {
  count: 2,
  mean: 1.5,
  timeWeightedMean: 1.5,
  max: 2,
  stdDev: Math.SQRT1_2,
  last: 2,
});
const B = windowOf(1, 4);
const C = windowOf(2, 6, { timeWeightedMean: 5 });

test('emits a window when source time has reached its end, the last at completion', () => {
  marbles(({ cold, expectObservable }) => {
    expectObservable(cold('--a--b--c--d--|', { a, b, c, d }).pipe(windowAggregate({ sizeMs: 1000 }))).toBe(
      '--------A--B--(C|)',
      { A, B, C },
    );
  });
});

test('a late reading revises its window; a later one is dropped and reported', () => {
  const dropped: unknown[] = [];
  const onDrop = (reason: string, item: Reading): void => void dropped.push([reason, item.value]);
  marbles(({ cold, expectObservable }) => {
    const late = at(0.5, 2);
    const tooLate = at(0.7, 7);
    const source = cold('--a--c--b--d--x--|', { a, c, b: late, d, x: tooLate });
    expectObservable(source.pipe(windowAggregate({ sizeMs: 1000, latenessMs: 1000, onDrop }))).toBe(
      '-----P--A--B-----(C|)',
      { P: windowOf(0, 1), A: { ...A, revision: 1 }, B, C },
    );
  });
  expect(dropped).toEqual([['lateForWindow', 7]]);
});

test('ticks close the windows of a sensor that has gone silent', () => {
  marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
    const ticks = hot('----x----y----|', { x: 9999, y: 10_000 });
    const source = cold('-a----------|', { a });
    expectObservable(source.pipe(windowAggregate({ sizeMs: 1000 }, undefined, ticks))).toBe('---------P--|', {
      P: windowOf(0, 1),
    });
    expectSubscriptions(ticks.subscriptions).toBe('^-----------!');
  });
});

test('sliding windows overlap', () => {
  const out = outputsOf(windowAggregate({ sizeMs: 3000, everyMs: 1000 }), readings([1, 2, 3, 4]));
  expect(out.map((w) => [w.start, w.count, w.mean])).toEqual([
    [-2000, 1, 1],
    [-1000, 2, 1.5],
    [0, 3, 2],
    [1000, 3, 3],
    [2000, 2, 3.5],
    [3000, 1, 4],
  ]);
});

test('Bad and missing readings are counted apart and end no hold', () => {
  const bad = at(0.5, 400, { quality: 'Bad' });
  const out = outputsOf(windowAggregate({ sizeMs: 1000 }), [a, bad, at(0.6, null), at(1.5, null)]);
  expect(out).toEqual([
    windowOf(0, 1, { badCount: 2 }),
    windowOf(1, 0, {
      count: 0,
      badCount: 1,
      mean: null,
      timeWeightedMean: 1,
      min: null,
      max: null,
      first: null,
      last: null,
    }),
  ]);
});

test('a consumer that has enough stops a source that emits at once', () => {
  let dropped = 0;
  const onDrop = (): void => void (dropped += 1);
  from([a, c, b, b, b])
    .pipe(windowAggregate({ sizeMs: 1000, onDrop }), take(1))
    .subscribe();
  expect(dropped).toBe(0);
});

test('an error thrown by onDrop reaches the consumer', () => {
  const errors: unknown[] = [];
  const broken = new Error('counter is gone');
  const onDrop = (): never => {
    throw broken;
  };
  from([a, c, b])
    .pipe(windowAggregate({ sizeMs: 1000, onDrop }))
    .subscribe({ error: (e) => errors.push(e) });
  expect(errors).toEqual([broken]);
});

test('bad options throw when composed', () => {
  expect(() => windowAggregate({ sizeMs: 0 })).toThrow('sizeMs: 0 is not valid');
});
