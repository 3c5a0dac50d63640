import { integerBetween, numberAbove, numberAtLeast, oneOf } from '../../../operators/options.ts';
import type { Estimated } from './layout.ts';
import type { ProcessModel, Variable } from './model.ts';
import type { StateNoise } from './unscented.ts';

/** How one parameter or input is estimated; null: the default. */
export interface EstimateOptions {
  /** `consider`: the value stays as it is, but what is not known of it is in the bands. Default `estimate`. */
  readonly mode?: 'estimate' | 'consider';
  /** What it may be off at the start, and the most that is ever assumed, in its unit. Default: a fifth of its value. */
  readonly stdDev?: number | null;
  /** Standard deviation that it gains in a second, in its unit. Default: a quarter of `stdDev` in an hour. */
  readonly noisePerSqrtS?: number | null;
}

export interface EstimationOptions {
  /** Parameters and inputs of the model that are estimated along with its states. Default: none. */
  readonly estimate?: Readonly<Record<string, EstimateOptions>>;
  /** State -> what it may be off at the start, in its unit. Default: its scale. */
  readonly initialStdDev?: Readonly<Record<string, number>>;
  /** State -> standard deviation that disturbances add in a second. Default: a thousandth of its scale. */
  readonly stateNoisePerSqrtS?: Readonly<Record<string, number>>;
  /** Quantity -> standard deviation of its sensor's noise. Default: that of the sensor's `kalman.measurementVariance`. */
  readonly measurementStdDev?: Readonly<Record<string, number>>;
  /** Normalised innovation squared beyond which a measurement is not believed; null: all are. Default 25. */
  readonly gateNis?: number | null;
  /** Measurements of a quantity in a row that are not believed before the filter finds itself lost. Default 5. */
  readonly confirmCount?: number;
  /** Longest step between two looks at the spread, in seconds. Default 10. */
  readonly maxStepS?: number;
}

export interface ResolvedEstimation {
  readonly estimated: readonly Estimated[];
  readonly noise: StateNoise;
  /** Quantity -> variance of its sensor's noise, where it was given. */
  readonly measurementVariance: Readonly<Record<string, number>>;
  readonly gateNis: number | null;
  readonly confirmCount: number;
  readonly maxStepS: number;
}

const STD_DEV_SHARE = 0.2;
const HOURLY_SHARE = 0.25;
const STATE_NOISE_SHARE = 1e-3;

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveEstimation(model: ProcessModel, options: EstimationOptions): ResolvedEstimation {
  const states = model.states.map(({ name }) => name);
  const given = (
    key: keyof EstimationOptions,
    values: Readonly<Record<string, number>>,
    names: readonly string[],
  ) => {
    for (const [name, value] of Object.entries(values)) {
      if (!names.includes(name))
        throw new RangeError(`${key}: ${name} is not valid, expected one of ${names.join(', ')}`);
      numberAtLeast(`${key}.${name}`, value, 0);
    }
    return values;
  };
  const initial = given('initialStdDev', options.initialStdDev ?? {}, states);
  const noise = given('stateNoisePerSqrtS', options.stateNoisePerSqrtS ?? {}, states);
  const measured = given('measurementStdDev', options.measurementStdDev ?? {}, Object.keys(model.measured));
  for (const [quantity, stdDev] of Object.entries(measured))
    numberAbove(`measurementStdDev.${quantity}`, stdDev, 0);
  const gateNis = options.gateNis === undefined ? 25 : options.gateNis;
  return {
    estimated: Object.entries(options.estimate ?? {}).map(([name, each]) =>
      resolveEstimated(model, name, each),
    ),
    noise: {
      initialStdDev: model.states.map(({ name, scale }) => initial[name] ?? scale),
      noisePerSqrtS: model.states.map(({ name, scale }) => noise[name] ?? STATE_NOISE_SHARE * scale),
    },
    measurementVariance: Object.fromEntries(
      Object.entries(measured).map(([name, stdDev]) => [name, stdDev ** 2]),
    ),
    gateNis: gateNis === null ? null : numberAbove('gateNis', gateNis, 0),
    confirmCount: integerBetween('confirmCount', options.confirmCount ?? 5, 1),
    maxStepS: numberAbove('maxStepS', options.maxStepS ?? 10, 0),
  };
}

function resolveEstimated(model: ProcessModel, name: string, options: EstimateOptions): Estimated {
  const { variable, kind, index } = find(model, name);
  const { unit, initial, min, max } = variable;
  const usual = STD_DEV_SHARE * Math.abs(initial);
  if ((options.stdDev ?? usual) === 0) {
    throw new RangeError(`estimate.${name}.stdDev: missing, expected a number > 0, as its value begins at 0`);
  }
  const stdDev = numberAbove(`estimate.${name}.stdDev`, options.stdDev ?? usual, 0);
  const noisePerSqrtS = options.noisePerSqrtS ?? (HOURLY_SHARE * stdDev) / Math.sqrt(3600);
  return {
    ...{ name, unit, kind, index, initial, min, max, stdDev },
    considered: oneOf('mode', options.mode ?? 'estimate', ['estimate', 'consider']) === 'consider',
    log: min >= 0 && initial > 0,
    noisePerSqrtS: numberAtLeast(`estimate.${name}.noisePerSqrtS`, noisePerSqrtS, 0),
  };
}

interface Found {
  readonly variable: Variable;
  readonly kind: 'parameter' | 'input';
  readonly index: number;
}

function find(model: ProcessModel, name: string): Found {
  const lists = [
    ['parameter', model.parameters],
    ['input', model.inputs],
  ] as const;
  for (const [kind, variables] of lists) {
    const index = variables.findIndex((each) => each.name === name);
    const variable = variables[index];
    if (variable !== undefined) return { variable, kind, index };
  }
  const known = lists.flatMap(([, variables]) => variables.map((each) => each.name)).join(', ');
  throw new RangeError(`estimate: ${name} is not valid, expected one of ${known}`);
}
