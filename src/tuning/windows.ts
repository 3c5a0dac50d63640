/** Proposals for the checks that compare a reading with those before it: z-score and Hampel. */
import { hampelState, hampelStep, resolveHampelOptions } from '../../operators/steps/hampel.ts';
import { outlierState, outlierStep, resolveOutlierOptions } from '../../operators/steps/outlier.ts';
import { examine, flagsOf, tolerable } from './flags.ts';
import type { Examined, Flags } from './flags.ts';
import { rounded } from './round.ts';
import { thinRuns } from './runs.ts';
import { percent } from './setting.ts';
import type { Setting } from './setting.ts';

const OUTLIER_WINDOWS = [100, 50, 200, 500];
const OUTLIER_THRESHOLDS = [3, 3.5, 4, 5, 6, 8];
const HAMPEL_WINDOWS = [60, 30, 15];
const HAMPEL_THRESHOLDS = [4, 5, 6, 8, 10];
/** Readings that candidates are compared on. */
const COMPARED = 20_000;

type Judge = (examined: Examined, windowSize: number, threshold: number) => Flags;

const outlierOptions = (windowSize: number, threshold: number): Record<string, number> => ({
  windowSize,
  minSamples: Math.min(30, windowSize),
  threshold,
});

const judgeOutlier: Judge = (examined, windowSize, threshold) => {
  const options = resolveOutlierOptions(outlierOptions(windowSize, threshold));
  return flagsOf(examined, outlierState, (state, value) => outlierStep(state, value, options));
};

export function proposeOutlier(examined: Examined): Setting {
  const found = choose(examined, judgeOutlier, OUTLIER_WINDOWS, OUTLIER_THRESHOLDS);
  if ('share' in found) return { key: 'outlier', value: false, note: tooMuch(found, OUTLIER_THRESHOLDS) };
  const { windowSize, threshold } = found;
  const flags = judgeOutlier(examined, windowSize, threshold);
  return {
    key: 'outlier',
    value: outlierOptions(windowSize, threshold),
    note: flagNote(flags, examined),
  };
}

export function proposeHampel(examined: Examined): Setting {
  const stdDevFloor = rounded(Math.max(examined.stdDev, examined.resolution ?? 0));
  const options = (windowSize: number, threshold: number): Record<string, number> => ({
    ...outlierOptions(windowSize, threshold),
    minSamples: Math.min(20, windowSize),
    stdDevFloor,
  });
  const judge: Judge = (on, windowSize, threshold) => {
    const resolved = resolveHampelOptions(options(windowSize, threshold));
    return flagsOf(on, hampelState, (state, value) => hampelStep(state, value, resolved));
  };
  const found = choose(examined, judge, HAMPEL_WINDOWS, HAMPEL_THRESHOLDS);
  if ('share' in found) return { key: 'hampel', value: false, note: tooMuch(found, HAMPEL_THRESHOLDS) };
  const { windowSize, threshold } = found;
  const note = flagNote(judge(examined, windowSize, threshold), examined);
  return { key: 'hampel', value: options(windowSize, threshold), note };
}

/** The smallest threshold under which hardly any reading but spikes is flagged, with the first window that allows it. */
function choose(
  examined: Examined,
  judge: Judge,
  windows: readonly number[],
  thresholds: readonly number[],
): { readonly windowSize: number; readonly threshold: number } | Flags {
  const sample = thinned(examined);
  const room = windows.filter((size) => size * 3 <= sample.count);
  let last: Flags = { others: 0, spikes: 0, share: 0 };
  for (const threshold of thresholds) {
    for (const windowSize of room) {
      last = judge(sample, windowSize, threshold);
      if (last.others <= tolerable(sample.count)) return { windowSize, threshold };
    }
  }
  return last;
}

function thinned(examined: Examined): Examined {
  if (examined.count <= COMPARED) return examined;
  const runs = thinRuns(examined.runs, COMPARED, 2048);
  return examine(runs, examined.stdDev, examined.resolution, examined.intervalMs);
}

export const flagNote = ({ share, spikes }: Flags, { spikeCount }: Examined): string =>
  `flags ${percent(share)}${spikeCount === 0 ? '' : `, ${spikes} of ${spikeCount} spikes`}`;

const tooMuch = ({ share }: Flags, thresholds: readonly number[]): string =>
  `off: it would flag ${percent(share)} even at ${thresholds.at(-1)} standard deviations, as the process moves by more than the noise`;
