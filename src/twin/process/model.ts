/**
 * A first-principles model: dx/dt = f(x, u, p), autonomous between two changes of its inputs.
 *
 * States x, inputs u and parameters p are arrays of numbers in the order in which they are declared. The units inside
 * are the model's own (SI is best), time is in seconds; what people and sensors see goes through `measured` and `outputs`.
 * A model holds no state of its own: integrator, filters, prediction and plant all work on the same functions.
 */
export interface ProcessModel {
  readonly type: string;
  readonly states: readonly StateVariable[];
  readonly inputs: readonly Variable[];
  readonly parameters: readonly Variable[];
  /** Writes dx/dt into `dxdt`, per second. Must be finite for every x within its bounds. */
  derivatives(x: ArrayLike<number>, u: ArrayLike<number>, p: ArrayLike<number>, dxdt: Float64Array): void;
  /** Quantities that a sensor may measure, by name. */
  readonly measured: Readonly<Record<string, MeasuredQuantity>>;
  /** What is shown of the model, by name: measured quantities and soft sensors. */
  readonly outputs: Readonly<Record<string, OutputQuantity>>;
}

export interface Variable {
  readonly name: string;
  /** The unit inside the model. */
  readonly unit: string;
  /** At the start, unless it is known better. */
  readonly initial: number;
  /** Bounds of what is physically possible; values outside are drawn in. */
  readonly min: number;
  readonly max: number;
}

export interface StateVariable extends Variable {
  /** A typical magnitude of its changes, > 0: tolerances of the integration and steps of differences are relative to it. */
  readonly scale: number;
}

/** What a sensor measures: something that follows from the state, or an input that the model is told. */
export type MeasuredQuantity = MeasuredOutput | MeasuredInput;

export interface MeasuredOutput {
  readonly kind: 'output';
  /** Of the sensor's values. */
  readonly unit: string;
  read(x: ArrayLike<number>, u: ArrayLike<number>, p: ArrayLike<number>): number;
}

export interface MeasuredInput {
  readonly kind: 'input';
  /** Of the sensor's values. */
  readonly unit: string;
  /** Name of the input that it gives. */
  readonly input: string;
  /** The sensor's value in the input's unit. */
  toInput(value: number): number;
}

export interface OutputQuantity {
  readonly unit: string;
  read(x: ArrayLike<number>, u: ArrayLike<number>, p: ArrayLike<number>): number;
}
