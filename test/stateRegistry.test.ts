import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/types.ts';
import { createProcessor } from '../src/processor.ts';
import type { Input } from '../src/processor.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import { openTwins } from '../src/twin/registry.ts';
import { letter, received } from './fakes/ingest.ts';

describe('cells', () => {
  test('a restored state is opened once, under its name', () => {
    const registry = new StateRegistry({ 'a/b/x': { count: 7 } });
    expect(registry.cell('a/b/x', () => ({ count: 0 })).open()).toEqual({ count: 7 });
    expect(registry.cell('a/b/y', () => ({ count: 0 })).open()).toEqual({ count: 0 });
    expect(registry.cell('a/b/x', () => ({ count: 0 })).open()).toEqual({ count: 0 });
  });

  test('the snapshot shows what operators have made of their states', () => {
    const registry = new StateRegistry();
    const state = registry.cell('a/b/x', () => ({ count: 0 })).open();
    state.count = 3;
    expect(registry.snapshot()).toEqual({ 'a/b/x': { count: 3 } });
  });

  test('a restored state that nobody has opened yet is in the next snapshot', () => {
    const registry = new StateRegistry({ x: { count: 7 }, y: { count: 8 } });
    registry.cell('y', () => ({ count: 0 })).open().count = 9;
    expect(registry.snapshot()).toEqual({ x: { count: 7 }, y: { count: 9 } });
  });

  test('knows the sensors of an earlier run until they are opened again', () => {
    const registry = new StateRegistry({ 'A/t/x': {}, 'B/t/x': {}, 'A/t/y': {}, 'A/updateTwin': {} });
    expect(registry.restoredSensors()).toEqual([
      { asset: 'A', sensor: 't' },
      { asset: 'B', sensor: 't' },
    ]);
    for (const operator of ['x', 'y']) registry.cell(`A/t/${operator}`, () => ({})).open();
    expect(registry.restoredSensors()).toEqual([{ asset: 'B', sensor: 't' }]);
  });

  test.each([
    ['a key too many', { count: 1, more: 2 }],
    ['a key too few', {}],
    ['another key', { counter: 1 }],
    ['a list', [1]],
    ['null', null],
    ['a number', 5],
  ])('a state of another shape is replaced by a fresh one: %s', (_, restored) => {
    const registry = new StateRegistry({ x: restored });
    expect(registry.cell('x', () => ({ count: 0 })).open()).toEqual({ count: 0 });
  });

  test('names like those of built-in properties are names', () => {
    const registry = new StateRegistry();
    registry.cell('__proto__', () => ({ count: 1 })).open();
    const restored = new StateRegistry(
      JSON.parse(JSON.stringify(registry.snapshot())) as Record<string, unknown>,
    );
    expect(restored.cell('constructor', () => ({ count: 0 })).open()).toEqual({ count: 0 });
    expect(restored.cell('__proto__', () => ({ count: 0 })).open()).toEqual({ count: 1 });
  });
});

describe('a snapshot in mid-stream, as JSON, goes on as if nothing had happened', () => {
  let folder = '';
  let config: Config;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rxtwin-registry-'));
    const file = join(folder, 'rxtwin.yaml');
    writeFileSync(
      file,
      `
assets:
  R101: { model: { type: batchReactor }, sensors: { temperature: {}, pressure: {}, flow_rate: {} } }
  R102: { model: { type: batchReactor }, sensors: { temperature: { order: { maxDelayMs: 1500 } } } }
sensorTypes:
  temperature:
    outlier: { windowSize: 20, minSamples: 5 }
    stuck: { maxDurationMs: 4000, minCount: 4 }
    missing: { expectedIntervalMs: 1000, method: predict }
    windows: [ { sizeMs: 1000 }, { sizeMs: 6000, everyMs: 2000, latenessMs: 3000, idleTimeoutMs: 4000 } ]
    staleAfterMs: 3000
  pressure: { missing: { expectedIntervalMs: 1000, method: linear } }
twin: { everyMs: 500, lostAfterMs: 8000 }
`,
    );
    config = loadConfig([file], {}).config;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const SENSORS = [
    ['R101', 'temperature', 'degC', 85],
    ['R101', 'pressure', 'MPa', 2.5],
    ['R101', 'flow_rate', 'L/min', 120],
    ['R102', 'temperature', 'degC', 60],
    ['X', 'level', 'mm', 1000],
  ] as const;

  /** What a plant and its network can do: gaps, missing values, spikes, repeats, late readings, silence, broken input. */
  const KINDS = ['missing', 'spike', 'repeat', 'bad', 'broken', 'tick'] as const;
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
      const value = kind === 'missing' ? null : kind === 'spike' ? level * 2 : level + noise;
      const quality = kind === 'bad' ? 'Bad' : 'Good';
      const common = { asset, sensor, unit, timestamp: last, quality } as const;
      return received('plant', i + 1, kind === 'repeat' ? level : value, {
        ...common,
        received: { row: 0, source: 'plant', position: i + 1, arrivedAt: clock, value, unit, quality },
      });
    });
  };

  /** Everything that the inputs give rise to, as text; after each of `cuts` all state goes through JSON. */
  const run = async (steps: readonly Step[], cuts: readonly number[]): Promise<string[]> => {
    const told: string[] = [];
    const open = async (snapshot: Record<string, unknown>, lastRow: number) => {
      const registry = new StateRegistry(snapshot);
      const twins = await openTwins(config);
      const onDrop = (reason: string): void => void told.push(`drop ${reason}`);
      return { registry, twins, processor: createProcessor({ config, registry, twins, lastRow, onDrop }) };
    };
    let parts = await open({}, 0);
    for (const [i, input] of inputsOf(steps).entries()) {
      if (cuts.includes(i)) {
        parts = await open(
          JSON.parse(JSON.stringify(parts.registry.snapshot())) as Record<string, unknown>,
          i,
        );
      }
      const { row, outputs, settled } = parts.processor.process(input);
      told.push(JSON.stringify({ row, settled, outputs }));
    }
    for (const [asset, twin] of parts.twins)
      told.push(JSON.stringify([asset, twin.record(1_760_000_100_000), twin.predict(5, 1)]));
    return told;
  };

  test('the clock reaches restored sensors before their next reading', async () => {
    const common = { sensor: 0, lateMs: 0, noise: 0 };
    const steps: Step[] = [
      { ...common, kind: 'reading', afterMs: 0 },
      { ...common, kind: 'reading', afterMs: 1000 },
      { ...common, kind: 'tick', afterMs: 1600 },
    ];
    expect(await run(steps, [2])).toEqual(await run(steps, []));
  });

  test('whatever the readings, wherever the cuts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 100, size: 'max' }),
        fc.array(fc.nat({ max: 99 }), { minLength: 1, maxLength: 4 }),
        async (steps, cuts) => {
          expect(await run(steps, cuts)).toEqual(await run(steps, []));
        },
      ),
      { numRuns: 40, interruptAfterTimeLimit: 15_000 },
    );
  });
});
