import type { TwinOptions } from '../../../operators/steps/twin.ts';
import { resolveTwinOptions } from '../../../operators/steps/twin.ts';
import { parseScenario } from '../../../src/plant/process/parseScenario.ts';
import { simulatePlant } from '../../../src/plant/process/simulatePlant.ts';
import { cstr } from '../../../src/twin/process/cstr.ts';
import { diagnosis } from '../../../src/twin/process/diagnosis.ts';
import type { DiagnosisState } from '../../../src/twin/process/diagnosis.ts';
import { estimatedTwin } from '../../../src/twin/process/estimatedTwin.ts';
import type { EstimatedState, EstimatedTwin } from '../../../src/twin/process/estimatedTwin.ts';
import { resolveEstimation } from '../../../src/twin/process/estimationOptions.ts';
import type { EstimationOptions } from '../../../src/twin/process/estimationOptions.ts';

/** Jacket modelled, every quantity of the balances but the feed's concentration measured. */
export const RIG: Readonly<Record<string, number>> = {
  ...{ temperature: 0.3, coolant_temperature: 0.3, flow_rate: 0.5, feed_temperature: 0.3 },
  ...{ coolant_inlet_temperature: 0.3, coolant_flow_rate: 1, concentration: 0.01 },
};

const ESTIMATION: EstimationOptions = {
  estimate: {
    heatTransfer: {},
    feedConcentration: { mode: 'consider', stdDev: 10, noisePerSqrtS: 10 * Math.sqrt(2 / 300) },
    preExponentialFactor: { mode: 'consider', stdDev: 0.02 * 1.2e9 },
  },
};

export const twinOptionsOf = (): Required<TwinOptions> => resolveTwinOptions({ asset: 'R101', sensors: {} });

export interface Played {
  readonly twin: EstimatedTwin;
  readonly state: EstimatedState;
  readonly own: DiagnosisState;
  /** Seconds of the plant at a time of the diagnosis. */
  readonly atOf: (ownS: number) => number;
}

/** A disturbed plant and its twin with a diagnosis; every ten minutes the state may be exchanged. */
export function play(
  stdDevs: Readonly<Record<string, number>>,
  seed: number,
  events: readonly object[],
  duration: number,
  exchange: (state: EstimatedState) => EstimatedState = (state) => state,
): Played {
  const scenario = parseScenario({
    ...{ seed, duration, events },
    sensors: Object.fromEntries(Object.entries(stdDevs).map(([name, stdDev]) => [name, { stdDev }])),
    process: { start: { setpointDegC: 60 } },
    control: { min: 15 },
    disturbances: {
      feedConcentrationMolPerL: { stdDev: 0.01, timeConstant: 300 },
      feedTemperatureDegC: { stdDev: 0.5, timeConstant: 300 },
      flowRateLPerMin: { stdDev: 0.5, timeConstant: 60 },
    },
  });
  const model = cstr({ initialTemperatureDegC: 60, jacketVolumeL: 10, coolantFlowRateLPerMin: 100 });
  const companion = diagnosis(model, resolveEstimation(model, ESTIMATION));
  const twin = estimatedTwin(model, ESTIMATION, undefined, [companion]);
  let state = twin.initial();
  let timestamp: number | null = null;
  for (const { atS, readings } of simulatePlant(scenario)) {
    for (const reading of readings) {
      if (reading.value === null) continue;
      twin.advance(state, (reading.timestamp - (timestamp ?? reading.timestamp)) / 1000);
      timestamp = reading.timestamp;
      twin.correct(state, reading.sensor, reading.value, (stdDevs[reading.sensor] ?? 1) ** 2);
    }
    if (atS % 600 === 0) state = exchange(state);
  }
  const own = state.companions['diagnosis'] as DiagnosisState;
  return { twin, state, own, atOf: (ownS) => duration - own.nowS + ownS };
}
