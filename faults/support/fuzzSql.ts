import { DuckDBInstance } from '@duckdb/node-api';

/** Figures from the store of a stopped service, by DuckDB's own means and the views that the store has for people. */
export async function storeFigures(path: string, sql: string): Promise<Readonly<Record<string, number>>> {
  const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY', threads: '1' });
  try {
    const connection = await instance.connect();
    try {
      const [row = {}] = (await connection.runAndReadAll(sql)).getRowObjects();
      return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value ?? 0)]));
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}
