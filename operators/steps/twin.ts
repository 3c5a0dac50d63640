/**
 * The model port: what a model of one asset must offer so that updateTwin can keep it in step.
 *
 * A model is stateless code on a plain state, which must survive a JSON round trip without loss.
 */
export interface TwinModel<S> {
  readonly type: string;
  /** Quantities that the model takes from sensors, with the unit it wants them in. */
  readonly quantities: Readonly<Record<string, string>>;
  /** Quantities of the state as shown to people: name -> unit. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Parameters in force, for people: name -> number. */
  parameters(state: S): Readonly<Record<string, number>>;
  initial(): S;
  /** Integrates the state forward by `dtS` seconds, >= 0. */
  advance(state: S, dtS: number): void;
  /**
   * Takes one measured quantity into the state.
   * @returns the residual: measured minus what the model said just before, or null where it says nothing of it.
   */
  correct(state: S, quantity: string, value: number, variance: number, timestamp: number): number | null;
  /** One output's value and standard deviation (null where the model states none). */
  read(state: S, output: string): { readonly value: number; readonly stdDev: number | null };
}

export type SyncStatus = 'synchronised' | 'degraded' | 'lost';

/** The twin of one asset at one time: what the store, the API, the stream and replay show. */
export interface TwinRecord {
  readonly asset: string;
  /** Event time up to which the model has been integrated, epoch milliseconds. */
  readonly timestamp: number;
  readonly state: Readonly<
    Record<string, { readonly value: number; readonly unit: string; readonly stdDev: number | null }>
  >;
  readonly parameters: Readonly<Record<string, number>>;
  /** Quantity -> measured minus modelled. */
  readonly residuals: Readonly<Record<string, number>>;
  readonly sync: {
    readonly status: SyncStatus;
    readonly lagMs: number;
    readonly staleSensors: readonly string[];
  };
}
