import { expect, test } from 'vitest';
import { arrivalTimes } from '../../src/sources/arrivalTimes.ts';

test('each time is later than the one before, by a microsecond within one tick of the clock', () => {
  let now = 1_760_000_000_000;
  const next = arrivalTimes(() => now);
  const burst = Array.from({ length: 2000 }, next);
  expect(new Set(burst).size).toBe(2000);
  expect(burst).toEqual(burst.toSorted((a, b) => a - b));
  expect(burst[0]).toBe(now);
  expect(burst[1999]).toBeCloseTo(now + 2, 0);
  now += 5;
  expect(next()).toBe(now);
});

test('a clock that is set back is followed', () => {
  let now = 1_760_000_000_000;
  const next = arrivalTimes(() => now);
  next();
  now -= 10;
  expect(next()).toBeGreaterThan(now);
  now -= 3_600_000;
  expect(next()).toBe(now);
});
