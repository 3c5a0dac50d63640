import type { EstimatedReading, Quality, Reading, WindowAggregate } from '../../operators/types.ts';
import type { AnomalyRecord } from '../../operators/steps/anomaly.ts';
import type { TwinRecord } from '../../operators/steps/twin.ts';
import type { SmoothedRecord } from '../smoothed.ts';
import type { DeadLetter, Delivered } from '../sources/source.ts';

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
  readonly smoothed: readonly SmoothedRecord[];
  readonly windows: readonly WindowAggregate[];
  readonly twins: readonly TwinRecord[];
  readonly anomalies: readonly AnomalyRecord[];
  readonly deadLetters: readonly (DeadLetter & { readonly row: number })[];
  /** Source id -> highest position in this batch. */
  readonly positions: ReadonlyMap<string, number>;
  /** Source id -> note, where it has changed; see `Source.note`. */
  readonly notes?: ReadonlyMap<string, string>;
}

/** An input of the pipeline as it was received, under its row number: what a re-run needs. */
export interface RecordedInput {
  readonly row: number;
  readonly input: Reading | { readonly at: number };
}

/** A stored reading on its way to InfluxDB. */
export interface ForwardRow {
  readonly asset: string;
  readonly sensor: string;
  /** Source time, epoch milliseconds with fractions. */
  readonly timestamp: number;
  readonly value: number | null;
  readonly unit: string;
  readonly quality: Quality;
  readonly imputed: boolean;
  readonly estimate: { readonly value: number; readonly ratePerS: number; readonly stdDev: number } | null;
}

/**
 * How far the forwarder has come, in numbers of commits. Everything up to `through` is done. Where live data went ahead
 * of a backlog, so is everything in (from, to].
 */
export interface ForwardCursor {
  readonly through: number;
  readonly ahead: { readonly from: number; readonly to: number } | null;
}

/** A point that InfluxDB refused for good. */
export interface QuarantinedPoint {
  readonly at: number;
  /** Line protocol. */
  readonly line: string;
  /** What the server said. */
  readonly reason: string;
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
  /** Smoothed estimates in [start, end), oldest first. */
  smoothed(query: RangeQuery): Promise<readonly SmoothedRecord[]>;
  /** Recorded twin states in [start, end), oldest first. */
  twins(query: Omit<RangeQuery, 'sensor'>): Promise<readonly TwinRecord[]>;
  /** Records of detectAnomaly in [start, end), oldest first. */
  anomalies(query: Omit<RangeQuery, 'sensor'>): Promise<readonly AnomalyRecord[]>;
  /** Newest first. */
  deadLetters(limit: number): Promise<readonly StoredDeadLetter[]>;
  /** Points that InfluxDB refused for good, newest first. */
  quarantined(limit: number): Promise<readonly QuarantinedPoint[]>;
  /** Source time of the sensor's oldest stored reading; null where there is none. */
  oldest?(asset: string, sensor: string): Promise<number | null>;
  close(): Promise<void>;
}

/** What may not be deleted yet although its retention is over. */
export interface PruneBounds {
  /** Inputs with a larger row number are needed by a checkpoint. */
  readonly row: number;
  /** Readings of later commits are not forwarded yet; Infinity where nothing is forwarded. */
  readonly commit: number;
}

export interface Store extends StoreReader {
  /** Made up when the file was created; checkpoints belong to the store of the same id. */
  readonly id: string;
  /** Files of a damaged store that were moved away when this one was opened, under their new names. */
  readonly setAside: readonly string[];
  /** Number of the last commit; 0 in a new store. Counts commits, also over restarts. */
  readonly lastCommit: number;
  /** Source id -> its note with the last commit. */
  readonly notes: ReadonlyMap<string, string>;
  /** As it was with the last commit. */
  readonly forwarded: ForwardCursor;
  /** Written with the next commit, or when the store closes. */
  setForwarded(cursor: ForwardCursor): void;
  /** The inputs with row numbers above `row`, in their order, some thousands at a time. */
  inputsAfter(row: number): AsyncIterable<readonly RecordedInput[]>;
  /** For each reading whether a stored one of the same asset and sensor has its source time and received value. */
  recall(readings: readonly Reading[]): Promise<readonly boolean[]>;
  /** Source time of the newest reading of a sensor that came in; null where there is none. */
  newestReceived(asset: string, sensor: string): Promise<number | null>;
  /** The last `count` named deliveries of a source, oldest first. */
  deliveries(source: string, count: number): Promise<readonly Delivered[]>;
  /**
   * Readings of the commits in (after, upTo], in the order of commits and of rows within them: as many whole commits as fit
   * into `limit` rows, at least one. `through` is the last commit that is covered; `upTo` where there is no more.
   */
  committedAfter(
    after: number,
    upTo: number,
    limit: number,
  ): Promise<{ readonly rows: readonly ForwardRow[]; readonly through: number }>;
  /** Number of stored readings of the commits in (after, upTo]. */
  countCommitted(after: number, upTo: number): Promise<number>;
  quarantine(points: readonly QuarantinedPoint[]): Promise<void>;
  /**
   * Resolves when the batch is durable (fsynced). Never called again before that. Where it rejects, nothing of the
   * batch is stored, and the same batch may be committed again.
   */
  commit(batch: CommitBatch): Promise<void>;
  /** Deletes what is older than the retention; returns the number of readings deleted. */
  prune(now: number, bounds: PruneBounds): Promise<number>;
}
