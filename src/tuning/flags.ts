import type { Issue } from '../../operators/types.ts';
import { noiseStdDev, shiftsOf, spikesOf } from './noise.ts';
import type { Run } from './runs.ts';

/** A recording as the proposals of checks need it. */
export interface Examined {
  readonly runs: readonly Run[];
  /** Spikes by the median of five, a set a run. */
  readonly spikes: readonly ReadonlySet<number>[];
  readonly spikeCount: number;
  /** Readings just after a step of the level, a set a run: a check may well flag those until it believes the step. */
  readonly shifted: readonly ReadonlySet<number>[];
  readonly count: number;
  /** Of the noise, by the filter that is proposed: sqrt(R); the values' unit. */
  readonly stdDev: number;
  /** Step in which values come; null = none seen. */
  readonly resolution: number | null;
  readonly intervalMs: number;
}

export function examine(
  runs: readonly Run[],
  stdDev: number,
  resolution: number | null,
  intervalMs: number,
): Examined {
  // A process that curves by more than the noise has no spikes at its turning points.
  const spread = Math.max(stdDev, noiseStdDev(runs, resolution ?? 0) || 0);
  const spikes = runs.map((run) => spikesOf(run, spread));
  return {
    ...{ runs, spikes, stdDev, resolution, intervalMs },
    shifted: runs.map((run) => shiftsOf(run, spread)),
    spikeCount: spikes.reduce((sum, { size }) => sum + size, 0),
    count: runs.reduce((sum, { times }) => sum + times.length, 0),
  };
}

/** What a check makes of the recording. */
export interface Flags {
  /** Readings flagged that are neither spikes nor just after a step of the level. */
  readonly others: number;
  /** Spikes flagged. */
  readonly spikes: number;
  /** Of all readings. */
  readonly share: number;
}

/** Sends the recording through a check's step, each run from a fresh start. */
export function flagsOf<S>(
  { runs, spikes, shifted, count }: Pick<Examined, 'runs' | 'spikes' | 'shifted' | 'count'>,
  start: () => S,
  step: (state: S, value: number, time: number) => Issue | undefined,
): Flags {
  let [others, found, all] = [0, 0, 0];
  runs.forEach(({ times, values }, k) => {
    const state = start();
    for (let i = 0; i < times.length; i++) {
      if (step(state, values[i] ?? 0, times[i] ?? 0) === undefined) continue;
      all += 1;
      if (spikes[k]?.has(i) === true) found += 1;
      else if (shifted[k]?.has(i) !== true) others += 1;
    }
  });
  return { others, spikes: found, share: count === 0 ? 0 : all / count };
}

/** Of `others` so many may be flagged: one in a thousand. */
export const tolerable = (count: number): number => Math.max(5, count / 1000);
