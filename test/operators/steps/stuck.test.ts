import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveStuckOptions, stuckState, stuckStep } from '../../../operators/steps/stuck.ts';
import type { StuckOptions } from '../../../operators/steps/stuck.ts';

/** Which of the [seconds, value] pairs the step flags. */
function flagged(points: readonly (readonly [number, number])[], options: StuckOptions): number[] {
  const state = stuckState();
  const resolved = resolveStuckOptions({ minCount: 3, ...options });
  return points.flatMap(([second, value], index) =>
    stuckStep(state, value, second * 1000, resolved) === undefined ? [] : [index],
  );
}

const everySecond = (...values: number[]): [number, number][] => values.map((value, i) => [i, value]);

describe('stuckStep', () => {
  test.each<[string, [number, number][], StuckOptions, number[]]>([
    ['flags from the duration on', everySecond(5, 5, 5, 5, 5), { maxDurationMs: 3000 }, [3, 4]],
    ['a change starts a new run', everySecond(5, 5, 5, 6, 6, 6, 6), { maxDurationMs: 2000 }, [2, 5, 6]],
    [
      'needs minCount readings as well',
      [
        [0, 5],
        [60, 5],
        [120, 5],
      ],
      { maxDurationMs: 3000, minCount: 3 },
      [2],
    ],
    [
      'two are enough where so configured',
      [
        [0, 5],
        [60, 5],
      ],
      { maxDurationMs: 3000, minCount: 2 },
      [1],
    ],
    [
      'within tolerance of the first',
      everySecond(5, 5.1, 4.9, 5.1),
      { maxDurationMs: 2000, tolerance: 0.11 },
      [2, 3],
    ],
    [
      'a slow drift leaves the tolerance',
      everySecond(5, 5.1, 5.2, 5.3, 5.4),
      { maxDurationMs: 2000, tolerance: 0.11 },
      [],
    ],
    [
      'without tolerance the smallest change counts',
      everySecond(5, 5, 5 + 1e-15, 5),
      { maxDurationMs: 2000 },
      [],
    ],
    [
      'a clock set back counts anew',
      [
        [100, 5],
        [101, 5],
        [10, 5],
        [11, 5],
        [12, 5],
      ],
      { maxDurationMs: 2000 },
      [4],
    ],
  ])('%s', (_, points, options, expected) => {
    expect(flagged(points, options)).toEqual(expected);
  });

  test('says for how long', () => {
    const state = stuckState();
    const options = resolveStuckOptions({ maxDurationMs: 1000, minCount: 3, tolerance: 0.5 });
    stuckStep(state, 85, 0, options);
    stuckStep(state, 85.2, 500, options);
    expect(stuckStep(state, 85.1, 1500, options)).toEqual({
      check: 'stuck',
      message: 'Stuck at 85 for 1.5 s and 3 readings (allowed: 1 s, tolerance: 0.5)',
    });
  });

  test('never flags a value that changes every time, always one that never does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 3, maxLength: 50 }), (steps) => {
        let at = 0;
        const times = steps.map((step) => (at += step) / 1000);
        const options = { maxDurationMs: 2, minCount: 3 };
        expect(
          flagged(
            times.map((time, i) => [time, i]),
            options,
          ),
        ).toEqual([]);
        expect(
          flagged(
            times.map((time) => [time, 7]),
            options,
          ),
        ).toEqual(times.slice(2).map((_, i) => i + 2));
      }),
    );
  });
});

test.each([
  [{ maxDurationMs: 0 }, /^maxDurationMs: 0 /],
  [{ maxDurationMs: NaN }, /^maxDurationMs: NaN /],
  [{ maxDurationMs: 1000, minCount: 1 }, /^minCount: 1 /],
  [{ maxDurationMs: 1000, tolerance: -0.1 }, /^tolerance: -0.1 /],
])('refuses %j', (options, message) => {
  expect(() => resolveStuckOptions(options)).toThrow(RangeError);
  expect(() => resolveStuckOptions(options)).toThrow(message);
});

test('has the documented defaults', () => {
  expect(resolveStuckOptions({ maxDurationMs: 60_000 })).toEqual({
    maxDurationMs: 60_000,
    minCount: 10,
    tolerance: 0,
  });
});
