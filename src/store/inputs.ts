import type { Issue, Reading, Received } from '../../operators/types.ts';
import type { Delivered } from '../sources/source.ts';
import type { Channels } from './channels.ts';
import { parseIssues, qualityOf } from './decode.ts';
import type { QueryQueue } from './queryQueue.ts';
import { BACKFILLED } from './schema.ts';
import { DELIVERIES, INPUTS, NEXT_INPUT } from './sql.ts';
import type { RecordedInput } from './store.ts';

/** Rows of one page: a few vectors, so that a page costs little memory and its query little time. */
const PAGE_ROWS = 8192;

/** Issues that sources give; every other comes from an operator, which will find it again. */
const OF_SOURCES: ReadonlySet<string> = new Set(['source', 'time']);

/** Reads back what came in. */
export class Inputs {
  readonly #queue: QueryQueue;
  readonly #channels: Channels;

  constructor(queue: QueryQueue, channels: Channels) {
    this.#queue = queue;
    this.#channels = channels;
  }

  /**
   * Page by page over ranges of row numbers, for which DuckDB skips all row groups but those that hold them. Numbers
   * are nearly without gaps; where a page is empty the next begins with the next row that there is.
   */
  async *after(row: number, lastRow: number): AsyncGenerator<readonly RecordedInput[]> {
    for (let from = row; from < lastRow;) {
      const page = await this.#page(from, from + PAGE_ROWS);
      if (page.length > 0) yield page;
      from += PAGE_ROWS;
      if (page.length > 0) continue;
      const [next] = await this.#queue.rows(NEXT_INPUT, [{ count: from }]);
      const found = next?.['row'];
      if (typeof found !== 'number') return;
      from = found - 1;
    }
  }

  /** Reads back from the newest row, further each time, because most sources have their newest near the end. */
  async deliveries(source: string, count: number, lastRow: number): Promise<readonly Delivered[]> {
    for (let span = 4 * Math.max(count, PAGE_ROWS); ; span *= 8) {
      const from = Math.max(0, lastRow - span);
      const [positions = [], names = []] = await this.#queue.columns(DELIVERIES, [
        source,
        { count: from },
        { limit: count },
      ]);
      if (positions.length < count && from > 0) continue;
      return positions
        .map((position, i) => ({ position: Number(position), delivery: Number(names[i]) }))
        .reverse();
    }
  }

  /** Inputs of the rows in (from, to]. */
  async #page(from: number, to: number): Promise<readonly RecordedInput[]> {
    const columns = await this.#queue.columns(INPUTS, [{ count: from }, { count: to }]);
    const [rows = [], channels = [], times = [], values = [], flags = [], issues = []] = columns;
    const [, , , , , , positions = [], arrivals = [], deliveries = []] = columns;
    const inputs: RecordedInput[] = [];
    for (let i = 0; i < rows.length; i++) {
      const row = Number(rows[i]);
      // A held reading that was released is stored twice, under one number.
      if (inputs.at(-1)?.row === row) continue;
      const channel = channels[i];
      const input =
        channel === null
          ? { at: Number(times[i]) }
          : this.#reading(Number(channel), Number(flags[i]), {
              row,
              timestamp: Number(times[i]),
              value: numberOrNull(values[i]),
              issues: issues[i],
              position: Number(positions[i]),
              arrivedAt: Number(arrivals[i]),
              delivery: numberOrNull(deliveries[i]),
            });
      inputs.push({ row, input });
    }
    return inputs;
  }

  #reading(id: number, flags: number, stored: StoredInput): Reading {
    const channel = this.#channels.get(id);
    const { value, timestamp, delivery } = stored;
    const unit = channel.receivedUnit ?? '';
    const quality = qualityOf(flags >> 2);
    const received: Received = {
      row: stored.row,
      source: channel.source ?? '',
      position: stored.position,
      arrivedAt: stored.arrivedAt,
      value,
      unit,
      quality,
      ...(delivery !== null && { delivery }),
      ...((flags & BACKFILLED) !== 0 && { backfilled: true as const }),
    };
    const issues = sourceIssues(stored.issues);
    const { asset, sensor } = channel;
    return { asset, sensor, timestamp, value, unit, quality, issues, imputed: false, received };
  }
}

interface StoredInput {
  readonly row: number;
  readonly timestamp: number;
  readonly value: number | null;
  readonly issues: unknown;
  readonly position: number;
  readonly arrivedAt: number;
  readonly delivery: number | null;
}

const NONE: readonly Issue[] = Object.freeze([]);

const sourceIssues = (json: unknown): readonly Issue[] =>
  typeof json === 'string' ? parseIssues(json).filter(({ check }) => OF_SOURCES.has(check)) : NONE;

const numberOrNull = (value: unknown): number | null => (typeof value === 'number' ? value : null);
