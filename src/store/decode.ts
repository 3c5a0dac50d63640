import type { AnomalyEvent, AnomalyRecord } from '../../operators/steps/anomaly.ts';
import type { Plain, SyncStatus, TwinRecord } from '../../operators/steps/twin.ts';
import type { Issue, Quality, WindowAggregate } from '../../operators/types.ts';
import type { SmoothedRecord } from '../smoothed.ts';
import type { DeadLetterReason } from '../sources/source.ts';
import { IMPUTED, QUALITIES, RECEIVED } from './schema.ts';
import type {
  AggregateRow,
  ForwardCursor,
  QuarantinedPoint,
  StoredDeadLetter,
  StoredReading,
} from './store.ts';

/** One row of a result by column name, as DuckDB gives it. */
export type Row = Readonly<Record<string, unknown>>;

const fail = (row: Row, key: string): never => {
  throw new TypeError(`stored ${key}: unexpected ${String(row[key])}`);
};
const number = (row: Row, key: string): number => {
  const value = row[key];
  return typeof value === 'number' ? value : fail(row, key);
};
const text = (row: Row, key: string): string => {
  const value = row[key];
  return typeof value === 'string' ? value : fail(row, key);
};
const numberOrNull = (row: Row, key: string): number | null => (row[key] === null ? null : number(row, key));
/** Sums of values near the largest double overflow; that is no figure to show. */
const finiteOrNull = (row: Row, key: string): number | null => {
  const value = numberOrNull(row, key);
  return value === null || Number.isFinite(value) ? value : null;
};

const isObject = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const parse = (json: string): unknown => JSON.parse(json);
const object = (row: Row, key: string): Row => {
  const value = parse(text(row, key));
  return isObject(value) ? value : fail(row, key);
};
const numbers = (row: Row): Record<string, number> =>
  Object.fromEntries(Object.keys(row).map((key) => [key, number(row, key)]));

export const qualityOf = (flags: number): Quality => QUALITIES[flags & 3] ?? 'Bad';

export function parseIssues(json: string): readonly Issue[] {
  const issues = parse(json);
  return Array.isArray(issues)
    ? issues
        .filter(isObject)
        .map((issue) => ({ check: text(issue, 'check'), message: text(issue, 'message') }))
    : [];
}

export function decodeReading(row: Row): StoredReading {
  const flags = number(row, 'flags');
  const estimate = numberOrNull(row, 'estimate');
  return {
    row: number(row, 'row'),
    asset: text(row, 'asset'),
    sensor: text(row, 'sensor'),
    timestamp: number(row, 'timestamp'),
    value: numberOrNull(row, 'value'),
    unit: text(row, 'unit'),
    quality: qualityOf(flags),
    issues: row['issues'] === null ? [] : parseIssues(text(row, 'issues')),
    imputed: (flags & IMPUTED) !== 0,
    raw:
      (flags & RECEIVED) === 0
        ? null
        : {
            value: numberOrNull(row, 'received_value'),
            unit: text(row, 'received_unit'),
            quality: qualityOf(flags >> 2),
          },
    estimate:
      estimate === null
        ? null
        : { value: estimate, ratePerS: number(row, 'rate_per_s'), stdDev: number(row, 'std_dev') },
  };
}

export function decodeAggregate(row: Row): AggregateRow {
  return {
    start: number(row, 'start_ms'),
    end: number(row, 'end_ms'),
    count: number(row, 'count'),
    badCount: number(row, 'bad_count'),
    mean: finiteOrNull(row, 'mean'),
    timeWeightedMean: finiteOrNull(row, 'time_weighted_mean'),
    min: numberOrNull(row, 'min'),
    max: numberOrNull(row, 'max'),
    stdDev: finiteOrNull(row, 'std_dev'),
    first: numberOrNull(row, 'first'),
    last: numberOrNull(row, 'last'),
  };
}

export function decodeWindow(row: Row): WindowAggregate {
  return {
    asset: text(row, 'asset'),
    sensor: text(row, 'sensor'),
    unit: text(row, 'unit'),
    sizeMs: number(row, 'size_ms'),
    everyMs: number(row, 'every_ms'),
    imputedCount: number(row, 'imputed_count'),
    revision: number(row, 'revision'),
    ...decodeAggregate(row),
  };
}

const SYNC: readonly SyncStatus[] = ['synchronised', 'degraded', 'lost'];

/** Columns that a store of an earlier version does not have. */
const isText = (value: unknown): boolean => typeof value === 'string';

function plain(of: Row): Record<string, Plain> {
  const each = (value: unknown): Plain => {
    if (Array.isArray(value)) return value.map(each);
    if (isObject(value)) return plain(value);
    return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
      ? value
      : null;
  };
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, each(value)]));
}

export function decodeTwin(row: Row): TwinRecord {
  const state = object(row, 'state');
  const sync = object(row, 'sync');
  const staleSensors = sync['staleSensors'];
  return {
    asset: text(row, 'asset'),
    timestamp: number(row, 'timestamp'),
    state: Object.fromEntries(
      Object.entries(state).map(([name, output]) => {
        const of = isObject(output) ? output : fail(state, name);
        return [
          name,
          { value: number(of, 'value'), unit: text(of, 'unit'), stdDev: numberOrNull(of, 'stdDev') },
        ];
      }),
    ),
    parameters: numbers(object(row, 'parameters')),
    ...(isText(row['parameter_std_dev']) && { parameterStdDev: numbers(object(row, 'parameter_std_dev')) }),
    ...(isText(row['insights']) && { insights: plain(object(row, 'insights')) }),
    residuals: numbers(object(row, 'residuals')),
    sync: {
      status: SYNC.find((status) => status === sync['status']) ?? fail(sync, 'status'),
      lagMs: number(sync, 'lagMs'),
      staleSensors: Array.isArray(staleSensors) ? staleSensors.map(String) : [],
      ...(isText(sync['cause']) && { cause: text(sync, 'cause') }),
      ...(typeof sync['since'] === 'number' && { since: number(sync, 'since') }),
    },
  };
}

export function decodeSmoothed(row: Row): SmoothedRecord {
  return {
    asset: text(row, 'asset'),
    sensor: text(row, 'sensor'),
    timestamp: number(row, 'timestamp'),
    value: number(row, 'value'),
    unit: text(row, 'unit'),
    ratePerS: number(row, 'rate_per_s'),
    stdDev: number(row, 'std_dev'),
    wantedLagMs: number(row, 'wanted_lag_ms'),
    lagMs: number(row, 'lag_ms'),
  };
}

const EVENTS: Readonly<Record<string, AnomalyEvent>> = {
  onset: 'onset',
  cleared: 'cleared',
  accepted: 'accepted',
  update: 'update',
} satisfies Record<AnomalyEvent, AnomalyEvent>;

export function decodeAnomaly(row: Row): AnomalyRecord {
  const contributions = parse(text(row, 'contributions'));
  const since = numberOrNull(row, 'alarm_since');
  return {
    asset: text(row, 'asset'),
    timestamp: number(row, 'timestamp'),
    event: EVENTS[text(row, 'event')] ?? fail(row, 'event'),
    score: number(row, 'score'),
    threshold: number(row, 'threshold'),
    alarm: since !== null,
    since,
    contributions: Array.isArray(contributions)
      ? contributions
          .filter(isObject)
          .map((each) => ({ sensor: text(each, 'sensor'), share: number(each, 'share') }))
      : fail(row, 'contributions'),
  };
}

/** `satisfies` keeps the list complete when a reason is added to the contract. */
const REASONS: Readonly<Record<string, DeadLetterReason>> = {
  malformed: 'malformed',
  oversized: 'oversized',
  notFinite: 'notFinite',
  badTimestamp: 'badTimestamp',
  futureTimestamp: 'futureTimestamp',
  badUnit: 'badUnit',
  badQuality: 'badQuality',
  badTopic: 'badTopic',
  unknownAsset: 'unknownAsset',
  tooManySensors: 'tooManySensors',
  badValue: 'badValue',
} satisfies Record<DeadLetterReason, DeadLetterReason>;

export function decodeDeadLetter(row: Row): StoredDeadLetter {
  return {
    row: number(row, 'row'),
    source: text(row, 'source'),
    position: number(row, 'position'),
    arrivedAt: number(row, 'arrived_at'),
    reason: REASONS[text(row, 'reason')] ?? fail(row, 'reason'),
    detail: text(row, 'detail'),
    origin: text(row, 'origin'),
    payload: text(row, 'payload'),
    ...(typeof row['delivery'] === 'number' && { delivery: row['delivery'] }),
  };
}

export function decodeQuarantined(row: Row): QuarantinedPoint {
  return { at: number(row, 'refused_at'), line: text(row, 'line'), reason: text(row, 'reason') };
}

const NOTHING_FORWARDED: ForwardCursor = { through: 0, ahead: null };

/** @param json null in a store that was never forwarded */
export function decodeCursor(json: unknown): ForwardCursor {
  if (typeof json !== 'string') return NOTHING_FORWARDED;
  const cursor = parse(json);
  if (!isObject(cursor)) return NOTHING_FORWARDED;
  const { ahead } = cursor;
  return {
    through: number(cursor, 'through'),
    ahead: isObject(ahead) ? { from: number(ahead, 'from'), to: number(ahead, 'to') } : null,
  };
}
