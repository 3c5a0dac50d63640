import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  countBelow,
  fitWindow,
  hampelWindow,
  medianDistance,
  pushWindow,
  windowCount,
  windowMedian,
} from '../../../operators/steps/hampelWindow.ts';
import type { HampelWindow } from '../../../operators/steps/hampelWindow.ts';

const median = (values: readonly number[]): number => {
  const sorted = values.map((value) => value + 0).toSorted((a, b) => a - b); // -0 becomes 0
  const upper = sorted[sorted.length >> 1] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (sorted[(sorted.length >> 1) - 1] ?? NaN) / 2 + upper / 2;
};

function expectLike(window: HampelWindow, values: readonly number[], centre: number): void {
  expect(windowCount(window)).toBe(values.length);
  expect(windowMedian(window)).toBe(median(values));
  expect(medianDistance(window, centre)).toBe(median(values.map((value) => Math.abs(value - centre))));
  expect(countBelow(window, centre)).toBe(values.filter((value) => value < centre).length);
}

test('agrees with sorted arrays after every value', () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 100 }), fc.integer({ min: 1, max: 40 }), (values, size) => {
      const window = hampelWindow();
      values.forEach((x, i) => {
        pushWindow(window, x, size);
        const kept = values.slice(Math.max(0, i + 1 - size), i + 1);
        expectLike(window, kept, median(kept));
        expectLike(window, kept, x);
      });
      expect(JSON.parse(JSON.stringify(window))).toStrictEqual(window);
    }),
  );
});

test('fits another size, with the newest values, wherever the ring stands', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      (values, before, after) => {
        const window = hampelWindow();
        for (const x of values) pushWindow(window, x, before);
        fitWindow(window, after);
        let kept = values.slice(-before).slice(-after);
        expectLike(window, kept, 0);
        for (const x of [7, 7, -3, 12]) {
          pushWindow(window, x, after);
          kept = [...kept, x].slice(-after);
          expectLike(window, kept, 0);
        }
      },
    ),
  );
});

test.each([
  ['rising', (i: number): number => i],
  ['falling', (i: number): number => -i],
  ['constant', (): number => 5],
  ['saw', (i: number): number => i % 100],
  ['wave', (i: number): number => Math.sin(i / 500)],
])('stays flat with %s values', (_, valueOf) => {
  const window = hampelWindow();
  for (let i = 0; i < 15_000; i++) pushWindow(window, valueOf(i), 10_000);
  // A tree of 10 000 slots is 14 deep at best.
  expect(depthOf(window)).toBeLessThan(50);
});

test('is NaN while empty', () => {
  expect(windowMedian(hampelWindow())).toBeNaN();
  expect(medianDistance(hampelWindow(), 0)).toBeNaN();
});

function depthOf({ left, right, root }: HampelWindow): number {
  let level = root === 0 ? [] : [root];
  let depth = 0;
  for (; level.length > 0; depth += 1)
    level = level.flatMap((at) => [left[at] ?? 0, right[at] ?? 0]).filter((at) => at !== 0);
  return depth;
}
