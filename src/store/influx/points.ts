import { Point } from '@influxdata/influxdb-client';
import type { ForwardRow } from '../store.ts';

export const MEASUREMENT = 'reactor_sensor';

/** Rows between two turns of the event loop: some milliseconds of work. */
const SLICE_ROWS = 500;
/** Series whose tags are kept ready. */
const MAX_SERIES = 50_000;

export interface EncodedRows {
  /** Line protocol, times in microseconds. */
  readonly lines: readonly string[];
  /** Rows with neither a value nor an estimate: there is nothing to write. */
  readonly skipped: number;
}

/** Makes lines of rows; keeps the escaped tags of each series, which are most of the work. */
export function createEncoder(): (rows: readonly ForwardRow[]) => Promise<EncodedRows> {
  const prefixes = new Map<string, string>();
  const prefixOf = (row: ForwardRow): string => {
    const key = `${row.asset}\n${row.sensor}\n${row.unit}\n${row.quality}`;
    const known = prefixes.get(key);
    if (known !== undefined) return known;
    if (prefixes.size >= MAX_SERIES) prefixes.clear();
    const prefix = seriesOf(row);
    prefixes.set(key, prefix);
    return prefix;
  };
  return async (rows) => {
    const lines: string[] = [];
    for (let i = 0; i < rows.length; i += SLICE_ROWS) {
      if (i > 0) await new Promise((resolve) => setImmediate(resolve));
      for (const row of rows.slice(i, i + SLICE_ROWS)) {
        const fields = fieldsOf(row);
        if (fields !== '') lines.push(`${prefixOf(row)} ${fields} ${microseconds(row.timestamp)}`);
      }
    }
    return { lines, skipped: rows.length - lines.length };
  };
}

/** Measurement and tags. A tag without a value (no unit) is left out, as the protocol has no empty ones. */
function seriesOf(row: ForwardRow): string {
  const marker = 'x';
  const line = new Point(MEASUREMENT)
    .tag('reactor_id', tagValue(row.asset))
    .tag('sensor_type', tagValue(row.sensor))
    .tag('unit', tagValue(row.unit))
    .tag('quality', row.quality)
    .booleanField(marker, true)
    .toLineProtocol({ convertTime: () => undefined });
  return (line ?? '').slice(0, -` ${marker}=T`.length);
}

/**
 * In line protocol a backslash before a comma, space or equals sign, or at the end, would escape what follows, and there is
 * no way to write it that every server reads alike: there it becomes a full-width one, which keeps names apart.
 */
const tagValue = (text: string): string => text.replace(/\\(?=[\\,=\s]|$)/g, '\uFF3C');

/** In the order in which Point sorts them. Numbers that are not finite cannot be written. */
function fieldsOf({ value, estimate, imputed }: ForwardRow): string {
  const numbers: readonly (readonly [string, number | null])[] = [
    ['estimate', estimate?.value ?? null],
    ['estimate_rate_per_s', estimate?.ratePerS ?? null],
    ['estimate_std_dev', estimate?.stdDev ?? null],
    ['value', value],
  ];
  const written = numbers.flatMap(([name, number]) =>
    number === null || !Number.isFinite(number) ? [] : [`${name}=${number}`],
  );
  if (written.length === 0) return '';
  const last = written.at(-1)?.startsWith('value=') === true ? written.length - 1 : written.length;
  written.splice(last, 0, `imputed=${imputed ? 'T' : 'F'}`);
  return written.join(',');
}

/**
 * Source times are doubles that hold about a quarter of a microsecond: the nearest microsecond is what the source said,
 * where nanoseconds would show the double's own rounding.
 */
const microseconds = (timestampMs: number): string => String(Math.round(timestampMs * 1000));
