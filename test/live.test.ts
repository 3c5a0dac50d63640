import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { EstimatedReading } from '../operators/types.ts';
import { createLiveView } from '../src/live.ts';
import type { LiveView } from '../src/api/live.ts';
import type { Output } from '../src/pipeline.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import { createProcessor } from '../src/processor.ts';
import { openTwins } from '../src/twin/registry.ts';
import { configFolder } from './config/helpers.ts';
import { fakeSource, received } from './fakes/ingest.ts';

interface Rig {
  readonly live: LiveView;
  readonly outputs: Subject<Output>;
  clock: number;
  show(position: number, value: number, over?: Partial<EstimatedReading>): void;
}

const ASSETS = `
assets:
  R101: { model: { type: batchReactor }, sensors: { temperature: { staleAfterMs: 5000 }, pressure: {} } }
  tank: {}
`;

async function rig(): Promise<Rig> {
  const folder = configFolder();
  const { config } = folder.load(ASSETS);
  folder.remove();
  const outputs = new Subject<Output>();
  const twins = await openTwins(config);
  const registry = new StateRegistry();
  // The processor opens the states that the twins show.
  const processor = createProcessor({
    config,
    registry,
    twins,
    lastRow: 0,
    onDrop: () => undefined,
  });
  processor.outputs.subscribe(outputs);
  let position = 0;
  const it: Rig = {
    outputs,
    clock: 0,
    live: createLiveView({
      config,
      registry,
      twins,
      sources: [fakeSource('plant')],
      outputs,
      now: () => it.clock,
      health: () => ({ ready: true, parts: {} }),
    }),
    show(at, value, over = {}) {
      position += 1;
      const { received: came, ...reading } = received('plant', position, value, { timestamp: at * 1000 });
      processor.process({ ...reading, received: came, ...over });
    },
  };
  return it;
}

describe('the live view', () => {
  test('lists what is configured before anything has come', async () => {
    const { live } = await rig();
    expect(live.assets()).toMatchObject([
      {
        id: 'R101',
        model: 'batchReactor',
        twin: null,
        sensors: [
          { sensor: 'temperature', latest: null, stale: true },
          { sensor: 'pressure', latest: null, stale: true },
        ],
      },
      { id: 'tank', model: null, sensors: [], twin: null },
    ]);
    expect(live.predict('R101', 10, 1)).toBeUndefined();
    expect(live.predict('tank', 10, 1)).toBeUndefined();
    expect(live.sensor('R101', 'temperature')?.latest).toBeNull();
  });

  test('knows nothing of what there is not', async () => {
    const { live } = await rig();
    expect([live.asset('R999'), live.asset('__proto__'), live.sensor('R101', 'toString')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('shows the latest by source time; a late reading does not replace a newer one', async () => {
    const it = await rig();
    it.show(10, 85);
    it.show(11, 86);
    it.show(9, 84);
    expect(it.live.sensor('R101', 'temperature')?.latest).toMatchObject({ timestamp: 11_000, value: 86 });
    expect(it.live.asset('R101')?.twin?.timestamp).toBe(11_000);
  });

  test('a sensor is stale after staleAfterMs without a reading, by its time of arrival', async () => {
    const it = await rig();
    it.show(10, 85);
    it.clock = 15_000;
    expect(it.live.sensor('R101', 'temperature')?.stale).toBe(false);
    it.clock = 15_001;
    expect(it.live.sensor('R101', 'temperature')?.stale).toBe(true);
    expect(it.live.asset('R101')?.twin?.sync.staleSensors).toContain('temperature');
  });

  test('an asset and a sensor that are not configured appear with their first reading', async () => {
    const it = await rig();
    it.show(1, 5, { asset: 'new', sensor: 'level', unit: 'm' });
    expect(it.live.asset('new')).toMatchObject({
      model: null,
      sensors: [{ sensor: 'level', latest: { value: 5 } }],
    });
    expect(it.live.assets().map(({ id }) => id)).toEqual(['R101', 'tank', 'new']);
  });

  test('predicts from the state as it is', async () => {
    const it = await rig();
    it.show(10, 85);
    expect(it.live.predict('R101', 2, 1)).toMatchObject({
      from: 10_000,
      points: [
        { timestamp: 10_000, values: { temperature: 85 } },
        { timestamp: 11_000 },
        { timestamp: 12_000 },
      ],
    });
  });

  test('says of each source how it is', async () => {
    const { live } = await rig();
    expect(live.sources()).toMatchObject([{ id: 'plant', type: 'fake', status: { connected: true } }]);
  });
});

describe('anomalies in the live view', () => {
  const CONFIG = `
assets:
  R101:
    sensors: { temperature: { spike: false, outlier: false } }
    anomaly: { sensors: [temperature], learnCount: 20, smoothingMs: 3000, recordEveryMs: 0 }
  R102: {}
`;
  const start = (registry: StateRegistry, lastRow = 0) => {
    const folder = configFolder();
    const { config } = folder.load(CONFIG);
    folder.remove();
    const twins = new Map();
    const onDrop = (): void => undefined;
    const processor = createProcessor({ config, registry, twins, lastRow, onDrop });
    const live = createLiveView({
      ...{ config, registry, twins, sources: [], outputs: processor.outputs, now: () => 0 },
      health: () => ({ ready: true, parts: {} }),
    });
    registry.dropUnopened();
    return {
      live,
      show: (from: number, to: number, offset: number): void => {
        for (let i = from; i < to; i += 1)
          processor.process(received('plant', i, 85 + offset + Math.sin(i * i), { timestamp: i * 1000 }));
      },
    };
  };

  test('learning, then the last record, and how many alarms there were; the same after a restart', () => {
    const registry = new StateRegistry();
    const it = start(registry);
    const view = (live: LiveView) => live.asset('R101')?.anomaly;
    expect(it.live.asset('R102')?.anomaly).toBeNull();
    expect(view(it.live)).toEqual({ learning: { learned: 0, wanted: 20 }, latest: null, alarms: 0 });
    it.show(1, 12, 0);
    expect(view(it.live)).toEqual({ learning: { learned: 10, wanted: 20 }, latest: null, alarms: 0 });
    it.show(12, 40, 0);
    expect(view(it.live)).toMatchObject({ learning: null, latest: { alarm: false }, alarms: 0 });
    it.show(40, 50, 8);
    expect(view(it.live)).toMatchObject({ learning: null, latest: { alarm: true }, alarms: 1 });
    it.show(50, 90, 0);
    it.show(90, 100, 8);
    const before = view(it.live);
    expect(before).toMatchObject({ latest: { alarm: true, since: expect.any(Number) as number }, alarms: 2 });

    const saved = structuredClone(registry.saved('R101'));
    const again = start(new StateRegistry(saved), 99);
    expect(view(again.live)).toEqual(before);
    again.show(100, 101, 8);
    it.show(100, 101, 8);
    expect(view(again.live)).toEqual(view(it.live));
    expect(view(again.live)).toMatchObject({ alarms: 2 });
  });
});
