/** OPC UA's three grades of trust. It only gets worse along the pipeline. */
export type Quality = 'Good' | 'Uncertain' | 'Bad';

/** Why a reading is not Good: the check that said so and a sentence with the figures. */
export interface Issue {
  /** Name of the check: `source`, `time`, `unit`, `order`, `range`, `rate`, `outlier`, `spike`, `hampel`, `stuck`, `drift`, `missing`. */
  readonly check: string;
  readonly message: string;
}

/** What came in, before anything was made of it. Never changed by an operator. */
export interface Received {
  /** Row number in order of arrival, over all sources; 0 before the pipeline has numbered it. */
  row: number;
  /** Id of the source. */
  readonly source: string;
  /** The source's position, which only grows; committing it releases everything up to it. */
  readonly position: number;
  /** Clock time of arrival, epoch milliseconds. */
  readonly arrivedAt: number;
  /** Value in `unit`; null where it was missing or not finite. */
  readonly value: number | null;
  readonly unit: string;
  readonly quality: Quality;
  /**
   * What the transport called this delivery, so that it is recognised when it comes again: a whole number; absent where
   * the transport has no name for it.
   */
  readonly delivery?: number;
  /** Read from the source's archive to fill a gap, behind what is live: late, but no sign of a clock set back. */
  readonly backfilled?: true;
}

/** One value of one sensor at one source time. Immutable: an operator that changes one returns a new one. */
export interface Reading {
  readonly asset: string;
  readonly sensor: string;
  /** Source time, epoch milliseconds (fractions allowed). */
  readonly timestamp: number;
  /** Finite, in `unit`; null = missing. */
  readonly value: number | null;
  readonly unit: string;
  readonly quality: Quality;
  /** Empty while nothing was found. */
  readonly issues: readonly Issue[];
  /** True where the value was made up by imputeMissing. */
  readonly imputed: boolean;
  /** What came in; null for a reading that fills a gap in which nothing came in, and in stand-alone use. */
  readonly received: Received | null;
}

/** Output of the Kalman scan: x = [value, rate]. */
export interface Estimate {
  /** Filtered value, in the reading's unit. */
  readonly value: number;
  /** Rate of change, unit per second. */
  readonly ratePerS: number;
  /** Standard deviation of `value`: sqrt(p00). */
  readonly stdDev: number;
  /** P row by row: [p00, p01, p10, p11]. */
  readonly covariance: readonly [number, number, number, number];
  /** y = z - H x before the update; null where nothing was fed in. */
  readonly innovation: number | null;
  /** Normalised innovation squared, y^2 / S; null where nothing was fed in. */
  readonly nis: number | null;
}

/** A reading with its estimate; null before the filter has seen its first usable value. */
export interface EstimatedReading extends Reading {
  readonly estimate: Estimate | null;
}

/** Aggregate of one sensor over [start, end), event time, epoch milliseconds. */
export interface WindowAggregate {
  readonly asset: string;
  readonly sensor: string;
  readonly unit: string;
  readonly sizeMs: number;
  readonly everyMs: number;
  readonly start: number;
  readonly end: number;
  /** Readings aggregated: not Bad and with a value. */
  readonly count: number;
  /** Bad or missing readings, counted apart and not aggregated. */
  readonly badCount: number;
  /** How many of `count` were imputed. */
  readonly imputedCount: number;
  /** null where count is 0, like min, max, first and last. */
  readonly mean: number | null;
  /** Each value held until the next reading or the window's end; null where no value is in force. */
  readonly timeWeightedMean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Sample standard deviation (n - 1); null for fewer than two readings. */
  readonly stdDev: number | null;
  readonly first: number | null;
  readonly last: number | null;
  /** 0 when first emitted; grows by one with each late reading that changes it. */
  readonly revision: number;
}

/** Why an operator did not pass a reading on. */
export type DropReason = 'duplicate' | 'overflow' | 'putTimeout' | 'lateForWindow';

/** Called for each reading that is deliberately not kept (or, for `lateForWindow`, not aggregated). */
export type OnDrop = (reason: DropReason, reading: Reading) => void;

/** Shared by all readings without an issue. */
export const NO_ISSUES: readonly Issue[] = Object.freeze([]);

const RANK: Readonly<Record<Quality, number>> = { Good: 0, Uncertain: 1, Bad: 2 };

/** The worse of two qualities. */
export const worseQuality = (a: Quality, b: Quality): Quality => (RANK[b] > RANK[a] ? b : a);

/** A copy of the reading with one more issue and a quality no better than `quality`. */
export function withIssue(reading: Reading, quality: Quality, issue: Issue): Reading {
  return {
    asset: reading.asset,
    sensor: reading.sensor,
    timestamp: reading.timestamp,
    value: reading.value,
    unit: reading.unit,
    quality: worseQuality(reading.quality, quality),
    issues: [...reading.issues, issue],
    imputed: reading.imputed,
    received: reading.received,
  };
}
