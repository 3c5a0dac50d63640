import { Type } from 'typebox';
import { InfluxReadError } from '../store/influx/reader.ts';
import type { StoredReading } from '../store/store.ts';
import type { ApiOptions, App } from './context.ts';
import type { AssetView } from './live.ts';
import { badParameter, notFound, Problem } from './problem.ts';
import { anomalySummaryJson, latestJson, sensorJson, syncJson, twinJson } from './records.ts';
import {
  AssetList,
  AssetParams,
  ERRORS,
  Latest,
  NO_QUERY,
  Prediction,
  query,
  SensorParams,
  Twin,
} from './schemas.ts';
import { isoTime } from './times.ts';

const MAX_HORIZON_S = 86_400;
const MAX_POINTS = 10_000;

export function assetRoutes(app: App, { live, store, history = null, config }: ApiOptions): void {
  const knownAsset = (id: string): AssetView => {
    const asset = live.asset(id);
    if (asset === undefined) throw notFound('There is no such asset.');
    return asset;
  };

  const fromInflux = (asset: string, sensor: string, signal: AbortSignal): Promise<StoredReading | null> =>
    history === null
      ? Promise.resolve(null)
      : history.latest(asset, sensor, { signal }).catch((error: unknown) => {
          if (!(error instanceof InfluxReadError)) throw error;
          throw new Problem(503, `The store has no reading of such a sensor, and ${error.message}`);
        });

  app.get(
    '/api/assets',
    {
      schema: {
        summary:
          'Assets with their sensors, how well their twins are in step, and whether there is an anomaly',
        tags: ['assets'],
        querystring: query({
          limit: Type.Integer({
            minimum: 1,
            maximum: config.maxRows,
            default: Math.min(1000, config.maxRows),
          }),
          offset: Type.Integer({ minimum: 0, maximum: 1e9, default: 0 }),
        }),
        response: { 200: AssetList, ...ERRORS },
      },
    },
    ({ query: { limit, offset } }) => {
      const all = live.assets();
      const assets = all.slice(offset, offset + limit).map((asset) => ({
        asset: asset.id,
        model: asset.model,
        sensors: asset.sensors.map(sensorJson),
        sync: asset.twin === null ? null : syncJson(asset.twin.sync),
        anomaly: asset.anomaly === null ? null : anomalySummaryJson(asset.anomaly),
      }));
      return { assets, truncated: offset + assets.length < all.length };
    },
  );

  app.get(
    '/api/assets/:asset/twin',
    {
      schema: {
        summary: 'The twin of an asset: state, parameters, residuals and sync',
        tags: ['assets'],
        params: AssetParams,
        querystring: NO_QUERY,
        response: { 200: Twin, ...ERRORS },
      },
    },
    ({ params }) => {
      const asset = knownAsset(params.asset);
      if (asset.twin === null) throw noTwin(asset);
      return twinJson(asset.twin);
    },
  );

  app.get(
    '/api/assets/:asset/prediction',
    {
      schema: {
        summary: 'What the model expects over a horizon',
        description: `At most ${MAX_POINTS} points: horizonS / stepS.`,
        tags: ['assets'],
        params: AssetParams,
        querystring: query({
          horizonS: Type.Number({ exclusiveMinimum: 0, maximum: MAX_HORIZON_S, default: 60 }),
          stepS: Type.Number({ exclusiveMinimum: 0, maximum: MAX_HORIZON_S, default: 1 }),
        }),
        response: { 200: Prediction, ...ERRORS },
      },
    },
    ({ params, query: { horizonS, stepS } }) => {
      if (horizonS / stepS > MAX_POINTS) {
        throw badParameter(
          'stepS',
          String(stepS),
          `at least horizonS / ${MAX_POINTS} = ${horizonS / MAX_POINTS}`,
        );
      }
      if (stepS > horizonS) throw badParameter('stepS', String(stepS), `at most horizonS = ${horizonS}`);
      const asset = knownAsset(params.asset);
      const prediction = live.predict(asset.id, horizonS, stepS);
      if (prediction === undefined) throw noTwin(asset);
      const trajectory = prediction.points.map(({ timestamp, values }) => ({
        timestamp: isoTime(timestamp),
        ...values,
      }));
      return { asset: asset.id, from: isoTime(prediction.from), horizonS, stepS, trajectory };
    },
  );

  app.get(
    '/api/assets/:asset/sensors/:sensor/latest',
    {
      schema: {
        summary: 'The latest reading of a sensor with its estimate',
        description:
          'Of the running pipeline, else of the embedded store, else of the last hour in InfluxDB, where configured.',
        tags: ['sensors'],
        params: SensorParams,
        querystring: NO_QUERY,
        response: { 200: Latest, ...ERRORS },
      },
    },
    async ({ params: { asset, sensor }, signal }) => {
      const view = live.sensor(asset, sensor);
      if (view?.latest != null) return latestJson(asset, sensor, view.stale, view.latest);
      const stored = (await store.latest(asset, sensor)) ?? (await fromInflux(asset, sensor, signal));
      if (stored === null) throw notFound('There is no reading of such a sensor.');
      return latestJson(asset, sensor, true, stored);
    },
  );
}

const noTwin = (asset: AssetView) =>
  notFound(asset.model === null ? 'This asset has no model.' : 'The twin of this asset has no state yet.');
