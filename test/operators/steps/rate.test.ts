import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rateState, rateStep, resolveRateOptions } from '../../../operators/steps/rate.ts';
import type { RateOptions } from '../../../operators/steps/rate.ts';

/** What the step says of each value at its source time in seconds; '' = nothing. */
function judge(
  points: readonly (readonly [seconds: number, value: number])[],
  options: RateOptions,
): string[] {
  const state = rateState();
  const resolved = resolveRateOptions(options);
  return points.map(([seconds, value]) => rateStep(state, value, seconds * 1000, resolved)?.message ?? '');
}

const flagged = (messages: readonly string[]): number[] =>
  messages.flatMap((message, index) => (message === '' ? [] : [index]));

const LIMITS = { maxRisePerS: 1, maxFallPerS: 0.5 };

describe('rateStep', () => {
  test.each([
    [1, 86, ''],
    [1, 86.5, 'Rises too fast: 1.5 per second (allowed: 1), by 1.5 in 1 s'],
    [1, 84.5, ''],
    [1, 84.4, 'Falls too fast: 0.6 per second (allowed: 0.5), by 0.6 in 1 s'],
    [0.25, 85.5, 'Rises too fast: 2 per second (allowed: 1), by 0.5 in 0.25 s'],
    [10, 95, ''],
    [10, 79.9, 'Falls too fast: 0.51 per second (allowed: 0.5), by 5.1 in 10 s'],
    [0, 1000, ''], // at one and the same time there is no rate
  ])('%d s after 85, %d: %s', (seconds, value, message) => {
    expect(judge([[0, 85], [seconds, value]], LIMITS)).toEqual(['', message]); // prettier-ignore
  });

  test('judges only the direction that has a limit', () => {
    const points = [[0, 85], [1, 90], [2, 80]] as const; // prettier-ignore
    expect(flagged(judge(points, { maxRisePerS: 1 }))).toEqual([1]);
    expect(flagged(judge(points, { maxFallPerS: 1 }))).toEqual([2]);
    expect(flagged(judge(points, { maxRisePerS: null, maxFallPerS: 1 }))).toEqual([2]);
  });

  test('a rejected value is not the reference: its way back is no fall', () => {
    expect(flagged(judge([[0, 85], [1, 120], [2, 85.5], [3, 86]], LIMITS))).toEqual([1]); // prettier-ignore
  });

  test('a level is accepted once the process could have come there', () => {
    const step = Array.from({ length: 9 }, (_, i) => [i, i === 0 ? 85 : 88] as const);
    expect(flagged(judge(step, { ...LIMITS, confirmCount: 100 }))).toEqual([1, 2]);
  });

  test('after confirmCount in a row the new level is believed', () => {
    const step = Array.from({ length: 10 }, (_, i) => [i, i === 0 ? 85 : 185] as const);
    expect(flagged(judge(step, LIMITS))).toEqual([1, 2, 3, 4, 5]);
    expect(flagged(judge(step, { ...LIMITS, confirmCount: 2 }))).toEqual([1, 2]);
  });

  test('an accepted value ends the run of rejected ones', () => {
    const values = [85, 185, 185, 85, 185, 185, 85, 185];
    const points = values.map((value, i) => [i, value] as const);
    expect(flagged(judge(points, { ...LIMITS, confirmCount: 3 }))).toEqual([1, 2, 4, 5, 7]);
  });

  test('a ramp that is too fast stays flagged, however often it is believed', () => {
    const ramp = Array.from({ length: 30 }, (_, i) => [i, 2 * i] as const);
    expect(flagged(judge(ramp, LIMITS))).toHaveLength(29);
  });

  test('minIntervalMs keeps noise on quick readings from looking like a rate', () => {
    const noisy = Array.from({ length: 100 }, (_, i) => [i / 100, 85 + (i % 2) * 0.3] as const);
    expect(flagged(judge(noisy, LIMITS))).not.toEqual([]);
    expect(flagged(judge(noisy, { ...LIMITS, minIntervalMs: 1000 }))).toEqual([]);
    // Two values at one time: a change of 2 within a second.
    expect(judge([[0, 85], [0, 87]], { ...LIMITS, minIntervalMs: 1000 })[1]).toBe(
      'Rises too fast: 2 per second (allowed: 1), by 2 in 1 s',
    ); // prettier-ignore
  });

  test('minIntervalMs does not hide a rise in many small steps', () => {
    const ramp = Array.from({ length: 300 }, (_, i) => [i / 100, 85 + (i * 2) / 100] as const);
    const found = flagged(judge(ramp, { ...LIMITS, minIntervalMs: 1000 }));
    expect(found.slice(0, 6)).toEqual([51, 52, 53, 54, 55, 106]);
    expect(found).toHaveLength(25);
  });

  test('a clock that was set back has no rate, and counts from there', () => {
    const points = [[100, 85], [0, 95], [1, 96], [2, 99]] as const; // prettier-ignore
    expect(flagged(judge(points, LIMITS))).toEqual([3]);
  });

  test('agrees with a plain computation', () => {
    const point = fc.record({
      afterMs: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 1e-3, max: 1e8, noNaN: true })),
      value: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
    });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 50 }), (points) => {
        const options = resolveRateOptions({ ...LIMITS, confirmCount: 3 });
        const state = rateState();
        let at = 0;
        let last: { at: number; value: number } | null = null;
        let rejected = 0;
        for (const { afterMs, value } of points) {
          at += afterMs;
          const allowed = last === null || value > last.value ? 1 : 0.5;
          const rate = last === null ? 0 : Math.abs(value - last.value) / ((at - last.at) / 1000);
          if (Math.abs(rate / allowed - 1) < 1e-9) return;
          const expected = rate > allowed;
          expect(rateStep(state, value, at, options) !== undefined).toBe(expected);
          rejected = expected ? rejected + 1 : 0;
          if (expected && rejected < 3) continue;
          last = { at, value };
          rejected = 0;
        }
        expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
      }),
    );
  });

  test('a million readings with extreme values and times leave a state that judges like a fresh one', () => {
    let seed = 5;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed + 0.5) / 4_294_967_296;
    };
    const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -0, 1e-300, 1e300];
    const options = resolveRateOptions({ ...LIMITS, minIntervalMs: 100 });
    const state = rateState();
    let at = 0;
    for (let i = 0; i < 1_000_000; i++) {
      at += [0, 1e-3, 1, 1000, 1e8][Math.floor(random() * 5)] ?? 0;
      const extreme = random() < 0.2 ? extremes[Math.floor(random() * extremes.length)] : undefined;
      const message = rateStep(state, extreme ?? 85 + random(), at, options)?.message ?? '';
      if (message.includes('NaN')) expect.fail(message);
    }
    expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
    for (let i = 0; i < 20; i++) rateStep(state, 85, (at += 1000), options);
    expect(rateStep(state, 85.5, at + 1000, options)).toBeUndefined();
    expect(rateStep(state, 90, at + 2000, options)?.message).toBe(
      'Rises too fast: 4.5 per second (allowed: 1), by 4.5 in 1 s',
    );
  });
});

describe('resolveRateOptions', () => {
  test('has the documented defaults', () => {
    expect(resolveRateOptions({ maxRisePerS: 2 })).toEqual({
      maxRisePerS: 2,
      maxFallPerS: null,
      minIntervalMs: 0,
      confirmCount: 5,
    });
  });

  test.each([
    [{}, /^maxRisePerS: null .*maxFallPerS/],
    [{ maxRisePerS: 0 }, /^maxRisePerS: 0 /],
    [{ maxFallPerS: -1 }, /^maxFallPerS: -1 /],
    [{ maxRisePerS: NaN }, /^maxRisePerS: NaN /],
    [{ maxRisePerS: 1, minIntervalMs: -1 }, /^minIntervalMs: -1 /],
    [{ maxRisePerS: 1, confirmCount: 1.5 }, /^confirmCount: 1.5 /],
  ])('refuses %j', (options, message) => {
    expect(() => resolveRateOptions(options)).toThrow(RangeError);
    expect(() => resolveRateOptions(options)).toThrow(message);
  });
});
