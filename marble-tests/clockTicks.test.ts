import { VirtualTimeScheduler } from 'rxjs';
import { expect, test } from 'vitest';
import { clockTicks } from '../operators/clockTicks.ts';
import { marbles } from './contract.ts';

test('tells the time of its scheduler', () => {
  marbles(({ expectObservable }) => {
    expectObservable(clockTicks(100), '^ 350ms !').toBe('100ms a 99ms b 99ms c', { a: 100, b: 200, c: 300 });
  });
});

test('takes another scheduler, and asks only that one', () => {
  const scheduler = new VirtualTimeScheduler(undefined, 250);
  const seen: number[] = [];
  clockTicks(100, scheduler).subscribe((now) => seen.push(now));
  scheduler.flush();
  expect(seen).toEqual([100, 200]);
});

test.each([0, -1, NaN, Infinity])('refuses %d', (everyMs) => {
  expect(() => clockTicks(everyMs)).toThrow(RangeError);
});
