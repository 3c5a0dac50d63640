import { Type } from 'typebox';
import { badParameter } from './problem.ts';
import { isoTime, parseTime } from './times.ts';

const HOUR_MS = 3_600_000;

const timeParameter = (description: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 40,
      description: `${description}; ISO 8601 with a time zone, or epoch milliseconds`,
      examples: ['2025-10-26T10:30:15.000Z'],
    }),
  );

/** Query parameters of a route that answers with the rows of an interval. */
export const rangeParameters = (maxRows: number) => ({
  start: timeParameter('Beginning, inclusive; default: one hour before the end'),
  end: timeParameter('End, exclusive; default: now'),
  limit: Type.Integer({ minimum: 1, maximum: maxRows, default: Math.min(1000, maxRows) }),
  format: Type.Enum(['json', 'csv'], { default: 'json' }),
});

/** Epoch milliseconds. @throws Problem 400 that names the parameter, the value and what was expected. */
export function interval(
  times: { readonly start?: string; readonly end?: string },
  now: number,
): { readonly start: number; readonly end: number } {
  // A reading of this very millisecond counts.
  const end = times.end === undefined ? now + 1 : parseTime('end', times.end);
  const start = times.start === undefined ? end - HOUR_MS : parseTime('start', times.start);
  if (!(start < end))
    throw badParameter('start', times.start ?? isoTime(start), `a time before ${isoTime(end)}`);
  return { start, end };
}

/** For `reply.type`. */
export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';
