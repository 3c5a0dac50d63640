import { sensorConfigFor } from '../config/sensors.ts';
import type { Config } from '../config/types.ts';
import { anomalyState, anomalyStep } from '../operators/steps/anomaly.ts';
import { resolveAnomalyOptions } from '../operators/steps/anomalyOptions.ts';
import { driftState, driftStep } from '../operators/steps/drift.ts';
import { resolveDriftOptions } from '../operators/steps/driftOptions.ts';
import { estimateInitialState, estimateStep, resolveEstimateOptions } from '../operators/steps/estimate.ts';
import { hampelState, hampelStep, resolveHampelOptions } from '../operators/steps/hampel.ts';
import { missingState, missingStep, resolveMissingOptions } from '../operators/steps/missing.ts';
import { orderState, orderStep, resolveOrderOptions } from '../operators/steps/order.ts';
import { outlierState, outlierStep, resolveOutlierOptions } from '../operators/steps/outlier.ts';
import { rangeStep, resolveRangeOptions } from '../operators/steps/range.ts';
import { rateState, rateStep, resolveRateOptions } from '../operators/steps/rate.ts';
import { resolveSpikeOptions, spikeState, spikeStep } from '../operators/steps/spike.ts';
import { resolveStuckOptions, stuckState, stuckStep } from '../operators/steps/stuck.ts';
import { resolveTwinOptions, twinRecord, twinState, twinStep } from '../operators/steps/twin.ts';
import { resolveWindowOptions, windowState, windowStep } from '../operators/steps/window.ts';
import type { EstimatedReading, Reading } from '../operators/types.ts';
import { batchReactor } from '../src/twin/batchReactor.ts';
import { QUANTITIES } from './support.ts';

interface Counts {
  window: number;
  twin: number;
  anomaly: number;
}

/**
 * The arithmetic of the chain without RxJS, with those checks that the configuration switches on: readings come in the
 * order of the sensors, so not even a look-up is needed. Nothing may be found in them.
 */
export function fusedLoop(
  config: Config,
  sensors: number,
): {
  readonly run: (readings: readonly Reading[]) => void;
  readonly counts: Counts;
} {
  const counts: Counts = { window: 0, twin: 0, anomaly: 0 };
  const onWindow = (): void => {
    counts.window += 1;
  };
  const onAnomaly = (): void => {
    counts.anomaly += 1;
  };
  const settings = QUANTITIES.map(({ sensor }) => settingsOf(config, sensor));
  const states = Array.from({ length: sensors }, () => ({
    order: orderState(),
    rate: rateState(),
    outlier: outlierState(),
    spike: spikeState(),
    hampel: hampelState(),
    stuck: stuckState(),
    drift: driftState(),
    missing: missingState(),
    kalman: estimateInitialState(settings[0]?.kalman.mode),
    window: windowState(),
  }));
  const assets = Array.from({ length: Math.ceil(sensors / 4) }, (_, i) => assetOf(config, `R${i}`));
  let passed: Reading | null = null;
  const onReading = (reading: Reading): void => {
    passed = reading;
  };

  return {
    counts,
    run(readings) {
      for (let i = 0; i < readings.length; i++) {
        const reading = readings[i];
        const index = i % sensors;
        const state = states[index];
        const options = settings[index % 4];
        const asset = assets[index >> 2];
        if (reading === undefined || state === undefined || options === undefined || asset === undefined)
          continue;
        const { value, timestamp } = reading;
        if (value === null) continue;
        orderStep(state.order, reading, options.order, onReading);
        if (rangeStep(value, reading.unit, options.range) !== undefined) continue;
        if (options.rate !== null) rateStep(state.rate, value, timestamp, options.rate);
        outlierStep(state.outlier, value, options.outlier);
        spikeStep(state.spike, value, options.spike);
        if (options.hampel !== null) hampelStep(state.hampel, value, options.hampel);
        if (options.stuck !== null) stuckStep(state.stuck, value, timestamp, options.stuck);
        if (options.drift !== null) driftStep(state.drift, value, options.drift);
        missingStep(state.missing, reading, options.missing, onReading);
        const estimate = estimateStep(state.kalman, passed ?? reading, options.kalman);
        windowStep(state.window, reading, options.window, onWindow);
        const estimated: EstimatedReading = { ...reading, estimate };
        const { twin, anomaly } = asset;
        if (twinStep(twin.model, twin.state, estimated, twin.options)) {
          if (twinRecord(twin.model, twin.state, twin.options) !== null) counts.twin += 1;
        }
        if (anomaly !== null) anomalyStep(anomaly.state, estimated, anomaly.options, onAnomaly);
      }
    },
  };
}

function settingsOf(config: Config, sensor: string) {
  const { range, rate, outlier, spike, hampel, stuck, drift, order, missing, kalman, windows } =
    sensorConfigFor(config, 'R0', sensor);
  if (!range || !outlier || !spike || !order || !missing || !kalman || windows[0] === undefined) {
    throw new Error(`${sensor}: the loop fuses the default checks and more, all of them on`);
  }
  return {
    order: resolveOrderOptions(order),
    range: resolveRangeOptions(range),
    rate: rate ? resolveRateOptions(rate) : null,
    outlier: resolveOutlierOptions(outlier),
    spike: resolveSpikeOptions(spike),
    hampel: hampel ? resolveHampelOptions(hampel) : null,
    stuck: stuck ? resolveStuckOptions(stuck) : null,
    drift: drift ? resolveDriftOptions(drift) : null,
    missing: resolveMissingOptions(missing),
    kalman: resolveEstimateOptions(kalman),
    window: resolveWindowOptions(windows[0]),
  };
}

function assetOf(config: Config, asset: string) {
  const model = batchReactor();
  const roles = Object.keys(model.quantities).map((q) => [q, { quantity: q, staleAfterMs: 10_000 }] as const);
  const options = resolveTwinOptions({
    asset,
    sensors: Object.fromEntries(roles),
    everyMs: config.twin.everyMs,
  });
  const anomaly = config.assets[asset]?.anomaly ?? null;
  return {
    twin: { model, options, state: twinState(model, options)() },
    anomaly: anomaly && { options: resolveAnomalyOptions({ asset, ...anomaly }), state: anomalyState() },
  };
}
