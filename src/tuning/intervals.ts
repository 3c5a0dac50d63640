/** Bins to a doubling: neighbouring ones differ by 1.1 %. */
const BINS_PER_OCTAVE = 64;

/** Times between readings, ms, each > 0, by logarithmic bins: quantiles of any number of them, within 1.1 %. */
export class Intervals {
  readonly #bins = new Map<number, { count: number; sum: number }>();
  count = 0;
  longestMs = 0;

  add(ms: number): void {
    const at = Math.round(Math.log2(ms) * BINS_PER_OCTAVE);
    const bin = this.#bins.get(at);
    if (bin === undefined) this.#bins.set(at, { count: 1, sum: ms });
    else {
      bin.count += 1;
      bin.sum += ms;
    }
    this.count += 1;
    if (ms > this.longestMs) this.longestMs = ms;
  }

  /** The mean of the bin in which the p-quantile falls: exact where all intervals in it are the same. NaN without any. */
  quantile(p: number): number {
    let before = 0;
    for (const [, { count, sum }] of this.#sorted()) {
      before += count;
      if (before >= p * this.count) return sum / count;
    }
    return NaN;
  }

  /** How many are longer than this, by the means of their bins. */
  countOver(ms: number): number {
    let over = 0;
    for (const { count, sum } of this.#bins.values()) if (sum / count > ms) over += count;
    return over;
  }

  #sorted(): [number, { count: number; sum: number }][] {
    return [...this.#bins].sort(([a], [b]) => a - b);
  }
}
