import { describe, expect, it } from 'vitest';
import type { EstimatedReading } from '../../operators/types.ts';
import { batch, freshStore, reading } from './batches.ts';

const DAY = 86_400_000;

/** Received with another value and unit than it was stored with. */
const converted = (row: number, timestamp: number, value: number | null): EstimatedReading => {
  const from = reading({ row, timestamp, value });
  return { ...from, value: 1, unit: 'K', imputed: value === null };
};

describe('recall', () => {
  it('knows a reading by asset, sensor, source time and received value', async () => {
    const store = await freshStore();
    const stored = [
      converted(1, 1000.25, 85),
      converted(2, 2000, null),
      converted(3, 3000, -0),
      converted(4, 4000, 5e-324),
    ];
    const filled = { ...converted(5, 5000, 7), received: null };
    await store.commit(batch({ lastRow: 5, readings: [...stored, filled], held: [converted(6, 6000, 6)] }));
    const like = (timestamp: number, value: number | null, more: object = {}) => ({
      ...reading({ row: 99, timestamp, value }),
      ...more,
    });
    const again = reading({ row: 99, timestamp: 1000.25, value: 85 });
    const elsewhere = {
      ...again,
      received: again.received && { ...again.received, source: 'other', unit: 'bar' },
    };
    const asked: [EstimatedReading, boolean][] = [
      [like(1000.25, 85), true],
      [elsewhere, true],
      [like(1000.25, 85, { received: null }), true],
      [like(1000.25, 85, { value: 3 }), true],
      [like(1000, 85), false],
      [like(1000.25, 85.00000000000001), false],
      [like(1000.25, null), false],
      [like(1000.25, 85, { asset: 'R102' }), false],
      [like(1000.25, 85, { sensor: 'ph' }), false],
      [like(1000.25, 1), false],
      [like(2000, null), true],
      [like(2000, 1), false],
      [like(3000, 0), true],
      [like(4000, 5e-324), true],
      [like(4000, 0), false],
      [like(5000, 7), false],
      [like(6000, 6), true],
    ];
    const known = await store.recall(asked.map(([one]) => one));
    expect(known).toStrictEqual(asked.map(([, expected]) => expected));
    expect(await store.recall([])).toStrictEqual([]);
    expect(await store.recall([like(1, 1, { asset: 'new' })])).toStrictEqual([false]);
    // Nothing of one call is left for the next.
    expect(await store.recall([like(1, 1)])).toStrictEqual([false]);
  });

  it('sees every commit that has ended, and takes 5000 readings from all of the history at once', async () => {
    const store = await freshStore();
    const rows = Array.from({ length: 2500 }, (_, i) =>
      reading({ row: i + 1, timestamp: i * DAY, value: i, sensor: `s${i % 7}` }),
    );
    for (let i = 0; i < rows.length; i += 500) {
      const readings = rows.slice(i, i + 500);
      await store.commit(batch({ lastRow: i + 500, readings }));
      expect(await store.recall(readings)).toStrictEqual(readings.map(() => true));
    }
    const others = rows.map((row) => ({ ...row, timestamp: row.timestamp + 1 }));
    const known = await store.recall([...rows, ...others]);
    expect(known.slice(0, 2500).filter(Boolean)).toHaveLength(2500);
    expect(known.slice(2500).filter(Boolean)).toHaveLength(0);
  });

  it('looks up times far apart, each in its own range', async () => {
    const store = await freshStore();
    const rows = [0, 1, 70_000, 40 * DAY, 40 * DAY + 1].map((timestamp, i) =>
      reading({ row: i + 1, timestamp, value: i }),
    );
    await store.commit(batch({ lastRow: 5, readings: rows }));
    const shuffled = [4, 0, 3, 2, 1].flatMap((i) => rows[i] ?? []);
    expect(await store.recall(shuffled)).toStrictEqual([true, true, true, true, true]);
    const between = rows.map((row) => ({ ...row, timestamp: row.timestamp + 20 * DAY }));
    expect(await store.recall([...between, ...shuffled])).toStrictEqual([
      ...between.map(() => false),
      ...shuffled.map(() => true),
    ]);
  });
});
