/** How the columns of a wide recording become sensors. */
export interface WideOptions {
  readonly asset: string;
  /** Name of the column with the time. */
  readonly time: string;
  /** Column -> sensor, in the order in which a row's readings come. */
  readonly map: ReadonlyMap<string, string>;
}

/** Where the columns stand, counted from 0; -1 where the recording has none of that name. */
export interface LongColumns {
  readonly count: number;
  readonly timestamp: number;
  readonly asset: number;
  readonly sensor: number;
  readonly value: number;
  readonly unit: number;
  readonly quality: number;
}

export interface WideColumns {
  readonly count: number;
  readonly asset: string;
  readonly time: number;
  readonly sensors: readonly { readonly sensor: string; readonly column: string; readonly index: number }[];
}

const REQUIRED = ['timestamp', 'asset', 'sensor', 'value'] as const;
const LONG_FORM = 'timestamp,asset,sensor,value[,unit][,quality]';

/** @throws RangeError that names the columns which are missing or stand twice. */
export function longCsvColumns(header: readonly string[]): LongColumns {
  const names = header.map((name) => name.trim().toLowerCase());
  const missing = REQUIRED.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new RangeError(
      `the header lacks ${missing.join(', ')}; expected ${LONG_FORM}, or NDJSON, or --wide; found ${shown(header)}`,
    );
  }
  const index = (name: string): number => indexOf(names, name);
  return {
    count: header.length,
    timestamp: index('timestamp'),
    asset: index('asset'),
    sensor: index('sensor'),
    value: index('value'),
    unit: index('unit'),
    quality: index('quality'),
  };
}

/** @throws RangeError that names the columns which are missing or stand twice. */
export function wideCsvColumns(header: readonly string[], { asset, time, map }: WideOptions): WideColumns {
  const names = header.map((name) => name.trim());
  const missing = [time, ...map.keys()].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new RangeError(`the header lacks ${missing.join(', ')}; found ${shown(header)}`);
  }
  return {
    count: header.length,
    asset,
    time: indexOf(names, time),
    sensors: [...map].map(([column, sensor]) => ({ sensor, column, index: indexOf(names, column) })),
  };
}

/** The separator of which the header has most; a comma where it has none. */
export function likelySeparator(header: string): string {
  const count = (separator: string): number => header.split(separator).length;
  return [',', ';', '\t'].reduce((best, next) => (count(next) > count(best) ? next : best));
}

function indexOf(names: readonly string[], name: string): number {
  const index = names.indexOf(name);
  if (index !== names.lastIndexOf(name)) throw new RangeError(`the header has the column ${name} twice`);
  return index;
}

function shown(header: readonly string[]): string {
  const text = header.map((name) => name.trim()).join(', ');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
