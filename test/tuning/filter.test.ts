import { describe, expect, test } from 'vitest';
import {
  estimateInitialState,
  estimateStep,
  resolveEstimateOptions,
} from '../../operators/steps/estimate.ts';
import type { EstimateOptions } from '../../operators/steps/estimate.ts';
import { proposeFilter } from '../../src/tuning/filter.ts';
import type { FilterProposal } from '../../src/tuning/filter.ts';
import { fit } from '../../src/tuning/fit.ts';
import { readingAt } from '../../src/tuning/innovations.ts';
import { noiseStdDev } from '../../src/tuning/noise.ts';
import type { Run } from '../../src/tuning/runs.ts';
import { PROFILES, simulate, wander } from './recordings.ts';
import type { Simulated } from './recordings.ts';

const propose = (run: Run, hz: number, resolution: number | null = null): FilterProposal =>
  proposeFilter({
    ...{ runs: [run], resolution, intervalMs: 1000 / hz, span: 12 },
    durationMs: (run.times.length * 1000) / hz,
  });

/** Root mean square error of the estimates. */
function errorOf(options: EstimateOptions, { run, truth }: Simulated): number {
  const resolved = resolveEstimateOptions(options);
  const state = estimateInitialState(resolved.mode);
  let sum = 0;
  run.times.forEach((time, i) => {
    const estimate = estimateStep(state, readingAt(time, run.values[i] ?? NaN), resolved);
    sum += ((estimate?.value ?? NaN) - (truth[i] ?? NaN)) ** 2;
  });
  return Math.sqrt(sum / truth.length);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length;

const SEEDS = [11, 12, 13];
const CASES = (['ramp', 'step', 'sine'] as const).flatMap((name) => [1, 10].map((hz) => ({ name, hz })));

describe.each(CASES)('white noise on a $name at $hz Hz', ({ name, hz }) => {
  const recordings = SEEDS.map((seed) => simulate(PROFILES[name], { seed, hz }));
  const proposals = recordings.map(({ run }) => propose(run, hz));

  test('R comes out within 15 %, and the filter fits on what it has not seen', () => {
    for (const { options, judgement } of proposals) {
      expect(Math.abs(options.measurementVariance / 0.25 - 1)).toBeLessThan(0.15);
      expect(judgement.nis).toBeGreaterThan(0.85);
      expect(judgement.nis).toBeLessThan(1.15);
      expect(judgement.inBand).toBeGreaterThan(0.93);
      expect(judgement.inBand).toBeLessThan(0.97);
      expect(Math.abs(judgement.lag1 ?? 1)).toBeLessThan(0.12);
    }
  });

  test('no setting of a grid is nearer to the truth by more than 10 %', () => {
    const tuned = mean(recordings.map((each, i) => errorOf(proposals[i]?.options ?? {}, each)));
    const grid = Array.from({ length: 15 }, (_, k) => 10 ** (k - 13) * hz ** 3).map((q) =>
      mean(
        recordings.map((each) =>
          errorOf(
            { mode: 'whiteAcceleration', measurementVariance: 0.25, accelerationNoise: [q, q, q] },
            each,
          ),
        ),
      ),
    );
    expect(tuned).toBeLessThan(1.1 * Math.min(...grid));
  });
});

test.each([1e-4, 1e-2])('acceleration noise of %d comes out within a factor of 2, R within 15 %', (q) => {
  for (const seed of [1, 2]) {
    const run = wander(q, 0.25, seed, 6000);
    const { options } = fit('whiteAcceleration', {
      runs: [run],
      ...{ stdDev: noiseStdDev([run]), leastVariance: 1e-9, intervalS: 1, durationS: 6000, span: 1000 },
    });
    const found = (options.accelerationNoise?.[1] ?? NaN) * (options.measurementVariance ?? NaN);
    expect(Math.abs(Math.log2(found / q))).toBeLessThan(1);
    expect(Math.abs((options.measurementVariance ?? NaN) / 0.25 - 1)).toBeLessThan(0.15);
  }
});

test('spikes and gaps do not pass for noise', () => {
  const { run } = simulate(PROFILES.sine, { seed: 21, hz: 1 });
  const kept = run.times.map((_, i) => i).filter((i) => i % 500 < 440);
  const times = kept.map((i) => run.times[i] ?? 0);
  const values = kept.map((i) => (run.values[i] ?? 0) + (i % 97 === 0 ? 25 : 0));
  const { options, judgement } = propose({ times, values }, 1);
  expect(Math.abs(options.measurementVariance / 0.25 - 1)).toBeLessThan(0.15);
  expect(options.mode).not.toBe('constantVelocity');
  expect(judgement.offCount).toBeGreaterThanOrEqual(8);
});

test('values in steps: R is noise and rounding together, and never less than step^2 / 12', () => {
  const { run } = simulate(PROFILES.sine, { seed: 22, hz: 1, stdDev: 0.3 });
  const quantised = (step: number): Run => ({
    ...run,
    values: run.values.map((each) => Math.round(each / step) * step),
  });
  const medium = propose(quantised(0.5), 1, 0.5);
  expect(Math.abs(medium.options.measurementVariance / (0.09 + 0.25 / 12) - 1)).toBeLessThan(0.15);
  expect(medium.isBelowResolution).toBe(false);
  const quiet = simulate(PROFILES.ramp, { seed: 23, hz: 1, stdDev: 0.001 });
  const coarse = propose(
    { ...quiet.run, values: quiet.run.values.map((each) => Math.round(each * 2) / 2) },
    1,
    0.5,
  );
  expect(coarse.options.measurementVariance).toBeGreaterThanOrEqual(rounded(0.25 / 12));
});

const rounded = (value: number): number => Number(value.toPrecision(3));
