import { anomalyState, anomalyStep } from '../operators/steps/anomaly.ts';
import type { AnomalyRecord } from '../operators/steps/anomaly.ts';
import { resolveAnomalyOptions } from '../operators/steps/anomalyOptions.ts';
import type { AnomalyOptions } from '../operators/steps/anomalyOptions.ts';
import { NO_ISSUES } from '../operators/types.ts';
import { createRandom } from '../src/plant/random.ts';
import type { Random } from '../src/plant/random.ts';

/*
 * node bench/anomalySimulated.ts [SEEDS]
 *
 * How detectAnomaly keeps to its false-alarm rate, and how soon it finds a shift of one sensor by three standard deviations,
 * with readings that are not as its formulas assume. All at the defaults, unless the name says otherwise; no fault before
 * the shift. Each seed: learned from learnCount intervals, then QUIET of them, then the shift.
 */

const SEEDS = Number(process.argv[2] ?? 10);
const QUIET = 3600;
const AFTER = 600;
const SHIFT = 3;

type Noise = (random: Random) => (second: number) => number;

const white: Noise = (random) => () => random.normal();
const autoregressive =
  (phi: number): Noise =>
  (random) => {
    let level = random.normal();
    return () => (level = phi * level + Math.sqrt(1 - phi * phi) * random.normal());
  };
/** Student's t with 3 degrees of freedom, scaled to a standard deviation of 1. */
const heavyTails: Noise = (random) => () => {
  const squares = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
  return random.normal() / Math.sqrt(squares);
};
/** Two standard deviations up and down over a day, beside noise. */
const daily: Noise = (random) => {
  const phase = 2 * Math.PI * random.uniform();
  return (second) => random.normal() + 2 * Math.sin((2 * Math.PI * second) / 86_400 + phase);
};
const hourly: Noise = (random) => {
  const phase = 2 * Math.PI * random.uniform();
  return (second) => random.normal() + 2 * Math.sin((2 * Math.PI * second) / 3600 + phase);
};
const randomWalk: Noise = (random) => {
  let level = 0;
  return () => random.normal() + (level += 0.02 * random.normal());
};
/** A switch: two levels, each held for a minute or so. */
const steps: Noise = (random) => {
  let level = random.uniform() < 0.5 ? -1 : 1;
  return () => {
    if (random.uniform() < 1 / 60) level = -level;
    return level + 0.1 * random.normal();
  };
};
/** Moves in steps of its resolution, mostly not at all. */
const coarse: Noise = (random) => () => Math.round(0.5 * random.normal());
const constant: Noise = () => () => 0;

interface Case {
  readonly name: string;
  readonly noise: readonly Noise[];
  readonly options?: Partial<AnomalyOptions>;
  /** Seconds between readings, by place of the sensor. */
  readonly everyS?: (place: number) => number;
  /** Share of the readings that are left out. */
  readonly missing?: number;
  /** Readings come anywhere in their second. */
  readonly jitter?: boolean;
  /** Clock of the sensor, seconds ahead. */
  readonly aheadS?: (place: number) => number;
  /** Standard deviation of what all sensors have in common. */
  readonly common?: number;
}

const four = (noise: Noise): Noise[] => [noise, noise, noise, noise];
const CASES: readonly Case[] = [
  { name: 'white noise, 4 sensors', noise: four(white) },
  { name: '1 sensor', noise: [white] },
  { name: '64 sensors', noise: Array.from({ length: 64 }, () => white) },
  { name: 'correlated (0.8)', noise: four(white), common: 2 },
  { name: 'irregular', noise: four(white), jitter: true },
  { name: '30 % missing', noise: four(white), missing: 0.3 },
  {
    name: '1 s and 60 s, smoothingMs 60 s, baselineMs 1 h',
    noise: four(white),
    everyS: (i) => (i < 2 ? 1 : 60),
    options: { learnCount: 3600, smoothingMs: 60_000, baselineMs: 3_600_000 },
  },
  {
    name: '1 s and 60 s, intervalMs 60 s',
    noise: four(white),
    everyS: (i) => (i < 2 ? 1 : 60),
    options: { intervalMs: 60_000, learnCount: 60, smoothingMs: 120_000, baselineMs: 3_600_000 },
  },
  { name: '1 s and 60 s, defaults', noise: four(white), everyS: (i) => (i < 2 ? 1 : 60) },
  { name: 'clocks 3 s apart', noise: four(white), aheadS: (i) => (i < 2 ? 0 : 3) },
  { name: 'clocks an hour apart', noise: four(white), aheadS: (i) => (i < 2 ? 0 : 3600) },
  { name: 'one constant', noise: [white, white, white, constant] },
  { name: 'coarse resolution', noise: four(coarse) },
  { name: 'heavy tails (t, 3)', noise: four(heavyTails) },
  { name: 'AR(1), 0.5', noise: four(autoregressive(0.5)) },
  { name: 'AR(1), 0.8', noise: four(autoregressive(0.8)) },
  { name: 'AR(1), 0.95', noise: four(autoregressive(0.95)) },
  { name: 'AR(1), 0.95, learnCount 3600', noise: four(autoregressive(0.95)), options: { learnCount: 3600 } },
  {
    name: 'AR(1), 0.95, learnCount 7200, smoothingMs 30 s, baselineMs 10 min',
    noise: four(autoregressive(0.95)),
    options: { learnCount: 7200, smoothingMs: 30_000, baselineMs: 600_000 },
  },
  { name: 'AR(1), 0.99', noise: four(autoregressive(0.99)) },
  { name: 'one of them a switch', noise: [steps, white, white, white] },
  { name: 'switch, learnCount 3600', noise: [steps, white, white, white], options: { learnCount: 3600 } },
  { name: 'a cycle of a day', noise: four(daily) },
  { name: 'a cycle of an hour', noise: four(hourly) },
  { name: 'a random walk', noise: four(randomWalk) },
];

interface Result {
  over: number;
  judged: number;
  inAlarm: number;
  onsets: number;
  delaysS: number[];
}

function play(
  { noise, options, everyS = () => 1, missing = 0, jitter = false, aheadS = () => 0, common = 0 }: Case,
  seed: number,
  result: Result,
): void {
  const random = createRandom(seed);
  const sensors = noise.map((_, i) => `s${i}`);
  const resolved = resolveAnomalyOptions({ asset: 'rig', sensors, recordEveryMs: 0, ...options });
  const state = anomalyState();
  const signals = noise.map((each) => each(createRandom(1000 * seed + Math.floor(1e6 * random.uniform()))));
  const learnS = (resolved.learnCount * resolved.intervalMs) / 1000 + 1;
  const quietEnd = learnS + QUIET;
  const shifted = Math.floor(random.uniform() * noise.filter((each) => each !== constant).length);
  const unit = Math.sqrt(1 + common * common);
  let second = 0;
  const onsetsS: number[] = [];
  const emit = (record: AnomalyRecord): void => {
    if (second < quietEnd) {
      result.judged += 1;
      if (record.score > record.threshold) result.over += 1;
      if (record.alarm) result.inAlarm += 1;
      if (record.event === 'onset') result.onsets += 1;
    } else if (record.event === 'onset') {
      onsetsS.push(second - quietEnd);
    }
  };
  for (; second < quietEnd + AFTER; second++) {
    const shared = common * random.normal();
    const readings = signals.flatMap((signal, i) => {
      const own = signal(second);
      const value = own + shared + (second >= quietEnd && i === shifted ? SHIFT * unit : 0);
      if (second % everyS(i) !== 0 || random.uniform() < missing) return [];
      const at = second + (jitter ? 0.999 * random.uniform() : 0);
      return { sensor: sensors[i] ?? '', value, at, timestamp: Math.round(1000 * (at + aheadS(i))) };
    });
    for (const { sensor, value, timestamp } of readings.toSorted((a, b) => a.at - b.at)) {
      const rest = { unit: '', quality: 'Good', issues: NO_ISSUES, imputed: false, received: null } as const;
      anomalyStep(state, { asset: 'rig', sensor, timestamp, value, ...rest }, resolved, emit);
    }
  }
  result.delaysS.push(...onsetsS.slice(0, 1));
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? NaN;
console.log('| readings | over the threshold % | in alarm % | onsets an hour | found | median delay s |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
for (const each of CASES) {
  if (process.argv[3] && !each.name.includes(process.argv[3])) continue;
  const result: Result = { over: 0, judged: 0, inAlarm: 0, onsets: 0, delaysS: [] };
  for (let seed = 1; seed <= SEEDS; seed++) play(each, seed, result);
  const { over, judged, inAlarm, onsets, delaysS } = result;
  const cells = [
    each.name,
    ((100 * over) / judged).toFixed(2),
    ((100 * inAlarm) / judged).toFixed(2),
    ((onsets * 3600) / QUIET / SEEDS).toFixed(2),
    `${delaysS.length} of ${SEEDS}`,
    median(delaysS).toFixed(0),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
