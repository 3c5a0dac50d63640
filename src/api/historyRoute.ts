import { Type } from 'typebox';
import type { ApiOptions, App } from './context.ts';
import { readingsCsv, windowsCsv } from './csv.ts';
import { notFound } from './problem.ts';
import { CSV_TYPE, interval, rangeParameters } from './range.ts';
import { findReadings, findWindows } from './seam.ts';
import { aggregateJson, rowJson } from './records.ts';
import { ERRORS, History, query, SensorParams } from './schemas.ts';
import { isoTime } from './times.ts';

const YEAR_MS = 366 * 24 * 3_600_000;
const WARN_EVERY_MS = 10_000;

export function historyRoute(app: App, { live, store, history = null, config, log }: ApiOptions): void {
  let warnedAt = -Infinity;
  const onMissing = (err: Error): void => {
    if (live.now() - warnedAt < WARN_EVERY_MS) return;
    warnedAt = live.now();
    log.warn({ err }, 'history: the part that is older than the store is missing');
  };

  const isKnown = async (asset: string, sensor: string, signal: AbortSignal): Promise<boolean> => {
    if (live.sensor(asset, sensor) !== undefined || (await store.latest(asset, sensor)) !== null) return true;
    if (history === null) return false;
    // Where InfluxDB cannot tell, the sensor may be one.
    const ever = { lookBackMs: Infinity, signal };
    return history.latest(asset, sensor, ever).then(
      (reading) => reading !== null,
      () => true,
    );
  };

  app.get(
    '/api/assets/:asset/sensors/:sensor/history',
    {
      schema: {
        summary: 'Stored readings of a sensor, or windows over them',
        description:
          'Oldest first. `truncated` (in CSV: the header `rxtwin-truncated`) says that more rows lie in the ' +
          'interval: go on with `start` after the last one. What is older than the oldest row of the embedded ' +
          'store comes from InfluxDB, where that is configured: without issues, and windows without ' +
          '`timeWeightedMean`, `stdDev`, `first` and `last`. Where InfluxDB gives no answer, the newer part comes ' +
          'alone, and `incomplete` (in CSV: the header `rxtwin-incomplete`) says what is missing.',
        tags: ['sensors'],
        params: SensorParams,
        querystring: query({
          ...rangeParameters(config.maxRows),
          windowMs: Type.Optional(
            Type.Integer({ minimum: 1, maximum: YEAR_MS, description: 'Size of epoch-aligned windows' }),
          ),
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
    async ({ params: { asset, sensor }, query: { limit, windowMs, format, ...times }, signal }, reply) => {
      const { start, end } = interval(times, live.now());
      // One row more than asked for tells whether there are more.
      const range = { asset, sensor, start, end, limit: limit + 1 };
      const head = { asset, sensor, start: isoTime(start), end: isoTime(end) };
      const sources = { store, history, onMissing, signal };
      const { rows: found, incomplete } =
        windowMs === undefined
          ? await findReadings(sources, range)
          : await findWindows(sources, { ...range, windowMs });
      if (found.length === 0 && incomplete === null && !(await isKnown(asset, sensor, signal)))
        throw notFound('There is no such sensor.');
      const truncated = found.length > limit;
      if (format === 'csv') {
        reply.header('rxtwin-truncated', String(truncated)).type(CSV_TYPE);
        if (incomplete !== null) reply.header('rxtwin-incomplete', incomplete.replace(/[^ -~]/g, '?'));
      }
      const rows = found.slice(0, limit);
      const tail = { truncated, ...(incomplete === null ? {} : { incomplete }) };
      if (windowMs === undefined) {
        const readings = rows.filter((row) => 'timestamp' in row);
        if (format === 'csv') return readingsCsv(readings);
        return { ...head, readings: readings.map(rowJson), ...tail };
      }
      const windows = rows.filter((row) => 'start' in row);
      if (format === 'csv') return windowsCsv(windows);
      return { ...head, windowMs, windows: windows.map(aggregateJson), ...tail };
    },
  );
}
