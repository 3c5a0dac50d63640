import type { Parting, Plain } from '../../../operators/steps/twin.ts';
import type { EstimatedState } from './estimatedTwin.ts';

/** A measurement as the filter found it. */
export interface Comparison {
  readonly quantity: string;
  /** In the unit that the model compares in. */
  readonly value: number;
  /** Measured minus expected. */
  readonly residual: number;
  /** Variance of the residual by the filter: that of what was expected plus that of the measurement. */
  readonly variance: number;
  /** Of the measurement alone. */
  readonly measurementVariance: number;
  /** Whether the filter took it in. */
  readonly believed: boolean;
}

/**
 * Something that goes along with an estimated twin and draws conclusions of its own: diagnosis, warnings, a learned
 * correction. Its state is plain data, lives in the twin's, and is checkpointed with it.
 */
export interface Companion<C extends object = object> {
  /** Key of its state, and of what it says in the records. */
  readonly name: string;
  initial(): C;
  /** The twin has moved `dtS` seconds ahead. */
  advanced?(own: C, twin: EstimatedState, dtS: number): void;
  /** A measurement was compared, before the filter took it in (`twin` is as it was expected). */
  compared?(own: C, twin: EstimatedState, comparison: Comparison): void;
  /** An input was measured. */
  told?(own: C, twin: EstimatedState, input: number): void;
  /** Why the twin cannot be trusted, if it cannot, and for how long so far. Default: it can. */
  parted?(own: C, twin: EstimatedState): Parting | null;
  /** What it has to say now; null = nothing. */
  says(own: C, twin: EstimatedState): Plain;
}
