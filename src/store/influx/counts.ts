import type { ForwardCursor, ForwardRow, Store } from '../store.ts';
import { backlogOf, liveFrom } from './cursor.ts';
import { createCommitTimes } from './lag.ts';

/** How many rows wait in each lane, and since when. Kept by adding and taking away; counted anew where the cursor jumps. */
export interface Waiting {
  readonly liveRows: number;
  readonly backlogRows: number;
  /** Age of the oldest row that waits, milliseconds; 0 where none does. */
  ageMs(through: number): number;
  committed(commit: number, rows: number): void;
  liveDone(rows: number): void;
  backlogDone(rows: number): void;
  /** The lanes have met: nothing is behind any more. */
  met(): void;
  /** The oldest rows that are at hand, from before the start of this process: their source times tell their age. */
  oldest(commit: number, rows: readonly ForwardRow[]): void;
  /** Counts from the store what waits after the cursor. */
  recount(cursor: () => ForwardCursor, last: () => number): Promise<void>;
}

/** Recounts in a row where the cursor keeps moving meanwhile. */
const MAX_RECOUNTS = 5;

export function createWaiting(
  store: Pick<Store, 'countCommitted'>,
  lastAtStart: number,
  now: () => number,
): Waiting {
  const times = createCommitTimes();
  let liveRows = 0;
  let backlogRows = 0;
  let total = 0;
  let inheritedAt: number | null = null;
  return {
    get liveRows() {
      return liveRows;
    },
    get backlogRows() {
      return backlogRows;
    },
    ageMs(through) {
      if (liveRows + backlogRows <= 0) return 0;
      const at = through < lastAtStart ? inheritedAt : times.firstAfter(through);
      return at === null ? 0 : Math.max(0, now() - at);
    },
    committed(commit, rows) {
      times.add(commit, now());
      liveRows += rows;
      total += rows;
    },
    liveDone(rows) {
      liveRows = Math.max(0, liveRows - rows);
    },
    backlogDone(rows) {
      backlogRows = Math.max(0, backlogRows - rows);
    },
    met() {
      backlogRows = 0;
    },
    oldest(commit, rows) {
      const first = rows[0];
      if (commit < lastAtStart && first !== undefined) inheritedAt = first.timestamp;
    },
    async recount(cursor, last) {
      for (let i = 0; i < MAX_RECOUNTS; i++) {
        const before = cursor();
        const totalBefore = total;
        const upTo = last();
        const backlog = backlogOf(before);
        const behind = backlog === null ? 0 : await store.countCommitted(backlog.after, backlog.upTo);
        const live = await store.countCommitted(liveFrom(before), upTo);
        backlogRows = behind;
        liveRows = live + total - totalBefore;
        if (cursor() === before) return;
      }
    },
  };
}
