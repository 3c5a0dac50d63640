import type { ReconnectConfig } from '../../../config/types.ts';
import { Stopped } from './wake.ts';
import type { Wake } from './wake.ts';

/** Why nothing gets through: see ForwardState. */
export type TroubleKind = 'retrying' | 'misconfigured' | 'refused';

export interface Trouble {
  readonly kind: TroubleKind;
  readonly reason: string;
}

/** Lets requests pass while the server works; spaces them out, one at a time for both lanes, while it does not. */
export interface Gate {
  readonly trouble: Trouble | null;
  /** Failures so far, each of which leads to another try. */
  readonly retries: number;
  /** Resolves when a request may be made; the outcome must be told then. Rejects with `Stopped`. */
  pass(): Promise<void>;
  /** The request failed; the next may be made after a wait, of at least `atLeastMs`. */
  failed(trouble: Trouble, atLeastMs?: number): void;
  /** The server works, but did not take what was sent. */
  answered(): void;
  succeeded(): void;
}

export interface GateParts {
  readonly config: ReconnectConfig;
  readonly wake: Wake;
  readonly stop: AbortSignal;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  readonly random: () => number;
  readonly onTrouble: (trouble: Trouble, waitMs: number) => void;
  readonly onRecovered: () => void;
}

export function createGate(parts: GateParts): Gate {
  const { config, wake, stop, now, random } = parts;
  let trouble: Trouble | null = null;
  let failures = 0;
  let retries = 0;
  let notBefore = 0;
  let probing = false;

  const told = (): void => {
    probing = false;
    wake.notify();
  };
  return {
    get trouble() {
      return trouble;
    },
    get retries() {
      return retries;
    },
    async pass() {
      while (trouble !== null) {
        const waitMs = notBefore - now();
        if (!probing && waitMs <= 0) {
          probing = true;
          break;
        }
        await wake.wait(probing ? Infinity : waitMs);
      }
      if (stop.aborted) throw new Stopped();
    },
    failed(why, atLeastMs = 0) {
      trouble = why;
      retries += 1;
      const doubled = Math.min(config.maxMs, config.minMs * 2 ** Math.min(failures, 30));
      failures += 1;
      // What does not mend itself is tried at the longest wait.
      const base = why.kind === 'retrying' ? doubled : config.maxMs;
      const waitMs = Math.max(base * (1 - random() / 2), atLeastMs);
      notBefore = now() + waitMs;
      told();
      parts.onTrouble(why, waitMs);
    },
    answered: told,
    succeeded() {
      const recovered = trouble !== null;
      trouble = null;
      failures = 0;
      told();
      if (recovered) parts.onRecovered();
    },
  };
}
