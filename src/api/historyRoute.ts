import { Type } from 'typebox';
import type { ApiOptions, App } from './context.ts';
import { readingsCsv, windowsCsv } from './csv.ts';
import { badParameter, notFound } from './problem.ts';
import { aggregateJson, rowJson } from './records.ts';
import { ERRORS, History, query, SensorParams } from './schemas.ts';
import { isoTime, parseTime } from './times.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 366 * 24 * HOUR_MS;

const timeParameter = (description: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 40,
      description: `${description}; ISO 8601 with a time zone, or epoch milliseconds`,
      examples: ['2025-10-26T10:30:15.000Z'],
    }),
  );

export function historyRoute(app: App, { live, store, config }: ApiOptions): void {
  app.get(
    '/api/assets/:asset/sensors/:sensor/history',
    {
      schema: {
        summary: 'Stored readings of a sensor, or windows over them',
        description:
          'Oldest first. `truncated` (in CSV: the header `rxtwin-truncated`) says that more rows lie in the ' +
          'interval: go on with `start` after the last one.',
        tags: ['sensors'],
        params: SensorParams,
        querystring: query({
          start: timeParameter('Beginning, inclusive; default: one hour before the end'),
          end: timeParameter('End, exclusive; default: now'),
          windowMs: Type.Optional(
            Type.Integer({ minimum: 1, maximum: YEAR_MS, description: 'Size of epoch-aligned windows' }),
          ),
          limit: Type.Integer({
            minimum: 1,
            maximum: config.maxRows,
            default: Math.min(1000, config.maxRows),
          }),
          format: Type.Enum(['json', 'csv'], { default: 'json' }),
        }),
        response: {
          200: {
            description: 'Rows',
            content: {
              'application/json': { schema: History },
              'text/csv': { schema: Type.String() },
            },
          },
          ...ERRORS,
        },
      },
    },
    async ({ params: { asset, sensor }, query: { limit, windowMs, format, ...times } }, reply) => {
      const { start, end } = interval(times, live.now());
      // One row more than asked for tells whether there are more.
      const range = { asset, sensor, start, end, limit: limit + 1 };
      const head = { asset, sensor, start: isoTime(start), end: isoTime(end) };
      const found =
        windowMs === undefined ? await store.range(range) : await store.aggregate({ ...range, windowMs });
      if (found.length === 0 && live.sensor(asset, sensor) === undefined) {
        if ((await store.latest(asset, sensor)) === null) throw notFound('There is no such sensor.');
      }
      const truncated = found.length > limit;
      if (format === 'csv') {
        reply.header('rxtwin-truncated', String(truncated)).type('text/csv; charset=utf-8; header=present');
      }
      const rows = found.slice(0, limit);
      if (windowMs === undefined) {
        const readings = rows.filter((row) => 'timestamp' in row);
        if (format === 'csv') return readingsCsv(readings);
        return { ...head, readings: readings.map(rowJson), truncated };
      }
      const windows = rows.filter((row) => 'start' in row);
      if (format === 'csv') return windowsCsv(windows);
      return { ...head, windowMs, windows: windows.map(aggregateJson), truncated };
    },
  );
}

function interval(
  times: { readonly start?: string; readonly end?: string },
  now: number,
): { readonly start: number; readonly end: number } {
  // A reading of this very millisecond counts.
  const end = times.end === undefined ? now + 1 : parseTime('end', times.end);
  const start = times.start === undefined ? end - HOUR_MS : parseTime('start', times.start);
  if (!(start < end))
    throw badParameter('start', times.start ?? isoTime(start), `a time before ${isoTime(end)}`);
  return { start, end };
}
