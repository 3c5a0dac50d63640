import { createProcessor } from '../src/processor.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import { cstr } from '../src/twin/process/cstr.ts';
import { estimatedTwin } from '../src/twin/process/estimatedTwin.ts';
import { openTwins } from '../src/twin/registry.ts';
import { processConfig } from './twin/config.ts';
import { COLD, REACTOR_SENSORS, reactorReadings } from './twin/readings.ts';
import { cpuOf, cpuSince, median, noise } from './support.ts';
import type { Bench, Measure } from './support.ts';

const REACTORS = 250;
const UPDATES = 20_000;
/** Updates that are measured at a time: the clock of the processor's time is no finer. */
const BATCH = 200;
/** Of plant time. */
const SECONDS = 120;
const WARM_UP_S = 20;

/** The twins of process models: one update, and a plant of them. */
export const measure: Bench = async ({ quick }) => [
  oneUpdate(quick, 1),
  oneUpdate(quick, 2),
  await plant(quick, REACTORS),
];

/** A second of the model and a measurement taken in, with so many sensors in turn: the more of them, the shorter the steps. */
function oneUpdate(quick: boolean, parameters: 1 | 2): Measure {
  const estimate = parameters === 1 ? { heatTransfer: {} } : { heatTransfer: {}, feedConcentration: {} };
  const updates = quick ? UPDATES / 10 : UPDATES;
  const twin = estimatedTwin(cstr(COLD), { estimate });
  const state = twin.initial();
  const random = noise(1);
  const update = (): void => {
    twin.advance(state, 1);
    twin.correct(state, 'temperature', COLD.initialTemperatureDegC + random(), 0.25);
    twin.correct(state, 'coolant_temperature', COLD.coolantTemperatureDegC + random(), 0.04);
    twin.correct(state, 'flow_rate', 100 + random(), 0.25);
    twin.correct(state, 'feed_temperature', 76.85 + random(), 0.04);
  };
  const batches: number[] = [];
  for (let done = 0; done < updates; done += BATCH) {
    const ns = cpuOf(() => {
      for (let i = 0; i < BATCH; i++) update();
    });
    batches.push(ns / BATCH);
  }
  // The first half warms up the compiler.
  const ns = median(batches.slice(batches.length >> 1));
  const alone = median(
    Array.from({ length: 9 }, () =>
      cpuOf(() => {
        for (let i = 0; i < BATCH; i++) twin.correct(state, 'temperature', COLD.initialTemperatureDegC, 0.25);
      }),
    ),
  );
  return {
    name: `twin update: cstr, two states and ${parameters === 1 ? 'one parameter' : 'a parameter and an input'} jointly, three noisy inputs, four sensors`,
    result: `${(ns / 1000).toFixed(1)} µs a second of the model with its measurements (median of batches)`,
    baseline: `the correction by a measurement alone: ${(alone / BATCH / 1000).toFixed(1)} µs`,
    ratio: ((ns * BATCH) / alone).toFixed(1),
    target: '≤ 100 µs',
    reached: ns <= 100_000,
  };
}

/** Readings a quarter of a second apart, so that each moves its twin, through the whole chain. */
async function plant(quick: boolean, wanted: number): Promise<Measure> {
  const reactors = quick ? wanted / 10 : wanted;
  const seconds = quick ? SECONDS / 4 : SECONDS;
  const share = async (type: 'cstr' | 'batchReactor'): Promise<number> => {
    const config = processConfig(reactors, type);
    const twins = await openTwins(config);
    const processor = createProcessor({
      ...{ config, twins, lastRow: 0, registry: new StateRegistry(), onDrop: () => undefined },
    });
    const readings = reactorReadings(reactors);
    let before = process.cpuUsage();
    for (let second = 0; second < seconds + WARM_UP_S; second++) {
      if (second === WARM_UP_S) before = process.cpuUsage();
      for (const reading of readings(second)) processor.process(reading);
    }
    return cpuSince(before) / 1e9 / seconds;
  };
  const estimated = await share('cstr');
  const simple = await share('batchReactor');
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  return {
    name: `${reactors} reactors with ${REACTOR_SENSORS.length} sensors each at 1 Hz, joint estimation, through the whole chain`,
    result: `${percent(estimated)} of a core`,
    baseline: `the same readings with batchReactor: ${percent(simple)}`,
    ratio: (estimated / simple).toFixed(1),
    target: '≤ 10 % of a core',
    reached: estimated <= 0.1,
  };
}
