import { numberAbove, numberAtLeast } from '../../../operators/options.ts';

/**
 * Parameters of `cstr` as they stand in a configuration, with the unit in the name.
 *
 * The defaults are those of example 2.5 in D. E. Seborg, T. F. Edgar, D. A. Mellichamp, F. J. Doyle III, Process Dynamics
 * and Control, where not stated otherwise.
 */
export interface CstrParameters {
  readonly volumeL: number;
  readonly densityKgPerM3: number;
  readonly heatCapacityJPerKgK: number;
  /** Heat set free by one mole of reactant; > 0 exothermic. */
  readonly reactionHeatJPerMol: number;
  readonly preExponentialFactorPerS: number;
  /** E / R. Either this or the activation energy. */
  readonly activationTemperatureK: number | null;
  /** E. Either this or the activation temperature. */
  readonly activationEnergyJPerMol: number | null;
  /** UA. Either this or coefficient and area. */
  readonly heatTransferWPerK: number | null;
  readonly heatTransferCoefficientWPerM2K: number | null;
  readonly heatTransferAreaM2: number | null;
  /** Inputs, in force until they are measured. */
  readonly flowRateLPerMin: number;
  readonly feedConcentrationMolPerL: number;
  readonly feedTemperatureDegC: number;
  /** The coolant in the jacket: an input; where the jacket is modelled, its temperature at the start. */
  readonly coolantTemperatureDegC: number;
  /** Told, and shown; nothing follows from it. Default: the standard atmosphere. */
  readonly pressureMPa: number;
  readonly initialConcentrationMolPerL: number;
  readonly initialTemperatureDegC: number;
  /** Of the coolant in the jacket. null: the jacket is not modelled, its temperature is told. */
  readonly jacketVolumeL: number | null;
  /** These only with a modelled jacket. Default: as much as the feed. */
  readonly coolantFlowRateLPerMin: number | null;
  /** Default: the coolant's temperature at the start. */
  readonly coolantInletTemperatureDegC: number | null;
  /** Default 1000, water. */
  readonly coolantDensityKgPerM3: number | null;
  /** Default 4180, water at 25 degC (CRC Handbook of Chemistry and Physics). */
  readonly coolantHeatCapacityJPerKgK: number | null;
}

export const CSTR_DEFAULTS: CstrParameters = {
  volumeL: 100,
  densityKgPerM3: 1000,
  heatCapacityJPerKgK: 239,
  reactionHeatJPerMol: 50_000,
  preExponentialFactorPerS: 7.2e10 / 60,
  activationTemperatureK: 8750,
  activationEnergyJPerMol: null,
  heatTransferWPerK: 50_000 / 60,
  heatTransferCoefficientWPerM2K: null,
  heatTransferAreaM2: null,
  flowRateLPerMin: 100,
  feedConcentrationMolPerL: 1,
  feedTemperatureDegC: 76.85,
  coolantTemperatureDegC: 26.85,
  pressureMPa: 0.101325,
  initialConcentrationMolPerL: 0.5,
  initialTemperatureDegC: 76.85,
  jacketVolumeL: null,
  coolantFlowRateLPerMin: null,
  coolantInletTemperatureDegC: null,
  coolantDensityKgPerM3: null,
  coolantHeatCapacityJPerKgK: null,
};

/** The same in SI units, with what is given in one of two ways as one number. */
export interface CstrQuantities {
  readonly volume: number;
  readonly density: number;
  readonly heatCapacity: number;
  readonly reactionHeat: number;
  readonly preExponentialFactor: number;
  readonly activationTemperature: number;
  readonly heatTransfer: number;
  readonly flowRate: number;
  readonly feedConcentration: number;
  readonly feedTemperature: number;
  readonly coolantTemperature: number;
  readonly pressure: number;
  readonly concentration: number;
  readonly temperature: number;
  /** null: the coolant's temperature is told. */
  readonly jacket: CstrJacket | null;
}

export interface CstrJacket {
  readonly volume: number;
  readonly density: number;
  readonly heatCapacity: number;
  readonly flowRate: number;
  readonly inletTemperature: number;
}

/** J/(mol K), exact since the SI of 2019. */
const GAS_CONSTANT = 8.31446261815324;
export const ZERO_CELSIUS_K = 273.15;
/** L/min in one m3/s. */
export const L_PER_MIN = 60_000;
/** mol/m3 in one mol/L; also L in one m3. */
export const PER_LITRE = 1000;
export const PA_PER_MPA = 1e6;

/** @throws RangeError that names the parameter, its value and what was expected. */
export function cstrQuantities(given: Partial<CstrParameters>): CstrQuantities {
  for (const key of Object.keys(given)) {
    if (!(key in CSTR_DEFAULTS)) {
      throw new RangeError(
        `${key}: unknown parameter, expected one of ${Object.keys(CSTR_DEFAULTS).join(', ')}`,
      );
    }
  }
  const all = { ...CSTR_DEFAULTS, ...given };
  const celsius = (key: string, value: number): number =>
    numberAbove(key, value, -ZERO_CELSIUS_K) + ZERO_CELSIUS_K;
  return {
    volume: numberAbove('volumeL', all.volumeL, 0) / PER_LITRE,
    density: numberAbove('densityKgPerM3', all.densityKgPerM3, 0),
    heatCapacity: numberAbove('heatCapacityJPerKgK', all.heatCapacityJPerKgK, 0),
    reactionHeat: numberAtLeast('reactionHeatJPerMol', all.reactionHeatJPerMol, -Number.MAX_VALUE),
    preExponentialFactor: numberAtLeast('preExponentialFactorPerS', all.preExponentialFactorPerS, 0),
    activationTemperature: activationTemperature(given),
    heatTransfer: heatTransfer(given),
    flowRate: numberAtLeast('flowRateLPerMin', all.flowRateLPerMin, 0) / L_PER_MIN,
    feedConcentration: numberAtLeast('feedConcentrationMolPerL', all.feedConcentrationMolPerL, 0) * PER_LITRE,
    feedTemperature: celsius('feedTemperatureDegC', all.feedTemperatureDegC),
    coolantTemperature: celsius('coolantTemperatureDegC', all.coolantTemperatureDegC),
    pressure: numberAtLeast('pressureMPa', all.pressureMPa, 0) * PA_PER_MPA,
    concentration:
      numberAtLeast('initialConcentrationMolPerL', all.initialConcentrationMolPerL, 0) * PER_LITRE,
    temperature: celsius('initialTemperatureDegC', all.initialTemperatureDegC),
    jacket: jacket(all, celsius),
  };
}

function activationTemperature(given: Partial<CstrParameters>): number {
  const energy = given.activationEnergyJPerMol ?? null;
  const temperature = given.activationTemperatureK ?? null;
  if (energy !== null) {
    if (temperature !== null) either('activationEnergyJPerMol', energy, 'activationTemperatureK');
    return numberAtLeast('activationEnergyJPerMol', energy, 0) / GAS_CONSTANT;
  }
  return numberAtLeast(
    'activationTemperatureK',
    temperature ?? CSTR_DEFAULTS.activationTemperatureK ?? NaN,
    0,
  );
}

function heatTransfer(given: Partial<CstrParameters>): number {
  const whole = given.heatTransferWPerK ?? null;
  const coefficient = given.heatTransferCoefficientWPerM2K ?? null;
  const area = given.heatTransferAreaM2 ?? null;
  if (coefficient === null && area === null) {
    return numberAtLeast('heatTransferWPerK', whole ?? CSTR_DEFAULTS.heatTransferWPerK ?? NaN, 0);
  }
  if (whole !== null) {
    either('heatTransferWPerK', whole, 'heatTransferCoefficientWPerM2K and heatTransferAreaM2');
  }
  if (coefficient === null) alone('heatTransferAreaM2', area, 'heatTransferCoefficientWPerM2K');
  if (area === null) alone('heatTransferCoefficientWPerM2K', coefficient, 'heatTransferAreaM2');
  return (
    numberAtLeast('heatTransferCoefficientWPerM2K', coefficient, 0) *
    numberAbove('heatTransferAreaM2', area, 0)
  );
}

function alone(key: string, value: number | null, other: string): never {
  throw new RangeError(`${key}: ${value} is not valid, expected ${other} beside it`);
}

function either(key: string, value: number, other: string): never {
  throw new RangeError(`${key}: ${value} is not valid, expected either it or ${other}`);
}

function jacket(
  all: CstrParameters,
  celsius: (key: string, value: number) => number,
): CstrQuantities['jacket'] {
  if (all.jacketVolumeL === null) {
    for (const key of [
      'coolantFlowRateLPerMin',
      'coolantInletTemperatureDegC',
      'coolantDensityKgPerM3',
      'coolantHeatCapacityJPerKgK',
    ] as const) {
      if (all[key] === null) continue;
      alone(key, all[key], 'jacketVolumeL');
    }
    return null;
  }
  return {
    volume: numberAbove('jacketVolumeL', all.jacketVolumeL, 0) / PER_LITRE,
    density: numberAbove('coolantDensityKgPerM3', all.coolantDensityKgPerM3 ?? 1000, 0),
    heatCapacity: numberAbove('coolantHeatCapacityJPerKgK', all.coolantHeatCapacityJPerKgK ?? 4180, 0),
    flowRate:
      numberAtLeast('coolantFlowRateLPerMin', all.coolantFlowRateLPerMin ?? all.flowRateLPerMin, 0) /
      L_PER_MIN,
    inletTemperature: celsius(
      'coolantInletTemperatureDegC',
      all.coolantInletTemperatureDegC ?? all.coolantTemperatureDegC,
    ),
  };
}
