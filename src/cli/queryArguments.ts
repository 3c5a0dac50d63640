import { parseTime } from '../api/times.ts';
import { CliError } from './exit.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const wrong = (option: string, text: string, expected: string): CliError =>
  new CliError(`${option}: "${text}" is not valid, expected ${expected}`, 2);

/** `R101/temperature`; everything after the first slash is the sensor's name. */
export function parseTarget(text: string): { readonly asset: string; readonly sensor: string } {
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1)
    throw wrong('ASSET/SENSOR', text, 'for example R101/temperature');
  return { asset: text.slice(0, slash), sensor: text.slice(slash + 1) };
}

/** `5m`, `1h`, `250ms`, or a number of milliseconds. */
export function parseDuration(option: string, text: string): number {
  const [, digits, unit] = /^(\d+)(ms|s|m|h|d)?$/.exec(text) ?? [];
  const ms = Number(digits) * (UNIT_MS[unit ?? 'ms'] ?? NaN);
  if (!(ms >= 1) || !Number.isSafeInteger(ms))
    throw wrong(option, text, 'a duration such as 1m, 5m, 1h, or milliseconds');
  return ms;
}

/** ISO 8601, epoch milliseconds, or a duration before now such as `-1h`. @returns epoch milliseconds */
export function parseMoment(option: string, text: string, now: number): number {
  if (/^-\d+(ms|s|m|h|d)$/.test(text)) return now - parseDuration(option, text.slice(1));
  try {
    return parseTime(option, text);
  } catch {
    throw wrong(
      option,
      text,
      'ISO 8601 with a time zone, epoch milliseconds, or a time before now such as -1h',
    );
  }
}

export function parseLimit(text: string, max: number): number {
  const limit = /^\d+$/.test(text) ? Number(text) : NaN;
  if (limit >= 1 && limit <= max) return limit;
  throw wrong('--limit', text, `a whole number from 1 to ${max} (api.maxRows)`);
}
