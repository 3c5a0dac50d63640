import type { Channels } from './channels.ts';
import { qualityOf } from './decode.ts';
import type { QueryQueue } from './queryQueue.ts';
import { IMPUTED } from './schema.ts';
import { COMMITTED, COUNT_COMMITTED } from './sql.ts';
import type { ForwardRow } from './store.ts';

type Committed = { readonly rows: readonly ForwardRow[]; readonly through: number };

/** What the forwarder reads. */
export class Forwarding {
  readonly #queue: QueryQueue;
  readonly #channels: Channels;

  constructor(queue: QueryQueue, channels: Channels) {
    this.#queue = queue;
    this.#channels = channels;
  }

  /** See `Store.committedAfter`. */
  async after(after: number, upTo: number, limit: number): Promise<Committed> {
    // Commit 0 is what was stored before commits were counted: not forwarded.
    const from = Math.max(0, after);
    if (upTo <= from) return { rows: [], through: upTo };
    const found = await this.#rows(from, upTo, limit + 1);
    if (found.length <= limit) return { rows: found.map(({ row }) => row), through: upTo };
    // The last one may be cut in the middle of its commit.
    const cut = found.at(-1)?.commit ?? from;
    const rows = found.filter(({ commit }) => commit < cut).map(({ row }) => row);
    if (rows.length > 0) return { rows, through: cut - 1 };
    return { rows: (await this.#rows(cut - 1, cut, Infinity)).map(({ row }) => row), through: cut };
  }

  async count(after: number, upTo: number): Promise<number> {
    const [row] = await this.#queue.rows(COUNT_COMMITTED, [{ count: after }, { count: upTo }]);
    return Number(row?.['count'] ?? 0);
  }

  /** Rows lie in the order of their commits, and a scan that has enough of them ends. */
  async #rows(
    after: number,
    upTo: number,
    limit: number,
  ): Promise<readonly { commit: number; row: ForwardRow }[]> {
    const columns = await this.#queue.columns(COMMITTED, [{ count: after }, { count: upTo }, { limit }]);
    const [commits = [], channels = [], times = [], values = [], flags = []] = columns;
    const [, , , , , estimates = [], rates = [], deviations = []] = columns;
    return commits.map((commit, i) => {
      const { asset, sensor, unit } = this.#channels.get(Number(channels[i]));
      const [value, estimate, mark] = [values[i], estimates[i], Number(flags[i])];
      const row: ForwardRow = {
        asset,
        sensor,
        timestamp: Number(times[i]),
        value: typeof value === 'number' ? value : null,
        unit,
        quality: qualityOf(mark),
        imputed: (mark & IMPUTED) !== 0,
        estimate:
          typeof estimate === 'number'
            ? { value: estimate, ratePerS: Number(rates[i]), stdDev: Number(deviations[i]) }
            : null,
      };
      return { commit: Number(commit), row };
    });
  }
}
