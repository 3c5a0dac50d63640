import type { Quality } from '../../operators/types.ts';
import type { PlantFault } from './faults.ts';
import { createRandom, hash } from './random.ts';
import type { Random } from './random.ts';
import { createReactor } from './reactor.ts';
import type { Reactor, ReactorTruth } from './reactor.ts';

/** One measured value of the plant. */
export interface PlantSample {
  readonly asset: string;
  readonly sensor: string;
  /** null: the sensor gave none. */
  readonly value: number | null;
  readonly unit: string;
  readonly quality: Quality;
  /** Epoch milliseconds. */
  readonly timestamp: number;
}

export interface PlantOptions {
  readonly assets: readonly string[];
  readonly seed: number;
  /** Time of the initial state, epoch milliseconds. */
  readonly startAt: number;
  readonly faults?: readonly PlantFault[];
  /** Now and then a spike or a missing value, so that a demo has something to show. Default false. */
  readonly sprinkle?: boolean;
}

export interface Plant {
  readonly assets: readonly string[];
  /** Advances the physics to a time; an earlier time changes nothing. */
  step(toEpochMs: number): void;
  /** What the sensors show now, one sample for each, with noise and faults. */
  measure(): PlantSample[];
  /** @throws RangeError for an asset that the plant does not have. */
  truth(asset: string): ReactorTruth;
}

/** Sensors of each reactor. `stdDev`: noise; `decimals`: resolution; `spike`: size of a sprinkled spike. */
export const PLANT_SENSORS = [
  { sensor: 'temperature', unit: 'degC', stdDev: 0.5, decimals: 3, spike: 35, of: 'temperatureC' },
  { sensor: 'pressure', unit: 'MPa', stdDev: 0.01, decimals: 5, spike: 1, of: 'pressureMPa' },
  { sensor: 'flow_rate', unit: 'L/min', stdDev: 0.8, decimals: 3, spike: 50, of: 'flowLPerMin' },
] as const;

type SensorSpec = (typeof PLANT_SENSORS)[number];

/** The physics runs on this grid whatever the steps asked for, so that the truth depends on the seed alone. */
const GRID_MS = 100;
const SPIKE_PROBABILITY = 1 / 500;
const MISSING_PROBABILITY = 1 / 300;

interface FaultState {
  readonly fault: PlantFault;
  fired: boolean;
  held: number | null;
}

interface SensorState {
  readonly spec: SensorSpec;
  readonly noise: Random;
  readonly accidents: Random;
  readonly faults: readonly FaultState[];
}

/**
 * A plant of batch reactors. Time is given to it, never read from a clock; for one seed, one list of assets and
 * one schedule of calls the samples are the same, and the truth does not depend on the schedule.
 *
 * @throws RangeError if a fault names a sensor that the plant does not have.
 */
export function createPlant(options: PlantOptions): Plant {
  const { assets, seed, startAt } = options;
  checkFaults(assets, options.faults ?? []);
  const reactors = new Map<string, { readonly reactor: Reactor; readonly sensors: readonly SensorState[] }>();
  assets.forEach((asset, index) => {
    const reactor = createReactor(createRandom(hash(asset, seed)), (index * 0.17) % 1);
    reactors.set(asset, { reactor, sensors: PLANT_SENSORS.map((spec) => sensorState(asset, spec, options)) });
  });

  let now = startAt;
  let gridMs = 0;

  const step = (toEpochMs: number): void => {
    if (toEpochMs <= now) return;
    now = toEpochMs;
    for (; gridMs + GRID_MS <= now - startAt; gridMs += GRID_MS) {
      for (const { reactor } of reactors.values()) reactor.advance(GRID_MS / 1000);
    }
  };

  const measure = (): PlantSample[] => {
    const samples: PlantSample[] = [];
    for (const [asset, { reactor, sensors }] of reactors) {
      const truth = reactor.truth(now);
      for (const state of sensors) samples.push(sample(asset, state, truth, (now - startAt) / 1000, options));
    }
    return samples;
  };

  const truth = (asset: string): ReactorTruth => {
    const found = reactors.get(asset);
    if (found === undefined) {
      throw new RangeError(`asset: ${asset} is not in the plant, expected one of ${assets.join(', ')}`);
    }
    return found.reactor.truth(now);
  };

  return { assets, step, measure, truth };
}

/** @throws RangeError if a fault names a sensor that a plant of these assets and sensors does not have. */
export function checkFaults(
  assets: readonly string[],
  faults: readonly PlantFault[],
  sensors: readonly string[] = PLANT_SENSORS.map((spec) => spec.sensor),
): void {
  for (const { asset, sensor } of faults) {
    if (assets.includes(asset) && sensors.includes(sensor)) continue;
    throw new RangeError(
      `the plant has no ${asset}/${sensor}, expected an asset of ${assets.join(', ')} and a sensor of ${sensors.join(', ')}`,
    );
  }
}

function sensorState(asset: string, spec: SensorSpec, { seed, faults = [] }: PlantOptions): SensorState {
  return {
    spec,
    noise: createRandom(hash(`${asset}/${spec.sensor}/noise`, seed)),
    accidents: createRandom(hash(`${asset}/${spec.sensor}/accidents`, seed)),
    faults: faults
      .filter((fault) => fault.asset === asset && fault.sensor === spec.sensor)
      .map((fault) => ({ fault, fired: false, held: null })),
  };
}

function sample(
  asset: string,
  state: SensorState,
  truth: ReactorTruth,
  atS: number,
  options: PlantOptions,
): PlantSample {
  const { spec } = state;
  let value: number | null = truth[spec.of] + spec.stdDev * state.noise.normal();
  let quality: Quality = 'Good';
  if (options.sprinkle === true) {
    const chance = state.accidents.uniform();
    if (chance < MISSING_PROBABILITY) value = null;
    else if (chance < MISSING_PROBABILITY + SPIKE_PROBABILITY) value += spec.spike;
  }
  for (const faultState of state.faults) {
    if (!isActive(faultState, atS)) continue;
    if (faultState.fault.kind === 'bad') quality = 'Bad';
    else value = disturb(faultState, value, atS, state.noise);
  }
  const factor = 10 ** spec.decimals;
  return {
    asset,
    sensor: spec.sensor,
    value: value === null ? null : Math.round(value * factor) / factor,
    unit: spec.unit,
    quality,
    timestamp: truth.timestamp,
  };
}

/** A fault shorter than the sampling interval still shows in one sample. */
function isActive(state: FaultState, atS: number): boolean {
  const { startS, durationS } = state.fault;
  if (atS < startS || (state.fired && atS >= startS + durationS)) return false;
  state.fired = true;
  return true;
}

function disturb(state: FaultState, value: number | null, atS: number, noise: Random): number | null {
  const { kind, size, startS } = state.fault;
  if (kind === 'dropout' || value === null) return null;
  if (kind === 'stuck') {
    state.held ??= value;
    return state.held;
  }
  if (kind === 'drift') return value + size * (atS - startS);
  return kind === 'noise' ? value + size * noise.normal() : value + size;
}
