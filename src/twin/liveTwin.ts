import type { AssetConfig, ModelConfig, TwinConfig } from '../../config/types.ts';
import { stateCell } from '../../operators/stateCell.ts';
import type { StateCell } from '../../operators/stateCell.ts';
import { resolveTwinOptions, twinPrediction, twinRecord, twinState } from '../../operators/steps/twin.ts';
import type {
  TrajectoryPoint,
  TwinOptions,
  TwinRecord,
  TwinSensor,
  TwinState,
} from '../../operators/steps/twin.ts';
import type { StateRegistry } from '../stateRegistry.ts';
import { isEstimatedState } from './process/estimatedTwin.ts';
import type { EstimatedState, EstimatedTwin } from './process/estimatedTwin.ts';
import type { AnyTwinModel } from './registry.ts';

/** An estimated twin as it was at a time. */
export interface TwinCopy {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly twin: EstimatedTwin;
  readonly state: EstimatedState;
}

/** The running twin of one asset: what updateTwin works on, and what can be asked of it in between. */
export class LiveTwin {
  readonly model: AnyTwinModel;
  readonly options: Required<TwinOptions>;
  /** The process model and its filter; null for a model of another kind. */
  readonly estimated: EstimatedTwin | null;
  #state: TwinState<unknown> | null = null;

  constructor(model: AnyTwinModel, options: TwinOptions, estimated: EstimatedTwin | null = null) {
    this.model = model;
    this.estimated = estimated;
    this.options = resolveTwinOptions(options);
  }

  /** The cell for updateTwin; the state that it opens is the one that is asked. */
  cell(registry: StateRegistry): StateCell<TwinState<unknown>> {
    const { asset } = this.options;
    const fresh = twinState(this.model, this.options);
    const shape = { model: this.model.type, ...this.model.shape };
    const registered = registry.cell({ asset, operator: 'updateTwin' }, shape, fresh);
    return stateCell(() => {
      const state = registered.open();
      // The asset may have been given other sensors since.
      state.sensors = { ...fresh().sensors, ...pick(state.sensors, Object.keys(this.options.sensors)) };
      return (this.#state = state);
    });
  }

  /** The twin as it is at clock time `now`; null before its first reading. */
  record(now: number): TwinRecord | null {
    const state = this.#state;
    return state === null ? null : twinRecord(this.model, { ...state, clock: now }, this.options);
  }

  /** A copy of an estimated twin's state, to compute on; null before its first reading, and for a model of another kind. */
  copy(): TwinCopy | null {
    if (this.estimated === null || this.#state === null) return null;
    const { timestamp, model } = this.#state;
    if (timestamp === null || !isEstimatedState(model)) return null;
    return { timestamp, twin: this.estimated, state: structuredClone(model) };
  }

  predict(horizonS: number, stepS: number): readonly TrajectoryPoint[] {
    return this.#state === null ? [] : twinPrediction(this.model, this.#state, horizonS, stepS);
  }
}

const pick = <T>(from: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));

/**
 * What the twin of an asset needs to know of its configuration: which sensor measures which quantity of the model.
 *
 * @param variances quantity -> variance of its sensor's noise, instead of the sensor's own.
 * @throws Error where the model has no sensor at all to be kept in step by, or a mapping names what does not exist.
 */
export function twinOptions(
  asset: string,
  { sensors }: AssetConfig,
  model: AnyTwinModel,
  mapping: ModelConfig['sensors'],
  twin: TwinConfig,
  variances: Readonly<Record<string, number>> = {},
): TwinOptions {
  const roles: Record<string, TwinSensor> = {};
  for (const quantity of Object.keys(mapping)) {
    if (!Object.hasOwn(model.quantities, quantity)) {
      const known = Object.keys(model.quantities).join(', ');
      throw new Error(`sensors.${quantity}: unknown quantity, ${model.type} has ${known}`);
    }
  }
  for (const [quantity, unit] of Object.entries(model.quantities)) {
    const name = mapping[quantity] ?? quantity;
    const sensor = Object.hasOwn(sensors, name) ? sensors[name] : undefined;
    if (sensor === undefined) {
      if (mapping[quantity] === undefined) continue;
      throw new Error(`sensors.${quantity}: ${name} is not a sensor of ${asset}`);
    }
    if (sensor.unit !== unit) {
      throw new Error(`${name} is in ${sensor.unit || 'no unit'}, but ${model.type} takes ${unit}`);
    }
    const role = { quantity, staleAfterMs: sensor.staleAfterMs };
    if (model.takes !== 'measurement') {
      roles[name] = role;
      continue;
    }
    const measurementVariance =
      variances[quantity] ?? (sensor.kalman ? sensor.kalman.measurementVariance : 0);
    if (measurementVariance === 0) {
      throw new Error(
        `filter.measurementStdDev.${quantity}: missing, expected the noise of ${name}, whose kalman is off`,
      );
    }
    roles[name] = { ...role, measurementVariance };
  }
  if (Object.keys(roles).length === 0) {
    const wanted = Object.keys(model.quantities).join(', ');
    throw new Error(`none of the sensors of ${asset} is a quantity of ${model.type} (${wanted})`);
  }
  return { asset, sensors: roles, everyMs: twin.everyMs, lostAfterMs: twin.lostAfterMs };
}
