import type { StoreConfig } from '../../config/types.ts';
import { BatchWriter } from './batchWriter.ts';
import { Channels } from './channels.ts';
import { messageOf, openInstance, prepareSchema } from './database.ts';
import { Queries } from './queries.ts';
import { readChannels, readLastCommit, Session } from './session.ts';
import type { LastCommit } from './session.ts';
import type { CommitBatch, RangeQuery, Store, StoreReader } from './store.ts';
import { checkpoint, deleteExcessDeadLetters, deleteOld } from './upkeep.ts';

export { StoreError } from './database.ts';

/** Where the store reports what it got over by itself. */
export interface StoreLog {
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
}

/** Log written since the last checkpoint, estimated, after which the next one is due. */
const CHECKPOINT_BYTES = 16_000_000;
const BYTES_PER_ROW = 90;
const BYTES_PER_COMMIT = 700;

/**
 * Opens the embedded store, creating file and folder where there are none.
 * @throws StoreError that names the file: in use by another process, not a store, or of a newer version.
 */
export async function openStore(config: StoreConfig, log: StoreLog): Promise<Store> {
  const session = await Session.open(config.path, config.memoryLimitMb);
  try {
    const channels = new Channels();
    channels.restore(await readChannels(session.queries));
    const writer = new BatchWriter(channels);
    await session.bind(writer);
    const last = await readLastCommit(session.queries);
    return new DuckdbStore(config, log, session, { channels, writer, last });
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Opens the store of a stopped service for queries. @throws StoreError, `locked` while a service has it. */
export async function openStoreReadOnly(path: string): Promise<StoreReader> {
  const instance = await openInstance(path, { access_mode: 'READ_ONLY', memory_limit: '512MB' });
  const connection = await instance.connect();
  try {
    await prepareSchema(connection, path, false);
    const queries = await Queries.open(instance);
    const { lastRow, positions } = await readLastCommit(queries);
    return {
      lastRow,
      positions,
      latest: (asset, sensor) => queries.latest(asset, sensor),
      range: (query) => queries.range(query),
      aggregate: (query) => queries.aggregate(query),
      windows: (query) => queries.windows(query),
      twins: (query) => queries.twins(query),
      deadLetters: (limit) => queries.deadLetters(limit),
      oldest: (asset, sensor) => queries.oldest(asset, sensor),
      close: async () => {
        await queries.close();
        instance.closeSync();
      },
    };
  } catch (error) {
    instance.closeSync();
    throw error;
  } finally {
    connection.closeSync();
  }
}

class DuckdbStore implements Store {
  readonly #config: StoreConfig;
  readonly #log: StoreLog;
  readonly #channels: Channels;
  readonly #writer: BatchWriter;
  #session: Session;
  #last: LastCommit;
  /** Commits, checkpoints and pruning take turns: DuckDB would let them wait on the main thread. */
  #tail: Promise<unknown> = Promise.resolve();
  #bytesSinceCheckpoint = 0;
  /** Set when the session did not survive an error and no new one could be opened yet. */
  #lost = false;
  #closed = false;

  constructor(
    config: StoreConfig,
    log: StoreLog,
    session: Session,
    parts: { readonly channels: Channels; readonly writer: BatchWriter; readonly last: LastCommit },
  ) {
    this.#config = config;
    this.#log = log;
    this.#session = session;
    this.#channels = parts.channels;
    this.#writer = parts.writer;
    this.#last = parts.last;
  }

  get lastRow(): number {
    return this.#last.lastRow;
  }

  get positions(): ReadonlyMap<string, number> {
    return this.#last.positions;
  }

  latest(asset: string, sensor: string) {
    return this.#session.queries.latest(asset, sensor);
  }

  range(query: RangeQuery) {
    return this.#session.queries.range(query);
  }

  aggregate(query: RangeQuery & { readonly windowMs: number }) {
    return this.#session.queries.aggregate(query);
  }

  windows(query: RangeQuery & { readonly sizeMs: number }) {
    return this.#session.queries.windows(query);
  }

  twins(query: Omit<RangeQuery, 'sensor'>) {
    return this.#session.queries.twins(query);
  }

  deadLetters(limit: number) {
    return this.#session.queries.deadLetters(limit);
  }

  oldest(asset: string, sensor: string) {
    return this.#session.queries.oldest(asset, sensor);
  }

  commit(batch: CommitBatch): Promise<void> {
    return this.#exclusive(async () => {
      const next: LastCommit = {
        sequence: this.#last.sequence + 1,
        lastRow: Math.max(batch.lastRow, this.#last.lastRow),
        positions: new Map([...this.#last.positions, ...batch.positions]),
      };
      try {
        // An earlier attempt at this very commit may have become durable although it reported an error.
        const done = this.#lost && (await this.#reopen()) >= next.sequence;
        if (!done) await this.#session.commit(this.#writer, batch, next);
      } catch (error) {
        if (!(await this.#recover(next.sequence)))
          throw new Error(`${this.#config.path}: commit failed: ${messageOf(error)}`, { cause: error });
      }
      this.#channels.committed();
      this.#last = next;
      this.#countTowardsCheckpoint(batch);
    });
  }

  prune(now: number): Promise<number> {
    return this.#exclusive(async () => {
      const deleted = await deleteOld(this.#session.upkeep, this.#config, now);
      await this.#checkpoint();
      return deleted;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const closing = this.#exclusive(async () => {
      if (this.#lost) return;
      await this.#checkpoint();
      this.#writer.discard();
      await this.#session.close();
    });
    this.#closed = true;
    await closing;
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error(`${this.#config.path}: the store is closed`));
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** After a failed commit. @returns whether it became durable all the same; false also where nobody can tell yet */
  async #recover(sequence: number): Promise<boolean> {
    try {
      this.#writer.discard();
      await this.#session.rollback().catch(() => undefined);
      const { sequence: stored } = await readLastCommit(this.#session.queries);
      await this.#session.bind(this.#writer);
      return stored >= sequence;
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'store: opening the file anew after a failed commit');
    }
    this.#lost = true;
    try {
      return (await this.#reopen()) >= sequence;
    } catch (error) {
      this.#log.warn(
        { error: messageOf(error) },
        'store: the file cannot be opened; tried again with the next commit',
      );
      return false;
    }
  }

  /** @returns the sequence of the last durable commit */
  async #reopen(): Promise<number> {
    try {
      this.#writer.discard();
    } catch {
      // An appender of a dead session cannot be closed in order; it is gone all the same.
    }
    await this.#session.close();
    this.#session = await Session.open(this.#config.path, this.#config.memoryLimitMb);
    await this.#session.bind(this.#writer);
    this.#lost = false;
    return (await readLastCommit(this.#session.queries)).sequence;
  }

  #countTowardsCheckpoint(batch: CommitBatch): void {
    const rows = batch.readings.length + batch.held.length + batch.windows.length + batch.ticks.length;
    // Twins and dead letters hold texts.
    this.#bytesSinceCheckpoint +=
      BYTES_PER_COMMIT + BYTES_PER_ROW * (rows + 8 * (batch.twins.length + batch.deadLetters.length));
    if (this.#bytesSinceCheckpoint < CHECKPOINT_BYTES || this.#closed) return;
    this.#bytesSinceCheckpoint = 0;
    void this.#exclusive(async () => {
      await deleteExcessDeadLetters(this.#session.upkeep, this.#config.maxDeadLetters);
      await this.#checkpoint();
    }).catch((error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, 'store: upkeep failed; tried again later');
    });
  }

  /** A failure costs disk and start-up time, not data: what was committed stays in the log. */
  async #checkpoint(): Promise<void> {
    try {
      await checkpoint(this.#session.upkeep, this.#last.sequence);
      this.#bytesSinceCheckpoint = 0;
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'store: checkpoint failed; tried again later');
    }
  }
}
