import { expect, test } from 'vitest';
import { smoothState } from '../operators/smoothState.ts';
import { smoothState as initial } from '../operators/steps/smooth.ts';
import type { Reading } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

operatorContract(
  'smoothState',
  (cell) => smoothState({ lagMs: 2000, measurementVariance: 0.25 }, cell),
  [
    ...readings([null, 85, 85.4, null, 86.1, 85.9, 95.2, 95.4, 94.9]),
    reading(500, { timestamp: 9000, quality: 'Bad' }),
    reading(95.1, { timestamp: 10_000 }),
  ],
  initial,
);

test('emits each reading when one that is lagMs newer has come, the rest at the end', () => {
  marbles(({ cold, expectObservable }) => {
    const at = (timestamp: number): Reading => reading(85, { timestamp });
    const [a, b, c, d] = [at(0), at(1000), at(2000), at(3000)];
    const closeTo = (figure: number): unknown => expect.closeTo(figure, 9);
    const having = (smoothed: object): unknown => expect.objectContaining(smoothed);
    const of = (source: Reading, lagMs: number): unknown => ({
      ...source,
      smoothed: having({ value: closeTo(85), lagMs }),
    });
    expectObservable(cold('a-b-c-d-|', { a, b, c, d }).pipe(smoothState({ lagMs: 2000 }))).toBe(
      '----a-b-(cd|)',
      {
        a: of(a, 2000),
        b: of(b, 2000),
        c: of(c, 1000),
        d: of(d, 0),
      },
    );
  });
});

test('emits several together where so asked', () => {
  const results = outputsOf(
    smoothState({ lagMs: 2000, everyMs: 3000 }),
    readings([85, 85, 85, 85, 85, 85, 85]),
  );
  expect(results.map(({ smoothed }) => smoothed.lagMs)).toEqual([5000, 4000, 3000, 2000, 2000, 1000, 0]);
});

test('refuses bad options when composed', () => {
  expect(() => smoothState({ lagMs: 0 })).toThrow(/lagMs: 0 is not valid, expected a number > 0/);
});
