import type { ApiOptions, App } from './context.ts';
import { anomaliesCsv } from './csv.ts';
import { notFound } from './problem.ts';
import { CSV_TYPE, interval, rangeParameters } from './range.ts';
import { anomalyJson, anomalyStateJson } from './records.ts';
import { Anomaly, AssetParams, CSV_TEXT, ERRORS, query } from './schemas.ts';
import { isoTime } from './times.ts';

export function anomalyRoute(app: App, { live, store, config }: ApiOptions): void {
  app.get(
    '/api/assets/:asset/anomaly',
    {
      schema: {
        summary: 'Whether the sensors of an asset, together, are out of the normal, and which of them',
        description:
          'As it is now, where `anomaly` is configured for the asset: `learning` until its baseline is there, then the ' +
          'last verdict, which is of `timestamp`. With `start` or `end` also the stored `records` of that interval, oldest ' +
          'first, with `truncated` (in CSV: the header `rxtwin-truncated`) where more rows lie in it; CSV holds these alone.',
        tags: ['assets'],
        params: AssetParams,
        querystring: query(rangeParameters(config.maxRows)),
        response: {
          200: {
            description: 'State, and records',
            content: { 'application/json': { schema: Anomaly }, 'text/csv': CSV_TEXT },
          },
          ...ERRORS,
        },
      },
    },
    async ({ params: { asset: id }, query: { limit, format, ...times } }, reply) => {
      const asset = live.asset(id);
      if (asset === undefined) throw notFound('There is no such asset.');
      if (asset.anomaly === null) throw notFound('No anomaly detection is configured for this asset.');
      const state = { asset: id, ...anomalyStateJson(asset.anomaly) };
      if (format === 'json' && times.start === undefined && times.end === undefined) return state;
      const { start, end } = interval(times, live.now());
      // One row more than asked for tells whether there are more.
      const found = await store.anomalies({ asset: id, start, end, limit: limit + 1 });
      const truncated = found.length > limit;
      const rows = found.slice(0, limit);
      if (format === 'csv') {
        reply.header('rxtwin-truncated', String(truncated)).type(CSV_TYPE);
        return anomaliesCsv(rows);
      }
      return {
        ...state,
        start: isoTime(start),
        end: isoTime(end),
        records: rows.map(anomalyJson),
        truncated,
      };
    },
  );
}
