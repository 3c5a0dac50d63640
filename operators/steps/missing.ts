import { integerBetween, numberAbove, oneOf } from '../options.ts';
import { NO_ISSUES, withIssue } from '../types.ts';
import type { Reading } from '../types.ts';
import { acceptValue, emptyHistory, enoughHistory, imputedValue } from './imputation.ts';
import type { History, ImputationMethod } from './imputation.ts';

export interface MissingOptions {
  /** Where the value comes from; `none` makes nothing up. Default `meanOfLastTwo`. */
  readonly method?: ImputationMethod;
  /** Time between two readings of this sensor, ms; longer gaps are filled. > 0. Default null: only readings without a value are. */
  readonly expectedIntervalMs?: number | null;
  /** Points made up in a row before the next reading has to come; also how far a line is followed. Integer >= 1. Default 10. */
  readonly maxGapCount?: number;
}

/** Plain data; the accepted values, and where the grid of expected readings stands. */
export interface MissingState {
  readonly history: History;
  /** Of the last reading, for the points that are made up. */
  asset: string;
  sensor: string;
  unit: string;
  /** Source time of the last reading, from which the grid counts, epoch ms; null before the first. */
  origin: number | null;
  /** Clock time at which the last reading arrived, epoch ms. */
  arrivedAt: number;
  /** Grid points dealt with since the last reading. */
  filled: number;
}

export const missingState = (): MissingState => ({
  history: emptyHistory(),
  asset: '',
  sensor: '',
  unit: '',
  origin: null,
  arrivedAt: 0,
  filled: 0,
});

/** A reading that comes so many intervals after the grid point before it leaves that gap; nearer ones are jitter. */
const LATE_INTERVALS = 0.5;

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveMissingOptions(options: MissingOptions): Required<MissingOptions> {
  const interval = options.expectedIntervalMs ?? null;
  return {
    method: oneOf('method', options.method ?? 'meanOfLastTwo', [
      'meanOfLastTwo',
      'previous',
      'linear',
      'predict',
      'none',
    ]),
    expectedIntervalMs: interval === null ? null : numberAbove('expectedIntervalMs', interval, 0),
    maxGapCount: integerBetween('maxGapCount', options.maxGapCount ?? 10, 1, 100_000),
  };
}

/** Advances the state by one reading; emits the points missing before it, then the reading with its value. O(1) and the points. */
export function missingStep(
  state: MissingState,
  reading: Reading,
  options: Required<MissingOptions>,
  emit: (reading: Reading) => void,
): void {
  const { expectedIntervalMs } = options;
  if (expectedIntervalMs !== null) {
    const { origin } = state;
    if (origin !== null) {
      fillUntil(state, (reading.timestamp - origin) / expectedIntervalMs, expectedIntervalMs, options, emit);
    }
    state.origin = nextOrigin(state, reading.timestamp, expectedIntervalMs, options.maxGapCount);
    state.arrivedAt = reading.received?.arrivedAt ?? reading.timestamp;
    state.filled = 0;
    state.asset = reading.asset;
    state.sensor = reading.sensor;
    state.unit = reading.unit;
  }
  if (reading.value === null) {
    emit(withValue(state.history, reading, options));
    return;
  }
  if (isAccepted(reading)) acceptValue(state.history, reading.value, reading.timestamp, reading.unit);
  emit(reading);
}

/** Advances the state by a tick of the clock, epoch ms; emits the points that should have come by now. */
export function missingTick(
  state: MissingState,
  now: number,
  options: Required<MissingOptions>,
  emit: (reading: Reading) => void,
): void {
  const { expectedIntervalMs } = options;
  if (expectedIntervalMs === null || state.origin === null) return;
  fillUntil(state, (now - state.arrivedAt) / expectedIntervalMs, expectedIntervalMs, options, emit);
}

/** Emits the points that are more than half an interval overdue at `elapsed` intervals after the origin. */
function fillUntil(
  state: MissingState,
  elapsed: number,
  intervalMs: number,
  options: Required<MissingOptions>,
  emit: (reading: Reading) => void,
): void {
  const origin = state.origin ?? 0;
  while (state.filled < options.maxGapCount && elapsed > state.filled + 1 + LATE_INTERVALS) {
    state.filled += 1;
    // Nothing came in, so where nothing can be made up there is nothing to pass on.
    if (!enoughHistory(state.history, options.method, state.unit)) continue;
    const gap: Reading = {
      asset: state.asset,
      sensor: state.sensor,
      timestamp: origin + state.filled * intervalMs,
      value: null,
      unit: state.unit,
      quality: 'Good',
      issues: NO_ISSUES,
      imputed: false,
      received: null,
    };
    emit(withValue(state.history, gap, options));
  }
}

/**
 * The grid goes on from the reading, or, where a point at or after it has been filled already, from that point, so that
 * no point is made up twice. A clock that went further back than the filled points reach starts the grid anew.
 */
function nextOrigin(state: MissingState, timestamp: number, intervalMs: number, maxGapCount: number): number {
  if (state.origin === null) return timestamp;
  const reached = state.origin + state.filled * intervalMs;
  return timestamp < reached && reached - timestamp <= maxGapCount * intervalMs ? reached : timestamp;
}

/** Not Bad, and nothing found by a check; the source's own doubt does not make a value unusable. */
function isAccepted({ quality, issues }: Reading): boolean {
  return quality !== 'Bad' && (issues.length === 0 || issues.every(({ check }) => check === 'source'));
}

/** The reading with a value from history, Uncertain; or as it is, Bad, where there is none or the source calls it Bad. */
function withValue(history: History, reading: Reading, options: Required<MissingOptions>): Reading {
  const { method } = options;
  const check = 'missing';
  if (reading.quality === 'Bad') {
    return withIssue(reading, 'Bad', {
      check,
      message: 'Missing value: not replaced, because the reading is Bad',
    });
  }
  if (!enoughHistory(history, method, reading.unit)) {
    const reason =
      method === 'none' ? 'method none' : `${history.count} accepted values are too few for ${method}`;
    return withIssue(reading, 'Bad', { check, message: `Missing value: not replaced, ${reason}` });
  }
  const { value, basis } = imputedValue(history, method, reading.timestamp, options);
  const flagged = withIssue(reading, 'Uncertain', {
    check,
    message: `Missing value: replaced by ${value} (${basis})`,
  });
  return { ...flagged, value, imputed: true };
}
