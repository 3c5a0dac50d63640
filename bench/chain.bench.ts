import { Subject } from 'rxjs';
import type { Config } from '../config/types.ts';
import type { Reading } from '../operators/types.ts';
import { pipeline } from '../src/pipeline.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import { openTwins } from '../src/twin/registry.ts';
import { fusedLoop } from './fusedLoop.ts';
import { plantConfig } from './plantConfig.ts';
import { QUANTITIES, cpuOf, median, plantReadings, readingMaker } from './support.ts';
import type { Bench, Measure } from './support.ts';

/** More than the processor's caches hold the states of, and so few that they stay in them. */
const MANY_SENSORS = 1000;
const FEW_SENSORS = 16;
const READINGS = 200_000;
/** Readings that are made, and then measured, at a time: few enough to stay in the cache. */
const BATCH = 1000;
const EVERY_MS = 100;
const ROUNDS = 9;
/** Rounds in which the compiler warms up and references are learned; they do not count. */
const WARM_UP = 3;

interface Chain {
  readonly name: string;
  readonly sensors: number;
  readonly config: (sensors: number) => Config;
  /** CPU time of a reading, ns; null: reported only. */
  readonly targetNs: number | null;
}

const ALL_ON = 'all checks on, adaptive estimate, one window, twin, anomaly';

const CHAINS: readonly Chain[] = [
  {
    name: 'full chain (clean, estimate, one window, twin)',
    sensors: MANY_SENSORS,
    config: (sensors) => plantConfig(sensors),
    targetNs: 1000,
  },
  {
    name: 'the same chain',
    sensors: FEW_SENSORS,
    config: (sensors) => plantConfig(sensors),
    targetNs: null,
  },
  { name: `chain with ${ALL_ON}`, sensors: MANY_SENSORS, config: withAllOn, targetNs: 2000 },
  { name: 'the same chain', sensors: FEW_SENSORS, config: withAllOn, targetNs: null },
];

/** The per-sensor chains against the same arithmetic in one loop over arrays of states. */
export const measure: Bench = async ({ quick }) => {
  const measures = [];
  for (const chain of CHAINS) measures.push(await measureChain(chain, quick ? READINGS / 20 : READINGS));
  return measures;
};

async function measureChain(
  { name, sensors, config: configOf, targetNs }: Chain,
  wanted: number,
): Promise<Measure> {
  const batch = Math.floor(BATCH / sensors) * sensors;
  const count = Math.floor(wanted / batch) * batch;
  const config = configOf(sensors);
  const twins = await openTwins(config);
  const source = new Subject<Reading>();
  const counts: Record<string, number> = {};
  pipeline(source, new Subject(), {
    config,
    registry: new StateRegistry(),
    twins,
    onDrop: () => undefined,
  }).subscribe(({ type }) => {
    counts[type] = (counts[type] ?? 0) + 1;
  });
  const fused = fusedLoop(config, sensors);

  const chain: number[] = [];
  const baseline: number[] = [];
  const make = readingMaker(sensors, EVERY_MS);
  // Readings are made as they are needed, outside the figure: in the service, too, they come fresh from the decoder.
  const cpuPerReading = (round: number, work: (readings: readonly Reading[]) => void): number => {
    let cpu = 0;
    for (let first = 0; first < count; first += batch) {
      const readings = plantReadings(make, batch, round * count + first);
      cpu += cpuOf(() => work(readings));
    }
    return cpu / count;
  };
  const push = (readings: readonly Reading[]): void => {
    for (const reading of readings) source.next(reading);
  };
  for (let round = 0; round < ROUNDS; round++) {
    baseline.push(cpuPerReading(round, fused.run));
    chain.push(cpuPerReading(round, push));
  }
  const loop = { reading: count * ROUNDS, ...fused.counts };
  for (const [type, done] of Object.entries(loop)) {
    const given = counts[type] ?? 0;
    if (given !== done) throw new Error(`${type}: the chain made ${given}, the loop ${done}`);
  }
  const ns = median(chain.slice(WARM_UP));
  const baseNs = median(baseline.slice(WARM_UP));
  return {
    name: `${name} over ${sensors} sensors, one core`,
    result: `${ns.toFixed(0)} ns of CPU a reading, ${(1000 / ns).toFixed(2)} million readings/s`,
    baseline: `the same arithmetic fused into one loop: ${baseNs.toFixed(0)} ns`,
    ratio: (ns / baseNs).toFixed(2),
    target: targetNs === null ? '' : `≥ ${1000 / targetNs} million readings/s and ≤ 4 × the baseline`,
    reached: targetNs === null ? null : ns <= targetNs && ns <= 4 * baseNs,
  };
}

/** Every check that there is, set so that the bench's readings pass them. */
function withAllOn(sensors: number): Config {
  const settings = {
    rate: { maxRisePerS: 100, maxFallPerS: 100 },
    hampel: true,
    stuck: true,
    drift: { readingsPerFalseAlarm: 1e9 },
    kalman: { mode: 'adaptive' },
  };
  const anomaly = { sensors: QUANTITIES.map(({ sensor }) => sensor), learnCount: 40 };
  return plantConfig(sensors, {}, { sensor: settings, asset: { anomaly } });
}
