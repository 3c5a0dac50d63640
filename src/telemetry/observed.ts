import type { SyncStatus } from '../../operators/steps/twin.ts';
import type { CheckpointStatus } from '../checkpoint/checkpointer.ts';
import type { SourceStatus } from '../sources/source.ts';

/** What is asked at each scrape, because counting it as it changes would cost more. */
export interface Observed {
  /** Readings that wait for their commit. */
  readonly bufferReadings?: () => number;
  readonly sources?: () => Iterable<{
    readonly id: string;
    readonly status: Pick<SourceStatus, 'connected' | 'reconnects' | 'redelivered'>;
  }>;
  readonly twins?: () => Iterable<{ readonly asset: string; readonly status: SyncStatus }>;
  /** Assets for which detectAnomaly is configured. */
  readonly anomalies?: () => Iterable<AnomalyCounts>;
  /** Largest lag over the sensors of each source, seconds. */
  readonly lags?: () => Iterable<readonly [source: string, lagS: number]>;
  readonly checkpoint?: () => CheckpointStatus;
  readonly recovery?: () => { readonly rerun: number; readonly durationMs: number };
  /** Where rows are forwarded to InfluxDB. */
  readonly forward?: () => ForwardCounts;
}

export interface AnomalyCounts {
  readonly asset: string;
  readonly alarm: boolean;
  readonly learning: boolean;
  /** null before the first verdict, like the threshold. */
  readonly score: number | null;
  readonly threshold: number | null;
  /** Alarms that began. */
  readonly alarms: number;
}

/** Of the forwarder's status; counts since its start. */
export interface ForwardCounts {
  /** Rows committed but not yet forwarded. */
  readonly lagRows: number;
  /** Age of the oldest of them. */
  readonly lagSeconds: number;
  readonly forwardedRows: number;
  readonly quarantinedRows: number;
  readonly droppedRows: number;
  readonly skippedRows: number;
  readonly retries: number;
  readonly catchUp: { readonly rowsLeft: number; readonly rowsPerS: number } | null;
}
