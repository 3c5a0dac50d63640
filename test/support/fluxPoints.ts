import { annotatedCsv } from './fluxServer.ts';
import type { CsvTable } from './fluxServer.ts';

/** A point of `reactor_sensor`; a field that is undefined was not written. */
export interface FluxPoint {
  /** Epoch microseconds. */
  readonly micros: number;
  readonly asset: string;
  readonly sensor: string;
  readonly quality: string;
  readonly unit?: string;
  readonly value?: number;
  readonly estimate?: number;
}

const LITERAL = '"((?:[^"\\\\]|\\\\.)*)"';
const ESCAPES: Readonly<Record<string, string>> = {
  'n': '\n',
  'r': '\r',
  't': '\t',
  '\\': '\\',
  '"': '"',
  '$': '$',
};

/** The text that the server's parser makes of a string literal. */
export const unescapeFlux = (literal: string): string =>
  literal.replace(/\\(?:x([0-9a-f]{2})|(.))/gs, (_all, hex: string | undefined, character: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    const plain = ESCAPES[character];
    if (plain === undefined) throw new Error(`Flux knows no escape \\${character}`);
    return plain;
  });

/** The literals behind a text of the query, as the server would read them. */
export function literalsAfter(query: string, text: string): string[] {
  const found = [...query.matchAll(new RegExp(`${text.replaceAll(/[.()]/g, '\\$&')}\\s*${LITERAL}`, 'gs'))];
  return found.map((match) => unescapeFlux(match[1] ?? ''));
}

const microsOf = (time: string): number => {
  const [, seconds, digits = ''] = /^(.*?)\.(\d{6})Z$/.exec(time) ?? [];
  return Date.parse(`${seconds ?? ''}Z`) * 1000 + Number(digits);
};
const timeOf = (micros: number): string => {
  const seconds = Math.floor(micros / 1e6);
  const fraction = String(micros - seconds * 1e6)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
};

/** Answers the queries of the reader from points, as InfluxDB would: enough of Flux for their three forms, and no more. */
export function answerFrom(points: readonly FluxPoint[], query: string): string {
  const only = (text: string): string => literalsAfter(query, text)[0] ?? '';
  const [asset, sensor] = [only('r.reactor_id =='), only('r.sensor_type ==')];
  const [start, stop] = [microsOf(only('range(start: time(v:')), microsOf(only('stop: time(v:'))];
  const limit = Number(/limit\(n: (\d+)\)/.exec(query)?.[1]);
  const found = points
    .filter((p) => p.asset === asset && p.sensor === sensor && p.micros >= start && p.micros < stop)
    .sort((a, b) => a.micros - b.micros);
  const every = Number(/every: duration\(v: "(\d+)ms"\)/.exec(query)?.[1]) * 1000;
  if (!Number.isNaN(every)) return annotatedCsv(windowTables(found, every, start, limit));
  const rows = query.includes('desc: true') ? found.slice(-1) : found.slice(0, limit);
  return annotatedCsv(rows.length === 0 ? [] : [pointTable(rows)]);
}

function pointTable(points: readonly FluxPoint[]): CsvTable {
  return {
    columns: [
      { name: '_time', type: 'dateTime:RFC3339' },
      ...['unit', 'quality'].map((name) => ({ name, type: 'string' })),
      ...['value', 'estimate', 'estimate_rate_per_s', 'estimate_std_dev'].map((name) => ({
        name,
        type: 'double',
      })),
      { name: 'imputed', type: 'boolean' },
    ],
    rows: points.map(({ micros, unit = 'degC', quality, value, estimate }) => [
      ...[timeOf(micros), unit, quality, value === undefined ? '' : String(value)],
      ...(estimate === undefined ? ['', '', ''] : [String(estimate), '0.01', '0.5']),
      'false',
    ]),
  };
}

/** By series (quality), as aggregateWindow does; a window that the range cuts begins with the range. */
function windowTables(points: readonly FluxPoint[], every: number, start: number, limit: number): CsvTable[] {
  const usable = points.filter(({ quality, value }) => quality !== 'Bad' && value !== undefined);
  const table = (
    result: string,
    type: string,
    rows: readonly FluxPoint[],
    of: (values: readonly number[]) => number,
  ): CsvTable => ({
    result,
    columns: [
      { name: '_time', type: 'dateTime:RFC3339' },
      { name: '_value', type },
    ],
    rows: ['Good', 'Uncertain', 'Bad'].flatMap((quality) => {
      const windows = new Map<number, number[]>();
      for (const point of rows.filter((row) => row.quality === quality)) {
        const at = Math.max(start, Math.floor(point.micros / every) * every);
        windows.set(at, [...(windows.get(at) ?? []), point.value ?? 0]);
      }
      return [...windows].slice(0, limit).map(([at, values]) => [timeOf(at), String(of(values))]);
    }),
  });
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return [
    table('all', 'long', points, (values) => values.length),
    table('count', 'long', usable, (values) => values.length),
    table('sum', 'double', usable, sum),
    table('min', 'double', usable, (values) => Math.min(...values)),
    table('max', 'double', usable, (values) => Math.max(...values)),
  ].filter(({ rows }) => rows.length > 0);
}
