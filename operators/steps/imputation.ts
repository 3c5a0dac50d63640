/** Values for readings that have none, from the accepted values before them. */
export type ImputationMethod = 'meanOfLastTwo' | 'previous' | 'linear' | 'predict' | 'none';

/**
 * The last two accepted values of one unit with their source times (epoch ms), and Holt's level and trend.
 * `count` is 0, 1 or 2: how many of the values are there.
 */
export interface History {
  count: number;
  unit: string;
  last: number;
  lastAt: number;
  before: number;
  beforeAt: number;
  level: number;
  /** Unit per second. */
  trendPerS: number;
}

export const emptyHistory = (): History => ({
  count: 0,
  unit: '',
  last: 0,
  lastAt: 0,
  before: 0,
  beforeAt: 0,
  level: 0,
  trendPerS: 0,
});

/** Weights of the newest value in Holt's level and trend. */
const LEVEL_WEIGHT = 0.5;
const TREND_WEIGHT = 0.3;

/** Takes in one accepted value; another unit starts the history anew. O(1). */
export function acceptValue(history: History, value: number, timestamp: number, unit: string): void {
  const x = value + 0; // -0 becomes 0, because JSON does not know it
  if (unit !== history.unit) {
    history.count = 0;
    history.unit = unit;
  }
  smooth(history, x, timestamp);
  history.before = history.count === 0 ? x : history.last;
  history.beforeAt = history.count === 0 ? timestamp : history.lastAt;
  history.last = x;
  history.lastAt = timestamp;
  history.count = Math.min(2, history.count + 1);
}

/**
 * Double exponential smoothing (Holt, 1957; reprinted in International Journal of Forecasting 20, 2004) with the time
 * that passed in place of the unit step. It starts from the line through the first two values.
 */
function smooth(history: History, value: number, timestamp: number): void {
  const dtS = (timestamp - history.lastAt) / 1000;
  if (history.count === 0) {
    history.level = value;
    history.trendPerS = 0;
  } else if (dtS <= 0) {
    // Nothing can be said of a rate between values of one time, or when the clock went back.
    history.level = value;
  } else if (history.count === 1) {
    history.level = value;
    history.trendPerS = finite((value - history.last) / dtS);
  } else {
    const expected = history.level + history.trendPerS * dtS;
    const level = finite(expected + LEVEL_WEIGHT * (value - expected));
    const slope = (level - history.level) / dtS;
    history.trendPerS = finite(history.trendPerS + TREND_WEIGHT * (slope - history.trendPerS));
    history.level = level;
  }
}

/** True where the method can give a value in this unit. */
export function enoughHistory(history: History, method: ImputationMethod, unit: string): boolean {
  if (method === 'none' || history.unit !== unit) return false;
  return history.count >= (method === 'linear' || method === 'predict' ? 2 : 1);
}

/**
 * The value at a source time, and in words the method and its figures. Needs enoughHistory.
 *
 * A line is followed for `maxGapCount` intervals (or spacings of the last two values) at most and then held, because
 * the further it is followed the less it says.
 */
export function imputedValue(
  history: History,
  method: ImputationMethod,
  timestamp: number,
  options: { readonly expectedIntervalMs: number | null; readonly maxGapCount: number },
): { readonly value: number; readonly basis: string } {
  const { last, before, count, lastAt, beforeAt, level, trendPerS } = history;
  if (method === 'meanOfLastTwo' && count === 2) {
    return { value: before / 2 + last / 2, basis: `meanOfLastTwo of ${before}, ${last}` };
  }
  const spacingMs = lastAt - beforeAt;
  const reachMs = options.maxGapCount * (options.expectedIntervalMs ?? Math.max(0, spacingMs));
  const aheadMs = Math.min(Math.max(0, timestamp - lastAt), reachMs);
  const ahead = `${aheadMs / 1000} s ahead`;
  if (method === 'linear' && spacingMs > 0) {
    const value = last + ((last - before) / spacingMs) * aheadMs;
    if (Number.isFinite(value)) return { value, basis: `linear through ${before}, ${last}, ${ahead}` };
  }
  if (method === 'predict') {
    const value = level + (trendPerS * aheadMs) / 1000;
    const basis = `predict from ${level} at ${trendPerS} per second, ${ahead}`;
    if (Number.isFinite(value)) return { value, basis };
  }
  const name = method === 'meanOfLastTwo' ? method : 'previous';
  return { value: last, basis: `${name} of ${last}` };
}

/** Huge values must not leave an infinity behind, nor tiny ones a -0: JSON knows neither. */
const finite = (x: number): number => (Number.isFinite(x) ? x + 0 : 0);
