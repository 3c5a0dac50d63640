import type { AnomalyRecord } from '../../operators/steps/anomaly.ts';
import { smoothedName } from '../smoothed.ts';
import type { SmoothedRecord } from '../smoothed.ts';
import type { AggregateRow, StoredReading } from '../store/store.ts';
import { isoTime } from './times.ts';

type Cell = string | number | boolean | null | undefined;

/** RFC 4180: comma, CRLF, quotes where needed. A missing value is an empty field. */
function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

/** One cell as RFC 4180 writes it. */
export function csvField(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell !== 'string') return String(cell);
  // A spreadsheet would run such a text as a formula.
  const text = /^(?:[=@\t\r]|[+-].)/s.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const READING_HEADER = [
  ...['timestamp', 'value', 'unit', 'quality', 'issues', 'imputed'],
  ...['estimate', 'ratePerS', 'stdDev', 'rawValue', 'rawUnit', 'rawQuality'],
];

export const readingsCsv = (rows: readonly StoredReading[]): string =>
  csv(
    READING_HEADER,
    rows.map((row) => [
      ...[isoTime(row.timestamp), row.value, row.unit, row.quality],
      ...[row.issues.map(({ check, message }) => `${check}: ${message}`).join('; '), row.imputed],
      ...[row.estimate?.value, row.estimate?.ratePerS, row.estimate?.stdDev],
      ...[row.raw?.value, row.raw?.unit, row.raw?.quality],
    ]),
  );

const WINDOW_HEADER = [
  ...['start', 'end', 'count', 'badCount', 'mean', 'timeWeightedMean'],
  ...['min', 'max', 'stdDev', 'first', 'last'],
];

export const windowsCsv = (rows: readonly AggregateRow[]): string =>
  csv(
    WINDOW_HEADER,
    rows.map((row) => [
      ...[isoTime(row.start), isoTime(row.end), row.count, row.badCount, row.mean, row.timeWeightedMean],
      ...[row.min, row.max, row.stdDev, row.first, row.last],
    ]),
  );

export const smoothedCsv = (rows: readonly SmoothedRecord[]): string =>
  csv(
    ['name', 'timestamp', 'value', 'unit', 'ratePerS', 'stdDev', 'lagMs'],
    rows.map((row) => [
      ...[smoothedName(row.sensor, row.wantedLagMs), isoTime(row.timestamp), row.value, row.unit],
      ...[row.ratePerS, row.stdDev, row.lagMs],
    ]),
  );

export const anomaliesCsv = (rows: readonly AnomalyRecord[]): string =>
  csv(
    ['timestamp', 'event', 'score', 'threshold', 'alarm', 'since', 'contributions'],
    rows.map((row) => [
      ...[isoTime(row.timestamp), row.event, row.score, row.threshold, row.alarm],
      row.since === null ? null : isoTime(row.since),
      row.contributions.map(({ sensor, share }) => `${sensor}: ${share}`).join('; '),
    ]),
  );
