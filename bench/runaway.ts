/**
 * How long before a runaway (truth above 110 degC) the runaway warning speaks, how often for nothing, and what a plain
 * high-temperature limit does. Prints a table:
 *
 *     node bench/runaway.ts [--from 5001] [--library 240] [--borderline 240] [--sensors 4|6] [--sweep]
 *
 * `--sweep` tries other settings instead of those that are compared: to be done on other seeds than those reported.
 */
import { parseArgs } from 'node:util';
import { RUNAWAY_DEGC } from '../src/plant/process/library.ts';
import type { Scenario } from '../src/plant/process/scenario.ts';
import { simulatePlant } from '../src/plant/process/simulatePlant.ts';
import { cstr } from '../src/twin/process/cstr.ts';
import { estimatedTwin } from '../src/twin/process/estimatedTwin.ts';
import type { EstimateOptions } from '../src/twin/process/estimationOptions.ts';
import { runawayWarning } from '../src/twin/process/runaway.ts';
import type { RunawayLevel } from '../src/twin/process/runaway.ts';
import type { RunawayOptions } from '../src/twin/process/runawayOptions.ts';
import { borderlineRuns, libraryRuns, sensorsOf } from './runaway/scenarios.ts';
import { Follower, score, SCORED } from './runaway/score.ts';
import type { Watched } from './runaway/score.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '5001' },
    library: { type: 'string', default: '240' },
    borderline: { type: 'string', default: '240' },
    sensors: { type: 'string', default: '4' },
    sweep: { type: 'boolean', default: false },
  },
});
const sensorCount = values.sensors === '6' ? 6 : 4;

const STD_DEV: Readonly<Record<string, number>> = {
  ...{ temperature: 0.3, coolant_temperature: 0.3, flow_rate: 0.5, feed_temperature: 0.3 },
  ...{ coolant_flow_rate: 1, coolant_inlet_temperature: 0.3 },
};
/** As docs/twin.md advises: the feed can be told where the jacket is measured, and is considered where it is not. */
const feedConcentration: EstimateOptions =
  sensorCount === 6
    ? { stdDev: 200 }
    : { mode: 'consider', stdDev: 10, noisePerSqrtS: 10 * Math.sqrt(2 / 300) };
const estimation = {
  estimate: {
    heatTransfer: {},
    feedConcentration,
    preExponentialFactor: { mode: 'consider', stdDev: 0.02 * 1.2e9 },
  },
} as const;
const model = cstr({
  initialTemperatureDegC: 60,
  ...(sensorCount === 6 && { jacketVolumeL: 10, coolantFlowRateLPerMin: 100 }),
});

interface Detector {
  readonly name: string;
  readonly options: Partial<RunawayOptions>;
  readonly levels: readonly RunawayLevel[];
}
const warning = (name: string, options: Partial<RunawayOptions>): Detector => ({
  ...{ name, options, levels: ['warning'] },
});

const COMPARED: readonly Detector[] = [
  warning('divergence alone', { criterion: 'divergence' }),
  warning('prediction alone', { criterion: 'prediction' }),
  warning('both at once', { criterion: 'both' }),
  warning('either (default)', {}),
  { name: 'either, from watch on', options: {}, levels: ['watch', 'warning'] },
];
const SWEPT: readonly Detector[] = [
  warning('divergence > 0.25/min', { criterion: 'divergence', divergencePerS: 0.25 / 60 }),
  ...[60, 180].map((horizonS) =>
    warning(`prediction ${horizonS} s`, { criterion: 'prediction', horizonMs: horizonS * 1000 }),
  ),
  warning('prediction 90 s, 0.5', { criterion: 'prediction', probability: 0.5 }),
  ...[90, 120].flatMap((horizonS) =>
    [
      [2500, 2, 15_000],
      [2500, 3, 15_000],
      [2500, 2, 5000],
      [2500, 3, 5000],
      [2500, 3, 0],
      [5000, 2, 15_000],
    ].map(([everyMs = 0, confirmCount = 0, inputAverageMs = 0]) =>
      warning(
        `either, ${horizonS} s, every ${everyMs / 1000} s, confirmed ${confirmCount}, inputs over ${inputAverageMs / 1000} s`,
        { horizonMs: horizonS * 1000, everyMs, confirmCount, inputAverageMs },
      ),
    ),
  ),
];
const detectors = values.sweep ? SWEPT : COMPARED;
const LIMITS_DEGC = [70, 80, 90];

const companions = detectors.map(({ name, options }) =>
  runawayWarning(model, estimation, { limit: RUNAWAY_DEGC, ...options }, name),
);
const twin = estimatedTwin(model, estimation, undefined, companions);

function levelOf(said: unknown): RunawayLevel | undefined {
  if (typeof said !== 'object' || said === null || !('level' in said)) return undefined;
  const { level } = said;
  return level === 'none' || level === 'watch' || level === 'warning' ? level : undefined;
}

/** Episodes of every detector, then of every limit. */
function watch(scenario: Scenario): Watched[] {
  const state = twin.initial();
  const followers = [...detectors, ...LIMITS_DEGC].map(() => new Follower());
  const above = LIMITS_DEGC.map(() => 0);
  let before: number | null = null;
  let runawayS: number | null = null;
  let endS = 0;
  for (const { atS, readings, truth } of simulatePlant(scenario)) {
    endS = atS;
    for (const { sensor, value, timestamp } of readings) {
      if (value === null) continue;
      twin.advance(state, (timestamp - (before ?? timestamp)) / 1000);
      before = timestamp;
      twin.correct(state, sensor, value, (STD_DEV[sensor] ?? NaN) ** 2);
      if (sensor !== 'temperature') continue;
      // Two readings in a row, and it takes 2 K less to clear.
      LIMITS_DEGC.forEach((limit, i) => {
        above[i] = value >= limit ? (above[i] ?? 0) + 1 : value < limit - 2 ? 0 : (above[i] ?? 0);
      });
    }
    const said = twin.insights?.(state) ?? {};
    detectors.forEach(({ name, levels }, i) => {
      const level = levelOf(said[name]);
      followers[i]?.see(atS, level !== undefined && levels.includes(level));
    });
    LIMITS_DEGC.forEach((_, i) => followers[detectors.length + i]?.see(atS, (above[i] ?? 0) >= 2));
    if ((truth[0]?.values.temperature ?? NaN) > RUNAWAY_DEGC) {
      runawayS = atS;
      break;
    }
  }
  return followers.map(({ episodes }) => ({ runawayS, durationS: endS, episodes }));
}

function table(title: string, scenarios: readonly Scenario[]): void {
  const sensors = sensorsOf(sensorCount);
  const runs = scenarios.map((scenario) => watch({ ...scenario, sensors }));
  const away = runs.filter(([first]) => first?.runawayS !== null).length;
  console.log(`\n${title}: ${runs.length} runs, ${away} of them runaways; ${sensorCount} sensors\n`);
  console.log(`| alarm | ${SCORED.join(' | ')} |\n| --- |${' --- |'.repeat(SCORED.length)}`);
  const names = [...detectors.map(({ name }) => name), ...LIMITS_DEGC.map((limit) => `${limit} degC`)];
  names.forEach((name, i) => {
    const watched = runs.flatMap((run) => run[i] ?? []);
    console.log(`| ${name} | ${score(watched).join(' | ')} |`);
  });
}

const from = Number(values.from);
table('Library', libraryRuns(from, Number(values.library)));
table('Borderline', borderlineRuns(from, Number(values.borderline)));
