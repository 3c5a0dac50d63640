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
