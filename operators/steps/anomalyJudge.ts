import type { AnomalyEvent, AnomalyRecord, AnomalyState } from './anomaly.ts';
import type { AnomalyBaseline, AnomalyRow } from './anomalyBaseline.ts';
import type { ResolvedAnomalyOptions } from './anomalyOptions.ts';
import { cholesky, contributionsOf, hotelling, submatrix } from './anomalyScore.ts';
import { hotellingLimit } from './anomalyThreshold.ts';
import { follow, freshTrack, judged } from './anomalyTrack.ts';

/** Worked out once for the sensors judged (by place) and the rate: the factor of their correlation, and the threshold. */
export interface AnomalyLimit {
  kept: number[];
  rate: number;
  lower: number[];
  threshold: number;
}

export const noLimit = (): AnomalyLimit => ({ kept: [], rate: 0, lower: [], threshold: 0 });

/** Holds one interval against the baseline; the alarm and its record follow. */
export function judge(
  state: AnomalyState,
  baseline: AnomalyBaseline,
  row: AnomalyRow,
  options: ResolvedAnomalyOptions,
  emit: (record: AnomalyRecord) => void,
): void {
  const { clearRatio, acceptAfterMs, recordEveryMs } = options;
  const { track } = state;
  const { at, clock } = row;
  follow(track, row, baseline, options, state.since === null);
  const { kept, u } = judged(track, clock, baseline, options);
  if (kept.length === 0) return;
  const { lower, threshold } = limitFor(state, kept, baseline, options);
  const score = hotelling(u, lower);

  let event: AnomalyEvent = 'update';
  if (state.since === null) {
    if (score > threshold) {
      event = 'onset';
      state.since = at;
      state.alarmedAt = clock;
    }
  } else if (score < clearRatio * threshold) {
    event = 'cleared';
    state.since = null;
  } else if (acceptAfterMs !== null && clock - (state.alarmedAt ?? clock) >= acceptAfterMs) {
    event = 'accepted';
    state.since = null;
    // Learned anew from what comes next; no verdict until then.
    state.baseline = null;
    state.ownBaseline = true;
    state.track = freshTrack(row.values.length);
  }
  if (event === 'update' && state.recordedAt !== null && Math.abs(at - state.recordedAt) < recordEveryMs)
    return;
  state.recordedAt = at;
  const shares = contributionsOf(u, lower);
  const contributions = kept
    .map((i, k) => ({ sensor: options.sensors[i] ?? '', share: shares[k] ?? 0 }))
    .sort((a, b) => b.share - a.share);
  const { since } = state;
  emit({
    asset: options.asset,
    timestamp: at,
    event,
    score,
    threshold,
    alarm: since !== null,
    since,
    contributions,
  });
}

function limitFor(
  state: AnomalyState,
  kept: number[],
  { correlation, effectiveCounts, sensors }: AnomalyBaseline,
  { falseAlarmRate: rate }: ResolvedAnomalyOptions,
): AnomalyLimit {
  const { limit } = state;
  if (limit.rate === rate && isSame(limit.kept, kept)) return limit;
  const lower = cholesky(submatrix(correlation, sensors.length, kept), kept.length);
  // Uncertainties of the sensors add up, so it is their mean that counts.
  const inverse = kept.reduce((sum, i) => sum + 1 / Math.max(1, effectiveCounts[i] ?? 1), 0);
  const threshold = hotellingLimit(kept.length, kept.length / inverse, rate);
  return (state.limit = { kept, rate, lower, threshold });
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
