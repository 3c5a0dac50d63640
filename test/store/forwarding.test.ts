import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/duckdb.ts';
import type { QuarantinedPoint } from '../../src/store/store.ts';
import { batch, configOf, folder, freshStore, NO_BOUNDS, quiet, reading } from './batches.ts';

const DAY = 86_400_000;

describe('committedAfter', () => {
  it('gives whole commits in their order, each reading once, whatever the sizes and the limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(3),
        async (sizes, limit, start) => {
          const store = await freshStore();
          let row = 0;
          for (const size of sizes) {
            const readings = Array.from({ length: size }, () => {
              row += 1;
              return reading({ row, timestamp: -row, value: row });
            });
            await store.commit(batch({ lastRow: row, readings }));
          }
          expect(store.lastCommit).toBe(sizes.length);
          const upTo = Math.max(start, sizes.length - 1);
          const expected = sizes.map((size, i) => (i >= start && i < upTo ? size : 0));
          const total = expected.reduce((sum, size) => sum + size, 0);
          expect(await store.countCommitted(start, upTo)).toBe(total);
          const values: (number | null)[] = [];
          for (let after = start; after < upTo;) {
            const { rows, through } = await store.committedAfter(after, upTo, limit);
            expect(through).toBeGreaterThan(after);
            const covered = expected.slice(after, through);
            expect(rows).toHaveLength(covered.reduce((sum, size) => sum + size, 0));
            if (rows.length > limit) expect(covered.filter((size) => size > 0)).toHaveLength(1);
            values.push(...rows.map(({ value }) => value));
            after = through;
          }
          const skipped = sizes.slice(0, start).reduce((sum, size) => sum + size, 0);
          expect(values).toStrictEqual(Array.from({ length: total }, (_, i) => skipped + i + 1));
          await store.close();
        },
      ),
      { numRuns: 12 },
    );
  });

  it('gives what InfluxDB is to know of a reading', async () => {
    const store = await freshStore();
    const estimate = { value: 1.5, ratePerS: -0, stdDev: 5e-324 };
    const full = { ...estimate, covariance: [1, 0, 0, 1] as const, innovation: null, nis: null };
    const timestamp = 1_761_474_615_000.125;
    await store.commit(
      batch({
        lastRow: 2,
        readings: [
          reading({ row: 1, timestamp, value: -0, quality: 'Uncertain', estimate: full }),
          { ...reading({ row: 2, timestamp: 5, value: null }), imputed: true, received: null },
        ],
      }),
    );
    const common = { asset: 'R101', sensor: 'temperature', unit: 'degC' };
    expect(await store.committedAfter(0, 1, 10)).toStrictEqual({
      rows: [
        { ...common, timestamp, value: -0, quality: 'Uncertain', imputed: false, estimate },
        { ...common, timestamp: 5, value: null, quality: 'Good', imputed: true, estimate: null },
      ],
      through: 1,
    });
    expect(await store.committedAfter(1, 1, 10)).toStrictEqual({ rows: [], through: 1 });
    expect(await store.committedAfter(-1, 1, 10)).toMatchObject({ through: 1 });
  });
});

describe('the forward cursor', () => {
  it('is stored with the next commit, and when the store closes', async () => {
    const path = join(await folder(), 'store.duckdb');
    const store = await openStore(configOf(path), quiet);
    expect(store.forwarded).toStrictEqual({ through: 0, ahead: null });
    await store.commit(batch({ lastRow: 1 }));
    const first = { through: 1, ahead: { from: 5, to: 9 } };
    store.setForwarded(first);
    expect(store.forwarded).toStrictEqual({ through: 0, ahead: null });
    await store.commit(batch({ lastRow: 2 }));
    expect(store.forwarded).toStrictEqual(first);
    store.setForwarded({ through: 2, ahead: null });
    await store.close();
    const second = await openStore(configOf(path), quiet);
    expect(second.forwarded).toStrictEqual({ through: 2, ahead: null });
    expect(second.id).toBe(store.id);
    expect(second.lastCommit).toBe(2);
    await second.commit(batch({ lastRow: 3 }));
    await second.close();
    const third = await openStore(configOf(path), quiet);
    expect(third).toMatchObject({ forwarded: { through: 2, ahead: null }, lastCommit: 3, setAside: [] });
    await third.close();
    expect((await freshStore()).id).not.toBe(store.id);
  });
});

describe('quarantine', () => {
  const point = (n: number): QuarantinedPoint => ({ at: n, line: `m,t=a v=${n}`, reason: `no "${n}"\n` });

  it('keeps the newest 10 000, newest first', async () => {
    const store = await freshStore();
    await store.quarantine([1, 2].map(point));
    await store.quarantine(Array.from({ length: 9_999 }, (_, i) => point(i + 3)));
    const kept = await store.quarantined(20_000);
    expect(kept).toHaveLength(10_000);
    expect(kept[0]).toStrictEqual(point(10_001));
    expect(kept.at(-1)).toStrictEqual(point(2));
    expect(await store.quarantined(2)).toStrictEqual([point(10_001), point(10_000)]);
    await store.quarantine([]);
    await store.commit(batch({ lastRow: 1, readings: [reading({ row: 1, timestamp: 1, value: 1 })] }));
    await store.prune(31 * DAY, NO_BOUNDS);
    expect(await store.quarantined(1)).toStrictEqual([]);
  });
});

describe('prune within bounds', () => {
  it('leaves what a checkpoint needs and what is not forwarded', async () => {
    const store = await freshStore({ retentionDays: 1 });
    for (let row = 1; row <= 9; row += 3) {
      await store.commit(
        batch({
          lastRow: row + 2,
          readings: [reading({ row, timestamp: row, value: row })],
          held: [reading({ row: row + 1, timestamp: row, value: row })],
          ticks: [{ row: row + 2, at: row }],
        }),
      );
    }
    const left = async (): Promise<number[]> => {
      const rows: number[] = [];
      for await (const page of store.inputsAfter(0)) rows.push(...page.map(({ row }) => row));
      return rows;
    };
    const now = 2 * DAY;
    expect(await store.prune(now, { row: 0, commit: Infinity })).toBe(0);
    expect(await left()).toHaveLength(9);
    // Rows 1 to 5 may go; the reading of row 4 belongs to commit 2.
    expect(await store.prune(now, { row: 5, commit: 1 })).toBe(1);
    expect(await left()).toStrictEqual([4, 6, 7, 8, 9]);
    expect(await store.prune(now, { row: 5, commit: 2 })).toBe(1);
    expect(await left()).toStrictEqual([6, 7, 8, 9]);
    expect(await store.prune(now, NO_BOUNDS)).toBe(1);
    expect(await left()).toStrictEqual([]);
  });
});
