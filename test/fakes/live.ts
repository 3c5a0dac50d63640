import { Subject } from 'rxjs';
import type { AnomalyRecord } from '../../operators/steps/anomaly.ts';
import type { TwinRecord } from '../../operators/steps/twin.ts';
import type { EstimatedReading, WindowAggregate } from '../../operators/types.ts';
import type { ApiOptions, ApiStore } from '../../src/api/server.ts';
import type { AssetView, HealthView, LiveEvent, LiveView, SourceView } from '../../src/api/live.ts';
import type { AggregateRow, RangeQuery, StoredDeadLetter, StoredReading } from '../../src/store/store.ts';
import type { SmoothedRecord } from '../../src/smoothed.ts';
import type { TwinCopy } from '../../src/twin/liveTwin.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

export const T0 = Date.parse('2025-10-26T10:30:15.000Z');

export function reading(over: Partial<EstimatedReading> = {}): EstimatedReading {
  return {
    asset: 'R101',
    sensor: 'temperature',
    timestamp: T0,
    value: 85.3,
    unit: 'degC',
    quality: 'Good',
    issues: [],
    imputed: false,
    received: {
      row: 1,
      source: 'plant',
      position: 1,
      arrivedAt: T0,
      value: 85.3,
      unit: 'degC',
      quality: 'Good',
    },
    estimate: {
      value: 85.1 + 0.2,
      ratePerS: 0.01,
      stdDev: 0.5,
      covariance: [0.25, 0.1, 0.1, 0.2],
      innovation: 0.125,
      nis: 0.5,
    },
    ...over,
  };
}

export function window(over: Partial<WindowAggregate> = {}): WindowAggregate {
  return {
    ...{ asset: 'R101', sensor: 'temperature', unit: 'degC', sizeMs: 1000, everyMs: 1000 },
    ...{
      start: T0,
      end: T0 + 1000,
      count: 2,
      badCount: 0,
      imputedCount: 0,
      mean: 85,
      timeWeightedMean: 85.5,
    },
    ...{ min: 84, max: 86, stdDev: Math.SQRT2, first: 84, last: 86, revision: 0 },
    ...over,
  };
}

export function smoothed(over: Partial<SmoothedRecord> = {}): SmoothedRecord {
  return {
    ...{ asset: 'R101', sensor: 'temperature', timestamp: T0 - 10_000, value: 0.1 + 0.2, unit: 'degC' },
    ...{ ratePerS: 0.01, stdDev: 0.125, wantedLagMs: 10_000, lagMs: 10_400 },
    ...over,
  };
}

export function anomaly(over: Partial<AnomalyRecord> = {}): AnomalyRecord {
  return {
    ...{
      asset: 'R101',
      timestamp: T0,
      event: 'onset',
      score: 31.5,
      threshold: 20.25,
      alarm: true,
      since: T0,
    },
    contributions: [
      { sensor: 'pressure', share: 0.75 },
      { sensor: 'temperature', share: 0.25 },
    ],
    ...over,
  };
}

export function twin(over: Partial<TwinRecord> = {}): TwinRecord {
  return {
    asset: 'R101',
    timestamp: T0,
    state: {
      temperature: { value: 85.2, unit: 'degC', stdDev: 0.4 },
      pressure: { value: 2.5, unit: 'MPa', stdDev: null },
      conversion: { value: 1 / 3, unit: '1', stdDev: null },
    },
    parameters: { massKg: 1000 },
    residuals: { temperature: -0.1 },
    sync: { status: 'synchronised', lagMs: 12, staleSensors: [] },
    ...over,
  };
}

/** A live view that the test fills by hand. */
export interface FakeLive extends LiveView {
  readonly events: Subject<LiveEvent>;
  readonly byId: Map<string, AssetView>;
  readonly copies: Map<string, TwinCopy>;
  clock: number;
  healthView: HealthView;
  sourceViews: SourceView[];
}

export function fakeLive(): FakeLive {
  const asset: AssetView = {
    id: 'R101',
    model: 'batchReactor',
    sensors: [
      { asset: 'R101', sensor: 'temperature', latest: reading(), stale: false },
      { asset: 'R101', sensor: 'pressure', latest: null, stale: true },
    ],
    twin: twin(),
    anomaly: null,
  };
  const live: FakeLive = {
    clock: T0,
    copies: new Map(),
    byId: new Map([
      ['R101', asset],
      ['tank/1', { id: 'tank/1', model: null, sensors: [], twin: null, anomaly: null }],
      ['R102', { id: 'R102', model: 'batchReactor', sensors: [], twin: null, anomaly: null }],
    ]),
    healthView: { ready: true, parts: { store: { ok: true, detail: 'open' } } },
    sourceViews: [
      {
        id: 'plant',
        type: 'mqtt',
        status: { connected: true, detail: 'mqtt://127.0.0.1:1883', reconnects: 2, problems: {} },
      },
    ],
    events: new Subject<LiveEvent>(),
    now: () => live.clock,
    assets: () => [...live.byId.values()],
    asset: (id) => live.byId.get(id),
    sensor: (id, name) => live.byId.get(id)?.sensors.find(({ sensor }) => sensor === name),
    predict: (id, horizonS, stepS) => {
      if (live.byId.get(id)?.twin == null) return undefined;
      const points = Array.from({ length: Math.floor(horizonS / stepS) }, (_, i) => ({
        timestamp: T0 + (i + 1) * stepS * 1000,
        values: { temperature: 85 + i * 0.1, conversion: 0.1 },
      }));
      return { from: T0, points };
    },
    copy: (id) => live.copies.get(id) ?? null,
    sources: () => live.sourceViews,
    health: () => live.healthView,
  };
  return live;
}

export function storedReading(over: Partial<StoredReading> = {}): StoredReading {
  return {
    ...{ row: 1, asset: 'R101', sensor: 'temperature', timestamp: T0, value: 0.1 + 0.2, unit: 'degC' },
    ...{ quality: 'Good', issues: [], imputed: false, raw: { value: 300, unit: 'mdegC', quality: 'Good' } },
    estimate: { value: 0.3, ratePerS: 0, stdDev: 0.1 },
    ...over,
  };
}

/** The queries of a store over arrays. Windows only count. */
export interface FakeStore extends ApiStore {
  readonly rows: StoredReading[];
  readonly letters: StoredDeadLetter[];
  readonly smoothedRows: SmoothedRecord[];
  readonly anomalyRows: AnomalyRecord[];
  readonly queries: RangeQuery[];
}

export function fakeStore(): FakeStore {
  const rows: StoredReading[] = [];
  const letters: StoredDeadLetter[] = [];
  const smoothedRows: SmoothedRecord[] = [];
  const anomalyRows: AnomalyRecord[] = [];
  const queries: RangeQuery[] = [];
  const range = (query: RangeQuery) => {
    queries.push(query);
    return rows.filter(
      (row) =>
        row.asset === query.asset &&
        row.sensor === query.sensor &&
        row.timestamp >= query.start &&
        row.timestamp < query.end,
    );
  };
  return {
    rows,
    letters,
    smoothedRows,
    anomalyRows,
    queries,
    latest: (asset, sensor) =>
      Promise.resolve(rows.findLast((row) => row.asset === asset && row.sensor === sensor) ?? null),
    range: (query) => Promise.resolve(range(query).slice(0, query.limit)),
    aggregate: (query) => {
      const windows = new Map<number, AggregateRow>();
      for (const { timestamp } of range(query)) {
        const start = Math.floor(timestamp / query.windowMs) * query.windowMs;
        const count = (windows.get(start)?.count ?? 0) + 1;
        windows.set(start, {
          ...{ start, end: start + query.windowMs, count, badCount: 0, mean: 1.5, timeWeightedMean: null },
          ...{ min: 1, max: 2, stdDev: null, first: 1, last: 2 },
        });
      }
      return Promise.resolve([...windows.values()].slice(0, query.limit));
    },
    smoothed: ({ asset, sensor, start, end, limit }) =>
      Promise.resolve(
        smoothedRows
          .filter((row) => row.asset === asset && row.sensor === sensor)
          .filter(({ timestamp }) => timestamp >= start && timestamp < end)
          .slice(0, limit),
      ),
    anomalies: ({ asset, start, end, limit }) =>
      Promise.resolve(
        anomalyRows
          .filter((row) => row.asset === asset && row.timestamp >= start && row.timestamp < end)
          .slice(0, limit),
      ),
    deadLetters: (limit) => Promise.resolve(letters.slice(0, limit)),
    quarantined: (limit) =>
      Promise.resolve([{ at: T0, line: 'm value=1', reason: 'type conflict' }].slice(0, limit)),
  };
}

export interface FakeApi {
  readonly live: FakeLive;
  readonly store: FakeStore;
  readonly logged: { readonly detail: object; readonly message: string }[];
  readonly options: ApiOptions;
}

/** Everything that the API needs, on a random port of the loopback. */
export function fakeApi(over: { readonly maxRows?: number; readonly maxStreams?: number } = {}): FakeApi {
  const live = fakeLive();
  const store = fakeStore();
  const logged: FakeApi['logged'] = [];
  const log = (detail: object, message: string) => void logged.push({ detail, message });
  return {
    live,
    store,
    logged,
    options: {
      live,
      store,
      metrics: createMetrics(),
      config: { host: '127.0.0.1', port: 0, maxRows: 100_000, maxStreams: 200, ...over },
      log: { info: log, warn: log, error: log },
      timing: { headersTimeoutMs: 400, closeTimeoutMs: 300, heartbeatMs: 15_000 },
    },
  };
}
