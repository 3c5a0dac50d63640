/** Gives readings their time of arrival. */
export interface ArrivalClock {
  /** Arrival of a reading of that source time; null: of a line without a time. Epoch milliseconds. */
  at(timestamp: number | null): number;
  /** A reading of that source time has been accepted. */
  passed(timestamp: number): void;
}

/** The recording's own clock: a reading arrives at its source time, but never before one that stands ahead of it. */
export function recordedClock(): ArrivalClock {
  let latest = 0;
  return {
    at: (timestamp) => (timestamp === null ? latest : Math.max(latest, timestamp)),
    passed: (timestamp) => (latest = Math.max(latest, timestamp)),
  };
}
