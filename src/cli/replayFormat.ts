import type { EstimatedReading } from '../../operators/types.ts';
import { csvField } from '../api/csv.ts';
import { eventJson } from '../api/records.ts';
import { isoTime } from '../api/times.ts';
import type { Output } from '../pipeline.ts';

/** How records are written: one text an output, with its line end, or '' where the format has no place for it. */
export interface Format {
  readonly header: string;
  line(output: Output): string;
}

export const ndjson: Format = {
  header: '',
  line: (output) => `${eventJson(output)}\n`,
};

const CSV_HEADER = [
  ...['timestamp', 'asset', 'sensor', 'value', 'unit', 'quality', 'issues', 'imputed'],
  ...['estimate', 'rate_per_s', 'std_dev', 'p00', 'p01', 'p10', 'p11', 'innovation', 'nis'],
];

/** Readings only. */
export const csv: Format = {
  header: `${CSV_HEADER.join(',')}\n`,
  line: (output) => (output.type === 'reading' ? readingLine(output.reading) : ''),
};

function readingLine({ estimate, ...reading }: EstimatedReading): string {
  const { timestamp, asset, sensor, value, unit, quality, issues, imputed } = reading;
  const cells = [
    ...[isoTime(timestamp), asset, sensor, value, unit, quality],
    ...[issues.map(({ check, message }) => `${check}: ${message}`).join('; '), imputed],
    ...[estimate?.value, estimate?.ratePerS, estimate?.stdDev],
    ...(estimate?.covariance ?? [null, null, null, null]),
    ...[estimate?.innovation, estimate?.nis],
  ];
  return `${cells.map(csvField).join(',')}\n`;
}
