import { Subject } from 'rxjs';
import type { Reading } from '../operators/types.ts';
import { pipeline } from '../src/pipeline.ts';
import type { Output } from '../src/pipeline.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import { openTwins } from '../src/twin/registry.ts';
import { fusedLoop } from './fusedLoop.ts';
import { plantConfig } from './plantConfig.ts';
import { cpuOf, median, plantReadings, readingMaker } from './support.ts';
import type { Bench } from './support.ts';

const SENSORS = 1000;
const READINGS = 200_000;
const EVERY_MS = 100;
const ROUNDS = 9;

/** The full per-sensor chain against the same arithmetic in one loop over arrays of states. */
export const measure: Bench = async ({ quick }) => {
  const count = quick ? READINGS / 20 : READINGS;
  const config = plantConfig(SENSORS);
  const twins = await openTwins(config);
  const source = new Subject<Reading>();
  const counts: Record<Output['type'], number> = { reading: 0, window: 0, twin: 0, anomaly: 0 };
  pipeline(source, new Subject(), {
    config,
    registry: new StateRegistry(),
    twins,
    onDrop: () => undefined,
  }).subscribe(({ type }) => {
    counts[type] += 1;
  });
  const fused = fusedLoop(config, SENSORS);

  const chain: number[] = [];
  const baseline: number[] = [];
  const make = readingMaker(SENSORS, EVERY_MS);
  // Readings are made as they are needed, outside the figure: in the service, too, they come fresh from the decoder.
  const cpuPerReading = (round: number, work: (readings: readonly Reading[]) => void): number => {
    let cpu = 0;
    for (let first = 0; first < count; first += SENSORS) {
      const readings = plantReadings(make, SENSORS, round * count + first);
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
  if (
    counts.reading !== count * ROUNDS ||
    counts.window !== fused.counts.window ||
    counts.twin !== fused.counts.twin
  ) {
    throw new Error(
      `chain ${JSON.stringify(counts)} and loop ${JSON.stringify(fused.counts)} did not do the same work`,
    );
  }
  // The first rounds warm the compiler up.
  const ns = median(chain.slice(3));
  const baseNs = median(baseline.slice(3));
  return [
    {
      name: `full chain (clean, estimate, one window, twin) over ${SENSORS} sensors, one core`,
      result: `${ns.toFixed(0)} ns of CPU a reading, ${(1000 / ns).toFixed(2)} million readings/s`,
      baseline: `the same arithmetic fused into one loop: ${baseNs.toFixed(0)} ns`,
      ratio: (ns / baseNs).toFixed(2),
      target: '≥ 1 million readings/s and ≤ 4 × the baseline',
      reached: ns <= 1000 && ns <= 4 * baseNs,
    },
  ];
};
