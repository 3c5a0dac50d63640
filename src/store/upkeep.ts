import type { DuckDBConnection } from '@duckdb/node-api';
import type { StoreConfig } from '../../config/types.ts';

const DAY_MS = 86_400_000;

/** Moves the log into the file. Compacts the list of commits, of which only the last is ever read. */
export async function checkpoint(connection: DuckDBConnection, sequence: number): Promise<void> {
  await connection.run('DELETE FROM commits WHERE sequence < $1', [sequence]);
  await connection.run('CHECKPOINT');
}

/** Deletes what is past its retention, in one transaction. @returns readings deleted */
export async function deleteOld(
  connection: DuckDBConnection,
  config: StoreConfig,
  now: number,
): Promise<number> {
  const before = [now - config.retentionDays * DAY_MS];
  await connection.run('BEGIN');
  try {
    const readings = await connection.run('DELETE FROM reading_rows WHERE timestamp < $1', before);
    await connection.run('DELETE FROM held_rows WHERE timestamp < $1', before);
    await connection.run('DELETE FROM ticks WHERE timestamp < $1', before);
    await connection.run('DELETE FROM windows WHERE end_ms < $1', before);
    await connection.run('DELETE FROM twins WHERE timestamp < $1', before);
    await connection.run('DELETE FROM dead_letters WHERE arrived_at < $1', before);
    await deleteExcessDeadLetters(connection, config.maxDeadLetters);
    // A held row that was released is also in reading_rows, under the same number.
    await connection.run('DELETE FROM held_rows WHERE row IN (SELECT row FROM reading_rows)');
    await connection.run('COMMIT');
    return readings.rowsChanged;
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

export async function deleteExcessDeadLetters(connection: DuckDBConnection, max: number): Promise<void> {
  await connection.run(
    `DELETE FROM dead_letters WHERE row <= (SELECT row FROM dead_letters ORDER BY row DESC LIMIT 1 OFFSET $1::INTEGER)`,
    [max],
  );
}
