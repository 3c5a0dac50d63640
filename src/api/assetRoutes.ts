import { Type } from 'typebox';
import { InfluxReadError } from '../store/influx/reader.ts';
import type { StoredReading } from '../store/store.ts';
import type { ApiOptions, App } from './context.ts';
import type { AssetView } from './live.ts';
import { notFound, Problem } from './problem.ts';
import { anomalySummaryJson, latestJson, sensorJson, syncJson, twinJson } from './records.ts';
import { AssetList, AssetParams, ERRORS, Latest, NO_QUERY, query, SensorParams, Twin } from './schemas.ts';

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

export const noTwin = (asset: AssetView) =>
  notFound(asset.model === null ? 'This asset has no model.' : 'The twin of this asset has no state yet.');
