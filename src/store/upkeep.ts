import type { DuckDBConnection } from '@duckdb/node-api';
import type { StoreConfig } from '../../config/types.ts';
import { DoubleColumn, TableWriter, TextColumn } from './columns.ts';
import { inTransaction } from './database.ts';
import { read } from './queryQueue.ts';
import type { Parameter } from './queryQueue.ts';
import { RECEIVED } from './schema.ts';
import type { CommitBatch, ForwardCursor, PruneBounds, QuarantinedPoint } from './store.ts';

const DAY_MS = 86_400_000;
const BYTES_PER_ROW = 90;
const BYTES_PER_COMMIT = 700;

/** What a commit adds to the log, estimated. */
export function loggedBytes(batch: CommitBatch): number {
  const { readings, held, ticks, smoothed, windows, twins, anomalies, deadLetters } = batch;
  const rows = readings.length + held.length + ticks.length + smoothed.length + windows.length;
  // These hold texts.
  const large = twins.length + anomalies.length + deadLetters.length;
  let notes = 0;
  for (const note of batch.notes?.values() ?? []) notes += note.length;
  return BYTES_PER_COMMIT + BYTES_PER_ROW * (rows + 8 * large) + notes;
}

/** Moves the log into the file. Compacts the lists of commits and notes, of which only the last are ever read. */
export async function checkpoint(connection: DuckDBConnection, sequence: number): Promise<void> {
  await connection.run('DELETE FROM commits WHERE sequence < $1', [sequence]);
  await connection.run(
    `DELETE FROM source_notes WHERE (source, sequence) NOT IN
      (SELECT (source, max(sequence)) FROM source_notes GROUP BY source)`,
  );
  await connection.run('CHECKPOINT');
}

/** Writes down how far the forwarder is, beside the last commit. */
export async function storeCursor(
  connection: DuckDBConnection,
  { sequence, forwarded }: { readonly sequence: number; readonly forwarded: ForwardCursor },
): Promise<void> {
  await connection.run('UPDATE commits SET forwarded = $1 WHERE sequence = $2', [
    JSON.stringify(forwarded),
    sequence,
  ]);
}

/**
 * Deletes what is past its retention, in one transaction, except for inputs that a checkpoint needs and readings that
 * are not forwarded yet. @returns readings deleted
 */
export function deleteOld(
  connection: DuckDBConnection,
  config: StoreConfig,
  now: number,
  bounds: PruneBounds,
): Promise<number> {
  const before = now - config.retentionDays * DAY_MS;
  const row = { count: bounds.row };
  const remove = (sql: string, parameters: readonly Parameter[]) =>
    read(connection, `DELETE FROM ${sql}`, parameters);
  return inTransaction(connection, async () => {
    const readings = await remove('reading_rows WHERE timestamp < $1 AND row <= $2 AND commit_number <= $3', [
      before,
      row,
      { count: bounds.commit },
    ]);
    await remove('held_rows WHERE timestamp < $1 AND row <= $2', [before, row]);
    await remove('ticks WHERE timestamp < $1 AND row <= $2', [before, row]);
    await remove('smoothed WHERE timestamp < $1', [before]);
    await remove('windows WHERE end_ms < $1', [before]);
    await remove('twins WHERE timestamp < $1', [before]);
    await remove('anomalies WHERE timestamp < $1', [before]);
    await remove('dead_letters WHERE arrived_at < $1', [before]);
    await remove('quarantined WHERE refused_at < $1', [before]);
    await deleteExcessDeadLetters(connection, config.maxDeadLetters);
    // A held row that was released is also in reading_rows, under the same number; so may a filled gap be, which is none.
    await remove(
      `held_rows WHERE row IN (SELECT row FROM reading_rows
        WHERE (flags & ${RECEIVED}) > 0 AND row >= (SELECT min(row) FROM held_rows))`,
      [],
    );
    return readings.rowsChanged;
  });
}

export async function deleteExcessDeadLetters(connection: DuckDBConnection, max: number): Promise<void> {
  await read(
    connection,
    `DELETE FROM dead_letters WHERE row <= (SELECT row FROM dead_letters ORDER BY row DESC LIMIT 1 OFFSET $1)`,
    [{ limit: max }],
  );
}

/** Of the points that InfluxDB refused, the newest are kept. */
const MAX_QUARANTINED = 10_000;

export async function storeQuarantined(
  connection: DuckDBConnection,
  points: readonly QuarantinedPoint[],
): Promise<void> {
  const writer = new TableWriter('quarantined', {
    at: new DoubleColumn(),
    line: new TextColumn(),
    reason: new TextColumn(),
  });
  await inTransaction(connection, async () => {
    try {
      await writer.open(connection);
      const to = writer.columns;
      for (const point of points.slice(-MAX_QUARANTINED)) {
        const i = writer.next();
        to.at.set(i, point.at);
        to.line.set(i, point.line);
        to.reason.set(i, point.reason);
      }
      writer.flush();
      await read(
        connection,
        `DELETE FROM quarantined WHERE rowid NOT IN (SELECT rowid FROM quarantined ORDER BY refused_at DESC, rowid DESC LIMIT $1)`,
        [{ limit: MAX_QUARANTINED }],
      );
    } finally {
      writer.discard();
    }
  });
}
