import type { HealthView } from './api/live.ts';
import type { Entry } from './processor.ts';
import { isTick } from './processor.ts';
import { isDeadLetter } from './sources/source.ts';
import type { Source } from './sources/source.ts';
import type { CommitBatch } from './store/store.ts';
import { limitedWarn } from './telemetry/log.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** A commit that takes longer than this makes the service not ready. */
const SLOW_COMMIT_MS = 10_000;
const WARN_EVERY_MS = 10_000;

export interface Health {
  readonly view: () => HealthView;
  /** Processed and not yet committed. */
  readonly waiting: () => number;
  readonly onEntry: (entry: Entry) => void;
  readonly onCommit: (batch: CommitBatch, inputs: number, durationS: number) => void;
  readonly onStoreError: (error: unknown, what: string) => void;
}

/** Follows what comes in and what is committed, counts it, and says whether each part does its work. */
export function createHealth(parts: {
  readonly sources: readonly Source[];
  readonly metrics: Metrics;
  /** How InfluxDB does; null where nothing is forwarded. It is required only where the service cannot go on without it. */
  readonly forward: () => {
    readonly ok: boolean;
    readonly detail: string;
    readonly required: boolean;
  } | null;
  readonly now: () => number;
  readonly log: Log;
}): Health {
  const { sources, metrics, forward, now, log } = parts;
  const warn = limitedWarn(log, WARN_EVERY_MS, now);
  let waiting = 0;
  let oldestWaitingSince: number | null = null;
  let commitProblem: string | null = null;

  const store = (): { ok: boolean; detail: string } => {
    if (commitProblem !== null) return { ok: false, detail: commitProblem };
    const waitedMs = oldestWaitingSince === null ? 0 : now() - oldestWaitingSince;
    if (waitedMs > SLOW_COMMIT_MS)
      return { ok: false, detail: `no commit for ${waitedMs} ms, ${waiting} inputs wait` };
    return { ok: true, detail: `${waiting} inputs wait for their commit` };
  };
  const source = (each: Source): [string, { ok: boolean; detail: string }] => {
    const { connected, detail, problems } = each.status();
    const troubles = Object.entries(problems).map(([part, problem]) => `${part}: ${problem}`);
    return [`source ${each.id}`, { ok: connected, detail: [detail, ...troubles].join('; ') }];
  };

  return {
    view() {
      const parts = { store: store(), ...Object.fromEntries(sources.map(source)) };
      const ready = Object.values(parts).every(({ ok }) => ok);
      const influx = forward();
      if (influx === null) return { ready, parts };
      const { ok, detail, required } = influx;
      return { ready: ready && (ok || !required), parts: { ...parts, influx: { ok, detail } } };
    },
    waiting: () => waiting,
    onEntry({ input }) {
      waiting += 1;
      oldestWaitingSince ??= now();
      if (isTick(input) || !isDeadLetter(input)) return;
      metrics.deadLetter(input.source, input.reason);
      const { reason, detail, origin } = input;
      warn(`${input.source} ${reason}`, { source: input.source, reason, detail, origin }, 'Dead letter');
    },
    onCommit(batch, count, durationS) {
      waiting -= count;
      oldestWaitingSince = waiting > 0 ? now() : null;
      if (commitProblem !== null) log.info({}, 'The store takes commits again');
      commitProblem = null;
      metrics.commit(durationS, batch.readings.length);
    },
    onStoreError(error, what) {
      commitProblem = `${what} failed: ${error instanceof Error ? error.message : String(error)}`;
      warn('store', { err: error }, `${what} failed and is tried again; nothing is acknowledged meanwhile`);
    },
  };
}
