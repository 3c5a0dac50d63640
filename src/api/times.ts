import { badParameter } from './problem.ts';

/** Largest epoch milliseconds that a Date can hold. */
const MAX_EPOCH_MS = 8.64e15;

/** A `+` of a time zone arrives as a space where the client did not escape it. */
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+\- ]\d{2}:?\d{2}))?$/;
const EPOCH_MS = /^-?\d{1,16}(?:\.\d{1,9})?$/;
const EXPECTED = 'ISO 8601 with a time zone (2025-10-26T10:30:15.000Z), a date (UTC), or epoch milliseconds';

/** Times come again, as those of all sensors at one instant and as bounds of windows. */
const written = new Map<number, string>();
const MAX_WRITTEN = 1024;

/** ISO 8601, UTC, to the millisecond; to the microsecond where the time has a fraction of a millisecond. */
export function isoTime(epochMs: number): string {
  const known = written.get(epochMs);
  if (known !== undefined) return known;
  if (written.size >= MAX_WRITTEN) written.clear();
  const text = writeTime(epochMs);
  written.set(epochMs, text);
  return text;
}

function writeTime(epochMs: number): string {
  const time = Math.min(MAX_EPOCH_MS, Math.max(-MAX_EPOCH_MS, epochMs));
  if (Number.isInteger(time)) return new Date(time).toISOString();
  const micros = Math.round((time - Math.floor(time)) * 1000);
  if (micros === 1000) return new Date(Math.ceil(time)).toISOString();
  const text = new Date(Math.floor(time)).toISOString();
  return micros === 0 ? text : `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

/**
 * Reads a time given as a query parameter; the result is in epoch milliseconds.
 * @throws Problem 400 that names the parameter, the value and what was expected.
 */
export function parseTime(parameter: string, text: string): number {
  const epochMs = EPOCH_MS.test(text) ? Number(text) : parseIso(text);
  if (!(Math.abs(epochMs) <= MAX_EPOCH_MS)) throw badParameter(parameter, text, EXPECTED);
  return epochMs;
}

function parseIso(text: string): number {
  const match = ISO.exec(text);
  if (match === null) return NaN;
  // Date.parse moves 30 February to 2 March.
  const day = `${match[1] ?? ''}-${match[2] ?? ''}-${match[3] ?? ''}`;
  const midnight = Date.parse(day);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return NaN;
  return Date.parse(text.replace(' ', '+'));
}
