export interface FaultOptions {
  /** A cut that is over in a minute or so; the figures that are asserted are the same. */
  readonly short: boolean;
  /** Where random instants and values come from: the same seed gives the same ones. */
  readonly seed: number;
  /** Readings a second that the load publishers send. */
  readonly rate: number;
  /** A folder of the scenario's own, deleted afterwards. */
  readonly folder: string;
  log(line: string): void;
}

/** One line of the matrix: a fault, and what became of the readings and of the twins. */
export interface FaultRow {
  /** What was done, in a few words, e.g. `kill -9, 100 instants`. */
  readonly fault: string;
  /** Readings whose receipt the broker (or server) has confirmed to the sender. */
  readonly sent: number;
  /** Different readings of these that the store holds afterwards. */
  readonly stored: number;
  /** Sent and not stored. */
  readonly lost: number;
  /** Rows beyond the first of a reading. */
  readonly duplicated: number;
  /** Twin state against an undisturbed run, bit for bit; null where the scenario has no twin. */
  readonly twin: 'identical' | 'different' | null;
  readonly passed: boolean;
  /** Figures worth knowing: recovery time, catch-up time, memory, refused, quarantined … */
  readonly note: string;
}

export interface Scenario {
  readonly name: string;
  /** For the report: what the fault is and how it is played, in a paragraph for people who run plants. */
  readonly about: string;
  /** Programs that have to be there, e.g. `mosquitto`; without them the scenario is skipped, and says so. */
  readonly needs: readonly string[];
  run(options: FaultOptions): Promise<readonly FaultRow[]>;
}
