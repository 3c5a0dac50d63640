import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EstimatedReading, Issue, Quality, Reading } from '../../operators/types.ts';
import type { CommitBatch, RecordedInput, Store } from '../../src/store/store.ts';
import { batch, freshStore, NO_BOUNDS, reading } from './batches.ts';

async function all(store: Store, row: number): Promise<RecordedInput[]> {
  const inputs: RecordedInput[] = [];
  for await (const page of store.inputsAfter(row)) inputs.push(...page);
  return inputs;
}

const QUALITIES: readonly Quality[] = ['Good', 'Uncertain', 'Bad'];
const value = fc.option(
  fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(-0, 5e-324, -2.5e-310, 1e308),
  ),
);

/** As a source gives it, before it has a row number. */
const arrived = fc
  .record({
    asset: fc.constantFrom('R101', 'R102', 'ö/"x\''),
    sensor: fc.constantFrom('temperature', 'ph'),
    source: fc.constantFrom('plant', 'opcua'),
    timestamp: fc.double({ min: 0, max: 2e12, noNaN: true }),
    arrivedAt: fc.double({ min: 0, max: 2e12, noNaN: true }),
    position: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    value,
    unit: fc.constantFrom('', 'degC', 'degF'),
    quality: fc.constantFrom(...QUALITIES),
    delivery: fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
    backfilled: fc.boolean(),
  })
  .map(({ asset, sensor, timestamp, delivery, backfilled, ...rest }): Reading => {
    const { value, unit, quality } = rest;
    const issues = quality === 'Good' ? [] : [{ check: 'source', message: `it says ${quality}` }];
    const received = {
      row: 0,
      ...rest,
      ...(delivery !== undefined && { delivery }),
      ...(backfilled && { backfilled: true as const }),
    };
    return { asset, sensor, timestamp, value, unit, quality, issues, imputed: false, received };
  });

/** What becomes of it: `dropped` as a duplicate, or stored, at once or after it was held. */
const fate = fc.constantFrom('stored', 'released', 'held', 'tick', 'filled');

const issue: Issue = { check: 'range', message: 'Out of range' };

/** As it leaves the pipeline. */
const made = (from: Reading): EstimatedReading => ({
  ...from,
  value: 1,
  unit: 'K',
  quality: 'Bad',
  issues: [...from.issues, issue, { check: 'stuck', message: '' }],
  imputed: true,
  estimate: null,
});

describe('inputsAfter', () => {
  it('gives back whatever came in as it came in, in its order', async () => {
    const store = await freshStore();
    let row = 0;
    const inputs = fc.array(fc.tuple(arrived, fate), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(inputs, fc.integer({ min: 0, max: 45 }), async (given, skip) => {
        const first = row;
        const expected: RecordedInput[] = [];
        const parts = { readings: [], held: [], ticks: [] } as {
          readings: EstimatedReading[];
          held: Reading[];
          ticks: { row: number; at: number }[];
        };
        const later: EstimatedReading[] = [];
        for (const [from, becomes] of given) {
          row += 1;
          if (becomes === 'tick') {
            parts.ticks.push({ row, at: from.timestamp });
            expected.push({ row, input: { at: from.timestamp } });
            continue;
          }
          if (becomes === 'filled') {
            parts.readings.push({ ...made(from), received: null });
            continue;
          }
          const input = { ...from, received: from.received && { ...from.received, row } };
          expected.push({ row, input });
          if (becomes === 'stored') parts.readings.push(made(input));
          else parts.held.push(input);
          if (becomes === 'released') later.push(made(input));
        }
        await store.commit(batch({ ...parts, lastRow: row }));
        row += 1;
        await store.commit(batch({ readings: later, lastRow: row }));
        const from = first + skip;
        expect(await all(store, from)).toStrictEqual(expected.filter((input) => input.row > from));
      }),
      { numRuns: 60 },
    );
  });

  it('pages through many rows and over wide gaps in their numbers', async () => {
    const store = await freshStore();
    const rows = [
      ...Array.from({ length: 20_000 }, (_, i) => i + 1),
      2 ** 33,
      2 ** 33 + 8192,
      2 ** 40,
      2 ** 40 + 1,
    ];
    const tick = 2 ** 50;
    await store.commit(
      batch({
        lastRow: tick,
        readings: rows.map((row) => reading({ row, timestamp: row, value: row })),
        ticks: [{ row: tick, at: 7 }],
      }),
    );
    const sizes: number[] = [];
    const got: number[] = [];
    for await (const page of store.inputsAfter(100)) {
      sizes.push(page.length);
      got.push(...page.map(({ row }) => row));
    }
    expect(got).toStrictEqual([...rows.slice(100), tick]);
    expect(Math.max(...sizes)).toBe(8192);
    expect(await all(store, tick)).toStrictEqual([]);
    expect(await all(store, 0)).toHaveLength(rows.length + 1);
  });

  it('does not give a released reading twice, before and after it is pruned from the held ones', async () => {
    const store = await freshStore();
    const late = reading({ row: 1, timestamp: 500, value: 1 });
    await store.commit(batch({ lastRow: 1, held: [late] }));
    await store.commit(batch({ lastRow: 1, readings: [late] }));
    expect(await all(store, 0)).toHaveLength(1);
    await store.prune(1000, NO_BOUNDS);
    expect((await all(store, 0)).map(({ row }) => row)).toStrictEqual([1]);
  });
});

describe('deliveries', () => {
  const named = (row: number, source: string, delivery: number | undefined): EstimatedReading => {
    const from = reading({ row, timestamp: row, value: row });
    const received = from.received && { ...from.received, source };
    return {
      ...from,
      received: received && (delivery === undefined ? received : { ...received, delivery }),
    };
  };
  const letter = (row: number, delivery?: number): CommitBatch['deadLetters'][number] => ({
    row,
    source: 'a',
    position: row,
    arrivedAt: row,
    reason: 'malformed',
    detail: '',
    origin: '',
    payload: '',
    ...(delivery !== undefined && { delivery }),
  });

  it('gives the newest of one source that have a name, oldest first', async () => {
    const store = await freshStore();
    const released = named(5, 'a', 50);
    await store.commit(
      batch({
        lastRow: 7,
        readings: [named(1, 'a', 10), named(2, 'b', 20), named(3, 'a', undefined)],
        held: [released, named(6, 'a', 60), named(7, 'b', 70)],
        deadLetters: [letter(4, 40), letter(8)],
      }),
    );
    await store.commit(batch({ lastRow: 9, readings: [released, named(9, 'a', 2 ** 53 - 1)] }));
    const position = (delivery: number) => ({ position: Math.round(delivery / 10), delivery });
    const newest = { position: 9, delivery: 2 ** 53 - 1 };
    const ofA = [...[10, 40, 50, 60].map(position), newest];
    expect(await store.deliveries('a', 100)).toStrictEqual(ofA);
    expect(await store.deliveries('a', 3)).toStrictEqual(ofA.slice(-3));
    expect(await store.deliveries('b', 3)).toStrictEqual([20, 70].map(position));
    expect(await store.deliveries('c', 3)).toStrictEqual([]);
    expect((await store.deadLetters(9)).map((stored) => stored.delivery)).toStrictEqual([undefined, 40]);
  });

  it('finds those of a source that was quiet for long', async () => {
    const store = await freshStore();
    await store.commit(batch({ lastRow: 1, readings: [named(1, 'quiet', 7)] }));
    await store.commit(batch({ lastRow: 2 ** 30, readings: [named(2 ** 30, 'a', 8)] }));
    expect(await store.deliveries('quiet', 2)).toStrictEqual([{ position: 1, delivery: 7 }]);
  });
});

it('a held reading is kept until its own result is there; a filled gap of the same number is none', async () => {
  const store = await freshStore({ retentionDays: 36_500 });
  const held = reading({ row: 2, timestamp: 5000, value: 85 });
  const filled = { ...reading({ row: 2, timestamp: 4000, value: 84 }), imputed: true, received: null };
  await store.commit(batch({ lastRow: 2, readings: [filled], held: [held], ticks: [{ row: 1, at: 1 }] }));
  expect(await store.newestReceived('R101', 'temperature')).toBe(5000);
  await store.prune(1e13, { row: 0, commit: 0 });
  expect((await all(store, 0)).map(({ row }) => row)).toEqual([1, 2]);
  await store.commit(batch({ lastRow: 3, readings: [held], ticks: [{ row: 3, at: 2 }] }));
  await store.prune(1e13, { row: 0, commit: 0 });
  expect((await all(store, 0)).map(({ row }) => row)).toEqual([1, 2, 3]);
  expect(await store.newestReceived('R101', 'temperature')).toBe(5000);
  expect(await store.newestReceived('R101', 'ph')).toBeNull();
});
