import type { AnomalyBaseline, AnomalyRow } from './anomalyBaseline.ts';
import type { ResolvedAnomalyOptions } from './anomalyOptions.ts';

/** How each sensor goes along its baseline; arrays by sensor, values in learned standard deviations. */
export interface AnomalyTrack {
  /** Smoothed deviation from the learned centre. */
  smoothed: number[];
  /** Where the baseline has drifted to. */
  drift: number[];
  /** Variance that `smoothed` has if values are independent with variance 1. */
  variance: number[];
  /** Source time of the last value, and the clock of its interval, epoch milliseconds; null = none yet. */
  seenAt: (number | null)[];
  arrivedAt: (number | null)[];
}

type Scales = Pick<AnomalyBaseline, 'center' | 'scale' | 'inflation' | 'usualMs'>;
type Settings = Pick<
  ResolvedAnomalyOptions,
  'intervalMs' | 'smoothingMs' | 'baselineMs' | 'maxDeviation' | 'staleAfterMs'
>;

/** A sensor is not stale before so many of its usual times between values. */
const STALE_GAPS = 3;

export const freshTrack = (size: number): AnomalyTrack => ({
  smoothed: new Array<number>(size).fill(0),
  drift: new Array<number>(size).fill(0),
  variance: new Array<number>(size).fill(0),
  seenAt: new Array<number | null>(size).fill(null),
  arrivedAt: new Array<number | null>(size).fill(null),
});

/**
 * Takes one interval in: exponentially weighted means with weights by the time since each sensor's last value.
 *
 * @param calm whether the baseline may follow. Over a gap it goes no further than over one time of smoothing.
 */
export function follow(
  track: AnomalyTrack,
  { clock, values, times }: AnomalyRow,
  { center, scale }: Scales,
  { intervalMs, smoothingMs, baselineMs, maxDeviation }: Settings,
  calm: boolean,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? null;
    const width = scale[i] ?? 0;
    if (value === null || width === 0) continue;
    const drift = track.drift[i] ?? 0;
    const at = times[i] ?? clock;
    const dtMs = Math.max(0, at - (track.seenAt[i] ?? at - intervalMs));
    const weight = 1 - Math.exp(-dtMs / smoothingMs);
    const deviation = Math.min(
      drift + maxDeviation,
      Math.max(drift - maxDeviation, (value - (center[i] ?? 0)) / width),
    );
    const before = track.smoothed[i] ?? 0;
    const smoothed = before + weight * (deviation - before);
    track.smoothed[i] = smoothed;
    track.variance[i] = (1 - weight) ** 2 * (track.variance[i] ?? 0) + weight ** 2;
    track.seenAt[i] = at;
    track.arrivedAt[i] = clock;
    if (!calm || baselineMs === null) continue;
    track.drift[i] = drift + (1 - Math.exp(-Math.min(dtMs, smoothingMs) / baselineMs)) * (smoothed - drift);
  }
}

/** The sensors that are judged now, by place, and the standardised deviation of each. */
export function judged(
  track: AnomalyTrack,
  clock: number,
  { inflation, usualMs }: Scales,
  { staleAfterMs }: Settings,
): { kept: number[]; u: number[] } {
  const kept: number[] = [];
  const u: number[] = [];
  for (let i = 0; i < track.seenAt.length; i++) {
    const arrivedAt = track.arrivedAt[i] ?? null;
    const variance = (track.variance[i] ?? 0) * (inflation[i] ?? 1);
    const usable = Math.max(staleAfterMs, STALE_GAPS * (usualMs[i] ?? 0));
    if (arrivedAt === null || clock - arrivedAt > usable || variance === 0) continue;
    kept.push(i);
    u.push(((track.smoothed[i] ?? 0) - (track.drift[i] ?? 0)) / Math.sqrt(variance));
  }
  return { kept, u };
}
