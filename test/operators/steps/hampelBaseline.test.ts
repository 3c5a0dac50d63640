import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MAX_SORTED,
  baselineCount,
  baselineCountBelow,
  baselineMedian,
  baselineMedianDistance,
  clearBaseline,
  fittedBaseline,
  pushBaseline,
} from '../../../operators/steps/hampelBaseline.ts';
import type { HampelBaseline } from '../../../operators/steps/hampelBaseline.ts';
import { hampelWindow } from '../../../operators/steps/hampelWindow.ts';
import { sortedWindow } from '../../../operators/steps/sortedWindow.ts';

function expectSame(list: HampelBaseline, tree: HampelBaseline, centre: number): void {
  expect(baselineCount(list)).toBe(baselineCount(tree));
  expect(baselineMedian(list)).toBe(baselineMedian(tree));
  expect(baselineMedianDistance(list, centre)).toBe(baselineMedianDistance(tree, centre));
  expect(baselineCountBelow(list, centre)).toBe(baselineCountBelow(tree, centre));
}

const value = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true }));

test('a list gives the very figures of a tree after every value, and is in order', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 100 }), fc.integer({ min: 1, max: 40 }), (values, size) => {
      const list = sortedWindow();
      const tree = hampelWindow();
      values.forEach((x, i) => {
        pushBaseline(list, x, size);
        pushBaseline(tree, x, size);
        expectSame(list, tree, x);
        expectSame(list, tree, 1.5);
        const kept = values.slice(Math.max(0, i + 1 - size), i + 1).map((each) => each + 0); // -0 becomes 0
        expect(list.sorted).toStrictEqual(kept.toSorted((a, b) => a - b));
      });
      expect(JSON.parse(JSON.stringify(list))).toStrictEqual(list);
      clearBaseline(list);
      expect(list).toStrictEqual(sortedWindow());
    }),
  );
});

test('list and tree become each other with their newest values, wherever the ring stands', () => {
  const size = fc.constantFrom(3, 20, MAX_SORTED, MAX_SORTED + 1, MAX_SORTED + 40);
  fc.assert(
    fc.property(size, size, fc.integer({ min: 0, max: 700 }), (before, after, count) => {
      const values = Array.from({ length: count }, (_, i) => (i * 7919) % 1013);
      const start = fittedBaseline(sortedWindow(), before);
      for (const x of values) pushBaseline(start, x, before);
      const fitted = fittedBaseline(start, after);
      expect('sorted' in fitted).toBe(after <= MAX_SORTED);
      const fresh = hampelWindow();
      for (const x of values.slice(-before).slice(-after)) pushBaseline(fresh, x, after);
      for (const x of [7, 7, -3, 12]) {
        expectSame(fitted, fresh, 500);
        pushBaseline(fitted, x, after);
        pushBaseline(fresh, x, after);
      }
      expectSame(fitted, fresh, 500);
    }),
    { numRuns: 50 },
  );
});

test('a tree that an earlier version kept for a small window is taken over as a list', () => {
  const tree = hampelWindow();
  for (let i = 0; i < 75; i += 1) pushBaseline(tree, (i * 37) % 61, 60);
  const list = fittedBaseline(tree, 60);
  expect('sorted' in list).toBe(true);
  for (let i = 0; i < 75; i += 1) {
    expectSame(list, tree, 30);
    pushBaseline(list, (i * 29) % 53, 60);
    pushBaseline(tree, (i * 29) % 53, 60);
  }
});
