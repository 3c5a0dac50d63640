import { flux, fluxDateTime, fluxDuration, fluxExpression, fluxInteger } from '@influxdata/influxdb-client';
import type { ParameterizedQuery } from '@influxdata/influxdb-client';

/*
 * The Flux texts. Every name, time and number is bound by the client's `flux` template as a literal of its type.
 * The `params` of a request would be neater, but only InfluxDB Cloud knows them; InfluxDB 2 ignores them.
 */

/** What every query is about. Times are epoch milliseconds; [start, end). */
export interface FluxScope {
  readonly bucket: string;
  readonly asset: string;
  readonly sensor: string;
  readonly start: number;
  readonly end: number;
}

/** First and last instant that InfluxDB can hold: 64 bits of nanoseconds, cut to whole milliseconds. */
const MIN_MS = -9_223_372_036_854;
export const MAX_MS = 9_223_372_036_854;

const COLUMNS = [
  ...['_time', 'unit', 'quality', 'value'],
  ...['estimate', 'estimate_rate_per_s', 'estimate_std_dev', 'imputed'],
];

/**
 * RFC 3339 to the microsecond, rounded as the forwarder rounds the times of points, so that a bound falls on the same
 * side of a point as of its reading. Beyond what InfluxDB can hold: the nearest that it can.
 */
export function fluxTime(epochMs: number): string {
  const micros = Math.round(Math.min(MAX_MS, Math.max(MIN_MS, epochMs)) * 1000);
  const ms = Math.floor(micros / 1000);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(micros - ms * 1000).padStart(3, '0')}Z`;
}

/**
 * A text literal. The client escapes quotes, backslashes, line ends and the `${` of an interpolation; a NUL, at which
 * the server's parser would take the query for ended, it leaves as it is.
 */
const text = (value: string): ParameterizedQuery =>
  fluxExpression(flux`${value}`.toString().replaceAll('\0', '\\x00'));

/**
 * A name as its tag is stored. Line protocol has no line ends in tags: the client writes them as backslash and letter, and
 * the forwarder makes a backslash that would escape what follows a full-width one.
 */
const LINE_ENDS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const tag = (name: string): ParameterizedQuery =>
  text(
    name
      .replace(/\\(?=[\\,=\s]|$)/g, '\uFF3C')
      .replace(/[\n\r\t]/g, (character) => LINE_ENDS[character] ?? character),
  );

const time = (epochMs: number) => fluxDateTime(fluxTime(epochMs));

const points = ({ bucket, asset, sensor, start, end }: FluxScope): ParameterizedQuery =>
  flux`from(bucket: ${text(bucket)})
  |> range(start: ${time(start)}, stop: ${time(end)})
  |> filter(fn: (r) => r._measurement == "reactor_sensor" and r.reactor_id == ${tag(asset)} and r.sensor_type == ${tag(sensor)})`;

/** One row a point, whichever series its fields are in. */
const PIVOT = fluxExpression(`|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()`);
const KEEP = fluxExpression(`|> keep(columns: ${JSON.stringify(COLUMNS)})`);

/**
 * The newest point. The last of each field alone would do for one series; sorting picks the newest series, and as its
 * fields of that time are all the last of theirs, the row is whole.
 */
export const latestQuery = (scope: FluxScope): ParameterizedQuery =>
  flux`${points(scope)}
  |> last()
  ${PIVOT}
  |> sort(columns: ["_time"], desc: true)
  |> limit(n: 1)
  ${KEEP}`;

/**
 * The oldest points. The first limit is one a series, so that the server reads no more than it has to: each of the
 * oldest n points is among the oldest n of its own series.
 */
export const rangeQuery = (scope: FluxScope, limit: number): ParameterizedQuery =>
  flux`${points(scope)}
  |> limit(n: ${fluxInteger(limit)})
  ${PIVOT}
  |> sort(columns: ["_time"])
  |> limit(n: ${fluxInteger(limit)})
  ${KEEP}`;

/** Results of `aggregateQuery`; `all` counts the points, usable or not. */
export const AGGREGATES = ['all', 'count', 'sum', 'min', 'max'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/**
 * The oldest windows, by series: who asks puts them together, since a sensor has a series for each quality and unit. So
 * there is a sum and no mean: sums can be added. Each result reads on its own, because the storage engine
 * aggregates by itself only where nothing else needs the same points.
 */
export function aggregateQuery(scope: FluxScope, windowMs: number, limit: number): ParameterizedQuery {
  const every = fluxDuration(`${windowMs}ms`);
  const result = (name: Aggregate, fn: string): ParameterizedQuery => {
    const which = name === 'all' ? 'r._field == "imputed"' : 'r._field == "value" and r.quality != "Bad"';
    return flux`${points(scope)}
  |> filter(fn: (r) => ${fluxExpression(which)})
  |> aggregateWindow(every: ${every}, fn: ${fluxExpression(fn)}, createEmpty: false, timeSrc: "_start")
  |> limit(n: ${fluxInteger(limit)})
  |> keep(columns: ["_time", "_value"])
  |> yield(name: ${name})`;
  };
  return fluxExpression(AGGREGATES.map((name) => result(name, name === 'all' ? 'count' : name)).join('\n'));
}
