import type { EstimatedState, EstimatedTwin } from './estimatedTwin.ts';
import { heldStdDev } from './heldInputs.ts';
import type { Layout } from './layout.ts';
import { at } from './squareRoot.ts';
import type { Belief, Integrate, Read } from './unscented.ts';

/** The value of an input from a time on, until the next. */
export interface Level {
  readonly atS: number;
  /** In the model's unit. */
  readonly value: number;
}

/** What is to be different from the twin as it is: place in the model's lists -> value in the model's unit. */
export interface Changes {
  /** Levels in the order of their times; before the first the input stays as it is. */
  readonly inputs: ReadonlyMap<number, readonly Level[]>;
  readonly parameters: ReadonlyMap<number, number>;
  readonly states: ReadonlyMap<number, number>;
}

export const NO_CHANGES: Changes = { inputs: new Map(), parameters: new Map(), states: new Map() };

/**
 * A twin as it is now, with changes, to compute on: a copy, of which the live one knows nothing.
 *
 * What is changed is known exactly: it has no noise and no band, also where the twin estimates it.
 */
export class WhatIf {
  readonly twin: EstimatedTwin;
  readonly layout: Layout;
  readonly belief: Belief;
  /** Inputs as last measured or assumed; those that are changed follow from `force`. */
  readonly u: readonly number[];
  /** Times > 0 at which an input changes, ascending. */
  readonly stops: readonly number[];
  readonly #state: EstimatedState;
  readonly #levels: readonly (readonly [index: number, levels: readonly Level[]])[];
  readonly #parameters: readonly (readonly [index: number, value: number])[];
  /** Of each input at the time that was begun; NaN where it is not changed. */
  readonly #forced: Float64Array;
  readonly #inputStdDev: Float64Array;
  #isForced = false;

  constructor(twin: EstimatedTwin, state: EstimatedState, changes: Changes = NO_CHANGES) {
    const { layout } = twin.filter;
    this.twin = twin;
    this.layout = layout;
    this.#state = state;
    this.u = [...state.u];
    this.belief = { z: [...state.belief.z], s: [...state.belief.s] };
    for (const [index, value] of changes.states) {
      this.belief.z[index] = value;
      this.belief.s.fill(0, index * layout.n, (index + 1) * layout.n);
    }
    this.#levels = [...changes.inputs];
    this.#parameters = [...changes.parameters];
    this.#forced = new Float64Array(state.u.length).fill(NaN);
    this.#inputStdDev = new Float64Array(state.u.length);
    const times = this.#levels.flatMap(([, levels]) => levels.map(({ atS }) => atS));
    this.stops = [...new Set(times)].filter((atS) => atS > 0).sort((a, b) => a - b);
    this.begin(0);
  }

  /** The levels of time `atS` are in force from now on. */
  begin(atS: number): void {
    this.#isForced = this.#parameters.length > 0;
    for (const [index, levels] of this.#levels) {
      const level = levels.findLast((each) => each.atS <= atS);
      this.#forced[index] = level?.value ?? NaN;
      if (level !== undefined) this.#isForced = true;
    }
  }

  /** Writes what is changed over a point's inputs and parameters. */
  force(u: Float64Array, p: Float64Array): void {
    if (!this.#isForced) return;
    for (const [index] of this.#levels) {
      const value = at(this.#forced, index);
      if (value === value) u[index] = value;
    }
    for (const [index, value] of this.#parameters) p[index] = value;
  }

  /** The model over dtS seconds with what is changed. */
  readonly integrate: Integrate = (x, u, p, dtS) => {
    this.force(u, p);
    this.twin.integrate(x, u, p, dtS);
  };

  /** A quantity with what is changed. */
  reading(read: Read): Read {
    const { u, p } = this.layout.point();
    return (x, inputs, parameters) => {
      if (!this.#isForced) return read(x, inputs, parameters);
      u.set(inputs);
      p.set(parameters);
      this.force(u, p);
      return read(x, u, p);
    };
  }

  /** Errors of the held inputs over the step from `atS` to `atS + dtS`, as the filter has them. Good until the next call. */
  inputStdDev(atS: number, dtS: number): Float64Array {
    const { uVariance, uIntervalS, uAgeS } = this.#state;
    for (let j = 0; j < this.#inputStdDev.length; j++) {
      const isKnown = !Number.isNaN(at(this.#forced, j));
      const ageS = at(uAgeS, j) + atS + dtS;
      this.#inputStdDev[j] = isKnown ? 0 : heldStdDev(at(uVariance, j), at(uIntervalS, j), ageS, dtS);
    }
    return this.#inputStdDev;
  }
}
