import type { Term } from './hybridTerms.ts';
import type { ProcessModel } from './model.ts';
import { at } from './squareRoot.ts';

/** The correction of one state's balance: features, and what it may come to at most. */
export interface CorrectedState {
  readonly name: string;
  /** Place among the model's states. */
  readonly index: number;
  /** `<unit>/s` */
  readonly unit: string;
  readonly limitPerS: number;
  readonly terms: readonly Term[];
  /** Place of its first coefficient. */
  readonly from: number;
}

/** What the correction is made of at a time: lists by feature, over all corrected states. */
export interface Coefficients {
  readonly theta: ArrayLike<number>;
  /** What each feature is counted from, and between which values (less `centre`, in scales) it has been learned. */
  readonly centre: ArrayLike<number>;
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
}

type Values = ArrayLike<number>;

/**
 * A model with a correction on top: dx/dt = f(x, u, p) + F L tanh(Σ θ φ), where φ = (feature - centre) / scale, L the limit and F fades
 * from 1 within the region in which it was learned to 0 at `reach` scales outside of it.
 *
 * The coefficients are not its own: they are the twin's, and `use` says which are in force until the next call.
 */
export interface HybridModel extends ProcessModel {
  readonly corrected: readonly CorrectedState[];
  use(coefficients: Coefficients): void;
  /** The k-th corrected state's correction, per second. */
  correction(k: number, x: Values, u: Values, p: Values): number;
}

/** A feature less its centre, in scales. */
export const normalised = (term: Term, centre: number, x: Values, u: Values, p: Values): number =>
  term.constant ? 1 : (term.read(x, u, p) - centre) / term.scale;

export function hybridModel(
  model: ProcessModel,
  corrected: readonly CorrectedState[],
  reach: number,
): HybridModel {
  let now: Coefficients | null = null;
  const correction = (k: number, x: Values, u: Values, p: Values): number => {
    const each = corrected[k];
    if (now === null || each === undefined) return 0;
    let sum = 0;
    let outside = 0;
    for (let i = 0; i < each.terms.length; i++) {
      const term = each.terms[i];
      if (term === undefined) continue;
      const place = each.from + i;
      const value = normalised(term, at(now.centre, place), x, u, p);
      sum += at(now.theta, place) * value;
      if (term.constant) continue;
      outside = Math.max(outside, at(now.low, place) - value, value - at(now.high, place));
    }
    const fade = 1 - outside / reach;
    // Where a stage of a step leaves the numbers, the physics alone have their say.
    return fade > 0 && sum === sum ? fade * each.limitPerS * Math.tanh(sum) : 0;
  };
  const { type, states, inputs, parameters, outputs } = model;
  return {
    ...{ type, states, inputs, parameters, outputs },
    // An input comes in the model's unit here.
    measured: Object.fromEntries(
      Object.entries(model.measured).map(([name, each]) => [
        name,
        each.kind === 'input'
          ? { kind: each.kind, unit: each.unit, input: each.input, toInput: (value: number) => value }
          : each,
      ]),
    ),
    corrected,
    use: (coefficients) => void (now = coefficients),
    correction,
    derivatives(x, u, p, dxdt) {
      model.derivatives(x, u, p, dxdt);
      for (let k = 0; k < corrected.length; k++) {
        const index = corrected[k]?.index ?? 0;
        dxdt[index] = at(dxdt, index) + correction(k, x, u, p);
      }
    },
  };
}
