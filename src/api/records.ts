import type { AnomalyRecord } from '../../operators/steps/anomaly.ts';
import type { TwinRecord } from '../../operators/steps/twin.ts';
import type { Estimate, EstimatedReading, Issue, WindowAggregate } from '../../operators/types.ts';
import { smoothedName } from '../smoothed.ts';
import type { SmoothedRecord } from '../smoothed.ts';
import type { AggregateRow, StoredReading } from '../store/store.ts';
import type { AnomalyView, LiveEvent, SensorView } from './live.ts';
import { isoTime } from './times.ts';

/*
 * The JSON shapes of readings, windows and twins. Keys stand in the documented order; times are ISO 8601 in UTC,
 * numbers are doubles in full.
 */

const issueJson = ({ check, message }: Issue): Issue => ({ check, message });

type PlainEstimate = Pick<Estimate, 'value' | 'ratePerS' | 'stdDev'>;

const plainEstimate = (estimate: PlainEstimate | null): PlainEstimate | null =>
  estimate === null ? null : { value: estimate.value, ratePerS: estimate.ratePerS, stdDev: estimate.stdDev };

/** Of the event stream. */
export function readingRecord(reading: EstimatedReading) {
  const e = reading.estimate;
  return {
    type: 'reading' as const,
    asset: reading.asset,
    sensor: reading.sensor,
    timestamp: isoTime(reading.timestamp),
    value: reading.value,
    unit: reading.unit,
    quality: reading.quality,
    issues: reading.issues.map(issueJson),
    imputed: reading.imputed,
    estimate:
      e === null
        ? null
        : {
            value: e.value,
            ratePerS: e.ratePerS,
            stdDev: e.stdDev,
            covariance: e.covariance,
            innovation: e.innovation,
            nis: e.nis,
          },
  };
}

/** In the order of the store's rows and of the event stream. */
export const smoothedJson = (smoothed: SmoothedRecord) => ({
  name: smoothedName(smoothed.sensor, smoothed.wantedLagMs),
  timestamp: isoTime(smoothed.timestamp),
  value: smoothed.value,
  unit: smoothed.unit,
  ratePerS: smoothed.ratePerS,
  stdDev: smoothed.stdDev,
  lagMs: smoothed.lagMs,
});

const smoothedEvent = (smoothed: SmoothedRecord) => ({
  type: 'smoothed' as const,
  asset: smoothed.asset,
  sensor: smoothed.sensor,
  ...smoothedJson(smoothed),
});

export function windowRecord(window: WindowAggregate) {
  return {
    type: 'window' as const,
    asset: window.asset,
    sensor: window.sensor,
    unit: window.unit,
    sizeMs: window.sizeMs,
    everyMs: window.everyMs,
    start: isoTime(window.start),
    end: isoTime(window.end),
    count: window.count,
    badCount: window.badCount,
    imputedCount: window.imputedCount,
    mean: window.mean,
    timeWeightedMean: window.timeWeightedMean,
    min: window.min,
    max: window.max,
    stdDev: window.stdDev,
    first: window.first,
    last: window.last,
    revision: window.revision,
  };
}

export function twinJson(twin: TwinRecord) {
  return {
    asset: twin.asset,
    timestamp: isoTime(twin.timestamp),
    state: { ...twin.state },
    parameters: { ...twin.parameters },
    ...(twin.parameterStdDev !== undefined && { parameterStdDev: { ...twin.parameterStdDev } }),
    ...(twin.insights !== undefined && { insights: { ...twin.insights } }),
    residuals: { ...twin.residuals },
    sync: syncJson(twin.sync),
  };
}

export const twinRecord = (twin: TwinRecord) => ({ type: 'twin' as const, ...twinJson(twin) });

export const syncJson = (sync: TwinRecord['sync']) => ({
  status: sync.status,
  lagMs: sync.lagMs,
  staleSensors: [...sync.staleSensors],
  ...(sync.cause !== undefined && { cause: sync.cause }),
  ...(sync.since !== undefined && { since: isoTime(sync.since) }),
});

export const anomalyRecord = (anomaly: AnomalyRecord) => ({
  type: 'anomaly' as const,
  asset: anomaly.asset,
  ...anomalyJson(anomaly),
});

export const anomalyJson = (anomaly: AnomalyRecord) => ({
  timestamp: isoTime(anomaly.timestamp),
  event: anomaly.event,
  score: anomaly.score,
  threshold: anomaly.threshold,
  alarm: anomaly.alarm,
  since: anomaly.since === null ? null : isoTime(anomaly.since),
  contributions: anomaly.contributions.map(({ sensor, share }) => ({ sensor, share })),
});

/** How an asset stands now. */
export const anomalyStateJson = ({ learning, latest, alarms }: AnomalyView) => ({
  learning: learning !== null,
  ...(learning === null ? {} : { learned: learning.learned, learnCount: learning.wanted }),
  timestamp: latest === null ? null : isoTime(latest.timestamp),
  event: latest?.event ?? null,
  score: latest?.score ?? null,
  threshold: latest?.threshold ?? null,
  alarm: latest?.alarm ?? false,
  since: latest?.since == null ? null : isoTime(latest.since),
  contributions: latest?.contributions.map(({ sensor, share }) => ({ sensor, share })) ?? [],
  alarms,
});

/** In the list of assets. */
export const anomalySummaryJson = ({ learning, latest }: AnomalyView) => ({
  alarm: latest?.alarm ?? false,
  since: latest?.since == null ? null : isoTime(latest.since),
  learning: learning !== null,
});

/** One line of JSON as it goes over the stream. */
export function eventJson(event: LiveEvent): string {
  switch (event.type) {
    case 'reading':
      return JSON.stringify(readingRecord(event.reading));
    case 'smoothed':
      return JSON.stringify(smoothedEvent(event.smoothed));
    case 'window':
      return JSON.stringify(windowRecord(event.window));
    case 'twin':
      return JSON.stringify(twinRecord(event.twin));
    case 'anomaly':
      return JSON.stringify(anomalyRecord(event.anomaly));
  }
}

/** A sensor in the list of assets. */
export function sensorJson(view: SensorView) {
  const latest = view.latest;
  return {
    sensor: view.sensor,
    value: latest?.value ?? null,
    unit: latest?.unit ?? '',
    quality: latest?.quality ?? null,
    timestamp: latest === null ? null : isoTime(latest.timestamp),
    issues: latest?.issues.map(issueJson) ?? [],
    estimate: plainEstimate(latest?.estimate ?? null),
    stale: view.stale,
  };
}

/** The latest reading of a sensor, from the running pipeline or from the store. */
export const latestJson = (
  asset: string,
  sensor: string,
  stale: boolean,
  latest: EstimatedReading | StoredReading,
) => ({ asset, sensor, ...rowJson(latest), stale });

/** A row of the history. */
export const rowJson = (row: EstimatedReading | StoredReading) => ({
  timestamp: isoTime(row.timestamp),
  value: row.value,
  unit: row.unit,
  quality: row.quality,
  issues: row.issues.map(issueJson),
  imputed: row.imputed,
  estimate: plainEstimate(row.estimate),
});

export const aggregateJson = (row: AggregateRow) => ({
  start: isoTime(row.start),
  end: isoTime(row.end),
  count: row.count,
  badCount: row.badCount,
  mean: row.mean,
  timeWeightedMean: row.timeWeightedMean,
  min: row.min,
  max: row.max,
  stdDev: row.stdDev,
  first: row.first,
  last: row.last,
});
