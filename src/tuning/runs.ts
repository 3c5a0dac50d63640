/** Readings without a break in the recording: source times in epoch ms, which grow, and values. Of the same length. */
export interface Run {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

export const countOf = (runs: readonly Run[]): number =>
  runs.reduce((sum, { times }) => sum + times.length, 0);

const part = ({ times, values }: Run, from: number, to: number): Run => ({
  times: times.subarray(from, to),
  values: values.subarray(from, to),
});

/** The first `count` readings and the rest; the run in which the cut falls is in both. */
export function splitRuns(runs: readonly Run[], count: number): [Run[], Run[]] {
  const before: Run[] = [];
  const after: Run[] = [];
  let left = count;
  for (const run of runs) {
    const length = run.times.length;
    const cut = Math.max(0, Math.min(left, length));
    if (cut > 0) before.push(part(run, 0, cut));
    if (cut < length) after.push(part(run, cut, length));
    left -= length;
  }
  return [before, after];
}

/** At most about `limit` readings, in runs of at least `least` (where there are such), spread evenly. */
export function thinRuns(runs: readonly Run[], limit: number, least: number): readonly Run[] {
  const total = countOf(runs);
  if (total <= limit) return runs;
  const pieces: Run[] = [];
  for (const run of runs) {
    const { length } = run.times;
    const count = Math.max(1, Math.floor(length / least));
    for (let i = 0; i < count; i++)
      pieces.push(part(run, Math.floor((i * length) / count), Math.floor(((i + 1) * length) / count)));
  }
  // Piece by piece, each as soon as its share is due, so that long runs and short ones come in equally.
  const share = limit / total;
  const kept: Run[] = [];
  let due = 0;
  for (const piece of pieces) {
    due += piece.times.length * share;
    if (due < piece.times.length / 2) continue;
    kept.push(piece);
    due -= piece.times.length;
  }
  return kept;
}

export const joined = (runs: readonly Run[], key: keyof Run): Float64Array => {
  const all = new Float64Array(countOf(runs));
  let at = 0;
  for (const run of runs) {
    all.set(run[key], at);
    at += run[key].length;
  }
  return all;
};
