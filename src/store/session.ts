import type { DuckDBConnection, DuckDBInstance, DuckDBPreparedStatement } from '@duckdb/node-api';
import type { BatchWriter } from './batchWriter.ts';
import type { Channel } from './channels.ts';
import { openInstance, prepareSchema } from './database.ts';
import { Queries } from './queries.ts';
import { CHANNELS, LAST_COMMIT } from './sql.ts';
import type { CommitBatch } from './store.ts';

/** What the last commit left. */
export interface LastCommit {
  readonly sequence: number;
  readonly lastRow: number;
  readonly positions: ReadonlyMap<string, number>;
}

export async function readLastCommit(queries: Queries): Promise<LastCommit> {
  const [row] = await queries.rows(LAST_COMMIT);
  if (row === undefined) return { sequence: 0, lastRow: 0, positions: new Map() };
  const positions: unknown = JSON.parse(String(row['positions']));
  return {
    sequence: Number(row['sequence']),
    lastRow: Number(row['last_row']),
    positions: new Map(
      Object.entries(positions ?? {}).map(([source, position]) => [source, Number(position)]),
    ),
  };
}

export async function readChannels(queries: Queries): Promise<Channel[]> {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return (await queries.rows(CHANNELS)).map((row) => ({
    id: Number(row['id']),
    asset: String(row['asset']),
    sensor: String(row['sensor']),
    unit: String(row['unit']),
    receivedUnit: text(row['received_unit']),
    source: text(row['source']),
  }));
}

/**
 * One opening of the file for writing: a connection for commits, one for upkeep, one for queries. DuckDB refuses all
 * further work after some write errors; the store then opens a new session on the same file.
 */
export class Session {
  readonly queries: Queries;
  readonly upkeep: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #commits: DuckDBConnection;
  readonly #begin: DuckDBPreparedStatement;
  readonly #insert: DuckDBPreparedStatement;
  readonly #end: DuckDBPreparedStatement;
  #closed = false;

  private constructor(
    instance: DuckDBInstance,
    queries: Queries,
    upkeep: DuckDBConnection,
    commits: DuckDBConnection,
    statements: readonly [DuckDBPreparedStatement, DuckDBPreparedStatement, DuckDBPreparedStatement],
  ) {
    this.#instance = instance;
    this.queries = queries;
    this.upkeep = upkeep;
    this.#commits = commits;
    [this.#begin, this.#insert, this.#end] = statements;
  }

  static async open(path: string, memoryLimitMb: number): Promise<Session> {
    const instance = await openInstance(path, {
      memory_limit: `${memoryLimitMb}MB`,
      // Checkpoints are the store's own (see DuckdbStore): inside a COMMIT one would delay it, and fail it.
      checkpoint_threshold: '1TB',
    });
    try {
      const upkeep = await instance.connect();
      await prepareSchema(upkeep, path, true);
      const commits = await instance.connect();
      // An appender plans a query at each flush; there is nothing in it to optimise.
      await commits.run('PRAGMA disable_optimizer');
      const statements = [
        await commits.prepare('BEGIN'),
        await commits.prepare('INSERT INTO commits VALUES ($1, $2, $3)'),
        await commits.prepare('COMMIT'),
      ] as const;
      return new Session(instance, await Queries.open(instance), upkeep, commits, statements);
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  /** Binds the writer's appenders to this session. */
  async bind(writer: BatchWriter): Promise<void> {
    await writer.open(this.#commits);
  }

  async commit(writer: BatchWriter, batch: CommitBatch, last: LastCommit): Promise<void> {
    await this.#begin.run();
    writer.write(batch);
    this.#insert.bindDouble(1, last.sequence);
    this.#insert.bindDouble(2, last.lastRow);
    this.#insert.bindVarchar(3, JSON.stringify(Object.fromEntries(last.positions)));
    await this.#insert.run();
    await this.#end.run();
  }

  async rollback(): Promise<void> {
    await this.#commits.run('ROLLBACK');
  }

  /** Waits for queries under way; the appenders must have been discarded. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const statement of [this.#begin, this.#insert, this.#end]) statement.destroySync();
    await this.queries.close();
    this.upkeep.closeSync();
    this.#commits.closeSync();
    this.#instance.closeSync();
  }
}
