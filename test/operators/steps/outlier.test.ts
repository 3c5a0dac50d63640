import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fitOutlierState,
  outlierState,
  outlierStep,
  resolveOutlierOptions,
} from '../../../operators/steps/outlier.ts';
import type { OutlierOptions } from '../../../operators/steps/outlier.ts';

/** What the step says of each value; '' = nothing. */
function judge(values: readonly number[], options: OutlierOptions = {}): string[] {
  const state = outlierState();
  const resolved = resolveOutlierOptions(options);
  return values.map((value) => outlierStep(state, value, resolved)?.message ?? '');
}

const flagged = (messages: readonly string[]): number[] =>
  messages.flatMap((message, index) => (message === '' ? [] : [index]));

/** Ten values with mean 85 and population standard deviation 0.5. */
const TEN = [84.5, 85.5, 84.5, 85.5, 84.5, 85.5, 84.5, 85.5, 84.5, 85.5];

describe('outlierStep', () => {
  test.each([
    [86.5, ''], // z = 3 is not over 3
    [83.5, ''],
    [86.51, 'Outlier: z-score 3.02 (allowed: 3), mean 85, standard deviation 0.5'],
    [88, 'Outlier: z-score 6.00 (allowed: 3), mean 85, standard deviation 0.5'],
    [82, 'Outlier: z-score -6.00 (allowed: 3), mean 85, standard deviation 0.5'],
  ])('after ten values around 85, %d: %s', (value, message) => {
    expect(judge([...TEN, value])).toEqual([...TEN.map(() => ''), message]);
  });

  test('says nothing before minSamples', () => {
    expect(flagged(judge([...TEN.slice(0, 9), 1000]))).toEqual([]);
    expect(flagged(judge([...TEN.slice(0, 4), 1000], { minSamples: 4 }))).toEqual([4]);
  });

  test('says nothing of a constant baseline', () => {
    const constant = Array.from({ length: 20 }, () => 85);
    expect(flagged(judge([...constant, 1000]))).toEqual([]);
    const nearlyConstant = constant.map((value, i) => value + (i % 2) * 1e-6);
    expect(flagged(judge([...nearlyConstant, 1000]))).toEqual([]);
    expect(flagged(judge([...nearlyConstant, 1000], { minStdDev: 1e-7 }))).toEqual([20]);
    expect(flagged(judge([...constant, 1000], { minStdDev: 0 }))).toEqual([]);
  });

  test('outliers stay out of the baseline: the same value is flagged again', () => {
    const messages = judge([...TEN, 100, 85, 100, 85, 100]);
    expect(flagged(messages)).toEqual([10, 12, 14]);
    expect(messages[10]).toContain('z-score 30.00');
    expect(messages[14]).toContain('mean 85,');
  });

  test('after confirmCount in a row the new level is believed and is the baseline', () => {
    const level = [100, 100.5, 99.5, 100, 100.5];
    const messages = judge([...TEN, ...level, 100, 100.1, 100.2, 100.3, 100.4, 85]);
    expect(flagged(messages)).toEqual([10, 11, 12, 13, 14, 20]);
    expect(messages[20]).toContain('mean 100.15,');
  });

  test('an accepted value ends the run of outliers', () => {
    expect(flagged(judge([...TEN, 100, 100, 85, 100, 100, 85, 100], { confirmCount: 3 }))).toEqual([
      10, 11, 13, 14, 16,
    ]);
  });

  test('the window forgets', () => {
    const options = { windowSize: 10 };
    const later = TEN.map((value) => value + 1);
    const messages = judge([...TEN, ...later, 84], options);
    expect(messages[20]).toContain('mean 86, standard deviation 0.5');
  });

  test('a value whose square would overflow is flagged and leaves the state finite', () => {
    const messages = judge([...TEN, 1e300, -1e300, 85]);
    expect(flagged(messages)).toEqual([10, 11]);
    expect(messages[10]).toBe('Outlier: 1e+300 is too large to judge');
  });

  test('agrees with a plain computation over the accepted values', () => {
    const value = fc.oneof(
      fc.double({ min: 80, max: 90, noNaN: true }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const options = resolveOutlierOptions({ windowSize: 8, minSamples: 3, confirmCount: 2 });
        const state = outlierState();
        let accepted: number[] = [];
        let rejected: number[] = [];
        for (const x of values) {
          const window = accepted.slice(-8);
          const mean = window.reduce((a, b) => a + b, 0) / window.length;
          const stdDev = Math.sqrt(window.reduce((a, b) => a + (b - mean) ** 2, 0) / window.length);
          const z = Math.abs(x - mean) / stdDev;
          if (Math.abs(z - 3) < 1e-6 || Math.abs(stdDev - 1e-6) < 1e-7) return;
          const expected = window.length >= 3 && stdDev >= 1e-6 && z > 3;
          expect(outlierStep(state, x, options) !== undefined).toBe(expected);
          if (!expected) {
            accepted.push(x);
            rejected = [];
          } else if (rejected.push(x) === 2) {
            accepted = rejected;
            rejected = [];
          }
        }
        expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
      }),
    );
  });

  test('a state kept under a larger window fits a smaller one', () => {
    const state = outlierState();
    const wide = resolveOutlierOptions({ windowSize: 20 });
    [...TEN, ...TEN.map((value) => value + 1)].forEach((value) => outlierStep(state, value, wide));
    const narrow = resolveOutlierOptions({ windowSize: 10 });
    fitOutlierState(state, narrow);
    expect(outlierStep(state, 84, narrow)?.message).toContain('mean 86, standard deviation 0.5');
  });
});

describe('resolveOutlierOptions', () => {
  test('has the documented defaults', () => {
    expect(resolveOutlierOptions({})).toEqual({
      windowSize: 100,
      minSamples: 10,
      threshold: 3,
      minStdDev: 1e-6,
      confirmCount: 5,
    });
    expect(resolveOutlierOptions({ windowSize: 5 }).minSamples).toBe(5);
  });

  test.each([
    [{ windowSize: 1 }, /^windowSize: 1 /],
    [{ windowSize: 2.5 }, /^windowSize: 2.5 /],
    [{ windowSize: NaN }, /^windowSize: NaN /],
    [{ minSamples: 101 }, /^minSamples: 101 .*<= 100/],
    [{ minSamples: 1 }, /^minSamples: 1 /],
    [{ threshold: 0 }, /^threshold: 0 /],
    [{ threshold: Infinity }, /^threshold: Infinity /],
    [{ minStdDev: -1 }, /^minStdDev: -1 /],
    [{ confirmCount: 0 }, /^confirmCount: 0 /],
  ])('refuses %j', (options, message) => {
    expect(() => resolveOutlierOptions(options)).toThrow(RangeError);
    expect(() => resolveOutlierOptions(options)).toThrow(message);
  });
});
