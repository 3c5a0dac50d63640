import { parseScenario } from '../src/plant/process/parseScenario.ts';
import { simulatePlant } from '../src/plant/process/simulatePlant.ts';
import { cstr } from '../src/twin/process/cstr.ts';
import { diagnosis } from '../src/twin/process/diagnosis.ts';
import type { Diagnosis, DiagnosisState } from '../src/twin/process/diagnosis.ts';
import type { DiagnosisOptions } from '../src/twin/process/diagnosisOptions.ts';
import type { Verdict } from '../src/twin/process/diagnosisVerdict.ts';
import { estimatedTwin } from '../src/twin/process/estimatedTwin.ts';
import type { EstimationOptions } from '../src/twin/process/estimationOptions.ts';
import { resolveEstimation } from '../src/twin/process/estimationOptions.ts';

/*
 * node bench/diagnosis.ts [RIG] [SEEDS] [FIRST] [HOURS]
 *
 * What the diagnosis makes of faults on the simulated process plant, rig by rig: seeds FIRST to FIRST + SEEDS - 1 of each fault,
 * the onset at 30 min plus what the seed adds, the verdict an hour later; and HOURS quiet hours a seed with a fault of none.
 */

const RIG = process.argv[2] ?? 'all';
const SEEDS = Number(process.argv[3] ?? 10);
const FIRST = Number(process.argv[4] ?? 1001);
const HOURS = Number(process.argv[5] ?? 12);

interface Rig {
  readonly jacket: boolean;
  readonly stdDev: Readonly<Record<string, number>>;
  readonly estimation: EstimationOptions;
  readonly diagnosis: DiagnosisOptions;
}

const WANDERING = { stdDev: 10, noisePerSqrtS: 10 * Math.sqrt(2 / 300) };
const PROCESS = ['heatTransfer', 'feedConcentration', 'preExponentialFactor'];
const BASE = { temperature: 0.3, coolant_temperature: 0.3, flow_rate: 0.5, feed_temperature: 0.3 };
const JACKET = { ...BASE, coolant_inlet_temperature: 0.3, coolant_flow_rate: 1 };
const considered = {
  heatTransfer: {},
  feedConcentration: { mode: 'consider', ...WANDERING },
  preExponentialFactor: { mode: 'consider', stdDev: 0.02 * 1.2e9 },
} as const;

const RIGS: Readonly<Record<string, Rig>> = {
  jacketAndConcentration: {
    jacket: true,
    stdDev: { ...JACKET, concentration: 0.01 },
    estimation: { estimate: considered },
    diagnosis: { parameters: PROCESS },
  },
  jacket: {
    jacket: true,
    stdDev: JACKET,
    estimation: { estimate: considered },
    diagnosis: { parameters: PROCESS },
  },
  concentration: {
    jacket: false,
    stdDev: { ...BASE, concentration: 0.01 },
    estimation: { estimate: considered },
    diagnosis: { parameters: PROCESS },
  },
  temperatureAlone: {
    jacket: false,
    stdDev: BASE,
    estimation: { estimate: considered },
    diagnosis: { parameters: PROCESS },
  },
};

interface Trial {
  readonly name: string;
  readonly kind: Verdict['kind'] | 'none';
  readonly which: string;
  readonly event: object | null;
  /** The sensor that it needs. */
  readonly needs?: string;
}

const sensor = (which: string, fault: string, size: number, needs?: string): Trial => ({
  name: `${which} ${fault}${fault === 'stuck' ? '' : ` ${size}`}`,
  kind: 'sensorFault',
  which,
  event: { sensor: which, fault, ...(fault !== 'stuck' && { size: fault === 'drift' ? size / 3600 : size }) },
  ...(needs !== undefined && { needs }),
});
const change = (which: string, name: string, event: object): Trial => ({
  name,
  kind: 'processFault',
  which,
  event,
});

const TRIALS: readonly Trial[] = [
  sensor('temperature', 'bias', 1),
  sensor('temperature', 'bias', 2),
  sensor('temperature', 'bias', -4),
  sensor('temperature', 'drift', 6),
  sensor('temperature', 'scale', 1.05),
  sensor('temperature', 'stuck', 0),
  sensor('coolant_temperature', 'bias', 2),
  sensor('coolant_temperature', 'bias', -4),
  sensor('coolant_temperature', 'stuck', 0),
  sensor('flow_rate', 'bias', 5),
  sensor('flow_rate', 'scale', 0.9),
  sensor('concentration', 'bias', 0.03, 'concentration'),
  sensor('concentration', 'drift', 0.12, 'concentration'),
  change('heatTransfer', 'heat transfer -10 %', { scale: { heatTransfer: 0.9 } }),
  change('heatTransfer', 'heat transfer -20 % over 10 min', { scale: { heatTransfer: 0.8 }, ramp: 600 }),
  change('feedConcentration', 'feed +8 %', { scale: { feedConcentrationMolPerL: 1.08 } }),
  change('feedConcentration', 'feed -15 %', { scale: { feedConcentrationMolPerL: 0.85 } }),
  change('preExponentialFactor', 'rate -15 %', { scale: { reactionRate: 0.85 } }),
  change('preExponentialFactor', 'rate +15 %', { scale: { reactionRate: 1.15 } }),
];

interface Outcome {
  readonly partedS: number | null;
  readonly verdictS: number | null;
  readonly verdict: Verdict | null;
  readonly partings: number;
  readonly false: Readonly<Record<string, number>>;
  readonly evaluations: readonly number[];
}

function run(rig: Rig, seed: number, event: object | null, onsetS: number, lengthS: number): Outcome {
  const sensors = Object.fromEntries(Object.entries(rig.stdDev).map(([name, stdDev]) => [name, { stdDev }]));
  const moves = [];
  for (let at = 600 + (seed % 7) * 60; at < lengthS; at += 5400) {
    moves.push({ at, ramp: 120, set: { setpointDegC: 58 + ((seed * 31 + at) % 40) / 10 } });
  }
  const scenario = parseScenario({
    ...{ seed, duration: lengthS, sensors, step: 1 },
    process: { start: { setpointDegC: 60 } },
    control: { min: 15 },
    spread: { heatTransfer: 0.02, reactionRate: 0.02 },
    disturbances: {
      feedConcentrationMolPerL: { stdDev: 0.01, timeConstant: 300 },
      feedTemperatureDegC: { stdDev: 0.5, timeConstant: 300 },
      flowRateLPerMin: { stdDev: 0.5, timeConstant: 60 },
    },
    events: [...moves, ...(event === null ? [] : [{ at: onsetS, ...event }])],
  });
  const model = cstr({
    initialTemperatureDegC: 60,
    ...(rig.jacket && { jacketVolumeL: 10, coolantFlowRateLPerMin: 100 }),
  });
  const companion: Diagnosis = diagnosis(model, resolveEstimation(model, rig.estimation), rig.diagnosis);
  const evaluations: number[] = [];
  const timed: Diagnosis = {
    ...companion,
    advanced(own, twin, dtS) {
      const { user } = process.cpuUsage();
      companion.advanced?.(own, twin, dtS);
      if (own.comparedS === own.nowS) evaluations.push((process.cpuUsage().user - user) / 1000);
    },
  };
  const twin = estimatedTwin(model, rig.estimation, undefined, [timed]);
  const state = twin.initial();
  let timestamp: number | null = null;
  let own: DiagnosisState | undefined;
  let partedS: number | null = null;
  let verdictS: number | null = null;
  let [partings, before] = [0, false];
  const counts: Record<string, number> = {};
  let verdict: Verdict | null = null;
  let last: Verdict['kind'] | null = null;
  for (const { atS, readings } of simulatePlant(scenario)) {
    for (const reading of readings) {
      if (reading.value === null) continue;
      twin.advance(state, (reading.timestamp - (timestamp ?? reading.timestamp)) / 1000);
      timestamp = Math.max(reading.timestamp, timestamp ?? 0);
      twin.correct(state, reading.sensor, reading.value, (rig.stdDev[reading.sensor] ?? 1) ** 2);
    }
    own = state.companions['diagnosis'] as DiagnosisState | undefined;
    const parted = own?.partedS != null;
    if (parted && !before) partings += 1;
    before = parted;
    if (parted && atS >= onsetS) partedS ??= atS;
    const kind = own?.verdict?.kind ?? null;
    if (kind !== last && kind !== null) counts[kind] = (counts[kind] ?? 0) + 1;
    last = kind;
    if (own?.verdict != null) verdict = own.verdict;
    if (kind !== null && kind !== 'undecided' && atS >= onsetS) verdictS ??= atS;
  }
  return { partedS, verdictS, verdict, partings, false: counts, evaluations };
}

const median = (values: readonly number[]): number | null =>
  values.length === 0 ? null : ([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? null);
const seconds = (value: number | null): string => (value === null ? '-' : `${Math.round(value)} s`);

const evaluations: number[] = [];
for (const [name, rig] of Object.entries(RIGS)) {
  if (RIG !== 'all' && RIG !== name) continue;
  console.log(`\n## ${name}: ${Object.keys(rig.stdDev).join(', ')}\n`);
  console.log(
    '| fault | parted | delay | verdict | right kind | right which | wrong kind | undecided | size (median) |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  const only = process.env['ONLY'];
  for (const trial of TRIALS) {
    if (only !== undefined && !trial.name.includes(only)) continue;
    if (trial.needs !== undefined && !(trial.needs in rig.stdDev)) continue;
    const outcomes = Array.from({ length: SEEDS }, (_, i) => {
      const onsetS = 1800 + ((FIRST + i) % 11) * 17;
      const outcome = run(rig, FIRST + i, trial.event, onsetS, onsetS + 3600);
      evaluations.push(...outcome.evaluations);
      if (process.env['VERBOSE'] !== undefined)
        console.log(
          trial.name,
          FIRST + i,
          outcome.partedS !== null && outcome.partedS - onsetS,
          outcome.verdict?.kind,
          outcome.verdict?.cause,
          outcome.verdict?.evidence.toFixed(0),
          outcome.verdict && outcome.verdict.atS - onsetS,
        );
      return { ...outcome, onsetS };
    });
    const share = (test: (outcome: Outcome) => boolean): string => `${outcomes.filter(test).length}`;
    const delays = outcomes.flatMap(({ partedS, onsetS }) => (partedS === null ? [] : partedS - onsetS));
    const told = outcomes.flatMap(({ verdictS, onsetS }) => (verdictS === null ? [] : verdictS - onsetS));
    const right = (of: Outcome): boolean => of.verdict?.kind === trial.kind;
    const sizes = outcomes.filter(right).flatMap(({ verdict }) => verdict?.size ?? []);
    const size = median(sizes);
    console.log(
      `| ${[
        trial.name,
        `${delays.length} of ${SEEDS}`,
        seconds(median(delays)),
        seconds(median(told)),
        share(right),
        share((of) => right(of) && (of.verdict?.which ?? '').split(' or ').includes(trial.which)),
        share((of) => of.verdict !== null && of.verdict.kind !== 'undecided' && !right(of)),
        share((of) => of.verdict?.kind === 'undecided'),
        size === null ? '-' : size.toPrecision(3),
      ].join(' | ')} |`,
    );
  }
  if (HOURS === 0) continue;
  let partings = 0;
  const verdicts: Record<string, number> = {};
  for (let i = 0; i < SEEDS; i++) {
    const quiet = run(rig, FIRST + i, null, 0, HOURS * 3600);
    partings += quiet.partings;
    for (const [kind, count] of Object.entries(quiet.false)) verdicts[kind] = (verdicts[kind] ?? 0) + count;
  }
  const days = (SEEDS * HOURS) / 24;
  const shown = Object.entries(verdicts).map(([kind, count]) => `${kind} ${(count / days).toFixed(2)}`);
  console.log(
    `\n${days} quiet days: parted ${(partings / days).toFixed(2)} times a day; verdicts a day: ${shown.join(', ') || 'none'}`,
  );
}
evaluations.sort((one, other) => one - other);
const quantile = (share: number): string =>
  (evaluations[Math.floor(share * (evaluations.length - 1))] ?? NaN).toFixed(1);
console.log(
  `\n${evaluations.length} evaluations: median ${quantile(0.5)} ms of CPU, 95 % below ${quantile(0.95)} ms, longest ${quantile(1)} ms`,
);
