/**
 * The end of one connection. Whatever notices first that it does not work any more ends it, and everything that
 * belongs to it is torn down in one place.
 */
export interface Outage {
  /** Why it ended; null while it works. */
  readonly reason: string | null;
  /** Resolves with the reason. */
  readonly ended: Promise<string>;
  end(reason: string): void;
  /** Runs at the end, or at once if that has passed. */
  onEnd(teardown: () => void): void;
  /** The promise's value, or an Error with the reason if the connection ends or `timeoutMs` pass before. */
  guard<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T>;
}

export function createOutage(): Outage {
  const teardowns = new Set<() => void>();
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let reason: string | null = null;
  const onEnd = (teardown: () => void): void => {
    if (reason === null) teardowns.add(teardown);
    else teardown();
  };
  return {
    get reason() {
      return reason;
    },
    ended,
    end(why) {
      if (reason !== null) return;
      reason = why;
      for (const teardown of teardowns) teardown();
      teardowns.clear();
      resolve(why);
    },
    onEnd,
    guard: (promise, timeoutMs, what) =>
      new Promise((resolvePromise, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`${what}: no answer within ${timeoutMs} ms`));
        }, timeoutMs);
        const ending = (): void => {
          clearTimeout(timer);
          reject(new Error(reason ?? 'ended'));
        };
        onEnd(ending);
        void promise.then(resolvePromise, reject).finally(() => {
          clearTimeout(timer);
          teardowns.delete(ending);
        });
      }),
  };
}

/** A repeated action that stops when the connection ends. */
export function every(outage: Outage, periodMs: number, action: () => void): void {
  const timer = setInterval(action, periodMs);
  outage.onEnd(() => {
    clearInterval(timer);
  });
}

/** Waits a short time, at most a second. @throws Error if the connection ends meanwhile. */
export async function lull(outage: Outage, ms: number): Promise<void> {
  const timer = new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });
  await outage.guard(timer, ms + 1000, 'wait');
}

/** The promise's result, or undefined if it fails or takes longer: for closing what may be dead already. */
export async function atMost(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    resolve(undefined);
  }, timeoutMs);
  await Promise.race([promise.catch(() => undefined), timeout]);
  clearTimeout(timer);
}

/** Waits, or returns early when aborted. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
