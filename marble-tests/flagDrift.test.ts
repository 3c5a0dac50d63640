import { describe, expect, test } from 'vitest';
import { flagDrift } from '../operators/flagDrift.ts';
import { driftState } from '../operators/steps/drift.ts';
import { withIssue } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

const around85 = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 84.5 : 85.5));
const shifted = around85.map((value) => value + 1.5);
const reference = { referenceMean: 85, referenceStdDev: 0.5 };

describe.each(['cusum', 'ewma'] as const)('method %s', (method) => {
  operatorContract(
    'flagDrift',
    (cell) => flagDrift({ method, learnCount: 10, thresholdStdDevs: 2, confirmCount: 6 }, cell),
    readings([...around85, null, ...shifted, ...around85, -0, 1e200]),
    driftState,
  );
});

test('marks a small shift once enough has been summed up', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b] = [reading(85), reading(86)];
    const issue = (sum: number, count: number) => ({
      check: 'drift',
      message: `Drifts up: cumulative sum ${sum} standard deviations (allowed: 5), for ${count} readings, reference 85, standard deviation 0.5`,
    });
    const [B, C] = [withIssue(b, 'Uncertain', issue(6, 4)), withIssue(b, 'Uncertain', issue(5.5, 5))];
    const result = cold('aaa-bbbb-(aa)|', { a, b }).pipe(flagDrift({ ...reference, thresholdStdDevs: 5 }));
    expectObservable(result).toBe('aaa-bbbB-(Ca)|', { a, b, B, C: withIssue(a, 'Uncertain', C.issues[0]!) });
  });
});

test('Bad, missing, imputed and late readings pass by reference and count for nothing', () => {
  const late = [{ check: 'order', message: 'late' }];
  const inputs = [
    ...readings(
      Array.from({ length: 50 }, () => 90),
      1000,
      0,
      { quality: 'Bad' },
    ),
    ...readings(Array.from({ length: 50 }, () => null)),
    ...readings(
      Array.from({ length: 50 }, () => 90),
      1000,
      0,
      { imputed: true },
    ),
    ...readings(
      Array.from({ length: 50 }, () => 90),
      1000,
      0,
      { quality: 'Uncertain', issues: late },
    ),
    reading(86),
  ];
  const outputs = outputsOf(flagDrift({ ...reference, thresholdStdDevs: 1 }), [...inputs, reading(85.5)]);
  inputs.slice(0, -1).forEach((input, index) => expect(outputs[index]).toBe(input));
  expect(outputs.at(-1)?.issues[0]?.message).toMatch(/^Drifts up: cumulative sum 2 .* for 2 readings/);
});

test('refuses bad options when composed', () => {
  expect(() => flagDrift({ learnCount: 1 })).toThrow(RangeError);
});
