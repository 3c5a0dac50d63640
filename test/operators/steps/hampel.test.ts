import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fitHampelState,
  hampelState,
  hampelStep,
  resolveHampelOptions,
} from '../../../operators/steps/hampel.ts';
import type { HampelOptions } from '../../../operators/steps/hampel.ts';

/** What the step says of each value; '' = nothing. */
function judge(values: readonly number[], options: HampelOptions = {}): string[] {
  const state = hampelState();
  const resolved = resolveHampelOptions(options);
  return values.map((value) => hampelStep(state, value, resolved)?.message ?? '');
}

const flagged = (messages: readonly string[]): number[] =>
  messages.flatMap((message, index) => (message === '' ? [] : [index]));

/** 21 values with median 85 and MAD 0.5: robust standard deviation 0.7413. */
const BASE = Array.from({ length: 21 }, (_, i) => 85 + ((i * 8) % 21) * 0.1 - 1);

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (sorted[(sorted.length >> 1) - 1] ?? NaN) / 2 + upper / 2;
};

describe('hampelStep', () => {
  test.each([
    [87.9, ''],
    [82.1, ''],
    [
      88,
      'Outlier: 4.05 robust standard deviations from the median (allowed: 4), median 85, robust standard deviation 0.7413',
    ],
    [
      82,
      'Outlier: 4.05 robust standard deviations from the median (allowed: 4), median 85, robust standard deviation 0.7413',
    ],
  ])('after 21 values around 85, %d: %s', (value, message) => {
    expect(judge([...BASE, value])).toEqual([...BASE.map(() => ''), message]);
  });

  test('says nothing before minSamples', () => {
    expect(flagged(judge([...BASE.slice(0, 19), 1000]))).toEqual([]);
    expect(flagged(judge([...BASE.slice(0, 20), 1000]))).toEqual([20]);
    expect(flagged(judge([...BASE.slice(0, 5), 1000], { minSamples: 5 }))).toEqual([5]);
  });

  test('is not blinded by outliers in its baseline, unlike the z-score', () => {
    const spoilt = [...BASE.slice(0, 13), 1e9, -1e9, 1e9, 500, -500, 1000, 1e300];
    expect(flagged(judge([...spoilt, 90]))).toEqual([20]);
  });

  test('judges a quantised baseline by the floor only', () => {
    const steps = Array.from({ length: 30 }, (_, i) => (i % 5 === 0 ? 85.1 : 85));
    expect(flagged(judge([...steps, 1000]))).toEqual([]);
    expect(flagged(judge([...steps, 85.3, 84.7, 85.5], { stdDevFloor: 0.1 }))).toEqual([32]);
    expect(judge([...steps, 86], { stdDevFloor: 0.1 }).at(-1)).toContain(
      'Outlier: 10 robust standard deviations from the median (allowed: 4), median 85, robust standard deviation 0.1',
    );
  });

  test('outliers stay out of the baseline: the same value is flagged again', () => {
    const messages = judge([...BASE, 100, 85, 100, 85, 100]);
    expect(flagged(messages)).toEqual([21, 23, 25]);
    expect(messages[25]).toContain('median 85,');
  });

  test('after confirmCount in a row the new level is believed and is the baseline', () => {
    const level = [100, 100.5, 99.5, 100, 100.5];
    const messages = judge([...BASE, ...level, 99, 101, 85], { minSamples: 5 });
    expect(flagged(messages)).toEqual([21, 22, 23, 24, 25, 28]);
    expect(messages[28]).toContain('median 100,');
  });

  test('an accepted value ends the run of outliers', () => {
    expect(flagged(judge([...BASE, 100, 100, 85, 100, 100, 85, 100], { confirmCount: 3 }))).toEqual([
      21, 22, 24, 25, 27,
    ]);
  });

  test('a noise that grows threefold is learned, though no five readings in a row were rejected', () => {
    const state = hampelState();
    const options = resolveHampelOptions({ confirmCount: 1_000_000 });
    const noise = normal(7);
    for (let i = 0; i < 200; i++) hampelStep(state, noise(), options);
    const shares = [0, 1, 2, 3].map(() => {
      let count = 0;
      for (let i = 0; i < 250; i++) if (hampelStep(state, 3 * noise(), options) !== undefined) count += 1;
      return count / 250;
    });
    expect(shares[0]).toBeGreaterThan(0.01);
    expect(shares[3]).toBeLessThan(0.005);
  });

  test('false alarms on normal noise: 1 reading in 1400', () => {
    const state = hampelState();
    const options = resolveHampelOptions({});
    const noise = normal(11);
    let count = 0;
    for (let i = 0; i < 100_000; i++) if (hampelStep(state, noise(), options) !== undefined) count += 1;
    expect(count / 100_000).toBeGreaterThan(0.0005);
    expect(count / 100_000).toBeLessThan(0.001);
  });

  test('agrees with sorted arrays over the accepted values', () => {
    const value = fc.oneof(
      fc.double({ min: 80, max: 90, noNaN: true }),
      fc.integer({ min: 83, max: 87 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 80 }),
        fc.constantFrom(0, 0.3),
        fc.integer({ min: 7, max: 12 }),
        (values, stdDevFloor, windowSize) => {
          const options = resolveHampelOptions({ windowSize, minSamples: 4, confirmCount: 3, stdDevFloor });
          const state = hampelState();
          let accepted: number[] = [];
          let rejected: number[] = [];
          for (const x of values) {
            const window = accepted.slice(-windowSize);
            const centre = median(window);
            const spread = 1.4826 * median(window.map((v) => Math.abs(v - centre)));
            const stdDev = Math.max(spread, stdDevFloor);
            const distance = Math.abs(x - centre);
            if (Math.abs(distance / (4 * stdDev) - 1) < 1e-6) return;
            const expected = window.length >= 4 && stdDev > 0 && distance > 4 * stdDev;
            expect(hampelStep(state, x, options) !== undefined).toBe(expected);
            if (!expected) {
              accepted.push(x);
              rejected = [];
            } else if (rejected.push(x) === 3) {
              accepted = rejected;
              rejected = [];
            }
          }
          expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
        },
      ),
    );
  });

  test('a million readings with extreme values leave the verdicts of a fresh state', () => {
    const random = uniform(3);
    const options = resolveHampelOptions({ windowSize: 32 });
    const state = hampelState();
    const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -0, 1e-300, 1e300];
    for (let i = 0; i < 1_000_000; i++) {
      const extreme = random() < 0.1 ? extremes[Math.floor(random() * extremes.length)] : undefined;
      hampelStep(state, extreme ?? 85 + random(), options);
    }
    expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
    const fresh = hampelState();
    const tail = Array.from({ length: 64 }, () => 85 + random());
    const said = (of: typeof state, value: number): string => hampelStep(of, value, options)?.message ?? '';
    for (const value of [...tail, ...tail]) said(state, value);
    for (const value of [...tail, ...tail]) said(fresh, value);
    for (const value of [85.5, 120, 86, 84, 70]) expect(said(state, value)).toBe(said(fresh, value));
  });

  test('a state kept under a larger window fits a smaller one', () => {
    const state = hampelState();
    const wide = resolveHampelOptions({ windowSize: 42 });
    [...BASE, ...BASE.map((value) => value + 1)].forEach((value) => hampelStep(state, value, wide));
    const narrow = resolveHampelOptions({ windowSize: 21 });
    fitHampelState(state, narrow);
    expect(hampelStep(state, 80, narrow)?.message).toContain('median 86, robust standard deviation 0.7413');
  });
});

describe('resolveHampelOptions', () => {
  test('has the documented defaults', () => {
    expect(resolveHampelOptions({})).toEqual({
      windowSize: 60,
      minSamples: 20,
      threshold: 4,
      stdDevFloor: 0,
      confirmCount: 5,
    });
    expect(resolveHampelOptions({ windowSize: 5 }).minSamples).toBe(5);
  });

  test.each([
    [{ windowSize: 2 }, /^windowSize: 2 /],
    [{ windowSize: 7.5 }, /^windowSize: 7.5 /],
    [{ minSamples: 61 }, /^minSamples: 61 .*<= 60/],
    [{ threshold: 0 }, /^threshold: 0 /],
    [{ stdDevFloor: -1 }, /^stdDevFloor: -1 /],
    [{ stdDevFloor: Infinity }, /^stdDevFloor: Infinity /],
    [{ confirmCount: 0 }, /^confirmCount: 0 /],
  ])('refuses %j', (options, message) => {
    expect(() => resolveHampelOptions(options)).toThrow(RangeError);
    expect(() => resolveHampelOptions(options)).toThrow(message);
  });
});

function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 4_294_967_296;
  };
}

function normal(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}
