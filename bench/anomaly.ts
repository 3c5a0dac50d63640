import { existsSync, readFileSync } from 'node:fs';
import { anomalyFlush, anomalyState, anomalyStep } from '../operators/steps/anomaly.ts';
import type { AnomalyRecord } from '../operators/steps/anomaly.ts';
import { resolveAnomalyOptions } from '../operators/steps/anomalyOptions.ts';
import type { AnomalyOptions } from '../operators/steps/anomalyOptions.ts';
import { NO_ISSUES } from '../operators/types.ts';
import { addRecording, alarmScore, scoreTally } from '../src/scoring/score.ts';
import type { ScoredRow } from '../src/scoring/score.ts';
import { scoreTable } from '../src/scoring/table.ts';
import { AlarmTimeline } from '../src/scoring/timeline.ts';

/*
 * node bench/anomaly.ts [FOLDER]
 *
 * Scores detectAnomaly on the SKAB recordings in FOLDER (valve1/*.csv, anomaly-free/anomaly-free.csv; default
 * ../shared/data/skab). The first 400 rows of each file are learned from, and not scored. The threshold follows from the
 * false-alarm rate; which sensors drift was chosen on anomaly-free, smoothing and scale were looked at on valve1 as well.
 */

const folder = process.argv[2] ?? new URL('../../shared/data/skab', import.meta.url).pathname;
const LEARN_ROWS = 400;
/** Rows of a labelled file, and the labelled ones of it; anomaly-free is cut and labelled like this for the control. */
const CONTROL = { rows: 1147, from: 574, to: 974 };

interface Row {
  readonly at: number;
  readonly values: readonly { readonly sensor: string; readonly value: number }[];
  readonly anomalous: boolean;
}

if (!existsSync(`${folder}/valve1`)) {
  console.error(`${folder}: no SKAB recordings there; they are not part of this project`);
  process.exit(2);
}

const valve = Array.from({ length: 16 }, (_, i) => read(`${folder}/valve1/${i}.csv`));
const free = read(`${folder}/anomaly-free/anomaly-free.csv`);
const segments = Array.from({ length: Math.floor(free.length / CONTROL.rows) }, (_, i) =>
  free
    .slice(i * CONTROL.rows, (i + 1) * CONTROL.rows)
    .map((row, k) => ({ ...row, anomalous: k >= CONTROL.from && k < CONTROL.to })),
);
const ALL = [...new Set(free.flatMap(({ values }) => values.map(({ sensor }) => sensor)))];
// These wander by many standard deviations in anomaly-free.
const DRIFTING = ['Accelerometer1RMS', 'Accelerometer2RMS', 'Temperature', 'Thermocouple'];
const STEADY = ALL.filter((sensor) => !DRIFTING.includes(sensor));

const settings: {
  name: string;
  options: Partial<AnomalyOptions>;
  keep?: (row: number, sensor: number) => boolean;
}[] = [
  { name: 'steady sensors, defaults', options: { sensors: STEADY } },
  { name: 'all sensors, defaults', options: {} },
  ...[0.01, 0.003, 0.0003].map((falseAlarmRate) => ({
    name: `steady sensors, falseAlarmRate ${falseAlarmRate}`,
    options: { sensors: STEADY, falseAlarmRate },
  })),
  ...[5000, 7000, 14_000].map((smoothingMs) => ({
    name: `steady sensors, smoothingMs ${smoothingMs}`,
    options: { sensors: STEADY, smoothingMs },
  })),
  ...[null, 200_000].map((baselineMs) => ({
    name: `steady sensors, baselineMs ${baselineMs}`,
    options: { sensors: STEADY, baselineMs },
  })),
  {
    name: 'steady sensors, every third value missing',
    options: { sensors: STEADY },
    keep: (row, sensor) => (row * 7 + sensor * 5 + ((row * row) % 11)) % 3 !== 0,
  },
  {
    name: 'steady sensors, half of the rows missing',
    options: { sensors: STEADY, learnCount: 200 },
    keep: (row) => (row * 7 + ((row * row) % 11)) % 2 === 0,
  },
];

const results = settings.map(({ name, options, keep }) => {
  const score = scoreOf(valve, options, keep);
  const control = scoreOf(segments, options, keep);
  const quiet = scored(free, options, keep);
  const inAlarm = (100 * quiet.filter(({ alarm }) => alarm).length) / quiet.length;
  return { name, score: { ...score, controlJ: control.j }, inAlarm };
});
console.log(`valve1, ${valve.length} files; control: anomaly-free cut and labelled like them`);
console.log(scoreTable(results));
console.log('anomaly-free after its first 400 rows, share of time in alarm, %');
for (const { name, inAlarm } of results) console.log(`  ${name}: ${inAlarm.toFixed(1)}`);

function scoreOf(
  files: readonly (readonly Row[])[],
  options: Partial<AnomalyOptions>,
  keep?: (row: number, sensor: number) => boolean,
): ReturnType<typeof alarmScore> {
  const tally = scoreTally();
  for (const rows of files) addRecording(tally, scored(rows, options, keep));
  return alarmScore(tally);
}

/** The rows after those learned from, each with the alarm in force. */
function scored(
  rows: readonly Row[],
  options: Partial<AnomalyOptions>,
  keep: (row: number, sensor: number) => boolean = () => true,
): ScoredRow[] {
  const resolved = resolveAnomalyOptions({ asset: 'rig', sensors: ALL, ...options });
  const state = anomalyState();
  const timeline = new AlarmTimeline();
  const emit = ({ timestamp, alarm }: AnomalyRecord): void => timeline.set(timestamp, alarm);
  for (const [k, { at: timestamp, values }] of rows.entries()) {
    for (const [i, { sensor, value }] of values.entries()) {
      if (!keep(k, i)) continue;
      const rest = { unit: '', quality: 'Good', issues: NO_ISSUES, imputed: false, received: null } as const;
      anomalyStep(state, { asset: 'rig', sensor, timestamp, value, ...rest }, resolved, emit);
    }
  }
  anomalyFlush(state, resolved, emit);
  const alarmAt = timeline.reader();
  return rows.slice(LEARN_ROWS).map(({ at, anomalous }) => ({ at, anomalous, alarm: alarmAt(at) }));
}

function read(path: string): Row[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const columns = header.trim().split(';');
  return lines.map((line) => {
    const cells = line.trim().split(';');
    const values = columns.flatMap((sensor, i) =>
      ['datetime', 'anomaly', 'changepoint'].includes(sensor) ? [] : { sensor, value: Number(cells[i]) },
    );
    const at = Date.parse(`${cells[columns.indexOf('datetime')]?.replace(' ', 'T')}Z`);
    return { at, values, anomalous: Number(cells[columns.indexOf('anomaly')] ?? 0) > 0.5 };
  });
}
