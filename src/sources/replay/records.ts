import { deadLetter, decodeRecord } from '../mqtt/codec.ts';
import type { DecodeMeta } from '../mqtt/codec.ts';
import { isDeadLetter } from '../source.ts';
import type { DeadLetterReason, SourceEvent } from '../source.ts';
import { EXPECTED_TIME, epochTime, valueCell } from './cells.ts';
import type { ArrivalClock } from './clock.ts';
import type { LongColumns, WideColumns } from './header.ts';
import { MAX_LINE } from './lines.ts';

/** Where the current line stands and how it is read. */
export interface LineContext {
  /** Id of the source. */
  readonly source: string;
  /** File name. */
  readonly file: string;
  readonly linesBefore: number;
  readonly clock: ArrivalClock;
  readonly time: (text: string) => number;
  /** An asset's or sensor's name, '' where it cannot be one. */
  readonly name: (text: string) => string;
  /** Of the line, counted over all inputs. */
  position: number;
}

const MAX_NAME = 128;
const MAX_SHOWN = 64;

/** One line of NDJSON: an object with asset, sensor and the fields of an MQTT payload. */
export function ndjsonLine(text: string, at: LineContext, out: SourceEvent[]): void {
  if (text.length > MAX_LINE) {
    out.push(refused('oversized', `line: longer than ${MAX_LINE} characters`, text, at));
    return;
  }
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    out.push(refused('malformed', `line: ${shown(text)} is not JSON`, text, at));
    return;
  }
  if (!isObject(record)) {
    out.push(refused('malformed', `line: ${shown(text)} is not valid, expected a JSON object`, text, at));
    return;
  }
  const { asset, sensor, timestamp: written, value, unit, quality } = record;
  const time = typeof written === 'string' ? at.time(written) : epochTime(written);
  out.push(readingOf({ asset, sensor, written, value, unit, quality }, time, text, at));
}

/** One row of `timestamp,asset,sensor,value[,unit][,quality]`. */
export function longCsvRow(
  cells: readonly string[],
  text: string,
  columns: LongColumns,
  at: LineContext,
  out: SourceEvent[],
): void {
  if (!fits(cells, columns.count)) {
    out.push(refusedRow(cells, columns.count, text, at));
    return;
  }
  const written = cells[columns.timestamp] ?? '';
  const fields = {
    asset: (cells[columns.asset] ?? '').trim(),
    sensor: (cells[columns.sensor] ?? '').trim(),
    written,
    value: valueCell(cells[columns.value] ?? ''),
    unit: optionalCell(cells, columns.unit),
    quality: optionalCell(cells, columns.quality),
  };
  out.push(readingOf(fields, at.time(written), text, at));
}

/** One row of a wide recording: a reading of each mapped column, all of one time. */
export function wideCsvRow(
  cells: readonly string[],
  text: string,
  columns: WideColumns,
  at: LineContext,
  out: SourceEvent[],
): void {
  if (!fits(cells, columns.count)) {
    out.push(refusedRow(cells, columns.count, text, at));
    return;
  }
  const { asset, sensors } = columns;
  const written = cells[columns.time] ?? '';
  const time = at.time(written);
  if (Number.isNaN(time)) {
    out.push(refused('badTimestamp', timeProblem(written), text, at));
    return;
  }
  // Only the last reading of a line releases the line.
  const before = { ...at, position: at.position - 1 };
  for (const [i, { sensor, column, index }] of sensors.entries()) {
    const fields = { asset, sensor, written, value: valueCell(cells[index] ?? '') };
    const place = i === sensors.length - 1 ? at : before;
    out.push(readingOf(fields, time, text, place, originOf(at), column));
  }
}

/** A line that is no row of CSV. */
export function brokenCsvRow(text: string, at: LineContext, out: SourceEvent[]): void {
  out.push(refused('malformed', `line: ${shown(text)} is not CSV (quotes do not match)`, text, at));
}

/** A line with bytes that mean nothing in UTF-8: as Latin-1, its units would come out damaged. */
export function notUtf8(text: string, at: LineContext, out: SourceEvent[]): void {
  out.push(refused('malformed', `line: ${NOT_UTF8}`, text, at));
}
export const NOT_UTF8 = 'not UTF-8, expected a text in UTF-8';

interface Fields {
  readonly asset: unknown;
  readonly sensor: unknown;
  /** The time as it was written, for the message. */
  readonly written: unknown;
  readonly value?: unknown;
  readonly unit?: unknown;
  readonly quality?: unknown;
}

/** @param timestamp what the written time means; NaN where it means none. */
function readingOf(
  { asset, sensor, written, value, unit, quality }: Fields,
  timestamp: number,
  text: string,
  at: LineContext,
  origin = originOf(at),
  path = '',
): SourceEvent {
  const meta: DecodeMeta = {
    asset: nameOf(asset, at),
    sensor: nameOf(sensor, at),
    source: at.source,
    position: at.position,
    arrivedAt: at.clock.at(Number.isNaN(timestamp) ? null : timestamp),
    origin,
    maxPayloadBytes: MAX_LINE,
    maxFutureMs: Infinity,
  };
  if (meta.asset === '') return deadLetter('malformed', nameProblem('asset', asset), meta, text);
  if (meta.sensor === '') return deadLetter('malformed', nameProblem('sensor', sensor), meta, text);
  if (Number.isNaN(timestamp)) return deadLetter('badTimestamp', timeProblem(written), meta, text);
  const event = decodeRecord({ value, unit, quality, timestamp }, meta, text, path);
  if (!isDeadLetter(event)) at.clock.passed(timestamp);
  return event;
}

const originOf = ({ file, position, linesBefore }: LineContext): string =>
  `${file}:${position - linesBefore}`;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every row has the header's cells: one too many or too few may well be a decimal comma or a line cut short. */
const fits = (cells: readonly string[], count: number): boolean =>
  cells.length === count || (cells.length > count && cells.slice(count).every((cell) => cell.trim() === ''));

const refusedRow = (cells: readonly string[], count: number, text: string, at: LineContext): SourceEvent =>
  text.length > MAX_LINE
    ? refused('oversized', `line: longer than ${MAX_LINE} characters`, text, at)
    : refused('malformed', `line: ${cells.length} cells, expected ${count} as in the header`, text, at);

const refused = (reason: DeadLetterReason, detail: string, text: string, at: LineContext): SourceEvent =>
  deadLetter(
    reason,
    detail,
    { source: at.source, position: at.position, arrivedAt: at.clock.at(null), origin: originOf(at) },
    text,
  );

function optionalCell(cells: readonly string[], index: number): string | undefined {
  const text = index < 0 ? '' : (cells[index] ?? '').trim();
  return text === '' ? undefined : text;
}

const nameOf = (name: unknown, at: LineContext): string => (typeof name === 'string' ? at.name(name) : '');

const SLASH_OR_CONTROL = /[/\p{Cc}]/u;

/** Whether an asset or a sensor may have this name: `/` stands between the two wherever both are written. */
export const isReadingName = (name: string): boolean =>
  name !== '' && name.length <= MAX_NAME && !SLASH_OR_CONTROL.test(name);

const nameProblem = (key: string, name: unknown): string =>
  `${key}: ${shown(name)} is not valid, expected 1 to ${MAX_NAME} characters without /`;

const timeProblem = (written: unknown): string =>
  `timestamp: ${written === undefined ? 'missing' : `${shown(written)} is not valid`}, expected ${EXPECTED_TIME}`;

function shown(value: unknown): string {
  const text = value === undefined ? 'undefined' : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
