import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore, openStoreReadOnly } from '../../src/store/duckdb.ts';
import { batch, configOf, folder, quiet, reading } from './batches.ts';
import { writeVersion1 } from './version1.ts';

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
