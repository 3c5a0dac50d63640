/** Two readings that come within one tick of the clock stand so far apart, ms: a microsecond, which InfluxDB keeps too. */
const STEP_MS = 0.001;
/** A clock that went back further than bursts can run ahead was set. */
const SET_BACK_MS = 1000;

/**
 * Times for readings that come without one: the clock's, but each later than the one before, so that equal values in one
 * burst are not taken for one reading that came twice, and InfluxDB keeps them apart.
 */
export function arrivalTimes(now: () => number): () => number {
  let last = -Infinity;
  return () => {
    const time = now();
    last = time > last || time < last - SET_BACK_MS ? time : last + STEP_MS;
    return last;
  };
}
