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

operatorContract(
  'smoothState, whiteAcceleration, several together',
  (cell) => smoothState({ mode: 'whiteAcceleration', lagMs: 2000, everyMs: 3000, noiseCount: 20 }, cell),
  readings([null, 85, 140, 85.4, 86.1, null, 85.9, 95.2, 95.4, 94.9, 95.3]),
  initial,
);

const settled = Array.from({ length: 60 }, (_, i) => 85 + 0.3 * Math.sin(i * 2.4));

test('a spike leaves no trace, and a new level begins with its first reading', () => {
  const tail = [120, 85, 85, 85, 95, 95, 95, 95];
  const results = outputsOf(
    smoothState({ lagMs: 5000, measurementVariance: 0.25 }),
    readings([...settled, ...tail]),
  );
  expect(results.slice(60).map(({ smoothed }) => Math.round(smoothed.value))).toEqual([
    85, 85, 85, 85, 95, 95, 95, 95,
  ]);
  expect(results.map(({ value }) => value)).toEqual([...settled, ...tail]);
});

test('gives Bad and missing readings an estimate, late ones none', () => {
  const late = reading(70, {
    timestamp: 1500,
    quality: 'Uncertain',
    issues: [{ check: 'order', message: 'late' }],
  });
  const inputs = [
    reading(85),
    reading(500, { timestamp: 1000, quality: 'Bad' }),
    reading(null, { timestamp: 2000 }),
    late,
    reading(85, { timestamp: 3000 }),
  ];
  const results = outputsOf(smoothState({ lagMs: 2000 }), inputs);
  expect(results.map(({ timestamp, smoothed }) => [timestamp, Math.round(smoothed.value)])).toEqual([
    [0, 85],
    [1000, 85],
    [2000, 85],
    [3000, 85],
  ]);
});

test('an error of the source ends it at once: what is held does not come out', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b] = [reading(85), reading(85, { timestamp: 1000 })];
    expectObservable(cold('a-b-#', { a, b }, new Error('lost')).pipe(smoothState({ lagMs: 2000 }))).toBe(
      '----#',
      undefined,
      new Error('lost'),
    );
  });
});

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
