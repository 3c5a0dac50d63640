import type { StoreConfig } from '../../config/types.ts';
import { BatchWriter } from './batchWriter.ts';
import type { Channels } from './channels.ts';
import { messageOf } from './damage.ts';
import { openFile } from './opening.ts';
import type { OpenedFile } from './opening.ts';
import { readLastCommit, Session } from './session.ts';
import type { LastCommit } from './session.ts';
import type { StoreLog } from './setAside.ts';
import type { Reading } from '../../operators/types.ts';
import type {
  CommitBatch,
  ForwardCursor,
  PruneBounds,
  QuarantinedPoint,
  RangeQuery,
  Store,
} from './store.ts';
import * as upkeep from './upkeep.ts';

export { isDamage } from './damage.ts';
export { StoreError } from './database.ts';
export { openStoreReadOnly } from './reader.ts';
export type { StoreLog } from './setAside.ts';

/** Log written since the last checkpoint, estimated, after which the next one is due. */
const CHECKPOINT_BYTES = 16_000_000;

/**
 * Opens the embedded store, creating file and folder where there are none. A damaged file is set aside with a warning,
 * and a new one begun (see `Store.setAside`).
 * @param damage an error of this store for which `isDamage` holds: the file is set aside although it can be opened
 * @throws StoreError that names the file: in use by another process, not a store, or of a newer version.
 */
export async function openStore(config: StoreConfig, log: StoreLog, damage?: unknown): Promise<Store> {
  const opened = await openFile(config, log, damage);
  try {
    const writer = new BatchWriter(opened.channels);
    await opened.session.bind(writer);
    return new DuckdbStore(config, log, writer, opened);
  } catch (error) {
    await opened.session.close();
    throw error;
  }
}

class DuckdbStore implements Store {
  readonly id: string;
  readonly setAside: readonly string[];
  #notes: ReadonlyMap<string, string>;
  readonly #config: StoreConfig;
  readonly #log: StoreLog;
  readonly #channels: Channels;
  readonly #writer: BatchWriter;
  #session: Session;
  #last: LastCommit;
  #forwarded: ForwardCursor;
  /** Commits, checkpoints and pruning take turns: DuckDB would let them wait on the main thread. */
  #tail: Promise<unknown> = Promise.resolve();
  #bytesSinceCheckpoint = 0;
  /** Set when the session did not survive an error and no new one could be opened yet. */
  #lost = false;
  #closed = false;

  constructor(config: StoreConfig, log: StoreLog, writer: BatchWriter, opened: OpenedFile) {
    this.id = opened.id;
    this.setAside = opened.setAside;
    this.#config = config;
    this.#log = log;
    this.#session = opened.session;
    this.#channels = opened.channels;
    this.#writer = writer;
    this.#last = opened.last;
    this.#notes = opened.notes;
    this.#forwarded = opened.last.forwarded;
  }

  get lastRow(): number {
    return this.#last.lastRow;
  }

  get positions(): ReadonlyMap<string, number> {
    return this.#last.positions;
  }

  get lastCommit(): number {
    return this.#last.sequence;
  }

  get notes(): ReadonlyMap<string, string> {
    return this.#notes;
  }

  get forwarded(): ForwardCursor {
    return this.#last.forwarded;
  }

  setForwarded(cursor: ForwardCursor): void {
    this.#forwarded = cursor;
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

  smoothed(query: RangeQuery) {
    return this.#session.queries.smoothed(query);
  }

  anomalies(query: Omit<RangeQuery, 'sensor'>) {
    return this.#session.queries.anomalies(query);
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

  inputsAfter(row: number) {
    return this.#session.inputs.after(row, this.#last.lastRow);
  }

  newestReceived(asset: string, sensor: string) {
    return this.#session.queries.newestReceived(asset, sensor);
  }

  async recall(readings: readonly Reading[]): Promise<readonly boolean[]> {
    try {
      return await this.#session.recall.recall(readings);
    } catch (error) {
      // DuckDB may refuse all further work; with readings waiting for this answer there may be no commit to notice it.
      await this.#exclusive(() => this.#reviveSession());
      throw error;
    }
  }

  deliveries(source: string, count: number) {
    return this.#session.inputs.deliveries(source, count, this.#last.lastRow);
  }

  committedAfter(after: number, upTo: number, limit: number) {
    return this.#session.forwarding.after(after, upTo, limit);
  }

  countCommitted(after: number, upTo: number) {
    return this.#session.forwarding.count(after, upTo);
  }

  quarantined(limit: number) {
    return this.#session.queries.quarantined(limit);
  }

  quarantine(points: readonly QuarantinedPoint[]): Promise<void> {
    return this.#exclusive(() => upkeep.storeQuarantined(this.#session.upkeep, points));
  }

  commit(batch: CommitBatch): Promise<void> {
    return this.#exclusive(async () => {
      const next: LastCommit = {
        sequence: this.#last.sequence + 1,
        lastRow: Math.max(batch.lastRow, this.#last.lastRow),
        positions: new Map([...this.#last.positions, ...batch.positions]),
        forwarded: this.#forwarded,
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
      if (batch.notes !== undefined) this.#notes = new Map([...this.#notes, ...batch.notes]);
      this.#countTowardsCheckpoint(batch);
    });
  }

  prune(now: number, bounds: PruneBounds): Promise<number> {
    return this.#exclusive(async () => {
      const deleted = await upkeep.deleteOld(this.#session.upkeep, this.#config, now, bounds);
      await this.#checkpoint();
      return deleted;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const closing = this.#exclusive(async () => {
      if (this.#lost) return;
      if (this.#forwarded !== this.#last.forwarded) {
        await upkeep
          .storeCursor(this.#session.upkeep, { ...this.#last, forwarded: this.#forwarded })
          .catch((error: unknown) =>
            this.#log.warn({ error: messageOf(error) }, 'store: how far was forwarded could not be stored'),
          );
      }
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

  async #reviveSession(): Promise<void> {
    if (!this.#lost) {
      try {
        await readLastCommit(this.#session.own);
        return;
      } catch {
        this.#lost = true;
      }
    }
    await this.#reopen();
  }

  /** After a failed commit. @returns whether it became durable all the same; false also where nobody can tell yet */
  async #recover(sequence: number): Promise<boolean> {
    try {
      this.#writer.discard();
      await this.#session.rollback().catch(() => undefined);
      const { sequence: stored } = await readLastCommit(this.#session.own);
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
    this.#session = await Session.open(this.#config.path, this.#config.memoryLimitMb, this.#channels);
    await this.#session.bind(this.#writer);
    this.#lost = false;
    return (await readLastCommit(this.#session.own)).sequence;
  }

  #countTowardsCheckpoint(batch: CommitBatch): void {
    this.#bytesSinceCheckpoint += upkeep.loggedBytes(batch);
    if (this.#bytesSinceCheckpoint < CHECKPOINT_BYTES || this.#closed) return;
    this.#bytesSinceCheckpoint = 0;
    void this.#exclusive(async () => {
      await upkeep.deleteExcessDeadLetters(this.#session.upkeep, this.#config.maxDeadLetters);
      await this.#checkpoint();
    }).catch((error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, 'store: upkeep failed; tried again later');
    });
  }

  /** A failure costs disk and start-up time, not data: what was committed stays in the log. */
  async #checkpoint(): Promise<void> {
    try {
      await upkeep.checkpoint(this.#session.upkeep, this.#last.sequence);
      this.#bytesSinceCheckpoint = 0;
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'store: checkpoint failed; tried again later');
    }
  }
}
