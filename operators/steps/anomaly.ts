import type { Reading } from '../types.ts';
import { learnAnomalyBaseline, MIN_VALUES } from './anomalyBaseline.ts';
import type { AnomalyBaseline, AnomalyRow } from './anomalyBaseline.ts';
import { judge, noLimit } from './anomalyJudge.ts';
import type { AnomalyLimit } from './anomalyJudge.ts';
import type { ResolvedAnomalyOptions } from './anomalyOptions.ts';
import { freshTrack } from './anomalyTrack.ts';
import type { AnomalyTrack } from './anomalyTrack.ts';

/** Why a record came: the alarm began, cleared, or has lasted until its state is learned as normal; or merely some time has passed. */
export type AnomalyEvent = 'onset' | 'cleared' | 'accepted' | 'update';

/** How far the sensors of one asset are, together, from what is normal. */
export interface AnomalyRecord {
  readonly asset: string;
  /** Source time of the last reading judged, epoch milliseconds. It may go back a little where clocks of sensors do not agree. */
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
  /** The open interval: its start (source time, epoch milliseconds; null where none is), last reading, mean and count a sensor. */
  start: number | null;
  last: number;
  means: number[];
  counts: number[];
  /** By sensor: source time of the newest reading, and how many older ones have come in a row. */
  newest: (number | null)[];
  older: number[];
  /** By sensor: first source time before the open interval since that was opened. */
  waiting: (number | null)[];
  /** Latest time of arrival, epoch milliseconds; of readings without one, source time. */
  clock: number | null;
  /** What the baseline will be learned from, and the values of each sensor in it; empty once it is. */
  rows: AnomalyRow[];
  learned: number[];
  baseline: AnomalyBaseline | null;
  /** A given baseline no longer holds. */
  ownBaseline: boolean;
  track: AnomalyTrack;
  since: number | null;
  /** Clock at the onset. */
  alarmedAt: number | null;
  recordedAt: number | null;
  limit: AnomalyLimit;
}

export const anomalyState = (): AnomalyState => ({
  start: null,
  last: 0,
  means: [],
  counts: [],
  newest: [],
  older: [],
  waiting: [],
  clock: null,
  rows: [],
  learned: [],
  baseline: null,
  ownBaseline: false,
  track: freshTrack(0),
  since: null,
  alarmedAt: null,
  recordedAt: null,
  limit: noLimit(),
});

type Emit = (record: AnomalyRecord) => void;

/** So many readings of a sensor in a row that are older than its newest: its clock was set back, or that one was far ahead. */
const MAX_OLDER = 100;
/** Intervals by which a sensor's own time goes on behind the open one, or the clock without a reading, before that is closed. */
const PATIENCE = 2;
/** A learned baseline takes so many times learnCount at most, and so many rows. */
const MAX_LEARN_FACTOR = 10;
const MAX_ROWS = 100_000;
/** Larger values count as this, so that no square of them is too large for a number. */
const MAX_VALUE = 1e150;

/**
 * Takes one reading in. A reading of a later interval closes the open one, which is then judged. One of an earlier interval
 * that is its sensor's newest is that sensor's value now: clocks of sensors need not agree.
 */
export function anomalyStep(
  state: AnomalyState,
  reading: Reading,
  options: ResolvedAnomalyOptions,
  emit: Emit,
): void {
  const index = options.indexOf.get(reading.sensor);
  const { value, timestamp } = reading;
  if (index === undefined || value === null || reading.quality === 'Bad' || reading.imputed) return;
  if (isLate(reading)) return;
  if (state.counts.length !== options.sensors.length) size(state, options.sensors.length);
  if (!isNewest(state, index, timestamp)) return;
  if (state.start !== null && isOver(state, state.start, index, timestamp, options))
    anomalyFlush(state, options, emit);
  if (state.start === null) open(state, timestamp, options);
  state.newest[index] = timestamp;
  const arrivedAt = reading.received === null ? timestamp : reading.received.arrivedAt;
  state.clock = Math.max(state.clock ?? arrivedAt, arrivedAt);
  state.last = Math.max(state.last, timestamp);
  const count = (state.counts[index] ?? 0) + 1;
  const mean = state.means[index] ?? 0;
  state.counts[index] = count;
  state.means[index] = mean + (Math.min(MAX_VALUE, Math.max(-MAX_VALUE, value)) - mean) / count + 0;
}

/** Closes the open interval where no reading has come for two of them. `now` is the clock, epoch milliseconds. */
export function anomalyTick(
  state: AnomalyState,
  now: number,
  options: ResolvedAnomalyOptions,
  emit: Emit,
): void {
  if (state.clock !== null && now - state.clock >= PATIENCE * options.intervalMs)
    anomalyFlush(state, options, emit);
}

/** Closes the open interval, at the end of the readings. */
export function anomalyFlush(state: AnomalyState, options: ResolvedAnomalyOptions, emit: Emit): void {
  if (state.start === null) return;
  state.start = null;
  const { counts, means, newest, last: at } = state;
  const values = counts.map((count, i) => (count === 0 ? null : (means[i] ?? 0)));
  const times = counts.map((count, i) => (count === 0 ? null : (newest[i] ?? null)));
  const row: AnomalyRow = { at, clock: state.clock ?? at, values, times };
  if (!state.ownBaseline) state.baseline ??= options.baseline;
  if (state.track.drift.length !== counts.length) state.track = freshTrack(counts.length);
  if (state.baseline !== null) judge(state, state.baseline, row, options, emit);
  else if (hasLearned(state, row, options)) {
    const { baseline, track } = learnAnomalyBaseline(state.rows, options);
    Object.assign(state, { baseline, track, rows: [], learned: [], limit: noLimit() });
  }
}

/** With learnCount rows; later where a sensor that reports at all has too few values by then. */
function hasLearned(
  { rows, learned }: AnomalyState,
  row: AnomalyRow,
  { learnCount }: ResolvedAnomalyOptions,
): boolean {
  rows.push(row);
  for (const [i, value] of row.values.entries()) learned[i] = (learned[i] ?? 0) + (value === null ? 0 : 1);
  if (rows.length < learnCount) return false;
  const isEnough = learned.every((count) => count === 0 || count >= MIN_VALUES);
  return isEnough || rows.length >= Math.min(MAX_ROWS, MAX_LEARN_FACTOR * learnCount);
}

/** Judged by orderByTime, which knows a late reading from a clock that was set back. */
const isLate = ({ issues }: Reading): boolean =>
  issues.length > 0 && issues.some(({ check }) => check === 'order');

function isNewest(state: AnomalyState, index: number, timestamp: number): boolean {
  const older = timestamp < (state.newest[index] ?? -Infinity) ? (state.older[index] ?? 0) + 1 : 0;
  state.older[index] = older % MAX_OLDER;
  if (older > 0 && older < MAX_OLDER) return false;
  return true;
}

/** Whether the open interval has ended before this reading, by its time or, where the others have fallen silent, by its sensor's own. */
function isOver(
  state: AnomalyState,
  start: number,
  index: number,
  timestamp: number,
  { intervalMs }: ResolvedAnomalyOptions,
): boolean {
  if (timestamp >= start) return timestamp >= start + intervalMs;
  const since = (state.waiting[index] ??= timestamp);
  return timestamp - since >= PATIENCE * intervalMs;
}

function open(state: AnomalyState, timestamp: number, { intervalMs }: ResolvedAnomalyOptions): void {
  state.start = Math.floor(timestamp / intervalMs) * intervalMs + 0;
  state.last = timestamp;
  state.means.fill(0);
  state.counts.fill(0);
  state.waiting.fill(null);
}

function size(state: AnomalyState, count: number): void {
  state.means = new Array<number>(count).fill(0);
  state.counts = new Array<number>(count).fill(0);
  state.older = new Array<number>(count).fill(0);
  state.newest = new Array<number | null>(count).fill(null);
  state.waiting = new Array<number | null>(count).fill(null);
}
