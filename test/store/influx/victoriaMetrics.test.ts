import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createForwarder } from '../../../src/store/influx/forwarder.ts';
import type { Forwarder, ForwardStatus } from '../../../src/store/influx/forwarder.ts';
import type { EstimatedReading } from '../../../operators/types.ts';
import type { Store } from '../../../src/store/store.ts';
import { hasVictoriaMetrics, startVictoriaMetrics } from '../../support/victoriaMetrics.ts';
import type { VictoriaMetrics } from '../../support/victoriaMetrics.ts';
import { batch, freshStore, reading } from '../batches.ts';
import { influxConfig } from './rig.ts';
import type { InfluxOverrides } from './rig.ts';

const T0 = Date.UTC(2026, 0, 1);
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
};

describe.skipIf(!hasVictoriaMetrics())('with a real store and a real VictoriaMetrics', () => {
  let server: VictoriaMetrics;
  beforeAll(async () => {
    server = await startVictoriaMetrics();
  });
  afterAll(() => server.stop());

  const start = (store: Store, over: InfluxOverrides = {}): Forwarder =>
    createForwarder({
      config: influxConfig({ url: server.url, batchRows: 1000, maxWaitMs: 20, ...over }),
      store,
      now: () => Date.now(),
      log: quiet,
    });
  const isDone = (status: ForwardStatus, store: Store): boolean =>
    status.lagRows === 0 && status.cursor.ahead === null && status.cursor.through === store.lastCommit;
  const done = (forwarder: Forwarder, store: Store): Promise<void> =>
    vi.waitFor(() => expect(isDone(forwarder.status(), store)).toBe(true), { timeout: 20_000 });

  /** Commits `rows` rows more, of the sensors `<name>0` to `<name>4`. */
  const commit = async (store: Store, name: string, rows: number, over: Partial<EstimatedReading> = {}) => {
    const readings = Array.from({ length: rows }, (_, i) => {
      const row = store.lastRow + i + 1;
      const sensor = `${name}${row % 5}`;
      return { ...reading({ row, timestamp: T0 + row, value: row, sensor }), ...over };
    });
    await store.commit(batch({ lastRow: store.lastRow + rows, readings }));
    return store.lastCommit;
  };
  const stored = async (name: string): Promise<number[]> => {
    const series = await server.series(`{__name__="reactor_sensor_value",sensor_type=~"${name}."}`);
    for (const { values, timestamps } of series) {
      expect(timestamps).toEqual(values.map((value) => T0 + value));
    }
    return series.flatMap(({ values }) => values).toSorted((a, b) => a - b);
  };

  test('tags, fields and values arrive as they are', async () => {
    const store = await freshStore();
    const filtered = { value: 84.5, ratePerS: -0.25, stdDev: 0.125 };
    const estimate = { ...filtered, covariance: [1, 0, 0, 1] as const, innovation: null, nis: null };
    await commit(store, 'odd', 1, {
      asset: 'R 1,a=b\\',
      unit: '°C "x"',
      quality: 'Uncertain',
      imputed: true,
      estimate,
    });
    const forwarder = start(store);
    await done(forwarder, store);
    await forwarder.stop();
    const found = await server.series('{sensor_type="odd1"}');
    const values = Object.fromEntries(
      found.map(({ metric, values: [value] }) => [metric['__name__'] ?? '', value] as const),
    );
    expect(values).toEqual({
      reactor_sensor_value: 1,
      reactor_sensor_estimate: 84.5,
      reactor_sensor_estimate_rate_per_s: -0.25,
      reactor_sensor_estimate_std_dev: 0.125,
      reactor_sensor_imputed: 1,
    });
    expect(found[0]?.metric).toMatchObject({ reactor_id: 'R 1,a=b＼', unit: '°C "x"', quality: 'Uncertain' });
  });

  test('every row is there once, over an outage, a stop and a new start', async () => {
    const store = await freshStore();
    for (let i = 0; i < 10; i++) await commit(store, 'out', 500);
    // A history from before, and live commits besides.
    const first = start(store);
    for (let i = 0; i < 10; i++) first.committed(await commit(store, 'out', 100), 100);
    await done(first, store);
    expect(await stored('out')).toHaveLength(6000);
    await server.end();
    for (let i = 0; i < 30; i++) first.committed(await commit(store, 'out', 200), 200);
    await vi.waitFor(() => expect(first.status().state).toBe('retrying'));
    expect(first.status()).toMatchObject({ lagRows: 6000, forwardedRows: 6000 });
    await first.stop();

    const second = start(store);
    await server.begin();
    for (let i = 0; i < 20; i++) second.committed(await commit(store, 'out', 10), 10);
    await done(second, store);
    await second.stop();
    expect(await stored('out')).toEqual(Array.from({ length: 12_200 }, (_, i) => i + 1));
    expect(second.status()).toMatchObject({ forwardedRows: 6200, quarantinedRows: 0, skippedRows: 0 });
    expect(second.pruneBound()).toBe(store.lastCommit);
  });

  test('the cursor stands in the store, and what waits is not pruned', async () => {
    const store = await freshStore({ retentionDays: 1 });
    const forwarder = start(store, { url: 'http://127.0.0.1:1' });
    forwarder.committed(await commit(store, 'prune', 100), 100);
    await vi.waitFor(() => expect(forwarder.status().state).toBe('retrying'));
    const later = Date.now() + 40 * 86_400_000;
    expect(await store.prune(later, { row: Infinity, commit: forwarder.pruneBound() })).toBe(0);
    await forwarder.stop();
    const again = start(store);
    await done(again, store);
    await again.stop();
    await commit(store, 'prune', 1);
    expect(store.forwarded).toEqual({ through: 1, ahead: null });
    expect(await store.prune(later, { row: Infinity, commit: again.pruneBound() })).toBe(100);
    expect(await stored('prune')).toHaveLength(100);
  });
});
