import { makeRun } from '../../bench/estimation/conditions.ts';
import type { Condition, Run } from '../../bench/estimation/conditions.ts';
import { PROFILES, SAMPLINGS, normal, reading } from '../../bench/estimation/signals.ts';
import type { Profile } from '../../bench/estimation/signals.ts';
import {
  estimateInitialState,
  estimateStep,
  resolveEstimateOptions,
} from '../../operators/steps/estimate.ts';
import type { EstimateOptions } from '../../operators/steps/estimate.ts';
import { resolveSmoothOptions, smoothFlush, smoothState, smoothStep } from '../../operators/steps/smooth.ts';
import type { SmoothOptions } from '../../operators/steps/smooth.ts';
import type { Reading } from '../../operators/types.ts';
import { svg } from './svg.ts';
import type { Figure, Layer, Panel, Points } from './svg.ts';

/** The plots of docs/estimation.md, from runs of the operators' own steps. */

interface Estimated {
  readonly value: number;
  readonly stdDev: number;
}

const VARIANCE = 0.25;
const SEED = 900_001;
const LAG_MS = 10_000;
const LEGEND = {
  dots: 'readings',
  truth: 'truth',
  line: 'estimate',
  band: 'its 95 % band (± 1.96 stdDev)',
};

function online(readings: readonly Reading[], options: EstimateOptions): Estimated[] {
  const resolved = resolveEstimateOptions({ measurementVariance: VARIANCE, ...options });
  const state = estimateInitialState(resolved.mode);
  return readings.flatMap((each) => estimateStep(state, each, resolved) ?? []);
}

function lagged(readings: readonly Reading[], options: SmoothOptions = {}): Estimated[] {
  const resolved = resolveSmoothOptions({ measurementVariance: VARIANCE, lagMs: LAG_MS, ...options });
  const state = smoothState();
  const results: Estimated[] = [];
  for (const each of readings) smoothStep(state, each, resolved, ({ smoothed }) => results.push(smoothed));
  smoothFlush(state, ({ smoothed }) => results.push(smoothed));
  return results;
}

const seconds = ({ readings }: Run): number[] => readings.map(({ timestamp }) => timestamp / 1000);

const along = (times: readonly number[], values: readonly number[]): Points =>
  times.map((t, i) => [t, values[i] ?? NaN] as const);

function layers(run: Run, estimates: readonly Estimated[]): Layer[] {
  const times = seconds(run);
  const edge = (sign: number): Points =>
    along(
      times,
      estimates.map(({ value, stdDev }) => value + sign * 1.96 * stdDev),
    );
  return [
    {
      kind: 'dots',
      points: run.readings.flatMap(({ timestamp, value }) =>
        value === null ? [] : [[timestamp / 1000, value] as const],
      ),
    },
    { kind: 'band', upper: edge(1), lower: edge(-1) },
    {
      kind: 'line',
      points: along(
        times,
        estimates.map(({ value }) => value),
      ),
    },
    { kind: 'truth', points: along(times, run.truth) },
  ];
}

/** Mean square error against the noise's, of this one run. */
function note({ truth }: Run, estimates: readonly Estimated[], variance = VARIANCE): string {
  const squares = estimates.reduce((sum, { value }, i) => sum + (value - (truth[i] ?? NaN)) ** 2, 0);
  const share = 100 * (1 - squares / truth.length / variance);
  const inside = estimates.filter(
    ({ value, stdDev }, i) => Math.abs(value - (truth[i] ?? NaN)) <= 1.96 * stdDev,
  ).length;
  const error = share >= 0 ? `error −${share.toFixed(0)} %` : `error × ${(1 - share / 100).toFixed(1)}`;
  return `${error}; ${((100 * inside) / truth.length).toFixed(0)} % of truth in the band`;
}

function range(run: Run, margin: number): [number, number] {
  return [Math.floor(Math.min(...run.truth) - margin), Math.ceil(Math.max(...run.truth) + margin)];
}

function comparison(title: string, run: Run, margin: number): Figure {
  const panel = (name: string, estimates: readonly Estimated[]): Panel => ({
    title: name,
    note: note(run, estimates),
    layers: layers(run, estimates),
    x: [0, 300],
    y: range(run, margin),
  });
  return {
    title,
    xLabel: 'time, s',
    yLabel: 'degC',
    legend: LEGEND,
    panels: [
      panel('constantVelocity, the reference', online(run.readings, { mode: 'constantVelocity' })),
      panel('adaptive, at once', online(run.readings, { mode: 'adaptive' })),
      panel('smoothState, 10 s later', lagged(run.readings)),
    ],
  };
}

const [SAMPLING = { hz: 1, durationS: 300, periodS: 100, lagMs: LAG_MS }] = SAMPLINGS;

const runOf = (profile: Profile, condition: Condition): Run => makeRun(profile, SAMPLING, condition, SEED);

const SHIFTS: Profile = {
  name: 'shifts',
  truth: (share, t) => (share < 0.4 ? 0 : share < 0.75 ? 16 : 16 - 0.2 * (t - 225)),
  breaks: [0],
};

/** Noise of 0.2 that becomes 0.8 in the middle; R is set for 0.05. */
function changing(): Run {
  const next = normal(SEED);
  const truth = Array.from({ length: 400 }, (_, i) => 85 + 2 * Math.sin(i / 50));
  return {
    readings: truth.map((each, i) => reading(i * 1000, each + (i < 200 ? 0.2 : 0.8) * next())),
    truth,
    settled: truth.map(() => true),
  };
}

function learned(): Figure {
  const run = changing();
  const told: EstimateOptions = { mode: 'adaptive', measurementVariance: 0.0025 };
  const resolved = resolveEstimateOptions(told);
  const state = estimateInitialState('adaptive');
  const noise = run.readings.map((each): readonly [number, number] => {
    estimateStep(state, each, resolved);
    return [each.timestamp / 1000, Math.sqrt(state.bank?.noise.r ?? NaN)];
  });
  const panel = (title: string, options: EstimateOptions): Panel => {
    const estimates = online(run.readings, { ...told, ...options });
    return {
      title,
      note: note(run, estimates, (0.04 + 0.64) / 2),
      layers: layers(run, estimates),
      x: [0, 400],
      y: [81, 89],
    };
  };
  return {
    title: 'Noise of 0.2 degC that becomes 0.8 degC, while the filter is told 0.05 degC',
    xLabel: 'time, s',
    yLabel: 'degC',
    legend: LEGEND,
    panels: [
      panel('adaptive, R fixed (noiseCount: null)', { noiseCount: null }),
      panel('adaptive, R learned (the default)', {}),
      {
        title: 'what was learned',
        note: 'standard deviation of the noise, degC',
        layers: [
          {
            kind: 'truth',
            points: [
              [0, 0.2],
              [200, 0.2],
              [200, 0.8],
              [400, 0.8],
            ],
          },
          { kind: 'line', points: noise },
        ],
        x: [0, 400],
        y: [0, 1.2],
        ownScale: true,
      },
    ],
  };
}

/** Every plot by the name of its file. */
export function plots(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const profile of PROFILES) {
    const title = `${profile.name[0]?.toUpperCase()}${profile.name.slice(1)}: noise of 0.5 degC, one reading a second`;
    const run = runOf(profile, { name: 'plain' });
    files.set(`estimates-${profile.name.replace(', ', '-')}.svg`, svg(comparison(title, run, 1.5)));
  }
  const spiky = runOf(SHIFTS, { name: 'spikes', spikes: 0.02 });
  files.set(
    'estimates-spikes.svg',
    svg(comparison('Spikes of ± 10 degC, a level shift, and a ramp down', spiky, 4)),
  );
  files.set('estimates-noise.svg', svg(learned()));
  return files;
}
