import { expect, test } from 'vitest';
import { flagOutliers } from '../operators/flagOutliers.ts';
import { outlierState } from '../operators/steps/outlier.ts';
import { withIssue } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

const around85 = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? 84.5 : 85.5));

operatorContract(
  'flagOutliers',
  (cell) => flagOutliers({ windowSize: 12, confirmCount: 2 }, cell),
  readings([...around85, 88, 85, null, 100, 101, ...around85, 85, 90]),
  outlierState,
);

test('marks what stands out, and judges it by the values before it', () => {
  marbles(({ cold, expectObservable }) => {
    const [l, h, b, c] = [reading(84.5), reading(85.5), reading(88), reading(86)];
    const B = withIssue(b, 'Uncertain', {
      check: 'outlier',
      message: 'Outlier: z-score 6.00 (allowed: 3), mean 85, standard deviation 0.5',
    });
    expectObservable(cold('lhlhlhlhlh--b--c--|', { l, h, b, c }).pipe(flagOutliers())).toBe(
      'lhlhlhlhlh--B--c--|',
      {
        l,
        h,
        B,
        c,
      },
    );
  });
});

test('Bad and missing readings pass by reference and stay out of the baseline', () => {
  const baseline = readings(around85.flatMap((value) => [value, null]));
  const bad = Array.from({ length: 20 }, () => reading(1000, { quality: 'Bad' }));
  const inputs = [...baseline, ...bad];
  const outputs = outputsOf(flagOutliers(), [...inputs, reading(88)]);
  inputs.forEach((input, index) => expect(outputs[index]).toBe(input));
  expect(outputs[inputs.length]?.issues[0]?.message).toContain('z-score 6.00');
});

test('a state kept under a larger window is cut to the newest values', () => {
  const kept = outlierState();
  const cell = { open: () => kept };
  outputsOf(flagOutliers({ windowSize: 100 }, cell), readings([...around85, ...around85.map((x) => x + 1)]));
  const [output] = outputsOf(flagOutliers({ windowSize: 10 }, cell), [reading(80)]);
  expect(output?.issues[0]?.message).toContain('mean 86, standard deviation 0.5');
  expect(kept.baseline.ring).toHaveLength(10);
});

test('refuses bad options when composed', () => {
  expect(() => flagOutliers({ threshold: -3 })).toThrow(RangeError);
});
