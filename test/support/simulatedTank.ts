import { estimatedTwin, integrateBy } from '../../src/twin/process/estimatedTwin.ts';
import type { EstimatedState, EstimatedTwin } from '../../src/twin/process/estimatedTwin.ts';
import type { EstimationOptions } from '../../src/twin/process/estimationOptions.ts';
import type { ProcessModel } from '../../src/twin/process/model.ts';
import { normals } from './stirredTank.ts';

/** Standard deviation of the simulated sensor, K. */
export const TEMPERATURE_NOISE = 0.5;

/**
 * A simulated tank and the twin that follows it. The truth begins off the model's start as the filter is told that it may
 * (half as much), and is disturbed as the filter is told that it is, `disturbance` times: 0 = not at all.
 */
export class Simulation {
  readonly twin: EstimatedTwin;
  readonly random: () => number;
  readonly x: Float64Array;
  readonly u: Float64Array;
  readonly p: Float64Array;
  state: EstimatedState;
  readonly #model: ProcessModel;
  readonly #integrate;
  readonly #disturbance: number;

  constructor(
    model: ProcessModel,
    seed: number,
    disturbance: number,
    options: EstimationOptions = { estimate: { UA: {} } },
  ) {
    this.#model = model;
    this.#disturbance = disturbance;
    this.random = normals(seed);
    this.twin = estimatedTwin(model, options);
    this.state = this.twin.initial();
    this.#integrate = integrateBy(model);
    const { estimated, noise } = this.twin.estimation;
    this.x = Float64Array.from(model.states, ({ initial }, i) => {
      return Math.max(0.01, initial + 0.5 * noise.initialStdDev[i]! * this.random());
    });
    this.u = Float64Array.from(model.inputs, ({ initial }) => initial);
    this.p = Float64Array.from(model.parameters, ({ initial }) => initial);
    for (const { kind, index, stdDev, initial } of estimated) {
      (kind === 'input' ? this.u : this.p)[index]! *= Math.exp((0.5 * stdDev * this.random()) / initial);
    }
  }

  /** Lets time pass in the plant alone. */
  pass(dtS: number): void {
    const { estimated, noise } = this.twin.estimation;
    const root = this.#disturbance * Math.sqrt(dtS);
    this.#integrate(this.x, this.u, this.p, dtS);
    for (const [i, { min }] of this.#model.states.entries()) {
      this.x[i] = Math.max(min, this.x[i]! + root * noise.noisePerSqrtS[i]! * this.random());
    }
    for (const { kind, index, noisePerSqrtS, initial } of estimated) {
      (kind === 'input' ? this.u : this.p)[index]! *= Math.exp(
        (root * noisePerSqrtS * this.random()) / initial,
      );
    }
  }

  /** What the sensor says now, degC. */
  temperature(): number {
    return this.x[1]! - 273.15 + TEMPERATURE_NOISE * this.random();
  }

  /** The twin after `dtS` seconds, with a measurement unless it is missing. */
  follow(dtS: number, measured: number | null): void {
    this.twin.advance(this.state, dtS);
    if (measured !== null) this.twin.correct(this.state, 'temperature', measured, TEMPERATURE_NOISE ** 2);
  }

  /** Whether the truth of an output is within the twin's 95 % band. */
  covers(output: string): boolean {
    const { value, stdDev } = this.twin.read(this.state, output);
    return Math.abs(value - this.#model.outputs[output]!.read(this.x, this.u, this.p)) <= 1.96 * stdDev!;
  }

  /** UA as the twin has it, and its standard deviation. */
  ua(): { readonly value: number; readonly stdDev: number } {
    return {
      value: this.twin.parameters(this.state)['UA']!,
      stdDev: this.twin.parameterStdDev!(this.state)['UA']!,
    };
  }
}
