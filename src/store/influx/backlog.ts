import type { InfluxConfig } from '../../../config/types.ts';
import type { LimitedWarn, Log } from '../../telemetry/log.ts';
import type { Store } from '../store.ts';
import type { Span } from './cursor.ts';

/** Commits up to `upTo` are given up, and the rows in them. */
export interface Dropped {
  readonly upTo: number;
  readonly rows: number;
}

/** The oldest whole commits of the span that hold at least `rows` rows, or all of the span. */
export async function oldestRows(
  store: Pick<Store, 'countCommitted'>,
  { after, upTo }: Span,
  rows: number,
): Promise<Dropped> {
  const all = await store.countCommitted(after, upTo);
  if (all <= rows) return { upTo, rows: all };
  let [low, high] = [after, upTo];
  let held = all;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const count = await store.countCommitted(after, middle);
    if (count >= rows) [high, held] = [middle, count];
    else low = middle;
  }
  return { upTo: high, rows: held };
}

export interface BacklogBound {
  /** Rows given up so far. */
  readonly dropped: number;
  /** Looks at the lag; what has to be done is done in the background. */
  apply(): void;
}

export interface BacklogParts {
  readonly config: InfluxConfig['backlog'];
  readonly store: Pick<Store, 'countCommitted'>;
  /** Rows that wait. */
  readonly lag: () => number;
  /** Where the oldest of them are. */
  readonly oldest: () => Span;
  /** Moves the cursor past these commits. */
  readonly giveUp: (upTo: number) => Promise<void>;
  readonly stop: AbortSignal;
  readonly log: Log;
  readonly warn: LimitedWarn;
  readonly onBacklog: ((full: boolean) => void) | undefined;
}

export function createBacklogBound(parts: BacklogParts): BacklogBound {
  const { config, store, lag, log, warn } = parts;
  let dropped = 0;
  let dropping = false;
  let full = false;

  async function dropOldest(): Promise<void> {
    dropping = true;
    try {
      while (lag() > config.maxRows && !parts.stop.aborted) {
        // Some more than necessary, so that not every commit has to drop again.
        const excess = lag() - Math.floor(config.maxRows * 0.99);
        const gone = await oldestRows(store, parts.oldest(), excess);
        if (gone.rows === 0) break;
        dropped += gone.rows;
        await parts.giveUp(gone.upTo);
        warn(
          'drop',
          { rows: gone.rows, dropped },
          'The backlog for InfluxDB is full; its oldest rows are given up',
        );
      }
    } catch (error) {
      warn('drop failed', { err: error }, 'Giving up the oldest rows of the backlog failed');
    } finally {
      dropping = false;
    }
  }

  function tell(rows: number): void {
    const nowFull = full ? rows > config.maxRows * 0.9 : rows >= config.maxRows;
    if (nowFull === full) return;
    full = nowFull;
    if (full) log.warn({ rows }, 'The backlog for InfluxDB is full; the sources pause');
    else log.info({ rows }, 'The backlog for InfluxDB has room again');
    try {
      parts.onBacklog?.(full);
    } catch (error) {
      log.error({ err: error }, 'Pausing or resuming the sources failed');
    }
  }

  return {
    get dropped() {
      return dropped;
    },
    apply() {
      const rows = lag();
      if (config.policy === 'stop') tell(rows);
      else if (rows > config.maxRows && !dropping) void dropOldest();
    },
  };
}
