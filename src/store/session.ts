import type { DuckDBConnection, DuckDBInstance, DuckDBPreparedStatement } from '@duckdb/node-api';
import type { BatchWriter } from './batchWriter.ts';
import type { Channel, Channels } from './channels.ts';
import { openInstance, prepareSchema } from './database.ts';
import { decodeCursor } from './decode.ts';
import { Forwarding } from './forwarding.ts';
import { Inputs } from './inputs.ts';
import { Queries } from './queries.ts';
import { QueryQueue } from './queryQueue.ts';
import { Recall } from './recall.ts';
import { CHANNELS, LAST_COMMIT, NOTES, STORE_ID } from './sql.ts';
import type { CommitBatch, ForwardCursor } from './store.ts';

/** What the last commit left. */
export interface LastCommit {
  readonly sequence: number;
  readonly lastRow: number;
  readonly positions: ReadonlyMap<string, number>;
  readonly forwarded: ForwardCursor;
}

export async function readLastCommit(queries: QueryQueue): Promise<LastCommit> {
  const [row] = await queries.rows(LAST_COMMIT);
  if (row === undefined)
    return { sequence: 0, lastRow: 0, positions: new Map(), forwarded: decodeCursor(null) };
  const positions: unknown = JSON.parse(String(row['positions']));
  return {
    sequence: Number(row['sequence']),
    lastRow: Number(row['last_row']),
    positions: new Map(
      Object.entries(positions ?? {}).map(([source, position]) => [source, Number(position)]),
    ),
    forwarded: decodeCursor(row['forwarded']),
  };
}

/** Source id -> its newest note. */
export async function readNotes(queries: QueryQueue): Promise<Map<string, string>> {
  const rows = await queries.rows(NOTES);
  return new Map(rows.map((row) => [String(row['source']), String(row['note'])]));
}

export async function readStoreId(queries: QueryQueue): Promise<string> {
  const [row] = await queries.rows(STORE_ID);
  return String(row?.['value']);
}

export async function readChannels(queries: QueryQueue): Promise<Channel[]> {
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
 * One opening of the file for writing: a connection for commits, one for upkeep, and three for queries, so that people's
 * queries, the forwarder's and those of the ingest do not wait for each other. DuckDB refuses all further work after
 * some write errors; the store then opens a new session on the same file.
 */
export class Session {
  readonly queries: Queries;
  readonly forwarding: Forwarding;
  readonly inputs: Inputs;
  readonly recall: Recall;
  /** What `inputs` and `recall` share. */
  readonly own: QueryQueue;
  readonly upkeep: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #queues: readonly QueryQueue[];
  readonly #commits: DuckDBConnection;
  readonly #begin: DuckDBPreparedStatement;
  readonly #insert: DuckDBPreparedStatement;
  readonly #note: DuckDBPreparedStatement;
  readonly #end: DuckDBPreparedStatement;
  #closed = false;

  private constructor(instance: DuckDBInstance, channels: Channels, parts: SessionParts) {
    const [api, forward, own] = parts.queues;
    this.#instance = instance;
    this.#queues = parts.queues;
    this.queries = new Queries(api);
    this.forwarding = new Forwarding(forward, channels);
    this.inputs = new Inputs(own, channels);
    this.recall = new Recall(own, channels);
    this.own = own;
    this.upkeep = parts.upkeep;
    this.#commits = parts.commits;
    [this.#begin, this.#insert, this.#note, this.#end] = parts.statements;
  }

  static async open(path: string, memoryLimitMb: number, channels: Channels): Promise<Session> {
    const instance = await openInstance(path, {
      memory_limit: `${memoryLimitMb}MB`,
      // Checkpoints are the store's own (see DuckdbStore): inside a COMMIT one would delay it, and fail it.
      checkpoint_threshold: '1TB',
    });
    try {
      const upkeep = await instance.connect();
      // The store makes one itself when it closes; a file that turns out to be damaged is to stay as it is.
      await upkeep.run('PRAGMA disable_checkpoint_on_shutdown');
      await prepareSchema(upkeep, path, 'write');
      const commits = await instance.connect();
      // An appender plans a query at each flush; there is nothing in it to optimise.
      await commits.run('PRAGMA disable_optimizer');
      const statements = [
        await commits.prepare('BEGIN'),
        await commits.prepare('INSERT INTO commits VALUES ($1, $2, $3, $4)'),
        await commits.prepare('INSERT INTO source_notes VALUES ($1, $2, $3)'),
        await commits.prepare('COMMIT'),
      ] as const;
      const queues = [
        await QueryQueue.open(instance),
        await QueryQueue.open(instance),
        await QueryQueue.open(instance),
      ] as const;
      return new Session(instance, channels, { upkeep, commits, statements, queues });
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
    writer.write(batch, last.sequence);
    this.#insert.bindDouble(1, last.sequence);
    this.#insert.bindDouble(2, last.lastRow);
    this.#insert.bindVarchar(3, JSON.stringify(Object.fromEntries(last.positions)));
    this.#insert.bindVarchar(4, JSON.stringify(last.forwarded));
    await this.#insert.run();
    for (const [source, note] of batch.notes ?? []) {
      this.#note.bindDouble(1, last.sequence);
      this.#note.bindVarchar(2, source);
      this.#note.bindVarchar(3, note);
      await this.#note.run();
    }
    await this.#end.run();
  }

  async rollback(): Promise<void> {
    await this.#commits.run('ROLLBACK');
  }

  /** Waits for queries under way; the appenders must have been discarded. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const statement of [this.#begin, this.#insert, this.#note, this.#end]) statement.destroySync();
    await this.recall.close();
    for (const queue of this.#queues) await queue.close();
    this.upkeep.closeSync();
    this.#commits.closeSync();
    this.#instance.closeSync();
  }
}

interface SessionParts {
  readonly upkeep: DuckDBConnection;
  readonly commits: DuckDBConnection;
  readonly statements: readonly [
    DuckDBPreparedStatement,
    DuckDBPreparedStatement,
    DuckDBPreparedStatement,
    DuckDBPreparedStatement,
  ];
  readonly queues: readonly [QueryQueue, QueryQueue, QueryQueue];
}
