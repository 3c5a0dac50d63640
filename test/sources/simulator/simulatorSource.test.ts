import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Reading } from '../../../operators/types.ts';
import { createSimulatorSource } from '../../../src/sources/simulator/simulatorSource.ts';
import { isDeadLetter } from '../../../src/sources/source.ts';
import type { Source } from '../../../src/sources/source.ts';

const START = Date.UTC(2025, 9, 26);

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

function record(): { source: Source; readings: Reading[]; completed: () => boolean; stop: () => void } {
  const source = createSimulatorSource(
    { id: 'sim', type: 'simulator', assets: ['R101'], intervalMs: 1000, seed: 1 },
    {
      now: () => Date.now(),
      lastPosition: 7,
      delivered: [],
      newest: () => Promise.resolve(null),
      log: { info: () => undefined, warn: () => undefined },
    },
  );
  const readings: Reading[] = [];
  let completed = false;
  const subscription = source.events.subscribe({
    next: (event) => {
      if (!isDeadLetter(event)) readings.push(event);
    },
    complete: () => (completed = true),
  });
  return { source, readings, completed: () => completed, stop: () => subscription.unsubscribe() };
}

test('emits one reading a sensor and interval, with positions that go on', () => {
  const { source, readings } = record();
  vi.advanceTimersByTime(2000);
  expect(
    readings.map(({ sensor, timestamp, received }) => [sensor, timestamp - START, received?.position]),
  ).toEqual([
    ['temperature', 1000, 8],
    ['pressure', 1000, 9],
    ['flow_rate', 1000, 10],
    ['temperature', 2000, 11],
    ['pressure', 2000, 12],
    ['flow_rate', 2000, 13],
  ]);
  expect(readings[0]).toMatchObject({ asset: 'R101', unit: 'degC', quality: 'Good', issues: [] });
  expect(Math.abs((readings[0]?.value ?? 0) - 85)).toBeLessThan(3);
  expect(source.status()).toEqual({ connected: true, detail: 'simulates R101', reconnects: 0, problems: {} });
});

test('the same seed and clock give the same readings', () => {
  const a = record();
  const b = record();
  vi.advanceTimersByTime(60_000);
  expect(a.readings).toHaveLength(180);
  expect(a.readings).toEqual(b.readings);
});

test('pause is exact, even in the middle of a round', () => {
  const { source, readings } = record();
  vi.advanceTimersByTime(1000);
  source.pause();
  vi.advanceTimersByTime(10_000);
  expect(readings).toHaveLength(3);
  source.resume();
  source.resume();
  vi.advanceTimersByTime(1000);
  expect(readings).toHaveLength(6);
  expect(readings.at(-1)?.timestamp).toBe(START + 12_000);

  const extra = source.events.subscribe(() => source.pause());
  vi.advanceTimersByTime(5000);
  extra.unsubscribe();
  expect(readings).toHaveLength(7);
});

test('stops, completes and leaves no timer', async () => {
  const { source, readings, completed } = record();
  vi.advanceTimersByTime(1000);
  await source.stop();
  expect(completed()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(5000);
  expect(readings).toHaveLength(3);
  await source.close();
  expect(source.status().connected).toBe(false);
});

test('unsubscribing leaves no timer', () => {
  const { stop } = record();
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
