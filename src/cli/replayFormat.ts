import type { Estimate, EstimatedReading, WindowAggregate } from '../../operators/types.ts';
import { csvField } from '../api/csv.ts';
import { eventJson } from '../api/records.ts';
import { isoTime } from '../api/times.ts';
import type { Output } from '../pipeline.ts';
import { smoothedName } from '../smoothed.ts';
import type { SmoothedRecord } from '../smoothed.ts';

/** How records are written: one text an output, with its line end, or '' where the format has no place for it. */
export interface Format {
  readonly header: string;
  line(output: Output): string;
}

/**
 * The records of the event stream, one a line. Readings, smoothed ones and windows are written by hand, because that takes half the
 * time of JSON.stringify on an object made for it, and a replay writes little else; the result is the same text.
 */
export const ndjson: Format = {
  header: '',
  line(output) {
    if (output.type === 'reading') return readingJson(output.reading);
    if (output.type === 'smoothed') return smoothedJson(output.smoothed);
    if (output.type === 'window') return windowJson(output.window);
    return `${eventJson(output)}\n`;
  },
};

function readingJson(reading: EstimatedReading): string {
  const { timestamp, value, quality, issues, imputed, estimate } = reading;
  return (
    `{"type":"reading",${namesJson(reading)},"timestamp":"${isoTime(timestamp)}","value":${numberJson(value)},` +
    `"unit":${textJson(reading.unit)},"quality":"${quality}","issues":${issues.length === 0 ? '[]' : JSON.stringify(issues)},` +
    `"imputed":${imputed},"estimate":${estimate === null ? 'null' : estimateJson(estimate)}}\n`
  );
}

function estimateJson({ value, ratePerS, stdDev, covariance: p, innovation, nis }: Estimate): string {
  return (
    `{"value":${numberJson(value)},"ratePerS":${numberJson(ratePerS)},"stdDev":${numberJson(stdDev)},` +
    `"covariance":[${numberJson(p[0])},${numberJson(p[1])},${numberJson(p[2])},${numberJson(p[3])}],` +
    `"innovation":${numberJson(innovation)},"nis":${numberJson(nis)}}`
  );
}

function smoothedJson(smoothed: SmoothedRecord): string {
  const { sensor, timestamp, value, ratePerS, stdDev, wantedLagMs, lagMs } = smoothed;
  return (
    `{"type":"smoothed",${namesJson(smoothed)},"name":${textJson(smoothedName(sensor, wantedLagMs))},` +
    `"timestamp":"${isoTime(timestamp)}","value":${numberJson(value)},"unit":${textJson(smoothed.unit)},` +
    `"ratePerS":${numberJson(ratePerS)},"stdDev":${numberJson(stdDev)},"lagMs":${numberJson(lagMs)}}\n`
  );
}

function windowJson(window: WindowAggregate): string {
  const { sizeMs, everyMs, start, end, count, badCount, imputedCount, revision } = window;
  return (
    `{"type":"window",${namesJson(window)},"unit":${textJson(window.unit)},"sizeMs":${sizeMs},"everyMs":${everyMs},` +
    `"start":"${isoTime(start)}","end":"${isoTime(end)}",` +
    `"count":${count},"badCount":${badCount},"imputedCount":${imputedCount},"mean":${numberJson(window.mean)},` +
    `"timeWeightedMean":${numberJson(window.timeWeightedMean)},"min":${numberJson(window.min)},` +
    `"max":${numberJson(window.max)},"stdDev":${numberJson(window.stdDev)},"first":${numberJson(window.first)},` +
    `"last":${numberJson(window.last)},"revision":${revision}}\n`
  );
}

const namesJson = ({ asset, sensor }: { readonly asset: string; readonly sensor: string }): string =>
  `"asset":${textJson(asset)},"sensor":${textJson(sensor)}`;

/** JSON has no NaN and no infinity; like JSON.stringify, null stands for them. */
const numberJson = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? 'null' : String(value);

const MAX_TEXTS = 10_000;
const texts = new Map<string, string>();

/** Names and units come again with every reading. */
function textJson(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= MAX_TEXTS) texts.clear();
  const written = JSON.stringify(text);
  texts.set(text, written);
  return written;
}

const CSV_HEADER = [
  ...['timestamp', 'asset', 'sensor', 'value', 'unit', 'quality', 'issues', 'imputed'],
  ...['estimate', 'rate_per_s', 'std_dev', 'p00', 'p01', 'p10', 'p11', 'innovation', 'nis'],
];

/** Readings only. */
export const csv: Format = {
  header: `${CSV_HEADER.join(',')}\n`,
  line: (output) => (output.type === 'reading' ? readingCsv(output.reading) : ''),
};

function readingCsv({ estimate, ...reading }: EstimatedReading): string {
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
