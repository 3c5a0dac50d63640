import type { Config } from '../config/types.ts';
import { estimateInitialState, estimateStep, resolveEstimateOptions } from '../operators/steps/estimate.ts';
import { missingState, missingStep, resolveMissingOptions } from '../operators/steps/missing.ts';
import { orderState, orderStep, resolveOrderOptions } from '../operators/steps/order.ts';
import { outlierState, outlierStep, resolveOutlierOptions } from '../operators/steps/outlier.ts';
import { rangeStep, resolveRangeOptions } from '../operators/steps/range.ts';
import { resolveSpikeOptions, spikeState, spikeStep } from '../operators/steps/spike.ts';
import { resolveTwinOptions, twinRecord, twinState, twinStep } from '../operators/steps/twin.ts';
import { resolveWindowOptions, windowState, windowStep } from '../operators/steps/window.ts';
import type { EstimatedReading, Reading } from '../operators/types.ts';
import { batchReactor } from '../src/twin/batchReactor.ts';
import { QUANTITIES } from './support.ts';

/** The arithmetic of the chain without RxJS: readings come in the order of the sensors, so not even a look-up is needed. */
export function fusedLoop(
  config: Config,
  sensors: number,
): {
  readonly run: (readings: readonly Reading[]) => void;
  readonly counts: { window: number; twin: number };
} {
  const counts = { window: 0, twin: 0 };
  const onWindow = (): void => {
    counts.window += 1;
  };
  const settings = QUANTITIES.map(({ sensor }) => {
    const { range, outlier, spike, order, missing, kalman, windows } = config.sensorTypes[sensor] ?? {};
    if (!range || !outlier || !spike || !order || !missing || !kalman || windows?.[0] === undefined) {
      throw new Error(`${sensor}: the loop fuses the default checks, all of them on`);
    }
    return {
      order: resolveOrderOptions(order),
      range: resolveRangeOptions(range),
      outlier: resolveOutlierOptions(outlier),
      spike: resolveSpikeOptions(spike),
      missing: resolveMissingOptions(missing),
      kalman: resolveEstimateOptions(kalman),
      window: resolveWindowOptions(windows[0]),
    };
  });
  const states = Array.from({ length: sensors }, () => ({
    order: orderState(),
    outlier: outlierState(),
    spike: spikeState(),
    missing: missingState(),
    kalman: estimateInitialState(),
    window: windowState(),
  }));
  const twins = Array.from({ length: Math.ceil(sensors / 4) }, (_, i) => {
    const model = batchReactor();
    const roles = Object.keys(model.quantities).map(
      (q) => [q, { quantity: q, staleAfterMs: 10_000 }] as const,
    );
    const options = resolveTwinOptions({
      asset: `R${i}`,
      sensors: Object.fromEntries(roles),
      everyMs: config.twin.everyMs,
    });
    return { model, options, state: twinState(model, options)() };
  });
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
        const twin = twins[index >> 2];
        if (reading === undefined || state === undefined || options === undefined || twin === undefined)
          continue;
        const { value } = reading;
        if (value === null) continue;
        orderStep(state.order, reading, options.order, onReading);
        if (rangeStep(value, reading.unit, options.range) !== undefined) continue;
        outlierStep(state.outlier, value, options.outlier);
        spikeStep(state.spike, value, options.spike);
        missingStep(state.missing, reading, options.missing, onReading);
        const estimate = estimateStep(state.kalman, passed ?? reading, options.kalman);
        windowStep(state.window, reading, options.window, onWindow);
        const estimated: EstimatedReading = { ...reading, estimate };
        if (twinStep(twin.model, twin.state, estimated, twin.options)) {
          if (twinRecord(twin.model, twin.state, twin.options) !== null) counts.twin += 1;
        }
      }
    },
  };
}
