import { parseTimestamp } from '../mqtt/timestamp.ts';
import { localTime } from './localTime.ts';

/** The last instant that a Date can hold, epoch milliseconds. */
const MAX_TIME = 8.64e15;
const EPOCH_MS = /^\d+(?:\.\d+)?$/;
const ZONE = /(?:z|[+-]\d{2}(?::?\d{2})?)$/i;
const MISSING = /^(?:null|nan|na)?$/i;
const INFINITE = /^[+-]?inf(?:inity)?$/i;
const OTHER_BASE = /^\s*[+-]?0[xbo]/i;

/** What a time cell must look like, for messages. */
export const EXPECTED_TIME = 'an ISO 8601 time or epoch milliseconds, from 1970 on';

/**
 * Reads times: ISO 8601 with a zone, without one (then in `timeZone`), or epoch milliseconds, as a number or as digits.
 * The result is in epoch milliseconds; NaN where the text is no such time.
 *
 * @throws RangeError where the zone is not known.
 */
export function timeReader(timeZone: string): (text: string) => number {
  const toEpoch = localTime(timeZone);
  const isUtc = timeZone === 'UTC';
  let lastText = '';
  let lastTime = Number.NaN;
  return (text) => {
    // Recordings have many sensors at one time.
    if (text === lastText) return lastTime;
    const trimmed = text.trim();
    let time = parseTimestamp(trimmed);
    if (Number.isNaN(time)) time = EPOCH_MS.test(trimmed) ? epochTime(Number(trimmed)) : Number.NaN;
    else if (!isUtc && !ZONE.test(trimmed.slice(16))) time = toEpoch(time);
    lastText = text;
    lastTime = time;
    return time;
  };
}

/** The time itself, or NaN where it lies outside of what is understood. */
export const epochTime = (ms: unknown): number =>
  typeof ms === 'number' && ms >= 0 && ms <= MAX_TIME ? ms : Number.NaN;

/** A value cell: null where it is missing, else the number, or the text where it is none. */
export function valueCell(text: string): number | string | null {
  const value = Number(text);
  if (Number.isNaN(value) || value === 0) {
    const trimmed = text.trim();
    if (MISSING.test(trimmed)) return null;
    if (INFINITE.test(trimmed)) return Infinity;
  }
  return Number.isNaN(value) || OTHER_BASE.test(text) ? text : value;
}
