import { expect, test, vi } from 'vitest';
import { atMost, createOutage, every, wait } from '../../../src/sources/opcua/outage.ts';

test('the first reason wins, and teardowns run once, late ones at once', async () => {
  const outage = createOutage();
  const early = vi.fn();
  const late = vi.fn();
  outage.onEnd(early);
  expect(outage.reason).toBeNull();
  outage.end('a');
  outage.end('b');
  outage.onEnd(late);
  expect([early.mock.calls.length, late.mock.calls.length, outage.reason]).toEqual([1, 1, 'a']);
  expect(await outage.ended).toBe('a');
});

test('guard gives the result, the failure, the reason of the end or the time-out', async () => {
  const outage = createOutage();
  const never = new Promise<number>(() => undefined);
  expect(await outage.guard(Promise.resolve(1), 1000, 'x')).toBe(1);
  await expect(outage.guard(Promise.reject(new Error('no')), 1000, 'x')).rejects.toThrow('no');
  await expect(outage.guard(never, 5, 'read')).rejects.toThrow('read: no answer within 5 ms');
  const pending = outage.guard(never, 60_000, 'x');
  outage.end('cable cut');
  await expect(pending).rejects.toThrow('cable cut');
  await expect(outage.guard(never, 60_000, 'x')).rejects.toThrow('cable cut');
});

test('every stops at the end', () => {
  vi.useFakeTimers();
  try {
    const outage = createOutage();
    const action = vi.fn();
    every(outage, 10, action);
    vi.advanceTimersByTime(35);
    outage.end('done');
    vi.advanceTimersByTime(100);
    expect(action).toHaveBeenCalledTimes(3);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('atMost and wait come back early', async () => {
  await atMost(Promise.reject(new Error('dead')), 60_000);
  await atMost(new Promise(() => undefined), 5);
  const controller = new AbortController();
  const waiting = wait(60_000, controller.signal);
  controller.abort();
  await waiting;
  await wait(60_000, controller.signal);
});
