import type { Reading } from '../types.ts';
import { learnAnomalyBaseline } from './anomalyBaseline.ts';
import type { AnomalyBaseline, AnomalyRow } from './anomalyBaseline.ts';
import type { ResolvedAnomalyOptions } from './anomalyOptions.ts';
import { cholesky, contributionsOf, hotelling, submatrix } from './anomalyScore.ts';
import { hotellingLimit } from './anomalyThreshold.ts';
import { follow, freshTrack, judged } from './anomalyTrack.ts';
import type { AnomalyTrack } from './anomalyTrack.ts';

/** Why a record came: the alarm began, cleared, or has lasted until its state is learned as normal; or merely some time has passed. */
export type AnomalyEvent = 'onset' | 'cleared' | 'accepted' | 'update';

/** How far the sensors of one asset are, together, from what is normal. */
export interface AnomalyRecord {
  readonly asset: string;
  /** Source time of the last reading judged, epoch milliseconds. */
  readonly timestamp: number;
  readonly event: AnomalyEvent;
  /** Hotelling's T² of the smoothed deviations. */
  readonly score: number;
  /** For the sensors that were there. */
  readonly threshold: number;
  readonly alarm: boolean;
  /** Source time of the onset, epoch milliseconds; null without an alarm. */
  readonly since: number | null;
  /** Share of each judged sensor in the score, largest first; they sum to 1. */
  readonly contributions: readonly { readonly sensor: string; readonly share: number }[];
}

export interface AnomalyState {
  /** The open interval: its start (epoch milliseconds; null before the first reading), last reading, mean and count a sensor. */
  start: number | null;
  last: number;
  means: number[];
  counts: number[];
  /** Readings in a row older than the open interval. */
  behind: number;
  /** What the baseline will be learned from; empty once it is. */
  rows: AnomalyRow[];
  baseline: AnomalyBaseline | null;
  /** A given baseline no longer holds. */
  ownBaseline: boolean;
  track: AnomalyTrack;
  since: number | null;
  recordedAt: number | null;
  /** Worked out once for the sensors judged (by place) and the rate: the factor of their correlation, and the threshold. */
  limit: { kept: number[]; rate: number; lower: number[]; threshold: number };
}

export const anomalyState = (): AnomalyState => ({
  start: null,
  last: 0,
  means: [],
  counts: [],
  behind: 0,
  rows: [],
  baseline: null,
  ownBaseline: false,
  track: freshTrack(0),
  since: null,
  recordedAt: null,
  limit: noLimit(),
});

const noLimit = (): AnomalyState['limit'] => ({ kept: [], rate: 0, lower: [], threshold: 0 });

type Emit = (record: AnomalyRecord) => void;

/** So many readings behind in a row: a clock was set back, or a single one was far ahead. */
const MAX_BEHIND = 100;
/** Larger values count as this, so that no square of them is too large for a number. */
const MAX_VALUE = 1e150;

/** Takes one reading in. A reading of a later interval closes the open one, which is then judged. */
export function anomalyStep(
  state: AnomalyState,
  reading: Reading,
  options: ResolvedAnomalyOptions,
  emit: Emit,
): void {
  const index = options.indexOf.get(reading.sensor);
  const { value, timestamp } = reading;
  if (index === undefined || value === null || reading.quality === 'Bad' || reading.imputed) return;
  if (state.start === null) open(state, timestamp, options);
  else if (timestamp < state.start) {
    if (++state.behind < MAX_BEHIND) return;
    anomalyFlush(state, options, emit);
    restart(state);
    open(state, timestamp, options);
  } else if (timestamp >= state.start + options.intervalMs) {
    anomalyFlush(state, options, emit);
    open(state, timestamp, options);
  }
  state.behind = 0;
  if (timestamp > state.last) state.last = timestamp;
  const count = (state.counts[index] ?? 0) + 1;
  const mean = state.means[index] ?? 0;
  state.counts[index] = count;
  state.means[index] = mean + (Math.min(MAX_VALUE, Math.max(-MAX_VALUE, value)) - mean) / count + 0;
}

/** Closes the open interval, at the end of the readings. */
export function anomalyFlush(state: AnomalyState, options: ResolvedAnomalyOptions, emit: Emit): void {
  if (state.start === null) return;
  state.start = null;
  const { counts, means, last: at } = state;
  const values: (number | null)[] = [];
  for (let i = 0; i < counts.length; i++) values.push(counts[i] === 0 ? null : (means[i] ?? 0));
  if (!state.ownBaseline) state.baseline ??= options.baseline;
  if (state.track.drift.length !== counts.length) state.track = freshTrack(counts.length);
  if (state.baseline !== null) judge(state, state.baseline, { at, values }, options, emit);
  else if (state.rows.push({ at, values }) >= options.learnCount) {
    const { baseline, track } = learnAnomalyBaseline(state.rows, options);
    Object.assign(state, { baseline, track, rows: [], limit: noLimit() });
  }
}

function open(state: AnomalyState, timestamp: number, { intervalMs, sensors }: ResolvedAnomalyOptions): void {
  state.start = Math.floor(timestamp / intervalMs) * intervalMs + 0;
  state.last = timestamp;
  if (state.counts.length !== sensors.length) {
    state.means = sensors.map(() => 0);
    state.counts = sensors.map(() => 0);
  }
  state.means.fill(0);
  state.counts.fill(0);
}

/** Times of before are of no use any more; levels are. */
function restart(state: AnomalyState): void {
  state.track.seenAt = state.track.seenAt.map(() => null);
  state.rows = [];
  state.since = null;
  state.recordedAt = null;
}

function judge(
  state: AnomalyState,
  baseline: AnomalyBaseline,
  { at, values }: AnomalyRow,
  options: ResolvedAnomalyOptions,
  emit: Emit,
): void {
  const { clearRatio, acceptAfterMs, recordEveryMs } = options;
  const { track } = state;
  follow(track, at, values, baseline, options, state.since === null);
  const { kept, u } = judged(track, at, baseline, options);
  if (kept.length === 0) return;
  const { lower, threshold } = limitFor(state, kept, baseline, options);
  const score = hotelling(u, lower);

  let event: AnomalyEvent = 'update';
  if (state.since === null) {
    if (score > threshold) {
      event = 'onset';
      state.since = at;
    }
  } else if (score < clearRatio * threshold) {
    event = 'cleared';
    state.since = null;
  } else if (acceptAfterMs !== null && at - state.since >= acceptAfterMs) {
    event = 'accepted';
    state.since = null;
    // Learned anew from what comes next; no verdict until then.
    state.baseline = null;
    state.ownBaseline = true;
    state.track = freshTrack(values.length);
  }
  if (event === 'update' && state.recordedAt !== null && at - state.recordedAt < recordEveryMs) return;
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
  { correlation, effectiveCount, sensors }: AnomalyBaseline,
  { falseAlarmRate: rate }: ResolvedAnomalyOptions,
): AnomalyState['limit'] {
  const { limit } = state;
  if (limit.rate === rate && isSame(limit.kept, kept)) return limit;
  const lower = cholesky(submatrix(correlation, sensors.length, kept), kept.length);
  const threshold = hotellingLimit(kept.length, effectiveCount, rate);
  return (state.limit = { kept, rate, lower, threshold });
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
