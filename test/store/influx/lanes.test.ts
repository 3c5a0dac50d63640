import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeForwardStore, forwardRow } from '../../fakes/forwardStore.ts';
import type { FakeForwardStore } from '../../fakes/forwardStore.ts';
import { TAKES, valuesOf } from '../../fakes/influxServer.ts';
import type { FakeAnswer } from '../../fakes/influxServer.ts';
import { forwardRig } from './rig.ts';
import type { ForwardRig } from './rig.ts';

let rig: ForwardRig;
let store: FakeForwardStore;
let next = 0;
beforeEach(async () => {
  rig = await forwardRig();
  store = fakeForwardStore();
  next = 0;
});
afterEach(() => rig.close());

/** Commits of `rows` rows each; values go on from commit to commit. */
const fill = (commits: number, rows = 10): void => {
  for (let i = 0; i < commits; i++) store.commit(Array.from({ length: rows }, () => forwardRow(++next)));
};
const all = (): number[] => Array.from({ length: next }, (_, i) => i + 1);
const received = (): number[] => valuesOf(rig.server.points.values()).toSorted((a, b) => a - b);
const done = (forwarder: { status(): object }): Promise<void> =>
  vi.waitFor(
    () =>
      expect(forwarder.status()).toMatchObject({
        lagRows: 0,
        cursor: { through: store.lastCommit, ahead: null },
      }),
    { timeout: 15_000, interval: 5 },
  );
const DOWN: FakeAnswer = { status: 503 };

describe('after an outage', () => {
  test('live rows go ahead, the backlog comes oldest first, without holes, and the cursor is one number again', async () => {
    rig.server.answer = () => DOWN;
    const forwarder = rig.start(store, { batchRows: 20 });
    for (let i = 0; i < 100; i++) {
      fill(1);
      forwarder.committed(store.lastCommit, 10);
    }
    await vi.waitFor(() => expect(forwarder.status()).toMatchObject({ state: 'retrying', lagRows: 1000 }));
    rig.server.answer = () => TAKES;
    await vi.waitFor(() => expect(store.forwarded.ahead).not.toBeNull(), { interval: 1 });
    const behind = store.forwarded.through;
    expect(behind).toBeLessThan(10);
    // Live commits keep coming while the backlog is caught up.
    const live: number[] = [];
    for (let i = 0; i < 20; i++) {
      fill(1);
      forwarder.committed(store.lastCommit, 10);
      const newest = next;
      const before = rig.server.requests.length;
      await vi.waitFor(
        () => expect(rig.server.taken.at(-1) !== undefined && received().at(-1)).toBe(newest),
        {
          interval: 1,
        },
      );
      live.push(rig.server.requests.length - before);
    }
    await done(forwarder);
    expect(received()).toEqual(all());
    // Each live commit was through after a few requests, whatever waited behind it.
    expect(Math.max(...live)).toBeLessThan(8);
    const order = valuesOf(rig.server.taken);
    const backlog = order.filter((value) => value <= 1000);
    expect(backlog).toEqual(backlog.toSorted((a, b) => a - b));
    expect(order.indexOf(1010)).toBeLessThan(order.indexOf(1000));
    expect(forwarder.status()).toMatchObject({ forwardedRows: 1200, catchUp: null, state: 'forwarding' });
  });

  test('that comes again in the middle of catching up', async () => {
    fill(60);
    let left = 8;
    rig.server.answer = () => (left-- > 0 ? TAKES : DOWN);
    const forwarder = rig.start(store, { batchRows: 20 });
    await vi.waitFor(() => expect(forwarder.status().state).toBe('retrying'));
    expect(forwarder.status().lagRows).toBe(600 - 8 * 20);
    for (let i = 0; i < 60; i++) {
      fill(1);
      forwarder.committed(store.lastCommit, 10);
    }
    left = Infinity;
    await done(forwarder);
    expect(received()).toEqual(all());
  });

  test('a short one needs no second lane', async () => {
    rig.server.answer = () => DOWN;
    const forwarder = rig.start(store, { batchRows: 100 });
    fill(20);
    forwarder.committed(20, 200);
    await vi.waitFor(() => expect(forwarder.status().state).toBe('retrying'));
    rig.server.answer = () => TAKES;
    await done(forwarder);
    expect(store.cursors.every(({ ahead }) => ahead === null)).toBe(true);
    expect(valuesOf(rig.server.taken)).toEqual(all());
  });
});

describe('catching up', () => {
  test('takes no more than its share of the time, and says how far it is', async () => {
    fill(40);
    const slow = 15;
    rig.server.answer = () => {
      const until = performance.now() + slow;
      while (performance.now() < until);
      return TAKES;
    };
    const started = performance.now();
    const forwarder = rig.start(store, { batchRows: 20, catchUpShare: 0.25 });
    await vi.waitFor(() => expect(forwarder.status()).toMatchObject({ state: 'catchingUp' }), {
      interval: 1,
    });
    expect(forwarder.status().catchUp?.rowsLeft).toBeGreaterThan(0);
    await vi.waitFor(() => expect(forwarder.status().catchUp?.rowsPerS).toBeGreaterThan(10), { interval: 1 });
    await done(forwarder);
    // 20 requests of 15 ms are a quarter of the time; the last needs no pause after it.
    expect(performance.now() - started).toBeGreaterThan(19 * slow * 4);
    expect(valuesOf(rig.server.taken)).toEqual(all());
  });

  test('goes on after a crash from the stored cursor, and what is sent twice is there once', async () => {
    fill(100);
    const crashing = rig.start(store, { batchRows: 20 });
    crashing.committed(store.lastCommit, 0);
    await vi.waitFor(() => expect(rig.server.requests.length).toBeGreaterThan(5), { interval: 1 });
    await crashing.stop();
    // As after a crash: the cursor that was written with an earlier commit.
    const stored = store.cursors.find(({ through }) => through > 0)!;
    store.setForwarded(stored);
    fill(10);
    await done(rig.start(store, { batchRows: 20 }));
    expect(received()).toEqual(all());
    expect(rig.server.taken.length).toBeGreaterThan(next);
  });
});

describe('the bound of the backlog', () => {
  test('dropOldest gives up the oldest rows, counts them, and lets them be pruned', async () => {
    rig.server.answer = () => DOWN;
    const forwarder = rig.start(store, { backlog: { maxRows: 500, policy: 'dropOldest' } });
    for (let i = 0; i < 100; i++) {
      fill(1);
      forwarder.committed(store.lastCommit, 10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await vi.waitFor(() => expect(forwarder.status().lagRows).toBeLessThanOrEqual(500));
    const { droppedRows, lagRows } = forwarder.status();
    expect(droppedRows + lagRows).toBe(1000);
    expect(lagRows).toBeGreaterThan(480);
    expect(forwarder.pruneBound()).toBe(droppedRows / 10);
    rig.server.answer = () => TAKES;
    await done(forwarder);
    // The request in flight was made before its rows were given up: it may bring them nevertheless.
    expect(received().filter((value) => value > droppedRows)).toEqual(all().slice(droppedRows));
    expect(rig.full).toEqual([]);
  });

  test('dropOldest drops from both sides of what went ahead', async () => {
    fill(100);
    store.setForwarded({ through: 10, ahead: { from: 40, to: 60 } });
    rig.server.answer = () => DOWN;
    const forwarder = rig.start(store, { backlog: { maxRows: 200, policy: 'dropOldest' } });
    await vi.waitFor(() => expect(forwarder.status().lagRows).toBeLessThanOrEqual(200));
    await vi.waitFor(() => expect(forwarder.pruneBound()).toBeGreaterThan(60));
    expect(forwarder.status().lagRows).toBeGreaterThan(180);
  });

  test('stop says so once, and again when a tenth is free', async () => {
    rig.server.answer = () => DOWN;
    const forwarder = rig.start(store, { backlog: { maxRows: 500, policy: 'stop' } });
    for (let i = 0; i < 60; i++) {
      fill(1);
      forwarder.committed(store.lastCommit, 10);
    }
    expect(rig.full).toEqual([true]);
    let allowed = 0;
    rig.server.answer = () => (allowed-- > 0 ? TAKES : DOWN);
    allowed = 12;
    await vi.waitFor(() => expect(forwarder.status().lagRows).toBe(480));
    expect(rig.full).toEqual([true]);
    allowed = 4;
    await vi.waitFor(() => expect(forwarder.status().lagRows).toBe(440));
    expect(rig.full).toEqual([true, false]);
    rig.server.answer = () => TAKES;
    await done(forwarder);
    expect(received()).toEqual(all());
    expect(forwarder.status().droppedRows).toBe(0);
  });

  test('stop holds from the start where the backlog is full already', async () => {
    fill(60);
    rig.server.answer = () => DOWN;
    rig.start(store, { backlog: { maxRows: 500, policy: 'stop' } });
    await vi.waitFor(() => expect(rig.full).toEqual([true]));
  });
});

test('the lag in seconds is the age of the oldest commit that waits', async () => {
  rig.server.answer = () => DOWN;
  const forwarder = rig.start(store);
  fill(1);
  const first = Date.now();
  forwarder.committed(1, 10);
  await new Promise((resolve) => setTimeout(resolve, 60));
  fill(1);
  forwarder.committed(2, 10);
  const lagMs = forwarder.status().lagSeconds * 1000;
  expect(Math.abs(lagMs - (Date.now() - first))).toBeLessThan(30);
  rig.server.answer = () => TAKES;
  await done(forwarder);
  expect(forwarder.status().lagSeconds).toBe(0);
});

test('after a start it is told by the source time of the oldest row', async () => {
  rig.server.answer = () => DOWN;
  const timestamp = Date.now() - 3_600_000;
  store.commit([forwardRow(1, { timestamp })]);
  const forwarder = rig.start(store);
  await vi.waitFor(() => expect(forwarder.status().lagSeconds).toBeGreaterThan(3599));
  expect(forwarder.status().lagSeconds).toBeLessThan(3620);
});
