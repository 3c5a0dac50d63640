import type { TwinModel } from '../../../operators/steps/twin.ts';
import type { Companion } from './companion.ts';
import { heldStdDev } from './heldInputs.ts';
import { resolveEstimation } from './estimationOptions.ts';
import type { EstimationOptions, ResolvedEstimation } from './estimationOptions.ts';
import { integrator } from './integrator.ts';
import { Layout } from './layout.ts';
import type { Estimated } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { innerStdDev, rolesOf } from './roles.ts';
import type { Role } from './roles.ts';
import { at } from './squareRoot.ts';
import { Unscented } from './unscented.ts';
import type { Belief, Integrate } from './unscented.ts';

/** What a process model's twin keeps. Plain data; lists stand in the order of the model's declarations. */
export interface EstimatedState {
  belief: Belief;
  /** Inputs in the model's units: as last measured, or as the model assumes them. */
  u: number[];
  /** Variance of each input's measurement; 0 before the first. */
  uVariance: number[];
  /** Seconds between each input's last two measurements, and since the last. */
  uIntervalS: number[];
  uAgeS: number[];
  /** By quantity: measurements taken in, and how many in a row have not been believed. */
  taken: number[];
  rejected: number[];
  /** By quantity: normalised innovation squared of the last measurement, believed or not; null before the first. */
  nis: (number | null)[];
  /** States of the companions, by name. */
  companions: Record<string, object>;
}

/** Of whatever an estimated twin has made; of anything else nothing is said. */
export const isEstimatedState = (state: unknown): state is EstimatedState =>
  typeof state === 'object' && state !== null && 'belief' in state && 'uVariance' in state;

/** A process model with a filter that keeps it in step: states, parameters and inputs jointly. */
export interface EstimatedTwin extends TwinModel<EstimatedState> {
  readonly process: ProcessModel;
  readonly estimation: ResolvedEstimation;
  readonly filter: Unscented;
  /** How the filter moves the model forward. */
  readonly integrate: Integrate;
}

/** Longer gaps take longer steps. */
const MAX_STEPS = 50;
/** Of a longer gap only so much is computed: it is the model's guess by then, and the pipeline waits for it. */
const LONGEST_GAP_S = 86_400;
type Told = Extract<Role, { kind: 'told' }>;
type Compared = Extract<Role, { kind: 'compared' }>;

/** More than enough against what sensors and disturbances leave uncertain. */
const RELATIVE_TOLERANCE = 1e-6;

/**
 * The twin of a process model: an unscented Kalman filter that takes measurements as they come, one at a time.
 *
 * `correct` wants the raw measurement with its variance > 0. Measured inputs are taken as they are, unless they are estimated.
 *
 * @throws RangeError that names the option, its value and what was expected.
 */
export function estimatedTwin(
  model: ProcessModel,
  options: EstimationOptions = {},
  integrate: Integrate = integrateBy(model),
  companions: readonly Companion[] = [],
): EstimatedTwin {
  const estimation = resolveEstimation(model, options);
  const { estimated, gateNis, confirmCount, maxStepS } = estimation;
  const layout = new Layout(model, estimated);
  const filter = new Unscented(model, layout, estimation.noise, integrate);
  const point = layout.point();
  const quantities = Object.keys(model.measured);
  const roles = rolesOf(model, layout);
  const inputNoise = new Float64Array(model.inputs.length);

  const initial = (): EstimatedState => ({
    belief: filter.initial(),
    u: model.inputs.map((input) => input.initial),
    uVariance: model.inputs.map(() => 0),
    uIntervalS: model.inputs.map(() => 0),
    uAgeS: model.inputs.map(() => 0),
    taken: quantities.map(() => 0),
    rejected: quantities.map(() => 0),
    nis: quantities.map(() => null),
    companions: Object.fromEntries(companions.map((each) => [each.name, each.initial()])),
  });
  /** One that was added since the state was made begins now. */
  const ownOf = (state: EstimatedState, companion: Companion): object =>
    (state.companions[companion.name] ??= companion.initial());

  /** A model that leaves the numbers behind starts anew, so that one bad moment does not end it. */
  const keepFinite = (state: EstimatedState): void => {
    if (state.belief.z.every(Number.isFinite) && state.belief.s.every(Number.isFinite)) return;
    state.belief = filter.initial();
    state.taken.fill(0);
    state.rejected.fill(0);
  };

  const predict = (state: EstimatedState, dtS: number): void => {
    for (let j = 0; j < inputNoise.length; j++) {
      const age = at(state.uAgeS, j) + dtS;
      state.uAgeS[j] = age;
      inputNoise[j] = heldStdDev(at(state.uVariance, j), at(state.uIntervalS, j), age, dtS);
    }
    filter.predict(state.belief, state.u, dtS, inputNoise);
  };

  const tell = (state: EstimatedState, role: Told, value: number, stdDev: number): void => {
    const { index, min, max } = role;
    state.u[index] = Math.min(Math.max(value, min), max);
    state.uVariance[index] = stdDev * stdDev;
    state.uIntervalS[index] = at(state.uAgeS, index);
    state.uAgeS[index] = 0;
    for (const each of companions) each.told?.(ownOf(state, each), state, index);
  };

  const compare = (state: EstimatedState, role: Compared, value: number, r: number): number => {
    const { quantity, read } = role;
    const { belief, u } = state;
    let expected = filter.expect(belief, u, read);
    const residual = value - expected.mean;
    const nis = (residual * residual) / (expected.variance + r);
    state.nis[quantity] = nis;
    if (companions.length > 0) {
      const believed = gateNis === null || nis <= gateNis || at(state.taken, quantity) === 0;
      const variance = expected.variance + r;
      const name = quantities[quantity] ?? '';
      const comparison = { quantity: name, value, residual, variance, measurementVariance: r, believed };
      for (const each of companions) each.compared?.(ownOf(state, each), state, comparison);
    }
    if (gateNis !== null && nis > gateNis && at(state.taken, quantity) > 0) {
      const rejected = at(state.rejected, quantity) + 1;
      state.rejected[quantity] = rejected;
      if (rejected < confirmCount) return residual;
      // It is the filter that is wrong: as wide as it takes to have expected this.
      filter.widen(belief, Math.sqrt(Math.max(1, (residual * residual - r) / expected.variance)));
      expected = filter.expect(belief, u, read);
    }
    state.rejected[quantity] = 0;
    state.taken[quantity] = at(state.taken, quantity) + 1;
    filter.accept(belief, expected, value, r);
    return residual;
  };

  const estimatedValues = (state: EstimatedState) =>
    estimated.flatMap((each, k) => {
      if (each.considered) return [];
      const stdDev = filter.stdDev(state.belief, layout.states + k);
      return [[each.name, layout.natural(k, state.belief.z, stdDev)] as const];
    });

  return {
    type: model.type,
    takes: 'measurement',
    process: model,
    estimation,
    filter,
    integrate,
    quantities: unitsOf(model.measured),
    outputs: unitsOf(model.outputs),
    shape: {
      states: model.states.map(({ name }) => name).join(' '),
      inputs: model.inputs.map(({ name }) => name).join(' '),
      quantities: quantities.join(' '),
      estimated: estimated.map(named).join(', '),
    },
    initial,
    parameters: (state) =>
      Object.fromEntries(estimatedValues(state).map(([name, { value }]) => [name, value])),
    parameterStdDev: (state) =>
      Object.fromEntries(estimatedValues(state).map(([name, { stdDev }]) => [name, stdDev])),
    ...(companions.length > 0 && {
      insights: (state: EstimatedState) =>
        Object.fromEntries(companions.map((each) => [each.name, each.says(ownOf(state, each), state)])),
    }),
    ...(companions.some((each) => 'parted' in each) && {
      parted: (state: EstimatedState) => {
        for (const each of companions) {
          const parting = each.parted?.(ownOf(state, each), state) ?? null;
          if (parting !== null) return parting;
        }
        return null;
      },
    }),
    advance(state, dtS) {
      if (!(dtS > 0)) return;
      const gapS = Math.min(dtS, LONGEST_GAP_S);
      const steps = Math.min(Math.ceil(gapS / maxStepS), MAX_STEPS);
      for (let i = 0; i < steps; i++) predict(state, gapS / steps);
      for (const each of companions) each.advanced?.(ownOf(state, each), state, gapS);
      keepFinite(state);
    },
    correct(state, quantity, value, variance) {
      const role = roles.get(quantity);
      if (role === undefined) return null;
      const stdDev = innerStdDev(role, value, Math.sqrt(variance));
      if (role.kind === 'told') {
        tell(state, role, role.toInner(value), stdDev);
        return null;
      }
      const residual = compare(state, role, role.toInner(value), stdDev * stdDev);
      keepFinite(state);
      return residual;
    },
    read(state, output) {
      const { belief, u: inputs } = state;
      const shown = model.outputs[output];
      if (shown === undefined) return { value: NaN, stdDev: null };
      layout.unpack(belief.z, inputs, point);
      const value = shown.read(point.x, point.u, point.p);
      const { variance } = filter.expect(belief, inputs, (x, u, p) => shown.read(x, u, p));
      return { value, stdDev: Math.sqrt(variance) };
    },
  };
}

const named = ({ name, log, considered }: Estimated): string =>
  `${considered ? 'considered ' : ''}${log ? 'log ' : ''}${name}`;

/** The usual integrator as the filter takes it. */
export function integrateBy(model: ProcessModel): Integrate {
  const by = integrator(model, { relativeTolerance: RELATIVE_TOLERANCE });
  return (x, u, p, dtS) => void by.advance(x, u, p, dtS);
}

const unitsOf = (table: Readonly<Record<string, { readonly unit: string }>>): Record<string, string> =>
  Object.fromEntries(Object.entries(table).map(([name, { unit }]) => [name, unit]));
