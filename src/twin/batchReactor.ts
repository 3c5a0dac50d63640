import { numberAbove, numberAtLeast } from '../../operators/options.ts';
import type { TwinModel } from '../../operators/steps/twin.ts';

/**
 * Stirred batch reactor with a jacket and one first-order reaction.
 *
 *     m cp dT/dt = U A (Tj - T) + m h dX/dt
 *     dX/dt      = k (1 - X),   k = k0 exp(-Ea / (R T)) (p / pRef)^n,   X <= 1
 *
 * T temperature (K in k, degC elsewhere), Tj jacket temperature, X conversion, p pressure, h heat of reaction per kg.
 * Both equations are solved exactly over a step with the other held constant, so no step is too long to be stable.
 */
export interface BatchReactorParameters {
  readonly heatCapacityJPerKgK: number;
  readonly massKg: number;
  readonly heatTransferCoefficientWPerM2K: number;
  readonly heatTransferAreaM2: number;
  readonly preExponentialFactorPerS: number;
  readonly activationEnergyJPerMol: number;
  readonly pressureExponent: number;
  readonly referencePressureMPa: number;
  /** Heat set free by one kg of charge at full conversion; > 0 exothermic. */
  readonly reactionHeatJPerKg: number;
  /** null: not known; inferred from how the temperature moves. */
  readonly jacketTemperatureDegC: number | null;
  /** Time constant with which an inferred jacket temperature follows. */
  readonly jacketTimeConstantS: number;
  readonly initialTemperatureDegC: number;
  readonly initialPressureMPa: number;
  readonly initialFlowRateLPerMin: number;
  readonly initialConversion: number;
  /** A flow rate below this means that the reactor is being emptied: a new batch begins. null: never. */
  readonly newBatchBelowFlowRateLPerMin: number | null;
}

export const BATCH_REACTOR_DEFAULTS: BatchReactorParameters = {
  heatCapacityJPerKgK: 4200,
  massKg: 1000,
  heatTransferCoefficientWPerM2K: 500,
  heatTransferAreaM2: 10,
  preExponentialFactorPerS: 1e10,
  activationEnergyJPerMol: 80_000,
  pressureExponent: 0.5,
  referencePressureMPa: 2.5,
  reactionHeatJPerKg: 0,
  jacketTemperatureDegC: null,
  jacketTimeConstantS: 300,
  initialTemperatureDegC: 85,
  initialPressureMPa: 2.5,
  initialFlowRateLPerMin: 120,
  initialConversion: 0,
  newBatchBelowFlowRateLPerMin: null,
};

export interface BatchReactorState {
  temperatureDegC: number;
  /** null before the first measurement, like the other variances: what is assumed has none that is known. */
  temperatureVariance: number | null;
  jacketTemperatureDegC: number;
  /** False until the first temperature has come, which sets the model without a residual. */
  started: boolean;
  pressureMPa: number;
  pressureVariance: number | null;
  flowRateLPerMin: number;
  flowRateVariance: number | null;
  conversion: number;
}

const GAS_CONSTANT = 8.314;
const ZERO_CELSIUS_K = 273.15;
/** Heat and conversion are coupled anew at least so often. */
const MAX_STEP_S = 1;
const MAX_STEPS = 10_000;

/** @throws RangeError that names the parameter, its value and what was expected. */
export function batchReactor(given: Partial<BatchReactorParameters> = {}): TwinModel<BatchReactorState> {
  const p = resolve({ ...BATCH_REACTOR_DEFAULTS, ...given });
  const timeConstantS =
    (p.massKg * p.heatCapacityJPerKgK) / (p.heatTransferCoefficientWPerM2K * p.heatTransferAreaM2);
  const jacketInferred = p.jacketTemperatureDegC === null;

  const ratePerS = (s: BatchReactorState): number =>
    p.preExponentialFactorPerS *
    Math.exp(-p.activationEnergyJPerMol / (GAS_CONSTANT * Math.max(s.temperatureDegC + ZERO_CELSIUS_K, 1))) *
    Math.max(s.pressureMPa / p.referencePressureMPa, 0) ** p.pressureExponent;

  const step = (s: BatchReactorState, dtS: number): void => {
    const converted = (1 - s.conversion) * -Math.expm1(-ratePerS(s) * dtS);
    s.conversion = Math.min(1, s.conversion + converted);
    s.temperatureDegC +=
      (s.jacketTemperatureDegC - s.temperatureDegC) * -Math.expm1(-dtS / timeConstantS) +
      (p.reactionHeatJPerKg / p.heatCapacityJPerKgK) * converted;
  };

  const correctTemperature = (s: BatchReactorState, value: number, variance: number): number | null => {
    const residual = value - s.temperatureDegC;
    s.temperatureDegC = value;
    s.temperatureVariance = variance;
    if (!s.started) {
      s.started = true;
      if (jacketInferred) s.jacketTemperatureDegC = value;
      return null;
    }
    // A residual r over dt is a heat flow that the jacket must have given: dTj = (tau / T) r approaches it with T.
    if (jacketInferred) s.jacketTemperatureDegC += (timeConstantS / p.jacketTimeConstantS) * residual;
    return residual;
  };

  return {
    type: 'batchReactor',
    quantities: { temperature: 'degC', pressure: 'MPa', flow_rate: 'L/min' },
    outputs: { temperature: 'degC', pressure: 'MPa', flow_rate: 'L/min', conversion: '1' },
    initial: () => ({
      temperatureDegC: p.initialTemperatureDegC,
      temperatureVariance: null,
      jacketTemperatureDegC: p.jacketTemperatureDegC ?? p.initialTemperatureDegC,
      started: false,
      pressureMPa: p.initialPressureMPa,
      pressureVariance: null,
      flowRateLPerMin: p.initialFlowRateLPerMin,
      flowRateVariance: null,
      conversion: p.initialConversion,
    }),
    parameters: (s) => ({
      heatTransferCoefficientWPerM2K: p.heatTransferCoefficientWPerM2K,
      jacketTemperatureDegC: s.jacketTemperatureDegC,
      reactionRatePerS: ratePerS(s),
    }),
    advance(s, dtS) {
      const steps = Math.min(Math.ceil(dtS / MAX_STEP_S), MAX_STEPS);
      for (let i = 0; i < steps; i++) step(s, dtS / steps);
    },
    correct(s, quantity, value, variance) {
      if (quantity === 'temperature') return correctTemperature(s, value, variance);
      if (quantity === 'pressure') {
        s.pressureMPa = value;
        s.pressureVariance = variance;
      } else {
        s.flowRateLPerMin = value;
        s.flowRateVariance = variance;
        if (p.newBatchBelowFlowRateLPerMin !== null && value < p.newBatchBelowFlowRateLPerMin) {
          s.conversion = p.initialConversion;
        }
      }
      return null;
    },
    read(s, output) {
      switch (output) {
        case 'temperature':
          return { value: s.temperatureDegC, stdDev: stdDevOf(s.temperatureVariance) };
        case 'pressure':
          return { value: s.pressureMPa, stdDev: stdDevOf(s.pressureVariance) };
        case 'flow_rate':
          return { value: s.flowRateLPerMin, stdDev: stdDevOf(s.flowRateVariance) };
        default:
          return { value: s.conversion, stdDev: null };
      }
    },
  };
}

const stdDevOf = (variance: number | null): number | null => (variance === null ? null : Math.sqrt(variance));

function resolve(p: BatchReactorParameters): BatchReactorParameters {
  for (const key of Object.keys(p)) {
    if (!(key in BATCH_REACTOR_DEFAULTS)) {
      throw new RangeError(
        `${key}: unknown parameter, expected one of ${Object.keys(BATCH_REACTOR_DEFAULTS).join(', ')}`,
      );
    }
  }
  for (const key of [
    'heatCapacityJPerKgK',
    'massKg',
    'heatTransferCoefficientWPerM2K',
    'heatTransferAreaM2',
    'referencePressureMPa',
    'jacketTimeConstantS',
  ] as const) {
    numberAbove(key, p[key], 0);
  }
  for (const key of [
    'preExponentialFactorPerS',
    'activationEnergyJPerMol',
    'pressureExponent',
    'initialPressureMPa',
    'initialConversion',
  ] as const) {
    numberAtLeast(key, p[key], 0);
  }
  numberAtLeast('initialTemperatureDegC', p.initialTemperatureDegC, -ZERO_CELSIUS_K);
  numberAtLeast('reactionHeatJPerKg', p.reactionHeatJPerKg, -Number.MAX_VALUE);
  if (p.initialConversion > 1) {
    throw new RangeError(
      `initialConversion: ${p.initialConversion} is not valid, expected a number from 0 to 1`,
    );
  }
  if (p.jacketTemperatureDegC !== null) {
    numberAtLeast('jacketTemperatureDegC', p.jacketTemperatureDegC, -ZERO_CELSIUS_K);
  }
  return p;
}
