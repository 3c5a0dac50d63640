import { cstr } from '../../twin/process/cstr.ts';
import { CSTR_DEFAULTS, L_PER_MIN, PER_LITRE, ZERO_CELSIUS_K } from '../../twin/process/cstrParameters.ts';
import type { CstrParameters } from '../../twin/process/cstrParameters.ts';
import type { ProcessModel, Variable } from '../../twin/process/model.ts';
import type { KnobValues } from './knobs.ts';
import type { ProcessSettings } from './scenario.ts';

/** Of the model's configuration, what makes the reactor; the rest are knobs and the state at the start. */
export const PARAMETER_NAMES: readonly string[] = Object.keys(CSTR_DEFAULTS).filter(
  (name) => !/^(initial|flowRate|feed|coolantTemp|coolantInlet|pressure)/.test(name),
);

/** A jacket of water that is changed every six seconds, in scale with the reactor of the textbook. */
const JACKET: Partial<CstrParameters> = { jacketVolumeL: 10, coolantFlowRateLPerMin: 100 };

/** The twin's model as the plant uses it: with its own truth, and with what the twin is not told of. */
export interface PlantModel {
  readonly model: ProcessModel;
  /** Places among the states. */
  readonly temperature: number;
  readonly concentration: number;
  readonly coolant: number;
  /** Writes the model's inputs for the knobs and the actuator: `opening` is the part of the nominal flow. */
  inputs(knobs: KnobValues, inletDegC: number, opening: number, u: Float64Array): void;
  /** Writes the model's true parameters for the knobs and the reactor's temperature. */
  parameters(knobs: KnobValues, temperatureDegC: number, p: Float64Array): void;
  /** W/K */
  wall(p: Float64Array): number;
  coolantFlowLPerMin(u: Float64Array): number;
  /** degC, mol/L and degC of a state. */
  temperatureOf(x: Float64Array): number;
  concentrationOf(x: Float64Array): number;
  coolantOf(x: Float64Array): number;
  write(temperatureDegC: number, concentrationMolPerL: number, coolantDegC: number, x: Float64Array): void;
}

/** @throws RangeError for a parameter out of its bounds. */
export function createPlantModel(settings: ProcessSettings): PlantModel {
  const known = cstr({ ...JACKET, ...settings.parameters });
  const nominal = Float64Array.from(known.parameters, ({ initial }) => initial);
  const temperature = placeOf(known.states, 'temperature');
  const concentration = placeOf(known.states, 'concentration');
  const coolant = placeOf(known.states, 'coolantTemperature');
  const flowRate = placeOf(known.inputs, 'flowRate');
  const feedTemperature = placeOf(known.inputs, 'feedTemperature');
  const feedConcentration = placeOf(known.inputs, 'feedConcentration');
  const coolantFlow = placeOf(known.inputs, 'coolantFlowRate');
  const inlet = placeOf(known.inputs, 'coolantInletTemperature');
  const rate = placeOf(known.parameters, 'preExponentialFactor');
  const wall = placeOf(known.parameters, 'heatTransfer');
  const start = Float64Array.from(known.inputs, ({ initial }) => initial);

  const ambientK = settings.ambientDegC + ZERO_CELSIUS_K;
  let lossPerS = 0;
  const model: ProcessModel = {
    ...known,
    derivatives(x, u, p, dxdt) {
      known.derivatives(x, u, p, dxdt);
      if (lossPerS > 0)
        dxdt[temperature] = at(dxdt, temperature) - lossPerS * (at(x, temperature) - ambientK);
    },
  };

  return {
    model,
    temperature,
    concentration,
    coolant,
    inputs(knobs, inletDegC, opening, u) {
      u.set(start);
      u[flowRate] = knobs.flowRateLPerMin / L_PER_MIN;
      u[feedTemperature] = knobs.feedTemperatureDegC + ZERO_CELSIUS_K;
      u[feedConcentration] = knobs.feedConcentrationMolPerL * PER_LITRE;
      u[coolantFlow] = at(start, coolantFlow) * opening;
      u[inlet] = inletDegC + ZERO_CELSIUS_K;
    },
    parameters(knobs, temperatureDegC, p) {
      p.set(nominal);
      const warmer = temperatureDegC - settings.start.setpointDegC;
      const mismatch = Math.max(0.1, 1 + settings.heatTransferPerK * warmer);
      p[wall] = at(nominal, wall) * knobs.heatTransfer * mismatch;
      p[rate] = at(nominal, rate) * knobs.reactionRate;
      lossPerS = knobs.heatLossPerS;
    },
    wall: (p) => at(p, wall),
    coolantFlowLPerMin: (u) => at(u, coolantFlow) * L_PER_MIN,
    temperatureOf: (x) => at(x, temperature) - ZERO_CELSIUS_K,
    concentrationOf: (x) => at(x, concentration) / PER_LITRE,
    coolantOf: (x) => at(x, coolant) - ZERO_CELSIUS_K,
    write(temperatureDegC, concentrationMolPerL, coolantDegC, x) {
      x[temperature] = temperatureDegC + ZERO_CELSIUS_K;
      x[concentration] = concentrationMolPerL * PER_LITRE;
      x[coolant] = coolantDegC + ZERO_CELSIUS_K;
    },
  };
}

const at = (values: ArrayLike<number>, place: number): number => values[place] ?? NaN;

function placeOf(variables: readonly Variable[], name: string): number {
  const place = variables.findIndex((variable) => variable.name === name);
  if (place < 0) throw new Error(`the model has no "${name}"`);
  return place;
}
