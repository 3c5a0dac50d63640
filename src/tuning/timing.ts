import type { SensorRecord } from './recorder.ts';
import { roundedUp } from './round.ts';
import { durationText } from './setting.ts';
import type { Setting } from './setting.ts';

/** Figures of the times between readings, ms. */
export interface Timing {
  readonly medianMs: number;
  readonly p5Ms: number;
  readonly p95Ms: number;
  /** Half of p95 - p5 of the intervals that are no gaps, as a share of the median. */
  readonly jitter: number;
  /** Intervals over 1.5 medians: those that the check for missing values fills. */
  readonly gaps: number;
  readonly longestMs: number;
}

/** In medians, as `missing` has it. */
const GAP = 1.5;

export function timingOf({ intervals }: SensorRecord): Timing {
  const [medianMs, p5Ms, p95Ms] = [0.5, 0.05, 0.95].map((p) => intervals.quantile(p));
  const median = medianMs ?? NaN;
  const gaps = intervals.countOver(GAP * median);
  const usual = 1 - gaps / intervals.count;
  return {
    medianMs: median,
    p5Ms: p5Ms ?? NaN,
    p95Ms: p95Ms ?? NaN,
    jitter: (intervals.quantile(0.95 * usual) - intervals.quantile(0.05 * usual)) / (2 * median),
    gaps,
    longestMs: intervals.longestMs,
  };
}

/** Readings whose distances differ by more than this do not come at an interval. */
const MAX_JITTER = 0.25;
/** The longest time that the configuration takes. */
const MAX_MS = 2 ** 31 - 1;

export function proposeMissing({ medianMs, jitter, gaps, p5Ms, p95Ms }: Timing): Setting {
  const expectedIntervalMs = Math.round(medianMs);
  const key = 'missing';
  if (expectedIntervalMs < 1 || expectedIntervalMs > MAX_MS)
    return {
      key,
      value: undefined,
      note: `no expectedIntervalMs: ${durationText(medianMs)} cannot be configured`,
    };
  if (jitter > MAX_JITTER) {
    const spread = `${durationText(p5Ms)} to ${durationText(p95Ms)}`;
    return {
      key,
      value: undefined,
      note: `no expectedIntervalMs: readings come irregularly, ${spread} apart`,
    };
  }
  const note = `${gaps} ${gaps === 1 ? 'gap' : 'gaps'} would be filled, by 10 values at most`;
  return { key, value: { expectedIntervalMs }, note };
}

export function proposeStale(
  { medianMs, p95Ms, gaps, longestMs }: Timing,
  { intervals }: SensorRecord,
): Setting {
  const usual = Math.max(10 * medianMs, 3 * p95Ms, 2 * intervals.quantile(0.999), 1000);
  const staleAfterMs = Math.min(MAX_MS, Math.ceil(roundedUp(usual)));
  const over = intervals.countOver(staleAfterMs);
  const longest = gaps === 0 ? '' : `, the longest gap is ${durationText(longestMs)}`;
  return {
    key: 'staleAfterMs',
    value: staleAfterMs,
    note: `it would have been stale ${over} times${longest}`,
  };
}

/** Late readings wait to be put in order only where there are some. */
export function proposeOrder({ counts, latestMs }: SensorRecord): Setting | null {
  if (counts.late === 0) return null;
  const note = `${counts.late} readings out of order, by ${durationText(latestMs)} at most`;
  if (counts.late < counts.readings / 1000 || latestMs > MAX_MS)
    return { key: 'order', value: undefined, note: `nothing proposed: ${note}` };
  return { key: 'order', value: { maxDelayMs: Math.ceil(roundedUp(latestMs)) }, note };
}
