import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/types.ts';
import { decodeCheckpoint, encodeAsset, encodeEnd, encodeStart } from '../src/checkpoint/format.ts';
import { createProcessor } from '../src/processor.ts';
import type { Input, Processor } from '../src/processor.ts';
import { createLiveView } from '../src/live.ts';
import type { Output } from '../src/pipeline.ts';
import { Progress, recover } from '../src/recovery.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import type { RecordedInput } from '../src/store/store.ts';
import type { LiveTwin } from '../src/twin/liveTwin.ts';
import { openTwins } from '../src/twin/registry.ts';
import { letter, received } from './fakes/ingest.ts';

const YAML = `
assets:
  R101:
    model: { type: batchReactor }
    sensors: { temperature: {}, pressure: {}, flow_rate: {} }
    anomaly: { sensors: [temperature, pressure, flow_rate], learnCount: 20, staleAfterMs: 20000, recordEveryMs: 0 }
  R102:
    model: { type: batchReactor }
    anomaly: { sensors: [temperature], baseline: ./baseline.json, falseAlarmRate: 0.1, acceptAfterMs: 20000, recordEveryMs: 0 }
    sensors: { temperature: { order: { maxDelayMs: 1500 } } }
  R103:
    model: { type: cstr, estimate: { heatTransfer: {} }, filter: { measurementStdDev: { temperature: 0.5 } } }
    sensors: { temperature: {}, coolant_temperature: { unit: degC } }
sensorTypes:
  temperature:
    outlier: { windowSize: 20, minSamples: 5 }
    rate: { maxRisePerS: 1, maxFallPerS: 2, minIntervalMs: 100, confirmCount: 3 }
    drift: { learnCount: 10, thresholdStdDevs: 2, confirmCount: 4, stdDevFloor: 0.1 }
    hampel: { windowSize: 12, minSamples: 5 }
    stuck: { maxDurationMs: 4000, minCount: 4 }
    missing: { expectedIntervalMs: 1000, method: predict }
    order: { rememberCount: 7 }
    windows: [ { sizeMs: 1000 }, { sizeMs: 6000, everyMs: 2000, latenessMs: 3000, idleTimeoutMs: 4000 } ]
    staleAfterMs: 3000
    smooth: { lagMs: 3000, maxReadings: 8 }
  pressure: { smooth: { lagMs: 2000, everyMs: 1500 }, kalman: { mode: adaptive, noiseCount: 20 }, drift: { method: ewma, learnCount: 10, thresholdStdDevs: 1.5 },
    missing: { expectedIntervalMs: 1000, method: linear } }
twin: { everyMs: 500, lostAfterMs: 8000 }
`;

/** In force from the first interval on; noise of a standard deviation of 0.5 is more than it knows. */
const BASELINE = {
  ...{ sensors: ['temperature'], center: [60], scale: [0.5], inflation: [1], usualMs: [1000] },
  ...{ correlation: [1], effectiveCounts: [20], intervalMs: 1000, smoothingMs: 10_000, baselineMs: 100_000 },
};

const SENSORS = [
  ['R101', 'temperature', 'degC', 85],
  ['R101', 'pressure', 'MPa', 2.5],
  ['R101', 'flow_rate', 'L/min', 120],
  ['R102', 'temperature', 'degC', 60],
  ['R103', 'temperature', 'degC', 80],
  ['R103', 'coolant_temperature', 'degC', 27],
  ['X', 'level', 'mm', 1000],
] as const;

/** What a plant and its network can do: gaps, missing values, spikes, repeats, late readings, silence, broken input. */
const KINDS = ['missing', 'spike', 'repeat', 'bad', 'broken', 'tick', 'backfill', 'minusZero'] as const;
const step = fc.record({
  sensor: fc.nat({ max: SENSORS.length - 1 }),
  kind: fc.oneof(
    { weight: 7, arbitrary: fc.constant('reading' as const) },
    { weight: 3, arbitrary: fc.constantFrom(...KINDS) },
  ),
  afterMs: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 700 }) }, fc.nat({ max: 9000 })),
  lateMs: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat({ max: 4000 })),
  noise: fc.double({ min: -2, max: 2, noNaN: true }),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const inputsOf = (steps: readonly Step[]): Input[] => {
  let clock = 1_760_000_000_000;
  let last = 0;
  return steps.map(({ sensor: index, kind, afterMs, lateMs, noise }, i) => {
    clock += afterMs;
    if (kind === 'tick') return { at: clock };
    if (kind === 'broken') return letter('plant', i + 1);
    if (kind !== 'repeat') last = clock - lateMs;
    const [asset, sensor, unit, level] = SENSORS[index] ?? SENSORS[0];
    const values = { missing: null, spike: level * 2, repeat: level, minusZero: -0 };
    const value = kind in values ? values[kind as keyof typeof values] : level + noise;
    const quality = kind === 'bad' ? 'Bad' : 'Good';
    return received('plant', i + 1, value, {
      ...{ asset, sensor, unit, timestamp: last, quality },
      received: {
        ...{ row: 0, source: 'plant', position: i + 1, arrivedAt: clock, value, unit, quality },
        ...(kind === 'backfill' && { backfilled: true as const }),
      },
    });
  });
};

/** Told of what comes out, with -0 and 0 apart. */
const told = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (Object.is(item, -0) ? '-0' : item));

let folder = '';
let config: Config;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxtwin-recovery-'));
  const file = join(folder, 'rxtwin.yaml');
  writeFileSync(file, YAML);
  writeFileSync(join(folder, 'baseline.json'), JSON.stringify(BASELINE));
  config = loadConfig([file], {}).config;
});
afterAll(() => rmSync(folder, { recursive: true }));

const assetOf = (output: Output): string => {
  switch (output.type) {
    case 'reading':
      return output.reading.asset;
    case 'smoothed':
      return output.smoothed.asset;
    case 'window':
      return output.window.asset;
    case 'twin':
      return output.twin.asset;
    case 'anomaly':
      return output.anomaly.asset;
  }
};

interface Parts {
  readonly registry: StateRegistry;
  readonly twins: ReadonlyMap<string, LiveTwin>;
  readonly processor: Processor;
}

/** The pipeline, with all that it ever said by row, what it would have recorded, and the checkpoint that it takes. */
class Run {
  readonly said: string[] = [];
  readonly recorded: RecordedInput[] = [];
  checkpoint: Buffer | null = null;
  #draft: Buffer[] = [];
  #left: string[] = [];
  #parts: Parts | null = null;

  async open(progress: Progress, lastRow: number): Promise<Parts> {
    const registry = new StateRegistry(progress.states, (name, reason) => {
      throw new Error(`${JSON.stringify(name)}: ${reason}`);
    });
    const twins = await openTwins(config);
    const processor = createProcessor({
      config,
      registry,
      twins,
      lastRow,
      onDrop: (reason): void => this.#note(processor.row, `drop ${reason}`),
      isKnown: () => false,
      asleep: progress.asleep,
    });
    // It keeps what it shows in the registry too.
    createLiveView({
      ...{ config, registry, twins, sources: [], outputs: processor.outputs },
      now: () => 0,
      health: () => ({ ready: true, parts: {} }),
    });
    registry.dropUnopened();
    return (this.#parts = { registry, twins, processor });
  }

  take(input: Input): void {
    // As the store would keep it: whatever the operators do to the object itself must not matter.
    const copy = structuredClone(input);
    const entry = this.#open().processor.process(input);
    if (entry === null) throw new Error('put off');
    // Assets are independent of each other: at a tick, it does not matter which of them comes first.
    const outputs = Map.groupBy(entry.outputs, assetOf);
    for (const asset of [...outputs.keys()].toSorted())
      for (const output of outputs.get(asset) ?? []) this.#note(entry.row, told(output));
    if (!entry.settled) this.#note(entry.row, 'held');
    if ('at' in copy || !('reason' in copy)) this.recorded.push({ row: entry.row, input: copy });
  }

  /** Takes the states of the next asset; a checkpoint begins with the first and ends behind the last. */
  slice(): void {
    const { registry, processor } = this.#open();
    if (this.#draft.length === 0) {
      this.#draft = [encodeStart('s', processor.row)];
      this.#left = registry.assets();
    }
    const asset = this.#left.shift();
    if (asset !== undefined) {
      this.#draft.push(encodeAsset({ asset, row: processor.row, states: registry.saved(asset) }));
      return;
    }
    this.#draft.push(encodeEnd(processor.row, this.#draft.length - 1));
    this.checkpoint = Buffer.concat(this.#draft);
    this.#draft = [];
  }

  async crash(): Promise<void> {
    this.#draft = [];
    const { row } = this.#open().processor;
    const progress = new Progress(this.checkpoint === null ? null : decodeCheckpoint(this.checkpoint));
    const { processor } = await this.open(progress, row);
    const { recorded } = this;
    const store = {
      // eslint-disable-next-line @typescript-eslint/require-await
      async *inputsAfter(from: number) {
        const after = recorded.filter((each) => each.row > from);
        for (let i = 0; i < after.length; i += 3) yield structuredClone(after.slice(i, i + 3));
      },
    };
    await recover(progress, store, processor);
    expect(processor.row).toBe(row);
  }

  end(): string[] {
    const twins = [...this.#open().twins].map(([asset, twin]) =>
      told([asset, twin.record(1_760_000_100_000), twin.predict(5, 1)]),
    );
    return [...this.said, ...twins];
  }

  #open(): Parts {
    if (this.#parts === null) throw new Error('not open');
    return this.#parts;
  }

  #note(row: number, text: string): void {
    this.said.push(`${row} ${text}`);
  }
}

async function play(
  steps: readonly Step[],
  slices: readonly number[],
  crashes: readonly number[],
): Promise<string[]> {
  const run = new Run();
  await run.open(new Progress(null), 0);
  for (const [i, input] of inputsOf(steps).entries()) {
    for (const at of slices) if (at === i) run.slice();
    for (const at of crashes) if (at === i) await run.crash();
    run.take(input);
  }
  return run.end();
}

describe('after a crash, everything goes on as if it had not been', () => {
  test('the clock reaches restored sensors before their next reading', async () => {
    const common = { sensor: 0, lateMs: 0, noise: 0 };
    const steps: Step[] = [
      { ...common, kind: 'reading', afterMs: 0 },
      { ...common, kind: 'reading', afterMs: 1000 },
      { ...common, kind: 'tick', afterMs: 1600 },
    ];
    expect(await play(steps, [2, 2, 2], [2])).toEqual(await play(steps, [], []));
  });

  test('a tick reaches the sensors of an asset in the order in which they first came', async () => {
    const common = { lateMs: 0, noise: 0.3, afterMs: 300 };
    const steps: Step[] = [];
    for (let i = 0; i < 12; i += 1)
      steps.push({ ...common, kind: 'reading', sensor: 1 }, { ...common, kind: 'reading', sensor: 0 });
    const tick: Step = { ...common, kind: 'tick', sensor: 0, afterMs: 6000 };
    const all = [...steps, tick, ...steps];
    expect(
      await play(
        all,
        Array.from({ length: 9 }, () => 20),
        [24],
      ),
    ).toEqual(await play(all, [], []));
  });

  test('from the rows alone', async () => {
    const steps = fc.sample(step, { numRuns: 60, seed: 5 });
    expect(await play(steps, [], [20, 40])).toEqual(await play(steps, [], []));
  });

  test('smoothed estimates and anomalies come out once each', async () => {
    const common = { lateMs: 0, afterMs: 250, kind: 'reading' as const };
    const steps: Step[] = Array.from({ length: 300 }, (_, i) => ({
      ...common,
      sensor: i % 3,
      // Quiet for so long as the baseline is learned, then off for a while.
      noise: Math.sin(i * i) + (i > 200 && i < 260 ? 5 : 0),
    }));
    const undisturbed = await play(steps, [], []);
    const count = (type: string): number =>
      undisturbed.filter((line) => line.includes(`"type":"${type}"`)).length;
    expect(count('smoothed')).toBeGreaterThan(180);
    expect(count('anomaly')).toBeGreaterThan(30);
    expect(undisturbed.join()).toContain('"event":"onset"');
    const everywhere = Array.from({ length: 60 }, (_, i) => 5 * i + 2);
    expect(await play(steps, everywhere, [7, 103, 208, 209, 231, 299])).toEqual(undisturbed);
  });

  test('whatever the readings, wherever the slices of a checkpoint and the crashes', async () => {
    const LENGTH = 120;
    const places = (maxLength: number) =>
      fc.array(fc.nat({ max: LENGTH - 1 }), { minLength: 1, maxLength, size: 'max' });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: LENGTH, size: 'max' }),
        places(40),
        places(5),
        async (steps, slices, crashes) => {
          const [disturbed, undisturbed] = [await play(steps, slices, crashes), await play(steps, [], [])];
          const at = undisturbed.findIndex((line, i) => line !== disturbed[i]);
          expect(disturbed[at]).toBe(undisturbed[at]);
          expect(disturbed).toHaveLength(undisturbed.length);
        },
      ),
      { numRuns: 60, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true },
    );
  }, 90_000);
});
