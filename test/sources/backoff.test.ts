import { expect, it } from 'vitest';
import { createBackoff } from '../../src/sources/backoff.ts';

it('doubles from minMs to maxMs and starts again after a reset', () => {
  const backoff = createBackoff({ minMs: 100, maxMs: 1000 }, () => 0.999999);
  const waits = [1, 2, 3, 4, 5, 6].map(() => Math.round(backoff.next()));
  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
  backoff.reset();
  expect(Math.round(backoff.next())).toBe(100);
});

it('keeps at least half of each wait', () => {
  const backoff = createBackoff({ minMs: 100, maxMs: 1000 }, () => 0);
  expect([backoff.next(), backoff.next(), backoff.longest(), backoff.next()]).toEqual([50, 100, 500, 500]);
});

it('takes the longest wait where asked to', () => {
  const backoff = createBackoff({ minMs: 100, maxMs: 1000 }, () => 0.5);
  expect(backoff.longest()).toBe(750);
  backoff.reset();
  expect(backoff.next()).toBe(75);
});
