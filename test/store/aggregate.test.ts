import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AggregateRow } from '../../src/store/store.ts';
import { batch, freshStore, reading } from './batches.ts';
import type { ReadingParts } from './batches.ts';

const SENSOR = { asset: 'R101', sensor: 'temperature' };

const usable = (r: ReadingParts): r is ReadingParts & { value: number } =>
  r.value !== null && r.quality !== 'Bad';

/** The definition, computed the plain way. */
function plain(
  readings: readonly ReadingParts[],
  start: number,
  end: number,
  windowMs: number,
): AggregateRow[] {
  const sorted = [...readings].sort((a, b) => a.timestamp - b.timestamp || a.row - b.row);
  const rows: AggregateRow[] = [];
  for (let from = Math.floor(start / windowMs) * windowMs; from < end; from += windowMs) {
    const to = from + windowMs;
    const inside = sorted.filter((r) => r.timestamp >= from && r.timestamp < to);
    if (inside.length === 0) continue;
    const good = inside.filter(usable);
    const values = good.map((r) => r.value);
    const n = values.length;
    const mean = values.reduce((sum, v) => sum + v / n, 0);
    const before = sorted
      .filter((r) => r.timestamp < from)
      .filter(usable)
      .at(-1);
    const steps = good.map((r) => ({ at: r.timestamp, value: r.value }));
    if (before !== undefined) steps.unshift({ at: from, value: before.value });
    const held = steps.map((step, i) => (steps[i + 1]?.at ?? to) - step.at);
    const total = held.reduce((sum, ms) => sum + ms, 0);
    rows.push({
      start: from + 0, // not -0
      end: to,
      count: n,
      badCount: inside.length - n,
      mean: n === 0 ? null : mean,
      timeWeightedMean:
        total === 0 ? null : steps.reduce((sum, s, i) => sum + s.value * ((held[i] ?? 0) / total), 0),
      min: n === 0 ? null : Math.min(...values),
      max: n === 0 ? null : Math.max(...values),
      stdDev: n < 2 ? null : Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1)),
      first: values[0] ?? null,
      last: values.at(-1) ?? null,
    });
  }
  return rows;
}

const close = (actual: number | null, expected: number | null, tolerance: number): void => {
  if (actual === null || expected === null) expect(actual).toBe(expected);
  else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance);
};

describe('aggregate', () => {
  it('agrees with the definition for any readings', async () => {
    const store = await freshStore();
    let sensors = 0;
    let row = 0;
    // Of a grid, so that the plain way rounds nothing.
    const time = fc.integer({ min: -3000 * 1024, max: 6000 * 1024 }).map((t) => t / 1024 + 0);
    const sample = fc.record({
      timestamp: time,
      // The sign of zero is not kept by DuckDB's arg_min and arg_max.
      value: fc.option(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0),
        { freq: 6 },
      ),
      quality: fc.constantFrom('Good' as const, 'Uncertain' as const, 'Bad' as const),
    });
    const query = fc.record({
      start: time,
      lengthMs: fc.integer({ min: 1, max: 8000 }),
      windowMs: fc.integer({ min: 1, max: 2500 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(sample, { maxLength: 40 }),
        query,
        async (samples, { start, lengthMs, windowMs }) => {
          const sensor = `s${++sensors}`;
          const parts = samples.map((s) => ({ ...s, row: ++row, sensor }));
          await store.commit(batch({ lastRow: row, readings: parts.map(reading) }));
          const end = start + lengthMs;
          const actual = await store.aggregate({
            asset: 'R101',
            sensor,
            start,
            end,
            windowMs,
            limit: 100_000,
          });
          const expected = plain(parts, start, end, windowMs);
          expect(actual.length).toBe(expected.length);
          for (const [i, is] of actual.entries()) {
            const { mean, timeWeightedMean, stdDev, ...exact } = expected[i]!;
            expect(is).toMatchObject(exact);
            close(is.mean, mean, 1e-8);
            close(is.timeWeightedMean, timeWeightedMean, 1e-8);
            close(is.stdDev, stdDev, 1e-8);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('works the case by hand: carried value, Bad apart, one reading', async () => {
    const store = await freshStore();
    const readings: ReadingParts[] = [
      { row: 1, timestamp: 59_000, value: 10 },
      { row: 2, timestamp: 60_000 + 15_000, value: 20 },
      { row: 3, timestamp: 60_000 + 30_000, value: 900, quality: 'Bad' },
      { row: 4, timestamp: 60_000 + 45_000, value: 40 },
      { row: 5, timestamp: 120_000, value: 50 },
      { row: 6, timestamp: 190_000, value: null },
    ];
    await store.commit(batch({ lastRow: 6, readings: readings.map(reading) }));
    const query = { ...SENSOR, start: 60_000, end: 200_000, windowMs: 60_000, limit: 10 };
    const rows = await store.aggregate(query);
    expect(rows).toStrictEqual([
      {
        start: 60_000,
        end: 120_000,
        count: 2,
        badCount: 1,
        mean: 30,
        timeWeightedMean: 10 * 0.25 + 20 * 0.5 + 40 * 0.25,
        min: 20,
        max: 40,
        stdDev: Math.sqrt(200),
        first: 20,
        last: 40,
      },
      expect.objectContaining({ start: 120_000, count: 1, mean: 50, timeWeightedMean: 50, stdDev: null }),
      expect.objectContaining({
        start: 180_000,
        count: 0,
        badCount: 1,
        mean: null,
        timeWeightedMean: 50,
        last: null,
      }),
    ]);
    expect(await store.aggregate({ ...query, limit: 2 })).toStrictEqual(rows.slice(0, 2));
    await expect(store.aggregate({ ...query, windowMs: 0 })).rejects.toThrow('windowMs: 0 is not valid');
  });

  it('keeps the digits of values near 1e9 with noise of 1e-3', async () => {
    const store = await freshStore();
    const noise = Array.from({ length: 20_000 }, (_, i) => Math.sin(i * 12.9898) * 1e-3);
    const readings = noise.map((v, i) => reading({ row: i + 1, timestamp: i, value: 1e9 + v }));
    await store.commit(batch({ lastRow: noise.length, readings }));
    const [row] = await store.aggregate({ ...SENSOR, start: 0, end: 1, windowMs: 100_000, limit: 1 });
    // Deviations from 1e9 are exact, so this is the reference.
    const exact = readings.map((r) => (r.value ?? 0) - 1e9);
    const mean = exact.reduce((sum, v) => sum + v, 0) / exact.length;
    const stdDev = Math.sqrt(exact.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (exact.length - 1));
    expect(Math.abs((row?.stdDev ?? 0) / stdDev - 1)).toBeLessThan(1e-6);
    expect(Math.abs((row?.mean ?? 0) - 1e9 - mean)).toBeLessThan(2.4e-7);
  });

  it('shows no figure where a sum overflows, and fails no query', async () => {
    const store = await freshStore();
    const values = [1e308, 1.7e308, -1.7e308, 1.7e308];
    const readings = values.map((value, i) => reading({ row: i + 1, timestamp: i * 10, value }));
    await store.commit(batch({ lastRow: 4, readings }));
    const [row] = await store.aggregate({ ...SENSOR, start: 0, end: 1, windowMs: 100, limit: 1 });
    expect(row).toMatchObject({ count: 4, min: -1.7e308, max: 1.7e308, stdDev: null });
  });
});
