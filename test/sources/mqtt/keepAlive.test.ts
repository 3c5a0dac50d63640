import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KeepAlive } from '../../../src/sources/mqtt/keepAlive.ts';

const calls = { pings: 0, deadAt: Number.NaN };
const probed = {
  ping: () => (calls.pings += 1),
  dead: () => (calls.deadAt = Date.now()),
};

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  Object.assign(calls, { pings: 0, deadAt: Number.NaN });
});
afterEach(() => {
  vi.useRealTimers();
});

it('pings twice a period, and gives up between 1.25 and 1.5 periods after the last byte', () => {
  const keepAlive = new KeepAlive();
  keepAlive.start(8000, probed);
  vi.advanceTimersByTime(40_000 - 3000);
  keepAlive.stop();
  expect(calls.deadAt).toBe(12_000);
  for (const lastByteAt of [100, 1000, 1999]) {
    const started = Date.now();
    keepAlive.start(8000, probed);
    vi.advanceTimersByTime(lastByteAt);
    keepAlive.heard();
    vi.advanceTimersByTime(40_000);
    expect(calls.deadAt - started - lastByteAt).toBeGreaterThanOrEqual(1.25 * 8000);
    expect(calls.deadAt - started - lastByteAt).toBeLessThanOrEqual(1.5 * 8000);
  }
  expect(vi.getTimerCount()).toBe(0);
});

it('goes on while anything is heard', () => {
  const keepAlive = new KeepAlive();
  keepAlive.start(8000, probed);
  for (let i = 0; i < 100; i += 1) {
    vi.advanceTimersByTime(9000);
    keepAlive.heard();
  }
  expect(calls.deadAt).toBeNaN();
  expect(calls.pings).toBe(225);
});

it('pings in a pause, however long, and begins to count silence after it', () => {
  const keepAlive = new KeepAlive();
  keepAlive.start(8000, probed);
  keepAlive.pause(true);
  vi.advanceTimersByTime(800_000);
  expect(calls).toEqual({ pings: 200, deadAt: Number.NaN });
  keepAlive.pause(false);
  vi.advanceTimersByTime(12_000);
  expect(calls.deadAt).toBeGreaterThanOrEqual(810_000);
  expect(calls.deadAt).toBeLessThanOrEqual(812_000);
});

it('does nothing where there is no keep-alive', () => {
  new KeepAlive().start(0, probed);
  expect(vi.getTimerCount()).toBe(0);
});
