import type { KnobValues } from './knobs.ts';
import type { PlantModel } from './plantModel.ts';
import type { ControlSettings } from './scenario.ts';

/** Where a reactor is at rest at a temperature. */
export interface Steady {
  readonly concentrationMolPerL: number;
  readonly coolantDegC: number;
  /** What the control loop has to ask for; may lie outside its limits. */
  readonly output: number;
}

/**
 * Concentration, coolant and control output at which nothing moves: each balance is of first order in the one that is
 * sought, so each zero follows from two evaluations.
 */
export function steadyAt(
  plant: PlantModel,
  knobs: KnobValues,
  temperatureDegC: number,
  manipulates: ControlSettings['manipulates'],
): Steady {
  const { model } = plant;
  const x = new Float64Array(model.states.length);
  const u = new Float64Array(model.inputs.length);
  const p = new Float64Array(model.parameters.length);
  const dxdt = new Float64Array(model.states.length);
  plant.parameters(knobs, temperatureDegC, p);

  const rateOf = (
    state: number,
    concentration: number,
    coolantDegC: number,
    inletDegC = knobs.coolantInletTemperatureDegC,
    opening = knobs.coolantFlow,
  ): number => {
    plant.inputs(knobs, inletDegC, opening, u);
    plant.write(temperatureDegC, concentration, coolantDegC, x);
    model.derivatives(x, u, p, dxdt);
    return dxdt[state] ?? NaN;
  };
  const concentrationMolPerL = zeroOf((value) => rateOf(plant.concentration, value, 0));
  const coolantDegC = zeroOf((value) => rateOf(plant.temperature, concentrationMolPerL, value));
  const moved = (inletDegC: number | undefined, opening: number | undefined): number =>
    rateOf(plant.coolant, concentrationMolPerL, coolantDegC, inletDegC, opening);
  const output =
    manipulates === 'coolantFlow'
      ? zeroOf((opening) => moved(undefined, opening * knobs.coolantFlow))
      : zeroOf((inletDegC) => moved(inletDegC, undefined));
  return { concentrationMolPerL, coolantDegC, output };
}

function zeroOf(line: (value: number) => number): number {
  const atZero = line(0);
  const slope = line(1) - atZero;
  return slope === 0 ? 0 : -atZero / slope;
}
