import { DuckDBInstance } from '@duckdb/node-api';
import { partsOf } from '../../test/fakes/influxServer.ts';

/** `asset/sensor time`, time in whole microseconds. */
export type PointName = string;

export const pointName = (asset: string, sensor: string, micros: number): PointName =>
  `${asset}/${sensor} ${micros}`;

export interface Forwardable {
  readonly name: PointName;
  readonly asset: string;
  readonly sensor: string;
  readonly timestamp: number;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What the store of a stopped service holds that has something to forward: a value or an estimate. */
export async function forwardable(storePath: string, only = 'true'): Promise<Forwardable[]> {
  const instance = await DuckDBInstance.create(storePath, { access_mode: 'READ_ONLY', threads: '1' });
  try {
    const connection = await instance.connect();
    const result = await connection.runAndReadAll(
      `SELECT asset, sensor, timestamp FROM readings WHERE (value IS NOT NULL OR estimate IS NOT NULL) AND ${only}`,
    );
    connection.closeSync();
    return result.getRowsJS().map(([asset, sensor, timestamp]) => {
      const at = Number(timestamp);
      const names = { asset: text(asset), sensor: text(sensor) };
      return { ...names, timestamp: at, name: pointName(names.asset, names.sensor, Math.round(at * 1000)) };
    });
  } finally {
    instance.closeSync();
  }
}

/** Which points lines of line protocol stand for; names here hold no character that is escaped. */
export function nameOfLine(line: string): PointName {
  const [series, , time] = partsOf(line);
  const tag = (key: string): string => new RegExp(`,${key}=([^,]*)`).exec(series)?.[1] ?? '';
  return pointName(tag('reactor_id'), tag('sensor_type'), Number(time));
}

export async function quarantinedNames(storePath: string): Promise<ReadonlySet<PointName>> {
  const instance = await DuckDBInstance.create(storePath, { access_mode: 'READ_ONLY', threads: '1' });
  try {
    const connection = await instance.connect();
    const result = await connection.runAndReadAll('SELECT line FROM quarantined');
    connection.closeSync();
    return new Set(result.getRowsJS().map(([line]) => nameOfLine(text(line))));
  } finally {
    instance.closeSync();
  }
}
