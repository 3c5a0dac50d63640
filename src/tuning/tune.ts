import type { SensorConfig } from '../../config/types.ts';
import type { EstimateMode } from '../../operators/steps/estimate.ts';
import { proposeFilter } from './filter.ts';
import type { FilterProposal } from './filter.ts';
import { examine } from './flags.ts';
import { hintsOf, warningsOf } from './hints.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';
import type { SensorRecord } from './recorder.ts';
import { resolutionOf } from './resolution.ts';
import { countOf } from './runs.ts';
import type { Setting } from './setting.ts';
import { settingsOf } from './settings.ts';
import { timingOf } from './timing.ts';
import type { Timing } from './timing.ts';

/** Fewer usable readings say too little. */
export const MIN_READINGS = 100;
/** Squares of larger values, and of smaller spans, leave the range of numbers. */
const LARGEST = 1e100;
const SMALLEST_SPAN = 1e-100;
/** Changes of the value, at least, from which noise can be told. */
const MIN_CHANGES = 10;

export interface Evidence {
  readonly timing: Timing;
  /** Readings held and examined; all usable ones of a recording that is not too long. */
  readonly held: number;
  readonly spikes: number;
  readonly resolution: number | null;
  readonly filter: FilterProposal;
  /** The filter as it was configured before, on the same readings; null where it is off. */
  readonly present: (Omit<Judgement, 'scores'> & { readonly mode: EstimateMode }) | null;
  /** Whether that was the user's configuration, not the defaults. */
  readonly isConfigured: boolean;
}

export interface SensorTuning {
  readonly record: SensorRecord;
  /** Why nothing is proposed; null where something is. */
  readonly reason: string | null;
  readonly evidence: Evidence | null;
  readonly settings: readonly Setting[];
  readonly hints: readonly string[];
  /** Why the proposal is not to be trusted. */
  readonly warnings: readonly string[];
}

/**
 * Proposes the settings of one sensor.
 *
 * @param present what is configured so far.
 * @param isGiven by the user: what is off in it is off for a reason.
 */
export function tuneSensor(record: SensorRecord, present: SensorConfig, isGiven: boolean): SensorTuning {
  const reason = tooLittle(record);
  if (reason !== null) return { record, reason, evidence: null, settings: [], hints: [], warnings: [] };
  const { runs, min, max } = record;
  const timing = timingOf(record);
  const resolution = resolutionOf(runs);
  const span = max - min;
  const durationMs = runs.reduce((sum, { times }) => sum + (times.at(-1) ?? 0) - (times[0] ?? 0), 0);
  const filter = proposeFilter({ runs, resolution, intervalMs: timing.medianMs, span, durationMs });
  const examined = examine(runs, filter.stdDev, resolution, timing.medianMs);
  const evidence: Evidence = {
    ...{ timing, resolution, filter, held: examined.count, spikes: examined.spikeCount },
    present: presentFilter(runs, filter.fitted, present, span),
    isConfigured: isGiven,
  };
  return {
    record,
    reason: null,
    evidence,
    settings: settingsOf(record, evidence, examined, isGiven ? present : null),
    hints: hintsOf(record, evidence, durationMs),
    warnings: warningsOf(filter),
  };
}

function tooLittle({ counts, runs, min, max }: SensorRecord): string | null {
  if (counts.usable < MIN_READINGS)
    return `${counts.usable} usable readings of ${counts.readings}, expected at least ${MIN_READINGS}`;
  if (min === max) return `constant: all ${counts.usable} usable readings are ${min}`;
  if (Math.max(Math.abs(min), Math.abs(max)) > LARGEST || max - min < SMALLEST_SPAN)
    return `values from ${min} to ${max} cannot be judged, expected up to ${LARGEST}, and over ${SMALLEST_SPAN} apart`;
  const whole = runs.filter(({ times }) => times.length >= MIN_READINGS / 2);
  if (countOf(whole) < MIN_READINGS)
    return `the ${counts.usable} usable readings come in ${runs.length} pieces, expected ${MIN_READINGS / 2} in a row`;
  let changes = 0;
  for (const { values } of runs) {
    for (let i = 1; i < values.length; i++) if (values[i] !== values[i - 1]) changes += 1;
  }
  if (changes < MIN_CHANGES)
    return `the value changes ${changes} times in ${counts.usable} usable readings, expected at least ${MIN_CHANGES}`;
  return null;
}

function presentFilter(
  runs: SensorRecord['runs'],
  fitted: number,
  { kalman }: SensorConfig,
  span: number,
): Evidence['present'] {
  if (!kalman) return null;
  const { scores: _, ...judgement } = judge(runs, fitted, kalman, span);
  return { ...judgement, mode: kalman.mode };
}
