import { expect, test } from 'vitest';
import { flagRate } from '../operators/flagRate.ts';
import { rateState } from '../operators/steps/rate.ts';
import { withIssue } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

operatorContract(
  'flagRate',
  (cell) => flagRate({ maxRisePerS: 1, maxFallPerS: 0.5, confirmCount: 2 }, cell),
  readings([85, 85.5, 90, null, 86, 80, 79, 79, -0, 0, 0.5]),
  rateState,
);

test('marks what changes faster than the process can, by source time', () => {
  marbles(({ cold, expectObservable }) => {
    const a = reading(85, { timestamp: 0 });
    const b = reading(88, { timestamp: 1000 });
    const c = reading(87, { timestamp: 4000 });
    const B = withIssue(b, 'Uncertain', {
      check: 'rate',
      message: 'Rises too fast: 3 per second (allowed: 1), by 3 in 1 s',
    });
    const result = cold('--a--b-----c--|', { a, b, c }).pipe(flagRate({ maxRisePerS: 1 }));
    expectObservable(result).toBe('--a--B-----c--|', { a, B, c });
  });
});

test('Bad, missing, imputed and late readings pass by reference and are no reference', () => {
  const late = { check: 'order', message: 'late' };
  const inputs = [
    reading(85, { timestamp: 10_000 }),
    reading(1000, { timestamp: 11_000, quality: 'Bad' }),
    reading(null, { timestamp: 12_000 }),
    reading(1000, { timestamp: 13_000, imputed: true }),
    reading(1000, { timestamp: 5000, quality: 'Uncertain', issues: [late] }),
    reading(86, { timestamp: 14_000 }),
  ];
  const outputs = outputsOf(flagRate({ maxRisePerS: 1 }), [...inputs, reading(88, { timestamp: 15_000 })]);
  inputs.forEach((input, index) => expect(outputs[index]).toBe(input));
  expect(outputs[6]?.issues[0]?.message).toBe('Rises too fast: 2 per second (allowed: 1), by 2 in 1 s');
});

test('refuses bad options when composed', () => {
  expect(() => flagRate({})).toThrow(RangeError);
});
