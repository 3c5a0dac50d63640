import type { Subject } from 'rxjs';
import { NO_ISSUES } from '../operators/types.ts';
import type { Reading } from '../operators/types.ts';

/** One line of the report. */
export interface Measure {
  readonly name: string;
  /** What was measured, with its unit, e.g. `612 ns a reading`. */
  readonly result: string;
  readonly baseline: string;
  /** Result against baseline, both from this run. */
  readonly ratio: string;
  readonly target: string;
  /** null where there is no target. */
  readonly reached: boolean | null;
}

export interface BenchOptions {
  /** Small counts, to see that everything runs; the figures mean little. */
  readonly quick: boolean;
}

/** What every `*.bench.ts` exports. */
export type Bench = (options: BenchOptions) => Promise<Measure[]>;

/** CPU time (user and system, all threads) of the work, in nanoseconds. */
export function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  return cpuSince(before);
}

/** CPU time since an earlier `process.cpuUsage()`, in nanoseconds. */
export function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** The value below which a share of the others lies, nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** A seeded generator of numbers from -0.5 to 0.5, the same in every run (linear congruential, Numerical Recipes). */
export function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

export const QUANTITIES = [
  { sensor: 'temperature', unit: 'degC', level: 85 },
  { sensor: 'pressure', unit: 'MPa', level: 2.5 },
  { sensor: 'flow_rate', unit: 'L/min', level: 120 },
  { sensor: 'ph', unit: 'pH', level: 7 },
] as const;

/** Asset, quantity and unit of the sensor of that index: four sensors an asset. */
export const quantityOf = (index: number): (typeof QUANTITIES)[number] =>
  QUANTITIES[index % 4] ?? QUANTITIES[0];

const START = Date.UTC(2025, 9, 26);

/**
 * Readings of `sensors` sensors in turn, each sensor's `everyMs` apart in source time; the i-th when called with i.
 * Values keep within half a percent of a level, so that no check has anything to say.
 */
export function readingMaker(sensors: number, everyMs: number): (i: number) => Reading {
  const random = noise(1);
  const assets = Array.from({ length: Math.ceil(sensors / 4) }, (_, i) => `R${i}`);
  return (i) => {
    const index = i % sensors;
    const { sensor, unit, level } = quantityOf(index);
    const timestamp = START + Math.floor(i / sensors) * everyMs;
    const value = level * (1 + 0.01 * random());
    return {
      asset: assets[index >> 2] ?? '',
      sensor,
      timestamp,
      value,
      unit,
      quality: 'Good',
      issues: NO_ISSUES,
      imputed: false,
      received: { row: i, source: 'bench', position: i, arrivedAt: timestamp, value, unit, quality: 'Good' },
    };
  };
}

/** `count` readings, beginning with the one of number `first`. */
export function plantReadings(make: (i: number) => Reading, count: number, first = 0): Reading[] {
  return Array.from({ length: count }, (_, i) => make(first + i));
}

/** Feeds items to a Subject, a turn of the event loop after every `turn` of them. @returns CPU ns an item. */
export async function feed<T>(source: Subject<T>, items: readonly T[], turn = items.length): Promise<number> {
  let cpu = 0;
  for (let from = 0; from < items.length; from += turn) {
    const before = process.cpuUsage();
    const to = Math.min(items.length, from + turn);
    for (let i = from; i < to; i++) {
      const item = items[i];
      if (item !== undefined) source.next(item);
    }
    if (turn < items.length) await new Promise((resolve) => setImmediate(resolve));
    cpu += cpuSince(before);
  }
  return cpu / items.length;
}
