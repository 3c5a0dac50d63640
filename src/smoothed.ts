import type { SmoothedReading } from '../operators/steps/smooth.ts';
import type { Reading } from '../operators/types.ts';

/** What smoothState made of one reading, as it is shown and stored: a second, delayed output next to the estimate. */
export interface SmoothedRecord {
  readonly asset: string;
  readonly sensor: string;
  /** Source time of the reading, epoch milliseconds. */
  readonly timestamp: number;
  /** In `unit`. */
  readonly value: number;
  readonly unit: string;
  /** Unit per second. */
  readonly ratePerS: number;
  /** Standard deviation of `value`. */
  readonly stdDev: number;
  /** The lag that was asked for; it is in the name of the output. */
  readonly wantedLagMs: number;
  /** How much of what came afterwards it knows, ms of source time: `wantedLagMs` or more, less at the end of a recording. */
  readonly lagMs: number;
}

/** Name of the output: `temperature_smoothed_10s`, `temperature_smoothed_1500ms`. */
export const smoothedName = (sensor: string, wantedLagMs: number): string =>
  `${sensor}_smoothed_${wantedLagMs % 1000 === 0 ? `${wantedLagMs / 1000}s` : `${wantedLagMs}ms`}`;

/** What the smoother holds of a reading, which goes into checkpoints: no more than it needs. */
export const bareReading = (reading: Reading): Reading => ({
  asset: reading.asset,
  sensor: reading.sensor,
  timestamp: reading.timestamp,
  value: reading.value,
  unit: reading.unit,
  quality: reading.quality,
  issues: reading.issues,
  imputed: reading.imputed,
  received: null,
});

export const smoothedRecord = (
  { asset, sensor, timestamp, unit, smoothed }: SmoothedReading,
  wantedLagMs: number,
): SmoothedRecord => ({
  asset,
  sensor,
  timestamp,
  value: smoothed.value,
  unit,
  ratePerS: smoothed.ratePerS,
  stdDev: smoothed.stdDev,
  wantedLagMs,
  lagMs: smoothed.lagMs,
});
