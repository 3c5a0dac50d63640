import { resolvedOnce } from './options.ts';
import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { estimateInitialState, estimateStep, resolveEstimateOptions } from './steps/estimate.ts';
import type { EstimateOptions } from './steps/estimate.ts';
import type { EstimatedReading, Reading } from './types.ts';

/**
 * Filters one sensor: value, rate of change and their covariance at every reading (Kalman scan).
 *
 *     source           --a--b--C--d--|    C Bad or missing
 *     estimateState()
 *     result           --A--B--P--D--|    P predicted over, standard deviation grown
 *
 * dt comes from the readings' source times. `mode` says what is assumed of the process.
 *
 * State: O(1) a subscription. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(estimateState({ mode: 'adaptive', measurementVariance: 0.25 }))
 * readings$.pipe(estimateState({ processNoise: [0.01, 0.001], measurementVariance: 0.25 }))
 * @see Kalman, R. E. (1960), A New Approach to Linear Filtering and Prediction Problems
 */
export function estimateState(
  options: EstimateOptions = {},
  cell = stateCell(() => estimateInitialState(options.mode)),
): Stage<Reading, EstimatedReading> {
  const resolved = resolve(options);
  return mapStage(cell, resolved, (state, reading: Reading, settings) =>
    withEstimate(reading, estimateStep(state, reading, settings)),
  );
}

const withEstimate = (reading: Reading, estimate: EstimatedReading['estimate']): EstimatedReading => ({
  asset: reading.asset,
  sensor: reading.sensor,
  timestamp: reading.timestamp,
  value: reading.value,
  unit: reading.unit,
  quality: reading.quality,
  issues: reading.issues,
  imputed: reading.imputed,
  received: reading.received,
  estimate,
});

const resolve = resolvedOnce(resolveEstimateOptions);
