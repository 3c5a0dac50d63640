import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore, openStoreReadOnly } from '../../src/store/duckdb.ts';
import type { Store } from '../../src/store/store.ts';
import {
  anomaly,
  batch,
  configOf,
  folder,
  freshStore,
  NO_BOUNDS,
  quiet,
  reading,
  smoothed,
  window,
} from './batches.ts';

const SENSOR = { asset: 'R101', sensor: 'temperature' };
const ALL = { ...SENSOR, start: -1e15, end: 1e15, limit: 10_000 };

describe('commit', () => {
  it('gives back every double to the last bit', async () => {
    const store = await freshStore();
    const values = [0, -0, Number.MIN_VALUE, -2.5e-310, 1e308, -Number.MAX_VALUE, 0.1 + 0.2, null, 85.3];
    await store.commit(
      batch({
        lastRow: values.length,
        readings: values.map((value, i) => {
          const estimate = value === null ? null : { value, ratePerS: -0, stdDev: 5e-324 };
          return reading({
            row: i + 1,
            timestamp: 1_761_474_615_000.123 + i / 1024,
            value,
            estimate: estimate && { ...estimate, covariance: [1, 0, 0, 1], innovation: null, nis: null },
          });
        }),
      }),
    );
    const rows = await store.range(ALL);
    expect(rows.map((row) => row.value)).toStrictEqual(values);
    expect(rows.map((row) => row.raw?.value)).toStrictEqual(values);
    expect(rows.map((row) => row.timestamp)).toStrictEqual(
      values.map((_, i) => 1_761_474_615_000.123 + i / 1024),
    );
    expect(rows[1]?.estimate).toStrictEqual({ value: -0, ratePerS: -0, stdDev: 5e-324 });
    expect(rows[7]?.estimate).toBeNull();
    expect(rows.map((row) => row.row)).toStrictEqual(values.map((_, i) => i + 1));
  });

  it('keeps issues, received value, unit, quality and imputed apart from what was made of them', async () => {
    const store = await freshStore();
    const strange = 'O\'Hara; DROP TABLE channels; -- "\u00e4\u{1f321}"';
    const made = {
      ...reading({ row: 1, timestamp: 1000, value: 85 }),
      asset: strange,
      quality: 'Uncertain' as const,
      issues: [{ check: 'spike', message: 'Rapid change detected: 41.2% (allowed: 20.0%)' }],
      received: {
        row: 1,
        source: 'p',
        position: 7,
        arrivedAt: 1,
        value: 185,
        unit: 'degF',
        quality: 'Bad' as const,
      },
    };
    const filled = { ...made, timestamp: 2000, imputed: true, received: null, issues: [] };
    await store.commit(batch({ lastRow: 1, readings: [made, filled] }));
    const rows = await store.range({ ...ALL, asset: strange });
    expect(rows).toStrictEqual([
      {
        row: 1,
        asset: strange,
        sensor: 'temperature',
        timestamp: 1000,
        value: 85,
        unit: 'degC',
        quality: 'Uncertain',
        issues: made.issues,
        imputed: false,
        raw: { value: 185, unit: 'degF', quality: 'Bad' },
        estimate: null,
      },
      expect.objectContaining({ row: 1, timestamp: 2000, imputed: true, raw: null, issues: [] }),
    ]);
  });

  it('restores last row and positions, and goes on with the same channels', async () => {
    const path = join(await folder(), 'store.duckdb');
    const first = await openStore(configOf(path), quiet);
    expect(first.lastRow).toBe(0);
    await first.commit(
      batch({
        lastRow: 2,
        readings: [reading({ row: 2, timestamp: 1, value: 1 })],
        positions: new Map([['a', 5]]),
      }),
    );
    await first.commit(batch({ lastRow: 2 ** 40, positions: new Map([['b', 2 ** 50 + 1]]) }));
    await first.close();
    const second = await openStore(configOf(path), quiet);
    onTestFinished(() => second.close());
    expect(second.lastRow).toBe(2 ** 40);
    expect([...second.positions]).toStrictEqual([
      ['a', 5],
      ['b', 2 ** 50 + 1],
    ]);
    const row = 2 ** 40 + 1;
    await second.commit(batch({ lastRow: row, readings: [reading({ row, timestamp: 2, value: 2 })] }));
    expect((await second.range(ALL)).map((stored) => stored.row)).toStrictEqual([2, row]);
    expect(await second.latest('R101', 'temperature')).toMatchObject({ row, value: 2 });
  });

  it('takes batches larger than one vector, with nulls at its edges', async () => {
    const store = await freshStore();
    const readings = Array.from({ length: 5000 }, (_, i) =>
      reading({ row: i + 1, timestamp: i, value: [0, 63, 64, 2047, 2048, 4999].includes(i) ? null : i }),
    );
    await store.commit(batch({ lastRow: 5000, readings }));
    expect((await store.range(ALL)).map((row) => row.value)).toStrictEqual(readings.map((r) => r.value));
  });

  it('lets a held reading be released under its row number, and forgets the held copy when it prunes', async () => {
    const path = join(await folder(), 'store.duckdb');
    const store = await openStore(configOf(path), quiet);
    const late = reading({ row: 1, timestamp: 500, value: 1 });
    await store.commit(batch({ lastRow: 1, held: [late], ticks: [{ row: 1, at: 5 }] }));
    expect(await store.range(ALL)).toStrictEqual([]);
    await store.commit(
      batch({ lastRow: 2, readings: [late], held: [reading({ row: 2, timestamp: 600, value: 2 })] }),
    );
    expect(await store.range(ALL)).toMatchObject([{ row: 1, value: 1 }]);
    await store.prune(1000, NO_BOUNDS);
    expect(await store.range(ALL)).toHaveLength(1);
    await store.close();
    expect(store.lastRow).toBe(2);
    await expect(store.commit(batch({ lastRow: 3 }))).rejects.toThrow('the store is closed');
  });
});

describe('queries', () => {
  it('orders by timestamp then row, end exclusive, cut by the limit', async () => {
    const store = await freshStore();
    const at = [30, 10, 20, 10, 40];
    await store.commit(
      batch({ lastRow: 5, readings: at.map((timestamp, i) => reading({ row: i + 1, timestamp, value: i })) }),
    );
    const rows = async (start: number, end: number, limit: number): Promise<number[]> =>
      (await store.range({ ...SENSOR, start, end, limit })).map((row) => row.row);
    expect(await rows(0, 100, 100)).toStrictEqual([2, 4, 3, 1, 5]);
    expect(await rows(10, 40, 100)).toStrictEqual([2, 4, 3, 1]);
    expect(await rows(0, 100, 2)).toStrictEqual([2, 4]);
    expect(await store.latest('R101', 'temperature')).toMatchObject({ row: 5 });
    expect(await store.latest('R101', 'pressure')).toBeNull();
    expect(await store.range({ ...ALL, sensor: "temperature' OR '1'='1" })).toStrictEqual([]);
  });

  it('gives each stored window once, in its last revision', async () => {
    const store = await freshStore();
    await store.commit(
      batch({
        windows: [window({}), window({ start: 1000, end: 2000 }), window({ sizeMs: 5000, end: 5000 })],
      }),
    );
    await store.commit(batch({ windows: [window({ mean: 86, revision: 1 })] }));
    expect(await store.windows({ ...ALL, sizeMs: 1000 })).toStrictEqual([
      window({ mean: 86, revision: 1 }),
      window({ start: 1000, end: 2000 }),
    ]);
    expect(await store.windows({ ...ALL, start: 1000, sizeMs: 1000 })).toHaveLength(1);
  });

  it('gives back twin states and dead letters as they were committed', async () => {
    const store = await freshStore({ maxDeadLetters: 2 });
    const twin = {
      asset: 'R101',
      timestamp: 1000.5,
      state: {
        temperature: { value: 85.3, unit: 'degC', stdDev: 0.1 },
        conversion: { value: 0.1 + 0.2, unit: '', stdDev: null },
      },
      parameters: { massKg: 1000 },
      residuals: { temperature: -0.25 },
      sync: { status: 'degraded' as const, lagMs: 12, staleSensors: ['ph'] },
    };
    const letter = (row: number) => ({
      row,
      source: 'plant',
      position: row,
      arrivedAt: 1000 + row,
      reason: 'malformed' as const,
      detail: 'not JSON',
      origin: 'reactor/R101/sensor/temperature',
      payload: '{"value": \u0000',
    });
    const estimated = {
      ...{ ...twin, timestamp: 1500 },
      parameterStdDev: { heatTransfer: 0.1 + 0.2 },
      insights: { runaway: { warning: false, since: null, reasons: ['divergence', 1e-300] }, hybrid: null },
    };
    await store.commit(batch({ lastRow: 3, twins: [twin, estimated], deadLetters: [1, 2, 3].map(letter) }));
    const query = { asset: 'R101', start: 0, end: 2000, limit: 10 };
    expect(await store.twins(query)).toStrictEqual([twin, estimated]);
    expect(await store.twins({ ...query, end: 1000.5 })).toStrictEqual([]);
    expect(await store.deadLetters(2)).toStrictEqual([letter(3), letter(2)]);
    await store.prune(2000, NO_BOUNDS);
    expect((await store.deadLetters(10)).map((l) => l.row)).toStrictEqual([3, 2]);
  });

  it('gives back smoothed estimates and anomalies as they were committed, oldest first', async () => {
    const store = await freshStore();
    const rows = [3000, 1000.25, 2000].map((timestamp) => smoothed({ timestamp, lagMs: 30_000 - timestamp }));
    const other = smoothed({ sensor: 'pressure', unit: 'MPa', timestamp: 2000, wantedLagMs: 2500 });
    const calm = { event: 'cleared' as const, alarm: false, since: null, contributions: [] };
    const records = [
      anomaly({ timestamp: 2000, ...calm }),
      anomaly({}),
      anomaly({ asset: 'R102', event: 'accepted' }),
    ];
    await store.commit(batch({ smoothed: [...rows, other], anomalies: records }));
    const [c, a, b] = rows;
    expect(await store.smoothed(ALL)).toStrictEqual([a, b, c]);
    expect(await store.smoothed({ ...ALL, start: 1000.25, end: 3000, limit: 1 })).toStrictEqual([a]);
    expect(await store.smoothed({ ...ALL, start: 1000.5, end: 3000 })).toStrictEqual([b]);
    expect(await store.smoothed({ ...ALL, sensor: 'pressure' })).toStrictEqual([other]);
    expect(await store.anomalies(ALL)).toStrictEqual([records[1], records[0]]);
    expect(await store.anomalies({ ...ALL, end: 2000 })).toStrictEqual([records[1]]);
    expect(await store.anomalies({ ...ALL, asset: 'R102' })).toStrictEqual([records[2]]);
  });

  it('answers while commits go on, from whole batches only', async () => {
    const store = await freshStore();
    const under = { way: true };
    const commits = (async () => {
      for (let n = 0; n < 60; n++) {
        const readings = Array.from({ length: 50 }, (_, i) =>
          reading({ row: n * 50 + i + 1, timestamp: n * 50 + i, value: n }),
        );
        await store.commit(batch({ lastRow: n * 50 + 50, readings }));
      }
      under.way = false;
    })();
    const seen: number[] = [];
    while (under.way) seen.push((await store.range(ALL)).length);
    await commits;
    expect(seen.filter((rows) => rows % 50 !== 0)).toStrictEqual([]);
    expect(seen.length).toBeGreaterThan(2);
    expect(await store.range(ALL)).toHaveLength(3000);
  });
});

describe('notes of sources', () => {
  it('are those of the last commit that had one, also after upkeep and in the next process', async () => {
    const path = join(await folder(), 'store.duckdb');
    const store = await openStore(configOf(path), quiet);
    expect([...store.notes]).toStrictEqual([]);
    const both = [
      ['plc', 'one'],
      ['other', "a 'quoted' one"],
    ] as const;
    await store.commit(batch({ notes: new Map(both) }));
    await store.commit(batch({ notes: new Map([['plc', 'two']]) }));
    await store.commit(batch({}));
    const expected = [
      ['plc', 'two'],
      ['other', "a 'quoted' one"],
    ];
    expect([...store.notes]).toStrictEqual(expected);
    await store.prune(1000, NO_BOUNDS);
    await store.close();
    const next = await openStore(configOf(path), quiet);
    onTestFinished(() => next.close());
    expect([...next.notes].sort()).toStrictEqual(expected.toSorted());
  });
});

describe('prune', () => {
  it('deletes what is older than the retention and tells how many readings', async () => {
    const store = await freshStore({ retentionDays: 1 });
    const day = 86_400_000;
    await store.commit(
      batch({
        lastRow: 3,
        readings: [0, day, 2 * day].map((timestamp, i) => reading({ row: i + 1, timestamp, value: i })),
        windows: [window({ end: 1000 }), window({ start: day, end: day + 1000 })],
        smoothed: [0, day, 2 * day].map((timestamp) => smoothed({ timestamp })),
        anomalies: [0, day].map((timestamp) => anomaly({ timestamp })),
      }),
    );
    expect(await store.prune(2 * day, NO_BOUNDS)).toBe(1);
    expect((await store.range(ALL)).map((row) => row.timestamp)).toStrictEqual([day, 2 * day]);
    expect(await store.windows({ ...ALL, sizeMs: 1000 })).toHaveLength(1);
    expect((await store.smoothed(ALL)).map((row) => row.timestamp)).toStrictEqual([day, 2 * day]);
    expect((await store.anomalies(ALL)).map((row) => row.timestamp)).toStrictEqual([day]);
    expect(await store.prune(2 * day, NO_BOUNDS)).toBe(0);
    expect(store.lastRow).toBe(3);
  });

  it('leaves a file that is taken for sound, however much of it has gone', async () => {
    const day = 86_400_000;
    const path = join(await folder(), 'store.duckdb');
    const open = (): Promise<Store> => openStore(configOf(path, { retentionDays: 1 }), quiet);
    let row = 0;
    const add = (count: number, at: number) =>
      batch({
        readings: Array.from({ length: count }, () => {
          row += 1;
          return reading({ row, timestamp: at + row, value: Math.sin(row) });
        }),
        lastRow: row,
      });
    for (let days = 0; days < 4; days += 1) {
      const store = await open();
      expect(store.setAside).toStrictEqual([]);
      await store.commit(add(60_000, days * 2 * day));
      await store.prune(days * 2 * day, NO_BOUNDS);
      await store.commit(add(10, days * 2 * day));
      await store.prune(days * 2 * day + 1.5 * day, NO_BOUNDS);
      await store.close();
    }
    const store = await open();
    onTestFinished(() => store.close());
    expect(store.setAside).toStrictEqual([]);
    expect(store.lastRow).toBe(row);
  });
});

describe('opening', () => {
  it('names a file that is no DuckDB file, and leaves it as it is', async () => {
    const dir = await folder();
    const path = join(dir, 'x.duckdb');
    await writeFile(path, 'this is no database, but long enough to look at'.repeat(500));
    await expect(openStore(configOf(path), quiet)).rejects.toMatchObject({ reason: 'notAStore', path });
    expect(await readdir(dir)).toStrictEqual(['x.duckdb']);
  });

  it('refuses a store of a later version', async () => {
    const path = join(await folder(), 'x.duckdb');
    await (await openStore(configOf(path), quiet)).close();
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run(`UPDATE meta SET value = '99' WHERE key = 'schema_version'`);
    connection.closeSync();
    instance.closeSync();
    const expected = { reason: 'newerSchema', message: expect.stringContaining('version 99') as string };
    await expect(openStore(configOf(path), quiet)).rejects.toMatchObject(expected);
    await expect(openStoreReadOnly(path)).rejects.toMatchObject(expected);
  });

  it('reads a closed store, and says so where there is none', async () => {
    const path = join(await folder(), 'x.duckdb');
    await expect(openStoreReadOnly(path)).rejects.toMatchObject({ reason: 'missing' });
    const store = await openStore(configOf(path), quiet);
    await store.commit(batch({ lastRow: 1, readings: [reading({ row: 1, timestamp: 1, value: 5 })] }));
    await store.close();
    const reader = await openStoreReadOnly(path);
    expect(await reader.latest('R101', 'temperature')).toMatchObject({ value: 5 });
    expect(reader.lastRow).toBe(1);
    await reader.close();
  });
});

describe('any doubles', () => {
  it('survive a round trip', async () => {
    const store = await freshStore();
    let row = 0;
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(finite), { minLength: 1, maxLength: 200 }), async (values) => {
        const start = row;
        const readings = values.map((value) => reading({ row: ++row, timestamp: row, value }));
        await store.commit(batch({ lastRow: row, readings }));
        const rows = await store.range({ ...ALL, start: start + 1, end: row + 1 });
        expect(rows.map((stored) => stored.value)).toStrictEqual(values);
      }),
      { numRuns: 25 },
    );
  });
});
