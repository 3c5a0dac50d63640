import type { InfluxConfig } from '../../../config/types.ts';
import type { Log } from '../../telemetry/log.ts';
import type { ForwardCursor, Store } from '../store.ts';

/** What the forwarder needs of the store. */
export type ForwardStore = Pick<
  Store,
  'lastCommit' | 'forwarded' | 'setForwarded' | 'committedAfter' | 'countCommitted' | 'quarantine'
>;

/**
 * `forwarding`: in order. `catchingUp`: live rows are forwarded, and a backlog besides. `retrying`: no answer, or one to try
 * again. `misconfigured`: token, organisation, bucket or address are wrong. `refused`: the server takes nothing at all.
 */
export type ForwardState = 'forwarding' | 'catchingUp' | 'retrying' | 'misconfigured' | 'refused' | 'stopped';

/** Plain values at one instant; counts are since the start of the process. */
export interface ForwardStatus {
  readonly state: ForwardState;
  /** Whether InfluxDB takes what it is sent. */
  readonly ok: boolean;
  /** In words, without secrets. */
  readonly detail: string;
  /** Committed rows that are not forwarded yet. */
  readonly lagRows: number;
  /** Age of the oldest of them, seconds: since its commit, or, where that was before the start, since its source time. */
  readonly lagSeconds: number;
  readonly forwardedRows: number;
  /** Refused by InfluxDB for good. */
  readonly quarantinedRows: number;
  /** Given up because the backlog was full; still in the store. */
  readonly droppedRows: number;
  /** Without anything to write. */
  readonly skippedRows: number;
  readonly retries: number;
  /** null while no backlog is being caught up. */
  readonly catchUp: { readonly rowsLeft: number; readonly rowsPerS: number } | null;
  readonly cursor: ForwardCursor;
}

export interface Forwarder {
  /** A commit is durable: its number, and its count of readings. Returns at once and never throws. */
  committed(lastCommit: number, rows: number): void;
  status(): ForwardStatus;
  /** Readings of commits up to this one need not be kept for forwarding. */
  pruneBound(): number;
  /** Ends within some seconds; what was not forwarded is so after the next start. Call it before the store closes. Idempotent. */
  stop(): Promise<void>;
}

export interface ForwarderParts {
  readonly config: InfluxConfig;
  readonly store: ForwardStore;
  /** Clock, epoch milliseconds. */
  readonly now: () => number;
  readonly log: Log;
  /** Only with the policy `stop`: true when the backlog is full, false when a tenth of it is free again. */
  readonly onBacklog?: (full: boolean) => void;
  /** In [0, 1), for waits and samples. */
  readonly random?: () => number;
}
