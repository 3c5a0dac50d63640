import type { EstimatedReading, Reading, WindowAggregate } from '../../operators/types.ts';
import type { TwinRecord } from '../../operators/steps/twin.ts';
import type { DeadLetter } from '../sources/source.ts';

/** A recorded reading of the clock: epoch milliseconds, numbered like a reading. */
export interface Tick {
  readonly row: number;
  readonly at: number;
}

/**
 * One transaction. Everything in it becomes durable together, or nothing does.
 * Rows are in order of arrival; a released held reading carries the row number under which it was held.
 */
export interface CommitBatch {
  /** Highest row number given out so far; the next one after a restart is larger. */
  readonly lastRow: number;
  readonly readings: readonly EstimatedReading[];
  /** Received, but kept back by orderByTime; their result comes in a later batch. */
  readonly held: readonly Reading[];
  readonly ticks: readonly Tick[];
  readonly windows: readonly WindowAggregate[];
  readonly twins: readonly TwinRecord[];
  readonly deadLetters: readonly (DeadLetter & { readonly row: number })[];
  /** Source id -> highest position in this batch. */
  readonly positions: ReadonlyMap<string, number>;
}

export interface StoredReading {
  readonly row: number;
  readonly asset: string;
  readonly sensor: string;
  readonly timestamp: number;
  readonly value: number | null;
  readonly unit: string;
  readonly quality: string;
  readonly issues: readonly { readonly check: string; readonly message: string }[];
  readonly imputed: boolean;
  readonly raw: { readonly value: number | null; readonly unit: string; readonly quality: string } | null;
  readonly estimate: { readonly value: number; readonly ratePerS: number; readonly stdDev: number } | null;
}

/** Aggregate computed by a query over stored rows; same meaning as WindowAggregate where names agree. */
export interface AggregateRow {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  readonly badCount: number;
  readonly mean: number | null;
  readonly timeWeightedMean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly stdDev: number | null;
  readonly first: number | null;
  readonly last: number | null;
}

/** [start, end) in epoch milliseconds, oldest first, at most `limit` rows. */
export interface RangeQuery {
  readonly asset: string;
  readonly sensor: string;
  readonly start: number;
  readonly end: number;
  readonly limit: number;
}

export interface StoredDeadLetter extends DeadLetter {
  readonly row: number;
}

/** The queries, which a store opened for reading only offers too. */
export interface StoreReader {
  /** Of the last commit; 0 in a new store. */
  readonly lastRow: number;
  /** Source id -> position of the last commit. */
  readonly positions: ReadonlyMap<string, number>;
  latest(asset: string, sensor: string): Promise<StoredReading | null>;
  range(query: RangeQuery): Promise<readonly StoredReading[]>;
  /** Epoch-aligned windows of `windowMs` that overlap [start, end) and hold a reading, computed from all of theirs. */
  aggregate(query: RangeQuery & { readonly windowMs: number }): Promise<readonly AggregateRow[]>;
  /** Stored windows of one size that overlap [start, end), each in its last revision. */
  windows(query: RangeQuery & { readonly sizeMs: number }): Promise<readonly WindowAggregate[]>;
  /** Recorded twin states in [start, end), oldest first. */
  twins(query: Omit<RangeQuery, 'sensor'>): Promise<readonly TwinRecord[]>;
  /** Newest first. */
  deadLetters(limit: number): Promise<readonly StoredDeadLetter[]>;
  close(): Promise<void>;
}

export interface Store extends StoreReader {
  /**
   * Resolves when the batch is durable (fsynced). Never called again before that. Where it rejects, nothing of the
   * batch is stored, and the same batch may be committed again.
   */
  commit(batch: CommitBatch): Promise<void>;
  /** Deletes what is older than the retention; returns the number of readings deleted. */
  prune(now: number): Promise<number>;
}
