const ZERO = 48;
const DOT = 46;
const COMMA = 44;
const COLON = 58;
const HYPHEN = 45;
const PLUS = 43;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Two digits at `at`; NaN where one of them is none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

const BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Of the Gregorian calendar, from 1969 on. */
function daysSince1970(year: number, month: number, day: number): number {
  const past = year - 1;
  const leaps = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - 477;
  const leapDay = month > 2 && isLeap(year) ? 1 : 0;
  return (year - 1970) * 365 + leaps + (BEFORE[month - 1] ?? 0) + leapDay + day - 1;
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

/** Offset of the zone that `text` ends with from `at` on, in ms; 0 where there is none (UTC); NaN where it is none. */
function zoneMs(text: string, at: number): number {
  const left = text.length - at;
  if (left === 0) return 0;
  const sign = text.charCodeAt(at);
  if (left === 1) return sign === 90 || sign === 122 ? 0 : Number.NaN; // Z, z
  if (sign !== PLUS && sign !== HYPHEN) return Number.NaN;
  const hours = twoDigits(text, at + 1);
  const colon = text.charCodeAt(at + 3) === COLON ? 1 : 0;
  const minutes = left === 3 ? 0 : left === 5 + colon ? twoDigits(text, at + 3 + colon) : Number.NaN;
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  return (sign === PLUS ? 1 : -1) * (hours * 60 + minutes) * 60_000;
}

/**
 * Epoch milliseconds of a date and time of RFC 3339, or of ISO 8601 without a zone (then UTC) or without seconds.
 * Fractions down to the microsecond are kept, the rest is cut off. NaN where the text is no such time, the date does
 * not exist (2025-02-30), or it is before 1970. A leap second is the second that follows it, as in POSIX.
 *
 * Written by hand because it runs once a reading: Date.parse takes twice as long, and 30 February.
 */
export function parseTimestamp(text: string): number {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const separator = text.charCodeAt(10);
  if (
    !(year >= 1969 && month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59) ||
    text.charCodeAt(4) !== HYPHEN ||
    text.charCodeAt(7) !== HYPHEN ||
    (separator !== 84 && separator !== 116 && separator !== 32) || // T, t, blank
    text.charCodeAt(13) !== COLON ||
    day > (DAYS[month - 1] ?? 0) ||
    (month === 2 && day === 29 && !isLeap(year))
  )
    return Number.NaN;

  let at = 16;
  let second = 0;
  let micros = 0;
  if (text.charCodeAt(at) === COLON) {
    second = twoDigits(text, at + 1);
    if (!(second <= 60)) return Number.NaN;
    at += 3;
    const point = text.charCodeAt(at);
    if (point === DOT || point === COMMA) {
      at += 1;
      const start = at;
      for (let weight = 100_000; at < text.length; at += 1, weight = Math.floor(weight / 10)) {
        const digit = text.charCodeAt(at) - ZERO;
        if (!(digit >= 0 && digit <= 9)) break;
        micros += digit * weight;
      }
      if (at === start) return Number.NaN;
    }
  }
  const seconds = ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
  const ms = seconds * 1000 - zoneMs(text, at);
  if (!(ms >= 0)) return Number.NaN;
  if (second === 60 && ms % 86_400_000 !== 0) return Number.NaN;
  return micros === 0 ? ms : ms + micros / 1000;
}
