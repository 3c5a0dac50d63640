import { expect, test } from 'vitest';
import { flagHampel } from '../operators/flagHampel.ts';
import { baselineCount } from '../operators/steps/hampelBaseline.ts';
import { hampelState } from '../operators/steps/hampel.ts';
import { withIssue } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

const around85 = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 84.5 : 85.5));

operatorContract(
  'flagHampel',
  (cell) => flagHampel({ windowSize: 12, minSamples: 5, confirmCount: 2 }, cell),
  readings([...around85, 90, 85, null, 100, 101, ...around85, -0, 85, 90]),
  hampelState,
);

test('marks what stands out, and judges it by the values before it', () => {
  marbles(({ cold, expectObservable }) => {
    const [l, h, b, c] = [reading(84.5), reading(85.5), reading(90), reading(86)];
    const B = withIssue(b, 'Uncertain', {
      check: 'hampel',
      message:
        'Outlier: 6.74 robust standard deviations from the median (allowed: 4), median 85, robust standard deviation 0.7413',
    });
    expectObservable(cold('lhlhlhlhlhlhlhlhlhlh--b--c--|', { l, h, b, c }).pipe(flagHampel())).toBe(
      'lhlhlhlhlhlhlhlhlhlh--B--c--|',
      { l, h, B, c },
    );
  });
});

test('Bad, missing and imputed readings pass by reference and stay out of the baseline', () => {
  const baseline = readings(around85.flatMap((value) => [value, null]));
  const bad = Array.from({ length: 40 }, () => reading(1000, { quality: 'Bad' }));
  const imputed = Array.from({ length: 40 }, () => reading(1000, { imputed: true }));
  const inputs = [...baseline, ...bad, ...imputed];
  const outputs = outputsOf(flagHampel(), [...inputs, reading(90)]);
  inputs.forEach((input, index) => expect(outputs[index]).toBe(input));
  expect(outputs[inputs.length]?.issues[0]?.message).toContain('6.74 robust standard deviations');
});

test('a state kept under a larger window is cut to the newest values', () => {
  const kept = hampelState();
  const cell = { open: () => kept };
  outputsOf(flagHampel({ windowSize: 100 }, cell), readings([...around85, ...around85.map((x) => x + 1)]));
  const [output] = outputsOf(flagHampel({ windowSize: 20 }, cell), [reading(80)]);
  expect(output?.issues[0]?.message).toContain('median 86, robust standard deviation 0.7413');
  expect(baselineCount(kept.baseline)).toBe(20);
});

test('refuses bad options when composed', () => {
  expect(() => flagHampel({ threshold: -3 })).toThrow(RangeError);
});
