import { map, Subject } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { feed, median } from '../support.ts';
import type { BenchOptions, Measure } from '../support.ts';

/** Few enough for the cache: otherwise reaching for the readings is all that is measured. */
const ITEMS = 10_000;
const ROUNDS = 100;
/** Rounds in which the compiler warms up; they do not count. */
const WARM_UP = 40;

export interface OperatorBench<T extends object, R> {
  readonly name: string;
  readonly operator: OperatorFunction<T, R>;
  /** The i-th item; called in ascending order. */
  readonly item: (i: number) => T;
  /** A turn of the event loop after so many items, for operators that wait for something. Default: none. */
  readonly turn?: number;
  readonly what?: string;
}

/** CPU time an item of one operator on one stream, against a bare `map` on the same items, in turns. */
export async function measureOperator<T extends object, R>(
  { name, operator, item, turn, what = 'one stream' }: OperatorBench<T, R>,
  { quick }: BenchOptions,
): Promise<Measure[]> {
  const items = quick ? ITEMS / 10 : ITEMS;
  const source = new Subject<T>();
  const bare = new Subject<T>();
  let emitted = 0;
  let passed = 0;
  source.pipe(operator).subscribe(() => (emitted += 1));
  bare.pipe(map((given) => given)).subscribe(() => (passed += 1));
  const results: number[] = [];
  const baselines: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const batch = Array.from({ length: items }, (_, i) => item(round * items + i));
    // Now the one first, now the other: whoever comes first finds the readings cold.
    const first = round % 2 === 0 ? await feed(bare, batch, turn) : NaN;
    const result = await feed(source, batch, turn);
    const baseline = round % 2 === 0 ? first : await feed(bare, batch, turn);
    if (round < WARM_UP) continue;
    baselines.push(baseline);
    results.push(result);
  }
  if (emitted === 0 || passed !== items * ROUNDS)
    throw new Error(`${name} emitted nothing, or map not everything`);
  const ns = median(results);
  const baseNs = median(baselines);
  return [
    {
      name: `${name}: ${what}`,
      result: `${ns.toFixed(0)} ns of CPU a reading`,
      baseline: `map: ${baseNs.toFixed(0)} ns`,
      ratio: (ns / baseNs).toFixed(1),
      target: '',
      reached: null,
    },
  ];
}
