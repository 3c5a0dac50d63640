/** Whether a source time is too far ahead of the clock to be believed; both in epoch milliseconds. */
export type FutureLimit = (timestamp: number, arrivedAt: number) => boolean;

/**
 * Judges source times by the later of two clocks: the wall clock at arrival, and the wall clock at the start moved on by
 * monotonic time. A clock that is set back while the service runs would otherwise make every good reading one of the
 * future. One that was ahead at the start and is then put right leaves the limit too wide by as much, until a restart.
 *
 * @param maxFutureMs how far ahead is still believed
 * @param now wall clock, epoch milliseconds
 * @param monotonic milliseconds since any instant; never set back
 */
export function futureLimit(
  maxFutureMs: number,
  now: () => number,
  monotonic: () => number = () => performance.now(),
): FutureLimit {
  const startedAt = now() - monotonic();
  return (timestamp, arrivedAt) =>
    timestamp > arrivedAt + maxFutureMs && timestamp > startedAt + monotonic() + maxFutureMs;
}
