import type { Observable } from 'rxjs';
import type { AnomalyRecord } from '../../operators/steps/anomaly.ts';
import type { TwinRecord } from '../../operators/steps/twin.ts';
import type { EstimatedReading, WindowAggregate } from '../../operators/types.ts';
import type { SmoothedRecord } from '../smoothed.ts';
import type { SourceStatus } from '../sources/source.ts';
import type { TwinCopy } from '../twin/liveTwin.ts';

/** A sensor as it stands now. */
export interface SensorView {
  readonly asset: string;
  readonly sensor: string;
  /** null before its first reading. */
  readonly latest: EstimatedReading | null;
  /** No reading for longer than the sensor's `staleAfterMs`. */
  readonly stale: boolean;
}

/** What detectAnomaly says of an asset. */
export interface AnomalyView {
  /** How much of its baseline is learned, in intervals; null once there is one. */
  readonly learning: { readonly learned: number; readonly wanted: number } | null;
  /** null before the first verdict. The score is of its time: without an alarm, records come every `recordEveryMs`. */
  readonly latest: AnomalyRecord | null;
  /** Alarms that began since the asset is watched. */
  readonly alarms: number;
}

export interface AssetView {
  readonly id: string;
  /** Type of its model; null: it has no twin. */
  readonly model: string | null;
  readonly sensors: readonly SensorView[];
  /** null without a model, and before the twin's first state. */
  readonly twin: TwinRecord | null;
  /** null where it is not configured. */
  readonly anomaly: AnomalyView | null;
}

/** What the model expects from now on. */
export interface Trajectory {
  /** Time of the state from which the model was integrated, epoch milliseconds. */
  readonly from: number;
  readonly points: readonly {
    readonly timestamp: number;
    readonly values: Readonly<Record<string, number>>;
  }[];
}

export type LiveEvent =
  | { readonly type: 'reading'; readonly reading: EstimatedReading }
  | { readonly type: 'smoothed'; readonly smoothed: SmoothedRecord }
  | { readonly type: 'window'; readonly window: WindowAggregate }
  | { readonly type: 'twin'; readonly twin: TwinRecord }
  | { readonly type: 'anomaly'; readonly anomaly: AnomalyRecord };

export interface SourceView {
  readonly id: string;
  readonly type: string;
  readonly status: SourceStatus;
}

export interface HealthView {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
}

/** What the API shows of the running pipeline. Every call is cheap and changes nothing. */
export interface LiveView {
  /** Clock, epoch milliseconds. */
  now(): number;
  assets(): readonly AssetView[];
  asset(id: string): AssetView | undefined;
  sensor(asset: string, sensor: string): SensorView | undefined;
  /** undefined where the asset is unknown, has no model, or its twin has no state yet. */
  predict(asset: string, horizonS: number, stepS: number): Trajectory | undefined;
  /** A copy of a twin that is estimated; null where there is none, or none yet. */
  copy(asset: string): TwinCopy | null;
  /** Hot; what happened before the subscription is not repeated. */
  readonly events: Observable<LiveEvent>;
  sources(): readonly SourceView[];
  health(): HealthView;
}
