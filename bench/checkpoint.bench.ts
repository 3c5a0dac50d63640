import { decodeCheckpoint, encodeAsset, encodeEnd, encodeStart } from '../src/checkpoint/format.ts';
import { createProcessor } from '../src/processor.ts';
import { Progress, recover } from '../src/recovery.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import type { RecordedInput } from '../src/store/store.ts';
import { openTwins } from '../src/twin/registry.ts';
import { plantConfig } from './plantConfig.ts';
import { cpuOf, cpuSince, median, readingMaker } from './support.ts';
import type { Bench } from './support.ts';

const SENSORS = 1000;
/** So that every ring and window is full. */
const READINGS_PER_SENSOR = 150;
const RERUN = 50_000;
const EVERY_MS = 100;
const ROUNDS = 7;

/** What a checkpoint costs the pipeline, and what a start costs that runs the rows behind it once more. */
export const measure: Bench = async ({ quick }) => {
  const sensors = quick ? SENSORS / 10 : SENSORS;
  const config = plantConfig(sensors);
  const registry = new StateRegistry();
  const parts = { config, onDrop: () => undefined };
  const processor = createProcessor({ ...parts, registry, twins: await openTwins(config), lastRow: 0 });
  const make = readingMaker(sensors, EVERY_MS);
  const first = sensors * READINGS_PER_SENSOR;
  for (let i = 0; i < first; i += 1) processor.process(make(i));

  const encode = (): Buffer[] =>
    registry
      .assets()
      .map((asset) => encodeAsset({ asset, row: processor.row, states: registry.saved(asset) }));
  const written: number[] = [];
  const json: number[] = [];
  const longest: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    written.push(cpuOf(encode));
    json.push(cpuOf(() => registry.assets().map((asset) => JSON.stringify(registry.saved(asset)))));
    longest.push(longestAsset(registry, processor.row));
  }
  const assets = encode();
  const row = processor.row;
  const file = Buffer.concat([encodeStart('bench', row), ...assets, encodeEnd(row, assets.length)]);

  const count = quick ? RERUN / 10 : RERUN;
  const inputs = Array.from({ length: count }, (_, i): RecordedInput => ({
    row: first + i + 1,
    input: make(first + i),
  }));
  const before = process.cpuUsage();
  const progress = new Progress(decodeCheckpoint(file));
  const restored = createProcessor({
    ...parts,
    registry: new StateRegistry(progress.states),
    twins: await openTwins(config),
    lastRow: first,
  });
  const loadNs = cpuSince(before);
  const start = process.cpuUsage();
  const { rerun } = await recover(progress, { inputsAfter: () => inSlices(inputs) }, restored);
  const rerunNs = cpuSince(start);
  if (rerun !== count) throw new Error(`${rerun} of ${count} inputs ran once more`);

  const [ns, jsonNs] = [median(written), median(json)];
  return [
    {
      name: `checkpoint of ${sensors} sensors`,
      result: `${(ns / 1e6).toFixed(1)} ms of CPU, ${(file.length / sensors / 1000).toFixed(1)} kB a sensor; longest wait of the pipeline for one asset ${(median(longest) / 1e6).toFixed(2)} ms`,
      baseline: `the same states as JSON: ${(jsonNs / 1e6).toFixed(1)} ms`,
      ratio: (ns / jsonNs).toFixed(2),
      target: '-',
      reached: null,
    },
    {
      name: `recovery: load the checkpoint of ${sensors} sensors, run ${count} rows once more (without reading them from the store)`,
      result: `${(loadNs / 1e6).toFixed(0)} ms and ${(rerunNs / 1e6).toFixed(0)} ms of CPU, ${(rerunNs / count).toFixed(0)} ns a row`,
      baseline: '-',
      ratio: '-',
      target: '-',
      reached: null,
    },
  ];
};

function longestAsset(registry: StateRegistry, row: number): number {
  let longest = 0;
  for (const asset of registry.assets()) {
    const began = performance.now();
    encodeAsset({ asset, row, states: registry.saved(asset) });
    longest = Math.max(longest, (performance.now() - began) * 1e6);
  }
  return longest;
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* inSlices(inputs: readonly RecordedInput[]): AsyncGenerator<readonly RecordedInput[]> {
  for (let i = 0; i < inputs.length; i += 8192) yield inputs.slice(i, i + 8192);
}
