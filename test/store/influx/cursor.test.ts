import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { oldestRows } from '../../../src/store/influx/backlog.ts';
import { backlogDone, backlogOf, liveDone, liveFrom, splitAt } from '../../../src/store/influx/cursor.ts';
import { createCommitTimes } from '../../../src/store/influx/lag.ts';
import type { ForwardCursor } from '../../../src/store/store.ts';

const at = (through: number, from?: number, to?: number): ForwardCursor => ({
  through,
  ahead: from === undefined || to === undefined ? null : { from, to },
});

describe('the cursor', () => {
  test('is one number in order, and two lanes after a split, until they meet', () => {
    let cursor = liveDone(at(5), 9);
    expect(cursor).toEqual(at(9));
    cursor = splitAt(cursor, 40);
    expect([liveFrom(cursor), backlogOf(cursor)]).toEqual([40, { after: 9, upTo: 40 }]);
    cursor = liveDone(cursor, 45);
    cursor = backlogDone(cursor, 30);
    expect(cursor).toEqual(at(30, 40, 45));
    expect(backlogDone(cursor, 40)).toEqual(at(45));
  });

  test('gives up what it did ahead where it splits again, and never goes back', () => {
    expect(splitAt(at(3, 10, 20), 50)).toEqual(at(3, 50, 50));
    expect(splitAt(at(7), 7)).toEqual(at(7));
    expect(liveDone(at(9), 4)).toEqual(at(9));
    expect(backlogDone(at(9, 20, 30), 4)).toEqual(at(9, 20, 30));
  });

  test('never claims a commit that no lane has done', () => {
    const step = fc.record({
      lane: fc.constantFrom('live', 'backlog', 'split', 'commit'),
      size: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const done = new Set<number>();
        let last = 10;
        let cursor = at(0);
        const finish = (after: number, through: number): void => {
          for (let n = after + 1; n <= through; n++) done.add(n);
        };
        for (const { lane, size } of steps) {
          if (lane === 'commit') last += size;
          if (lane === 'split') cursor = splitAt(cursor, last);
          if (lane === 'live') {
            const from = liveFrom(cursor);
            const through = Math.min(from + size, last);
            finish(from, through);
            cursor = liveDone(cursor, through);
          }
          const behind = backlogOf(cursor);
          if (lane === 'backlog' && behind !== null) {
            const through = Math.min(behind.after + size, behind.upTo);
            finish(behind.after, through);
            cursor = backlogDone(cursor, through);
          }
          for (let n = 1; n <= cursor.through; n++) expect(done.has(n)).toBe(true);
          const { from, to } = cursor.ahead ?? { from: 0, to: 0 };
          for (let n = from + 1; n <= to; n++) expect(done.has(n)).toBe(true);
        }
      }),
    );
  });
});

describe('the oldest rows', () => {
  const store = {
    countCommitted: (after: number, upTo: number) => Promise.resolve((upTo - after) * 10),
  };
  test.each([
    [1, { upTo: 101, rows: 10 }],
    [10, { upTo: 101, rows: 10 }],
    [11, { upTo: 102, rows: 20 }],
    [995, { upTo: 200, rows: 1000 }],
    [5000, { upTo: 200, rows: 1000 }],
  ])('%d of them are whole commits', async (rows, expected) => {
    expect(await oldestRows(store, { after: 100, upTo: 200 }, rows)).toEqual(expected);
  });
});

describe('times of commits', () => {
  test('tell the first one after', () => {
    const times = createCommitTimes();
    expect(times.firstAfter(0)).toBeNull();
    for (let n = 1; n <= 5; n++) times.add(n, n * 100);
    expect([times.firstAfter(0), times.firstAfter(3), times.firstAfter(5)]).toEqual([100, 400, null]);
  });

  test('keep the oldest, and few of many', () => {
    const times = createCommitTimes();
    for (let n = 1; n <= 1_000_000; n++) times.add(n, n);
    expect(times.firstAfter(0)).toBe(1);
    const found = times.firstAfter(500_000) ?? 0;
    expect(found).toBeGreaterThan(500_000);
    expect(found).toBeLessThan(502_000);
  });
});
