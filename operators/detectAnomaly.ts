import { NEVER } from 'rxjs';
import type { Observable } from 'rxjs';
import { resolvedOnce } from './options.ts';
import { emittingStage } from './stage.ts';
import type { EmittingStep, Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { anomalyFlush, anomalyState, anomalyStep, anomalyTick } from './steps/anomaly.ts';
import type { AnomalyRecord, AnomalyState } from './steps/anomaly.ts';
import { resolveAnomalyOptions } from './steps/anomalyOptions.ts';
import type { AnomalyOptions, ResolvedAnomalyOptions } from './steps/anomalyOptions.ts';
import type { Reading } from './types.ts';

/**
 * Tells when the sensors of one asset, taken together, leave what is normal, and which of them do.
 *
 *     readings (all sensors)  --a-a-a--b-b-b--c-c-c--d--|    a learned from, b normal, c off, d normal
 *     detectAnomaly()
 *     result                  ---------U-------O-----C--|    U update, O onset, C cleared
 *
 * Readings are averaged over intervals of source time. The first `learnCount` of these say what is normal. From then on
 * each sensor's deviation is smoothed and Hotelling's T² of all of them held against a threshold that follows from
 * `falseAlarmRate`. The baseline follows slow drift, but not during an alarm. An interval is judged when a reading of a
 * later one comes, when ticks (clock, epoch milliseconds) show two intervals without a reading, or at completion. A reading
 * of an earlier interval counts where it is its sensor's newest: clocks of sensors need not agree.
 *
 * State: O(sensors²), while learning O(sensors · learnCount). Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(detectAnomaly({ asset: 'R101', sensors: ['pressure', 'flow_rate', 'current'] }))
 * @see Lowry, C. A. et al. (1992), A Multivariate Exponentially Weighted Moving Average Control Chart
 */
export function detectAnomaly(
  options: AnomalyOptions,
  cell = stateCell(anomalyState),
  ticks: Observable<number> = NEVER,
): Stage<Reading, AnomalyRecord> {
  return emittingStage(cell, resolve(options), STEP, ticks);
}

const STEP: EmittingStep<AnomalyState, Reading, AnomalyRecord, ResolvedAnomalyOptions> = {
  next: anomalyStep,
  tick: anomalyTick,
  flush: anomalyFlush,
};

const resolve = resolvedOnce(resolveAnomalyOptions);
