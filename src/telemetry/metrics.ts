import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { SyncStatus } from '../../operators/steps/twin.ts';
import type { DropReason, OnDrop, Quality, Reading } from '../../operators/types.ts';
import type { CheckpointStatus } from '../checkpoint/checkpointer.ts';
import type { DeadLetterReason } from '../sources/source.ts';
import type { AnomalyCounts, ForwardCounts, Observed } from './observed.ts';

/** Readings of one source, counted by their final quality. */
export type QualityCounts = Record<Quality, number>;

const NOT_FORWARDING: ForwardCounts = {
  lagRows: 0,
  lagSeconds: 0,
  forwardedRows: 0,
  quarantinedRows: 0,
  droppedRows: 0,
  skippedRows: 0,
  retries: 0,
  catchUp: null,
};

/**
 * The service's metrics. What changes with every reading is a plain number that the pipeline increments; the
 * exposition reads it when asked.
 */
export interface Metrics {
  /** Counters of one source: a source that is hot may keep the object and increment its fields. */
  readings(source: string): QualityCounts;
  /** Counts a reading by source (`none` where it fills a gap) and quality, and its issues by check. */
  reading(reading: Reading): void;
  /** Counts drops by reason, and readings too late for a window apart, because those are kept. */
  readonly onDrop: OnDrop;
  deadLetter(source: string, reason: DeadLetterReason): void;
  /** One commit is durable. */
  commit(durationS: number, rows: number): void;
  /** Adds to what each scrape asks; later functions replace earlier ones of the same name. */
  observe(observed: Observed): void;
  readonly contentType: string;
  /** The exposition in Prometheus' text format. */
  text(): Promise<string>;
}

type AnomalyMetric = readonly [name: string, help: string, value: (now: AnomalyCounts) => number | null];
type ForwardMetric = readonly [name: string, help: string, value: (now: ForwardCounts) => number];

const STATUSES: readonly SyncStatus[] = ['synchronised', 'degraded', 'lost'];
const COMMIT_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** A registry of its own, so that several services can live in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const readings = new Map<string, QualityCounts>();
  const drops: Record<Exclude<DropReason, 'lateForWindow'>, number> = {
    duplicate: 0,
    overflow: 0,
    putTimeout: 0,
  };
  const issues = new Map<string, number>();
  const deadLetters = new Map<string, Map<DeadLetterReason, number>>();
  let lateReadings = 0;
  let rows = 0;
  let observed: Observed = {};

  const counter = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    values: () => Iterable<readonly [Partial<Record<L, string>>, number]>,
  ): Counter<L> =>
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.inc(labels, value);
      },
    });
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    values: () => Iterable<readonly [Partial<Record<L, string>>, number]>,
  ): Gauge<L> =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [labels, value] of values()) this.set(labels, value);
      },
    });

  collectDefaultMetrics({ register: registry });
  counter('rxtwin_readings_total', 'Readings by source and final quality', ['source', 'quality'], () =>
    [...readings].flatMap(([source, counts]) =>
      Object.entries(counts).map(([quality, count]) => [{ source, quality }, count] as const),
    ),
  );
  counter('rxtwin_drops_total', 'Readings deliberately not kept, by reason', ['reason'], () =>
    Object.entries(drops).map(([reason, count]) => [{ reason }, count] as const),
  );
  counter('rxtwin_dead_letters_total', 'Inputs that could not become readings', ['source', 'reason'], () =>
    [...deadLetters].flatMap(([source, reasons]) =>
      [...reasons].map(([reason, count]) => [{ source, reason }, count] as const),
    ),
  );
  counter('rxtwin_issues_total', 'Issues found, by check', ['check'], () =>
    [...issues].map(([check, count]) => [{ check }, count] as const),
  );
  counter('rxtwin_late_readings_total', 'Readings too late for a window of theirs', [], () => [
    [{}, lateReadings],
  ]);
  counter('rxtwin_commit_rows_total', 'Rows made durable', [], () => [[{}, rows]]);
  const commitDuration = new Histogram({
    name: 'rxtwin_commit_duration_seconds',
    help: 'Duration of one commit of the store',
    buckets: COMMIT_BUCKETS_S,
    registers,
  });
  const checkpointed =
    (value: (status: CheckpointStatus) => number | null) => (): (readonly [object, number])[] => {
      const status = observed.checkpoint?.();
      const shown = status === undefined ? null : value(status);
      return shown === null ? [] : [[{}, shown]];
    };
  gauge(
    'rxtwin_checkpoint_age_seconds',
    'Time since the last checkpoint of operator state; 0 before the first',
    [],
    checkpointed(({ at }) => (at === null ? null : (performance.now() - at) / 1000)),
  );
  gauge(
    'rxtwin_checkpoint_duration_seconds',
    'Duration of the last checkpoint, with the wait for its commit',
    [],
    checkpointed(({ at, durationMs }) => (at === null ? null : durationMs / 1000)),
  );
  gauge(
    'rxtwin_checkpoint_pause_seconds',
    'Longest stretch for which the last checkpoint kept the pipeline waiting',
    [],
    checkpointed(({ at, longestSliceMs }) => (at === null ? null : longestSliceMs / 1000)),
  );
  gauge(
    'rxtwin_checkpoint_bytes',
    'Size of the last checkpoint',
    [],
    checkpointed(({ at, bytes }) => (at === null ? null : bytes)),
  );
  gauge('rxtwin_recovery_rows', 'Inputs that ran once more at the start of this process', [], () => [
    [{}, observed.recovery?.().rerun ?? 0],
  ]);
  gauge('rxtwin_recovery_seconds', 'Duration of the recovery at the start of this process', [], () => [
    [{}, (observed.recovery?.().durationMs ?? 0) / 1000],
  ]);
  gauge('rxtwin_buffer_readings', 'Readings that wait for their commit', [], () => [
    [{}, observed.bufferReadings?.() ?? 0],
  ]);
  gauge('rxtwin_source_connected', '1 while the source is connected', ['source'], () =>
    [...(observed.sources?.() ?? [])].map(
      ({ id, status }) => [{ source: id }, status.connected ? 1 : 0] as const,
    ),
  );
  counter('rxtwin_source_reconnects_total', 'Reconnects of the source', ['source'], () =>
    [...(observed.sources?.() ?? [])].map(({ id, status }) => [{ source: id }, status.reconnects] as const),
  );
  counter(
    'rxtwin_source_redelivered_total',
    'Messages that came again and were recognised by name',
    ['source'],
    () =>
      [...(observed.sources?.() ?? [])].map(
        ({ id, status }) => [{ source: id }, status.redelivered ?? 0] as const,
      ),
  );
  gauge(
    'rxtwin_sensor_lag_seconds',
    'Clock minus source time of the last reading: the largest over the sensors of the source',
    ['source'],
    () => [...(observed.lags?.() ?? [])].map(([source, lagS]) => [{ source }, lagS] as const),
  );
  gauge('rxtwin_twin_status', '1 for the status that the twin has', ['asset', 'status'], () =>
    [...(observed.twins?.() ?? [])].flatMap(({ asset, status }) =>
      STATUSES.map((known) => [{ asset, status: known }, known === status ? 1 : 0] as const),
    ),
  );
  const anomalies = (value: AnomalyMetric[2]) => (): (readonly [{ readonly asset: string }, number])[] =>
    [...(observed.anomalies?.() ?? [])].flatMap((now) => {
      const shown = value(now);
      return shown === null ? [] : [[{ asset: now.asset }, shown]];
    });
  for (const [name, help, value] of [
    [
      'alarm',
      '1 while the sensors of the asset, together, are out of the normal',
      (now) => Number(now.alarm),
    ],
    ['learning', '1 while the baseline is learned and nothing is judged', (now) => Number(now.learning)],
    ['score', 'Score of the last record', (now) => now.score],
    ['threshold', 'Threshold of the last record', (now) => now.threshold],
  ] satisfies readonly AnomalyMetric[]) {
    gauge(`rxtwin_anomaly_${name}`, help, ['asset'], anomalies(value));
  }
  counter(
    'rxtwin_anomalies_total',
    'Alarms that began',
    ['asset'],
    anomalies(({ alarms }) => alarms),
  );
  const forward = (): ForwardCounts => observed.forward?.() ?? NOT_FORWARDING;
  for (const [name, help, value] of [
    ['lag_rows', 'Rows committed but not yet forwarded', (now) => now.lagRows],
    ['lag_seconds', 'Age of the oldest row not yet forwarded', (now) => now.lagSeconds],
    ['catch_up_rows', 'Rows of a backlog that is being caught up', (now) => now.catchUp?.rowsLeft ?? 0],
    ['catch_up_rows_per_second', 'How fast it is', (now) => now.catchUp?.rowsPerS ?? 0],
  ] satisfies readonly ForwardMetric[]) {
    gauge(`rxtwin_forward_${name}`, help, [], () => [[{}, value(forward())]]);
  }
  for (const [name, help, value] of [
    ['rows', 'Rows taken by InfluxDB', (now) => now.forwardedRows],
    ['quarantined', 'Points refused by InfluxDB for good', (now) => now.quarantinedRows],
    ['dropped', 'Rows not forwarded because the backlog was full', (now) => now.droppedRows],
    ['skipped', 'Rows with nothing to forward', (now) => now.skippedRows],
    ['retries', 'Requests to InfluxDB that failed and are tried again', (now) => now.retries],
  ] satisfies readonly ForwardMetric[]) {
    counter(`rxtwin_forward_${name}_total`, help, [], () => [[{}, value(forward())]]);
  }

  const readingsOf = (source: string): QualityCounts => {
    const known = readings.get(source);
    if (known !== undefined) return known;
    const counts: QualityCounts = { Good: 0, Uncertain: 0, Bad: 0 };
    readings.set(source, counts);
    return counts;
  };

  return {
    readings: readingsOf,
    reading: ({ received, quality, issues: found }) => {
      readingsOf(received === null ? 'none' : received.source)[quality] += 1;
      for (const { check } of found) issues.set(check, (issues.get(check) ?? 0) + 1);
    },
    onDrop: (reason) => {
      if (reason === 'lateForWindow') lateReadings += 1;
      else drops[reason] += 1;
    },
    deadLetter: (source, reason) => {
      const reasons = deadLetters.get(source) ?? new Map<DeadLetterReason, number>();
      deadLetters.set(source, reasons);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    },
    commit: (durationS, count) => {
      commitDuration.observe(durationS);
      rows += count;
    },
    observe: (more) => {
      observed = { ...observed, ...more };
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
