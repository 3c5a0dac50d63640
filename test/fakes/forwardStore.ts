import type { ForwardStore } from '../../src/store/influx/contract.ts';
import type { ForwardCursor, ForwardRow, QuarantinedPoint } from '../../src/store/store.ts';

export interface FakeForwardStore extends ForwardStore {
  /** Adds a commit; its number. */
  commit(rows: readonly ForwardRow[]): number;
  readonly quarantined: QuarantinedPoint[];
  /** Every cursor that was set. */
  readonly cursors: ForwardCursor[];
  /** Ranges that were read. */
  readonly reads: { readonly after: number; readonly upTo: number }[];
  /** While set, reading fails with it. */
  fault: Error | null;
}

/** What the forwarder needs of a store, in memory. */
export function fakeForwardStore(start?: ForwardCursor): FakeForwardStore {
  const commits: (readonly ForwardRow[])[] = [];
  const cursors: ForwardCursor[] = start === undefined ? [] : [start];
  const store: FakeForwardStore = {
    quarantined: [],
    cursors,
    reads: [],
    fault: null,
    commit: (rows) => commits.push(rows),
    get lastCommit() {
      return commits.length;
    },
    get forwarded() {
      return cursors.at(-1) ?? { through: 0, ahead: null };
    },
    setForwarded: (cursor) => void cursors.push(cursor),
    async committedAfter(after, upTo, limit) {
      await Promise.resolve();
      if (store.fault !== null) throw store.fault;
      store.reads.push({ after, upTo });
      const rows: ForwardRow[] = [];
      for (let n = after; n < upTo; n++) {
        const more = commits[n] ?? [];
        if (rows.length > 0 && rows.length + more.length > limit) return { rows, through: n };
        rows.push(...more);
      }
      return { rows, through: upTo };
    },
    countCommitted: (after, upTo) =>
      Promise.resolve(commits.slice(after, upTo).reduce((sum, rows) => sum + rows.length, 0)),
    quarantine(points) {
      store.quarantined.push(...points);
      return Promise.resolve();
    },
  };
  return store;
}

/** The n-th row of a sensor: one a second. */
export const forwardRow = (n: number, over: Partial<ForwardRow> = {}): ForwardRow => ({
  asset: 'R101',
  sensor: 'temperature',
  timestamp: 1_700_000_000_000 + n * 1000,
  value: n,
  unit: 'degC',
  quality: 'Good',
  imputed: false,
  estimate: null,
  ...over,
});
