import type { DuckDBConnection } from '@duckdb/node-api';
import type { Reading } from '../../operators/types.ts';
import type { Channels } from './channels.ts';
import { DoubleColumn, IntegerColumn, TableWriter } from './columns.ts';
import { read } from './queryQueue.ts';
import type { QueryQueue } from './queryQueue.ts';
import { RECALL, WANTED } from './sql.ts';

/** Times further apart than this are looked up apart, because between them may lie most of the store. */
const MIN_GAP_MS = 60_000;
const MAX_RANGES = 16;
/** What is deleted from a temporary table keeps its room: it is made anew after so many rows. */
const MAX_WANTED = 100_000;

/** First and last time of each run of times, parted at the widest gaps. */
function rangesOf(times: readonly number[]): readonly (readonly [number, number])[] {
  const sorted = Float64Array.from(times).sort();
  const at = (i: number): number => sorted[i] ?? 0;
  const gapBefore = (i: number): number => at(i) - at(i - 1);
  const starts = Array.from(sorted.keys()).filter((i) => i > 0 && gapBefore(i) > MIN_GAP_MS);
  const widest = starts.sort((a, b) => gapBefore(b) - gapBefore(a)).slice(0, MAX_RANGES - 1);
  const cuts = [0, ...widest.sort((a, b) => a - b), sorted.length];
  return cuts.slice(1).map((end, n) => [at(cuts[n] ?? 0), at(end - 1)]);
}

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
  /** Rows that were in the table since it was made. */
  #used = 0;

  constructor(queue: QueryQueue, channels: Channels) {
    this.#queue = queue;
    this.#channels = channels;
  }

  recall(readings: readonly Reading[]): Promise<readonly boolean[]> {
    return this.#queue.run(async (connection) => {
      try {
        return await this.#recall(connection, readings);
      } catch (error) {
        // What is left in the table must not be taken for a part of the next call.
        this.#discard();
        throw error;
      }
    });
  }

  /** To be called before the connection closes. */
  close(): Promise<void> {
    return this.#queue.run(() => {
      this.#discard();
      return Promise.resolve();
    });
  }

  async #recall(connection: DuckDBConnection, readings: readonly Reading[]): Promise<readonly boolean[]> {
    const known = readings.map(() => false);
    const times: number[] = [];
    await this.#begin(connection);
    for (const [i, reading] of readings.entries()) {
      const { asset, sensor, timestamp, received } = reading;
      for (const { id, source } of this.#channels.of(asset, sensor)) {
        if (source === null) continue;
        this.#want(i, id, timestamp, received === null ? reading.value : received.value);
        times.push(timestamp);
      }
    }
    if (times.length === 0) return known;
    this.#wanted.flush();
    for (const range of rangesOf(times)) {
      const [indices = []] = (await read(connection, RECALL, range)).getColumnsJS();
      for (const index of indices) known[Number(index)] = true;
    }
    this.#used += times.length;
    if (this.#used < MAX_WANTED) await connection.run('DELETE FROM wanted');
    else this.#discard();
    return known;
  }

  #discard(): void {
    this.#open = false;
    this.#wanted.discard();
  }

  async #begin(connection: DuckDBConnection): Promise<void> {
    if (this.#open) return;
    await connection.run(WANTED);
    await this.#wanted.open(connection);
    this.#open = true;
    this.#used = 0;
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
