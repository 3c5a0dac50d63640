import type { ApiOptions, App } from './context.ts';
import { smoothedCsv } from './csv.ts';
import { notFound } from './problem.ts';
import { CSV_TYPE, interval, rangeParameters } from './range.ts';
import { smoothedJson } from './records.ts';
import { CSV_TEXT, ERRORS, query, SensorParams, Smoothed } from './schemas.ts';
import { isoTime } from './times.ts';

export function smoothedRoute(app: App, { live, store, config }: ApiOptions): void {
  app.get(
    '/api/assets/:asset/sensors/:sensor/smoothed',
    {
      schema: {
        summary: 'Stored smoothed estimates of a sensor',
        description:
          'The second, delayed output next to the estimate, where `smooth` is on. Oldest first. `name` tells the lag that ' +
          'was asked for, `lagMs` how much of what came afterwards each estimate knows. `truncated` (in CSV: the header ' +
          '`rxtwin-truncated`) says that more rows lie in the interval: go on with `start` after the last one.',
        tags: ['sensors'],
        params: SensorParams,
        querystring: query(rangeParameters(config.maxRows)),
        response: {
          200: {
            description: 'Rows',
            content: { 'application/json': { schema: Smoothed }, 'text/csv': CSV_TEXT },
          },
          ...ERRORS,
        },
      },
    },
    async ({ params: { asset, sensor }, query: { limit, format, ...times } }, reply) => {
      const { start, end } = interval(times, live.now());
      // One row more than asked for tells whether there are more.
      const found = await store.smoothed({ asset, sensor, start, end, limit: limit + 1 });
      if (found.length === 0 && live.sensor(asset, sensor) === undefined) {
        if ((await store.latest(asset, sensor)) === null) throw notFound('There is no such sensor.');
      }
      const truncated = found.length > limit;
      const rows = found.slice(0, limit);
      if (format === 'csv') {
        reply.header('rxtwin-truncated', String(truncated)).type(CSV_TYPE);
        return smoothedCsv(rows);
      }
      const head = { asset, sensor, start: isoTime(start), end: isoTime(end) };
      return { ...head, smoothed: rows.map(smoothedJson), truncated };
    },
  );
}
