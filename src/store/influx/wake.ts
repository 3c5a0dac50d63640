const MAX_TIMER_MS = 2 ** 31 - 1;

/** Rejects every wait once the forwarder stops. */
export class Stopped extends Error {
  constructor() {
    super('stopped');
  }
}

export interface Wake {
  /** Ends all waits. */
  notify(): void;
  /** Resolves at the next `notify`, or after `ms` (may be Infinity); rejects with `Stopped`. */
  wait(ms: number): Promise<void>;
}

export function createWake(stop: AbortSignal): Wake {
  const waiting = new Set<() => void>();
  const notify = (): void => {
    for (const resume of [...waiting]) resume();
  };
  stop.addEventListener('abort', notify, { once: true });
  return {
    notify,
    wait: (ms) =>
      new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const resume = (): void => {
          clearTimeout(timer);
          waiting.delete(resume);
          if (stop.aborted) reject(new Stopped());
          else resolve();
        };
        waiting.add(resume);
        if (stop.aborted) resume();
        else if (ms < Infinity) timer = setTimeout(resume, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
      }),
  };
}
