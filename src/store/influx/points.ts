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
  const units = new Map<string, Prefixes>();
  let known = 0;
  const prefixOf = (row: ForwardRow): string => {
    // By one part after the other: making a key of all would cost more than the four look-ups.
    const assets = inner(units, row.unit);
    const sensors = inner(assets, row.asset);
    const qualities = inner(sensors, row.sensor);
    const kept = qualities.get(row.quality);
    if (kept !== undefined) return kept;
    if (known >= MAX_SERIES) {
      units.clear();
      known = 0;
    }
    const prefix = seriesOf(row);
    qualities.set(row.quality, prefix);
    known += 1;
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

type Prefixes = Map<string, Map<string, Map<string, string>>>;

function inner<V>(outer: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const found = outer.get(key);
  if (found !== undefined) return found;
  const made = new Map<string, V>();
  outer.set(key, made);
  return made;
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
  const estimates =
    estimate === null
      ? ''
      : field('estimate', estimate.value) +
        field('estimate_rate_per_s', estimate.ratePerS) +
        field('estimate_std_dev', estimate.stdDev);
  const measured = value === null ? '' : field('value', value);
  if (estimates === '' && measured === '') return '';
  return `${estimates}imputed=${imputed ? 'T' : 'F'}${measured === '' ? '' : `,${measured.slice(0, -1)}`}`;
}

/** With the comma to the next one. */
const field = (name: string, value: number): string => (Number.isFinite(value) ? `${name}=${value},` : '');

/**
 * Source times are doubles that hold about a quarter of a microsecond: the nearest microsecond is what the source said,
 * where nanoseconds would show the double's own rounding.
 */
const microseconds = (timestampMs: number): string => String(Math.round(timestampMs * 1000));
