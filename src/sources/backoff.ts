import type { ReconnectConfig } from '../../config/types.ts';

/** Waits between attempts to connect. */
export interface Backoff {
  /** The next wait in ms: doubles from `minMs` up to `maxMs`, at least half of it fixed, the rest random. */
  next(): number;
  /** The longest wait in ms, with the same jitter, for what only a person can mend (bad credentials). */
  longest(): number;
  /** Back to `minMs`, after a connection that lasted. */
  reset(): void;
}

/**
 * Equal jitter: a wait is between half and the whole of its step, so that clients that lost the same server do not
 * return to it at the same instant, and none returns at once.
 *
 * @param random uniform in [0, 1)
 */
export function createBackoff(config: ReconnectConfig, random: () => number = Math.random): Backoff {
  const maxMs = Math.max(config.minMs, config.maxMs);
  let stepMs = config.minMs;
  const jitter = (ms: number): number => ms / 2 + (random() * ms) / 2;
  return {
    next() {
      const wait = jitter(stepMs);
      stepMs = Math.min(maxMs, stepMs * 2);
      return wait;
    },
    longest() {
      stepMs = maxMs;
      return jitter(maxMs);
    },
    reset() {
      stepMs = config.minMs;
    },
  };
}
