import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore, openStoreReadOnly } from '../../src/store/duckdb.ts';
import { DuckDBInstance } from '@duckdb/node-api';
import { anomaly, batch, configOf, folder, quiet, reading, smoothed } from './batches.ts';
import { writeVersion1 } from './version1.ts';
import { writeVersion2 } from './version2.ts';

const ALL = { asset: 'R101', sensor: 'temperature', start: 0, end: 1e9, limit: 1e6 };

describe('a store of version 1', () => {
  it('can be read, and is left as it is', async () => {
    const path = join(await folder(), 'store.duckdb');
    await writeVersion1(path);
    for (let i = 0; i < 2; i++) {
      const reader = await openStoreReadOnly(path);
      expect(reader.lastRow).toBe(5003);
      expect([...reader.positions]).toStrictEqual([['plant', 5003]]);
      expect(await reader.latest('R101', 'temperature')).toMatchObject({ row: 5000, value: 2500 });
      expect(await reader.deadLetters(5)).toMatchObject([{ row: 5003, payload: 'p' }]);
      expect(await reader.smoothed(ALL)).toStrictEqual([]);
      await reader.close();
    }
  });

  it('is brought up to date in place, with all that it holds', async () => {
    const path = join(await folder(), 'store.duckdb');
    await writeVersion1(path);
    const store = await openStore(configOf(path), quiet);
    expect(store).toMatchObject({ lastRow: 5003, lastCommit: 12, setAside: [] });
    expect(store.forwarded).toStrictEqual({ through: 0, ahead: null });
    const inputs = [];
    for await (const page of store.inputsAfter(4998)) inputs.push(...page);
    expect(inputs.map(({ row }) => row)).toStrictEqual([4999, 5000, 5001, 5002]);
    expect(inputs[1]?.input).toStrictEqual({
      asset: 'R101',
      sensor: 'temperature',
      timestamp: 50_000,
      value: 5000,
      unit: 'degF',
      quality: 'Good',
      issues: [{ check: 'source', message: 'm' }],
      imputed: false,
      received: {
        row: 5000,
        source: 'plant',
        position: 5000,
        arrivedAt: 50_001,
        value: 5000,
        unit: 'degF',
        quality: 'Good',
      },
    });
    expect(inputs.at(-1)?.input).toStrictEqual({ at: 9 });
    expect(await store.recall([reading({ row: 0, timestamp: 50_000, value: 5000 })])).toStrictEqual([true]);
    // What was stored before is not forwarded; what comes now is.
    expect(await store.committedAfter(0, 12, 10)).toStrictEqual({ rows: [], through: 12 });
    expect(await store.smoothed(ALL)).toStrictEqual([]);
    const next = reading({ row: 5004, timestamp: 60_000, value: 1 });
    await store.commit(batch({ lastRow: 5004, readings: [next] }));
    expect((await store.committedAfter(0, 13, 10)).rows).toMatchObject([{ timestamp: 60_000 }]);
    expect(await store.countCommitted(0, 13)).toBe(1);
    await store.close();
    const again = await openStore(configOf(path), quiet);
    expect(again).toMatchObject({ lastRow: 5004, lastCommit: 13, id: store.id });
    expect(store.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await again.latest('R101', 'temperature')).toMatchObject({ row: 5004 });
    await again.close();
  });
});

type Rows = Record<string, unknown>[];
type Content = Record<string, { readonly columns: Rows; readonly rows: Rows }>;

/** Every row of every table and view, and how they are made. */
async function contentOf(path: string): Promise<Content> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  const rows = async (sql: string): Promise<Rows> => (await connection.runAndReadAll(sql)).getRowObjectsJS();
  const content: Content = {};
  for (const { name } of await rows(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY name`,
  )) {
    const columns = await rows(`SELECT column_name, data_type, is_nullable FROM information_schema.columns
      WHERE table_name = '${String(name)}' ORDER BY ordinal_position`);
    content[String(name)] = { columns, rows: await rows(`SELECT * FROM "${String(name)}"`) };
  }
  connection.closeSync();
  instance.closeSync();
  return content;
}

const LOST = {
  ...{ asset: 'R101', timestamp: 1000, state: {}, parameters: {}, residuals: {} },
  sync: { status: 'lost' as const, lagMs: 0, staleSensors: [] },
};

describe('a store of version 2', () => {
  it('can be read, has no smoothed estimates and anomalies, and is left as it is', async () => {
    const path = join(await folder(), 'store.duckdb');
    await writeVersion2(path);
    const before = await contentOf(path);
    const reader = await openStoreReadOnly(path);
    expect(await reader.latest('R101', 'temperature')).toMatchObject({ row: 3000, value: 1500 });
    expect(await reader.smoothed(ALL)).toStrictEqual([]);
    expect(await reader.anomalies(ALL)).toStrictEqual([]);
    expect(await reader.twins(ALL)).toStrictEqual([LOST]);
    await reader.close();
    expect(await contentOf(path)).toStrictEqual(before);
  });

  it('is brought up to date in place, with all that it holds, and takes what is new', async () => {
    const path = join(await folder(), 'store.duckdb');
    await writeVersion2(path);
    const before = await contentOf(path);
    const store = await openStore(configOf(path), quiet);
    expect(store).toMatchObject({
      ...{ id: 'c0ffee00-0000-4000-8000-000000000002', lastRow: 3002, lastCommit: 31, setAside: [] },
      forwarded: { through: 25, ahead: null },
    });
    expect(await store.countCommitted(25, 31)).toBe(501);
    const inputs = [];
    for await (const page of store.inputsAfter(2999)) inputs.push(...page);
    expect(inputs.map(({ row }) => row)).toStrictEqual([3000, 3001, 3002]);
    const [one, other] = [smoothed({ timestamp: 3000 }), smoothed({ timestamp: 4000, value: -0.5 })];
    const told = {
      ...{ ...LOST, timestamp: 4000 },
      ...{ parameterStdDev: { heatTransfer: 12.5 }, insights: { runaway: { warning: true } } },
    };
    const added = { smoothed: [one, other], anomalies: [anomaly({})], twins: [told] };
    await store.commit(batch({ lastRow: 3003, ...added }));
    expect(await store.smoothed(ALL)).toStrictEqual([one, other]);
    await store.close();

    const again = await openStore(configOf(path), quiet);
    expect(again).toMatchObject({ id: store.id, lastRow: 3003, lastCommit: 32 });
    expect(await again.smoothed(ALL)).toStrictEqual([one, other]);
    expect(await again.anomalies(ALL)).toStrictEqual([anomaly({})]);
    expect(await again.twins(ALL)).toStrictEqual([LOST, told]);
    await again.close();

    // What was there is there, and the tables are those of a new file.
    const after = await contentOf(path);
    for (const table of ['channels', 'reading_rows', 'held_rows', 'ticks', 'windows', 'quarantined'])
      expect(after[table], table).toStrictEqual(before[table]);
    const fresh = join(await folder(), 'fresh.duckdb');
    await (await openStore(configOf(fresh), quiet)).close();
    const columnsOf = (content: Content) =>
      Object.entries(content).map(([table, { columns }]) => [table, columns]);
    expect(columnsOf(after)).toStrictEqual(columnsOf(await contentOf(fresh)));
  });
});

describe('a store of version 3', () => {
  it.each([
    ['without what was added to it later', true],
    ['with it', false],
  ])('is brought up to date in place, %s', async (_, early) => {
    const path = join(await folder(), 'store.duckdb');
    const fresh = await openStore(configOf(path), quiet);
    await fresh.commit(batch({ lastRow: 1, smoothed: [smoothed({})], twins: [LOST] }));
    await fresh.close();
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run(`UPDATE meta SET value = '3' WHERE key = 'schema_version'`);
    if (early) {
      await connection.run(`ALTER TABLE twins DROP COLUMN insights`);
      await connection.run(`ALTER TABLE twins DROP COLUMN parameter_std_dev`);
      await connection.run(`DROP TABLE source_notes`);
    }
    connection.closeSync();
    instance.closeSync();

    const reader = await openStoreReadOnly(path);
    expect(await reader.twins(ALL)).toStrictEqual([LOST]);
    expect(await reader.smoothed(ALL)).toStrictEqual([smoothed({})]);
    await reader.close();

    const told = { ...LOST, timestamp: 4000, insights: { runaway: { warning: true } } };
    const store = await openStore(configOf(path), quiet);
    await store.commit(batch({ lastRow: 2, twins: [told] }));
    await store.close();
    const again = await openStore(configOf(path), quiet);
    expect(again).toMatchObject({ lastRow: 2, lastCommit: 2, setAside: [] });
    expect(await again.twins(ALL)).toStrictEqual([LOST, told]);
    await again.close();
  });
});
