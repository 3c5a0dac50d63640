import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { ModelConfig } from '../../config/types.ts';
import { updateTwin } from '../../operators/updateTwin.ts';
import type { EstimatedReading } from '../../operators/types.ts';
import { StateRegistry } from '../../src/stateRegistry.ts';
import type { SavedState } from '../../src/stateRegistry.ts';
import { batchReactor } from '../../src/twin/batchReactor.ts';
import { twinOptions } from '../../src/twin/liveTwin.ts';
import type { LiveTwin } from '../../src/twin/liveTwin.ts';
import { openTwins } from '../../src/twin/registry.ts';
import type { AnyTwinModel } from '../../src/twin/registry.ts';
import { configFolder } from '../config/helpers.ts';
import { received } from '../fakes/ingest.ts';

async function twinOf(yaml: string): Promise<LiveTwin> {
  const folder = configFolder();
  try {
    const twin = (await openTwins(folder.load(yaml).config)).get('R101');
    if (twin === undefined) throw new Error('no twin');
    return twin;
  } finally {
    folder.remove();
  }
}

const REACTOR =
  'assets: { R101: { model: { type: batchReactor }, sensors: { temperature: {}, pressure: {} } } }';

const estimated = (position: number, value: number): EstimatedReading => ({
  ...received('plant', position, value),
  estimate: null,
});

describe('the running twin', () => {
  test('has nothing to say before its first reading', async () => {
    const twin = await twinOf(REACTOR);
    expect([twin.record(0), twin.predict(10, 1)]).toEqual([null, []]);
    new Subject<EstimatedReading>()
      .pipe(updateTwin(twin.model, twin.options, twin.cell(new StateRegistry())))
      .subscribe();
    expect([twin.record(0), twin.predict(10, 1)]).toEqual([null, []]);
  });

  test('is asked at any time, by a clock that the asking does not move', async () => {
    const twin = await twinOf(REACTOR);
    const readings = new Subject<EstimatedReading>();
    const registry = new StateRegistry();
    readings.pipe(updateTwin(twin.model, twin.options, twin.cell(registry))).subscribe();
    readings.next(estimated(1, 85));
    readings.next({ ...estimated(1, 2.5), sensor: 'pressure', unit: 'MPa' });
    const before = JSON.stringify(registry.saved('R101'));
    expect(twin.record(1500)?.sync).toEqual({ status: 'synchronised', lagMs: 500, staleSensors: [] });
    expect(twin.record(20_000)?.sync).toMatchObject({
      status: 'degraded',
      staleSensors: ['temperature', 'pressure'],
    });
    expect(twin.record(1_000_000)?.sync.status).toBe('lost');
    expect(twin.record(1500)?.sync.status).toBe('synchronised');
    const points = twin.predict(2, 1);
    expect(points.map(({ timestamp }) => timestamp)).toEqual([1000, 2000, 3000]);
    expect(points[0]?.values['temperature']).toBe(85);
    expect(JSON.stringify(registry.saved('R101'))).toBe(before);
  });

  test('is asked of the state that was restored', async () => {
    const registry = new StateRegistry();
    const first = await twinOf(REACTOR);
    const readings = new Subject<EstimatedReading>();
    readings.pipe(updateTwin(first.model, first.options, first.cell(registry))).subscribe();
    readings.next(estimated(1, 85));
    readings.next(estimated(2, 86));
    const snapshot = JSON.parse(JSON.stringify(registry.saved('R101'))) as SavedState[];
    const second = await twinOf(REACTOR);
    new Subject<EstimatedReading>()
      .pipe(updateTwin(second.model, second.options, second.cell(new StateRegistry(snapshot))))
      .subscribe();
    expect(second.record(3000)).toEqual(first.record(3000));
    expect(second.predict(60, 10)).toEqual(first.predict(60, 10));
  });
});

describe('a twin with a filter', () => {
  const yaml = (estimate: string): string => `
assets:
  R101:
    model: { type: cstr, initialConcentrationMolPerL: 0.8773, initialTemperatureDegC: 51.33, estimate: ${estimate} }
    sensors: { temperature: {} }
`;

  test('records estimated parameters with their standard deviations', async () => {
    const twin = await twinOf(yaml('{ heatTransfer: {} }'));
    const readings = new Subject<EstimatedReading>();
    readings.pipe(updateTwin(twin.model, twin.options, twin.cell(new StateRegistry()))).subscribe();
    for (let i = 0; i < 60; i++) readings.next({ ...estimated(i, 51.33), timestamp: 1000 * i });
    const record = twin.record(60_000);
    expect(record?.parameters['heatTransfer']).toBeCloseTo(833, -2);
    expect(record?.parameterStdDev?.['heatTransfer']).toBeLessThan(60);
    expect(record?.state['conversion']?.stdDev).toBeGreaterThan(0);
    expect(Math.abs(record?.residuals['temperature'] ?? NaN)).toBeLessThan(0.1);
  });

  test('does not go on from a state that was kept for other estimates', async () => {
    const registry = new StateRegistry();
    const open = (twin: LiveTwin, from: StateRegistry): void => {
      new Subject<EstimatedReading>().pipe(updateTwin(twin.model, twin.options, twin.cell(from))).subscribe();
    };
    open(await twinOf(yaml('{ heatTransfer: {} }')), registry);
    const resets: string[] = [];
    const snapshot = JSON.parse(JSON.stringify(registry.saved('R101'))) as SavedState[];
    const restored = () => new StateRegistry(snapshot, (_, reason) => void resets.push(reason));
    open(await twinOf(yaml('{ heatTransfer: { stdDev: 50 } }')), restored());
    expect(resets).toEqual([]);
    open(await twinOf(yaml('{ feedConcentration: {} }')), restored());
    expect(resets).toEqual(['estimated was "log heatTransfer", is "log feedConcentration"']);
  });
});

describe('which sensor measures what', () => {
  const model: AnyTwinModel = batchReactor({});

  function optionsOf(sensors: string, mapping: ModelConfig['sensors'] = {}) {
    const folder = configFolder();
    try {
      const { config } = folder.load(`assets: { R101: { sensors: ${sensors} } }`);
      return twinOptions('R101', config.assets['R101']!, model, mapping, config.twin);
    } finally {
      folder.remove();
    }
  }

  test('by its name, or by the mapping', () => {
    expect(optionsOf('{ temperature: { staleAfterMs: 700 }, other: {} }').sensors).toEqual({
      temperature: { quantity: 'temperature', staleAfterMs: 700 },
    });
    expect(
      optionsOf('{ TI-1: { type: temperature }, pressure: {} }', { temperature: 'TI-1' }).sensors,
    ).toMatchObject({ 'TI-1': { quantity: 'temperature' }, 'pressure': { quantity: 'pressure' } });
  });

  test.each([
    [
      '{ temperature: {} }',
      { heat: 'temperature' },
      /^sensors\.heat: unknown quantity, batchReactor has temperature, /,
    ],
    ['{ temperature: {} }', { toString: 'temperature' }, /^sensors\.toString: unknown quantity/],
    ['{ temperature: {} }', { temperature: 'TI-1' }, /^sensors\.temperature: TI-1 is not a sensor of R101$/],
    [
      '{ temperature: {} }',
      { temperature: 'constructor' },
      /^sensors\.temperature: constructor is not a sensor/,
    ],
    ['{ temperature: { unit: K } }', {}, /^temperature is in K, but batchReactor takes degC$/],
    ['{ level: {} }', {}, /^none of the sensors of R101 is a quantity of batchReactor \(temperature, /],
  ])('%s with %j is refused', (sensors, mapping, problem) => {
    expect(() => optionsOf(sensors, mapping)).toThrow(problem);
  });
});
