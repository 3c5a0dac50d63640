import type { DuckDBConnection } from '@duckdb/node-api';
import type { Reading } from '../../operators/types.ts';
import type { Channels } from './channels.ts';
import { DoubleColumn, IntegerColumn, TableWriter } from './columns.ts';
import { read } from './queryQueue.ts';
import type { QueryQueue } from './queryQueue.ts';
import { RECALL, WANTED } from './sql.ts';

/**
 * Looks up whether readings are stored already. They go into a temporary table of the connection, which is joined with
 * the rows of their time range: one query for thousands of readings, and no value becomes part of its text.
 */
export class Recall {
  readonly #queue: QueryQueue;
  readonly #channels: Channels;
  readonly #wanted = new TableWriter('wanted', {
    index: new IntegerColumn(),
    channel: new IntegerColumn(),
    timestamp: new DoubleColumn(),
    value: new DoubleColumn(),
  });
  #open = false;

  constructor(queue: QueryQueue, channels: Channels) {
    this.#queue = queue;
    this.#channels = channels;
  }

  recall(readings: readonly Reading[]): Promise<readonly boolean[]> {
    return this.#queue.run(async (connection) => {
      const known = readings.map(() => false);
      let first = Infinity;
      let last = -Infinity;
      await this.#begin(connection);
      for (const [i, reading] of readings.entries()) {
        const { asset, sensor, timestamp, received } = reading;
        for (const { id, source } of this.#channels.of(asset, sensor)) {
          if (source === null) continue;
          this.#want(i, id, timestamp, received === null ? reading.value : received.value);
          first = Math.min(first, timestamp);
          last = Math.max(last, timestamp);
        }
      }
      if (first > last) return known;
      this.#wanted.flush();
      const [indices = []] = (await read(connection, RECALL, [first, last])).getColumnsJS();
      for (const index of indices) known[Number(index)] = true;
      await connection.run('DELETE FROM wanted');
      return known;
    });
  }

  /** To be called before the connection closes. */
  close(): Promise<void> {
    return this.#queue.run(() => {
      this.#wanted.discard();
      this.#open = false;
      return Promise.resolve();
    });
  }

  async #begin(connection: DuckDBConnection): Promise<void> {
    if (this.#open) return;
    await connection.run(WANTED);
    await this.#wanted.open(connection);
    this.#open = true;
  }

  #want(index: number, channel: number, timestamp: number, value: number | null): void {
    const i = this.#wanted.next();
    const to = this.#wanted.columns;
    to.index.set(i, index);
    to.channel.set(i, channel);
    to.timestamp.set(i, timestamp);
    to.value.set(i, value);
  }
}
