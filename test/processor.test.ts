import { describe, expect, onTestFinished, test } from 'vitest';
import type { Output } from '../src/pipeline.ts';
import { createProcessor, toBatch } from '../src/processor.ts';
import type { Entry, Input, Processor } from '../src/processor.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import { configFolder } from './config/helpers.ts';
import { letter, received } from './fakes/ingest.ts';

const drops: string[] = [];

/** Nobody is asked whether a reading is known, so nothing is put off. */
interface Prompt extends Processor {
  process(input: Input): Entry;
}

function processor(
  yaml: string,
  lastRow = 0,
  asleep: ReadonlySet<string> = new Set(),
  registry = new StateRegistry(),
): Prompt {
  const folder = configFolder();
  onTestFinished(() => folder.remove());
  drops.length = 0;
  const it = createProcessor({
    config: folder.load(yaml).config,
    registry,
    twins: new Map(),
    lastRow,
    asleep,
    onDrop: (reason, { value }) => drops.push(`${reason} ${value}`),
  });
  return {
    ...it,
    process(input) {
      const entry = it.process(input);
      if (entry === null) throw new Error('put off');
      return entry;
    },
  };
}

const PLAIN = 'sensorTypes: { temperature: { windows: [], missing: false } }';
const HELD = 'sensorTypes: { temperature: { windows: [], missing: false, order: { maxDelayMs: 2000 } } }';

const values = (entry: Entry): (number | null)[] =>
  entry.outputs.flatMap((output) => (output.type === 'reading' ? [output.reading.value] : []));

test('states of the adaptive filters that an earlier version kept otherwise are reset, and said to be', () => {
  const resets: string[] = [];
  const shape = { unit: 'degC', mode: 'adaptive' };
  const bank = { bank: { tracks: [], weights: [] }, rival: null, rejected: 0, r: 0.5 };
  const filter = { filter: null, timestamp: 0, bank };
  const name = { asset: 'R101', sensor: 'temperature' };
  const registry = new StateRegistry(
    [
      { name: { ...name, operator: 'estimateState' }, shape, state: filter },
      { name: { ...name, operator: 'smoothState' }, shape, state: { filter, at: 0, held: [] } },
    ],
    ({ operator }, reason) => resets.push(`${operator}: ${reason}`),
  );
  const yaml =
    'sensorTypes: { temperature: { windows: [], missing: false, kalman: { mode: adaptive }, smooth: { lagMs: 1000 } } }';
  const it = processor(yaml, 0, new Set(), registry);
  expect(values(it.process(received('a', 1, 85)))).toEqual([85]);
  expect(resets).toEqual([
    'smoothState: form was not there, is 2',
    'estimateState: form was not there, is 2',
  ]);
});

describe('row numbers', () => {
  test('go on after the last one, over readings, ticks and dead letters', () => {
    const it = processor(PLAIN, 41);
    const entries = [
      it.process(received('a', 1, 85)),
      it.process({ at: 5 }),
      it.process(letter('a', 2)),
      it.process(received('b', 1, 86, { timestamp: 9000 })),
    ];
    expect(entries.map(({ row }) => row)).toEqual([42, 43, 44, 45]);
    expect(entries.flatMap(values)).toEqual([85, 86]);
    const batch = toBatch(entries);
    expect(batch.lastRow).toBe(45);
    expect(batch.readings.map((reading) => reading.received?.row)).toEqual([42, 45]);
    expect(batch.ticks).toEqual([{ row: 43, at: 5 }]);
    expect(batch.deadLetters).toEqual([{ ...letter('a', 2), row: 44 }]);
    expect([...batch.positions]).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });
});

test('a batch holds all that its entries gave rise to, each in its list', () => {
  const it = processor(`
assets:
  R101: { anomaly: { sensors: [temperature], learnCount: 20, recordEveryMs: 0 } }
sensorTypes: { temperature: { spike: false, outlier: false, smooth: { lagMs: 2000 }, windows: [ { sizeMs: 5000 } ] } }`);
  const entries = Array.from({ length: 30 }, (_, i) =>
    it.process(received('a', i + 1, 85 + Math.sin(i * i), { timestamp: (i + 1) * 1000 })),
  );
  expect(entries[9]?.outputs.map(({ type }) => type)).toEqual(['reading', 'smoothed', 'window']);
  const { readings, smoothed, windows, twins, anomalies } = toBatch(entries);
  expect([readings.length, smoothed.length, windows.length, twins.length, anomalies.length]).toEqual([
    30, 28, 6, 0, 9,
  ]);
  expect(smoothed[0]).toMatchObject({ timestamp: 1000, wantedLagMs: 2000, lagMs: 2000, unit: 'degC' });
  expect(anomalies[0]).toMatchObject({ asset: 'R101', event: 'update', alarm: false });
});

describe('readings that wait for older ones', () => {
  test('are held under their row, and settle with a later input under the same row', () => {
    const it = processor(HELD);
    const entries = [
      it.process(received('a', 1, 85, { timestamp: 1000 })),
      it.process(received('a', 2, 87, { timestamp: 2500 })),
      it.process(received('a', 3, 86, { timestamp: 2000 })),
    ];
    expect(entries.map(({ settled }) => settled)).toEqual([false, false, false]);
    const first = toBatch(entries);
    expect(first.readings).toEqual([]);
    expect(first.held.map((reading) => [reading.received?.row, reading.value])).toEqual([
      [1, 85],
      [2, 87],
      [3, 86],
    ]);
    expect([...first.positions]).toEqual([['a', 3]]);

    const late = it.process(received('a', 4, 88, { timestamp: 4500 }));
    expect(late.settled).toBe(false);
    expect(values(late)).toEqual([85, 86, 87]);
    const second = toBatch([late]);
    expect(second.readings.map((reading) => reading.received?.row)).toEqual([1, 3, 2]);
    expect(second.held.map((reading) => reading.received?.row)).toEqual([4]);
  });

  test('settle by the clock', () => {
    const it = processor(HELD);
    it.process(received('a', 1, 85, { timestamp: 1000 }));
    expect(values(it.process({ at: 2999 }))).toEqual([]);
    const tick = it.process({ at: 3000 });
    expect(values(tick)).toEqual([85]);
    const batch = toBatch([tick]);
    expect(batch.readings.map((reading) => reading.received?.row)).toEqual([1]);
    expect(batch.ticks).toEqual([{ row: 3, at: 3000 }]);
    expect(batch.held).toEqual([]);
  });

  test('come out at the end', () => {
    const it = processor(HELD);
    it.process(received('a', 1, 85, { timestamp: 1000 }));
    const last = it.complete();
    expect(last.map((output) => (output.type === 'reading' ? output.reading.value : output.type))).toEqual([
      85,
    ]);
  });

  test('a duplicate settles at once: neither stored nor held, but its position counts', () => {
    for (const yaml of [PLAIN, HELD]) {
      const it = processor(yaml);
      it.process(received('a', 1, 85, { timestamp: 1000 }));
      const again = it.process(received('a', 2, 85, { timestamp: 1000 }));
      expect(again.settled).toBe(true);
      const batch = toBatch([again]);
      expect([batch.readings, batch.held, [...batch.positions]]).toEqual([[], [], [['a', 2]]]);
      expect(drops).toEqual(['duplicate 85']);
    }
  });
});

describe('what is refused', () => {
  test('readings that are not listed become dead letters that keep what came', () => {
    const it = processor(`
assets: { R101: { sensors: { temperature: {} } } }
unknownAssets: reject
`);
    const entries = [
      it.process(received('a', 1, 85)),
      it.process(received('a', 2, 7, { sensor: 'level', unit: 'm' })),
      it.process(received('a', 3, 8, { asset: 'constructor', sensor: 'toString' })),
    ];
    const batch = toBatch(entries);
    expect(batch.readings).toHaveLength(1);
    expect(batch.deadLetters).toEqual([
      {
        ...{ row: 2, source: 'a', position: 2, arrivedAt: 2000, reason: 'unknownAsset' },
        ...{ origin: 'R101/level', detail: 'R101/level is not listed under assets' },
        payload: '{"value":7,"unit":"m","timestamp":2000}',
      },
      expect.objectContaining({ row: 3, reason: 'unknownAsset', origin: 'constructor/toString' }),
    ]);
    expect([...batch.positions]).toEqual([['a', 3]]);
  });

  test('more sensors than maxSensors; listed ones always get in', () => {
    const it = processor(`
assets: { R101: { sensors: { temperature: {} } } }
pipeline: { maxSensors: 2 }
`);
    const send = (position: number, sensor: string): string => {
      const { deadLetters } = toBatch([it.process(received('a', position, 1, { sensor, unit: '' }))]);
      return deadLetters.map(({ reason, detail }) => `${reason}: ${detail}`).join();
    };
    expect(send(1, 'a')).toBe('');
    expect(send(2, 'b')).toBe('');
    expect(send(3, 'c')).toBe('tooManySensors: R101/c would be sensor 3 of at most 2');
    expect(send(4, 'a')).toBe('');
    expect(toBatch([it.process(received('a', 5, 85))]).deadLetters).toEqual([]);
  });
});

describe('outputs', () => {
  test('each goes to the entry that gave rise to it, and to those who listen, in the same order', () => {
    const it = processor('sensorTypes: { temperature: { windows: [ { sizeMs: 1000 } ] } }');
    const heard: string[] = [];
    it.outputs.subscribe((output) => heard.push(output.type));
    const entries = [1000, 1500, 2000].map((timestamp, i) =>
      it.process(received('a', i + 1, 85 + i, { timestamp })),
    );
    expect(entries.map(({ outputs }) => outputs.map(({ type }) => type))).toEqual([
      ['reading'],
      ['reading'],
      ['reading', 'window'],
    ]);
    expect(heard).toEqual(['reading', 'reading', 'reading', 'window']);
    expect(toBatch(entries).windows).toMatchObject([{ start: 1000, end: 2000, mean: 85.5 }]);
  });

  test('a batch of several readings: the position is that of its last reading', () => {
    const it = processor(PLAIN);
    const entries = [9, 9, 10].map((position, i) =>
      it.process(received('a', position, 85 + i, { timestamp: 1000 * (i + 1) })),
    );
    expect([...toBatch(entries.slice(0, 2)).positions]).toEqual([['a', 9]]);
    expect([...toBatch(entries).positions]).toEqual([['a', 10]]);
  });
});

describe('detectAnomaly', () => {
  const yaml = `
sensorTypes: { temperature: { windows: [], order: false, outlier: false, spike: false } }
assets: { R101: { anomaly: { sensors: [temperature], learnCount: 20, recordEveryMs: 0 }, sensors: { temperature: {} } } }
`;
  const fed = (it: ReturnType<typeof processor>) => {
    for (let i = 0; i < 22; i += 1)
      it.process(received('a', i + 1, 85 + (i % 3), { timestamp: 1000 * (i + 1) }));
    return it;
  };
  const anomalies = (outputs: readonly Output[]) =>
    outputs.flatMap((output) => (output.type === 'anomaly' ? [output.anomaly.timestamp] : []));

  test('judges the last interval when the clock has gone on, but not while the asset is asleep', () => {
    const asleep = new Set(['R101']);
    const it = fed(processor(yaml, 0, asleep));
    expect(anomalies(it.process({ at: 60_000 }).outputs)).toEqual([]);
    asleep.clear();
    expect(anomalies(it.process({ at: 60_500 }).outputs)).toEqual([22_000]);
    expect(anomalies(it.process({ at: 61_000 }).outputs)).toEqual([]);
  });

  test('judges the last interval at the end', () => {
    const it = fed(processor(yaml));
    expect(anomalies(it.complete())).toEqual([22_000]);
  });
});

describe('what is recorded', () => {
  test('is within the limits, whatever else is known by now', () => {
    const yaml = `${PLAIN}\npipeline: { maxSensors: 2 }`;
    const it = processor(yaml);
    for (const [row, sensor] of ['a', 'b', 'c'].entries())
      it.rerun({ row: row + 1, input: received('plant', row + 1, 1, { sensor }) });
    expect(toBatch([it.process(received('plant', 4, 1, { sensor: 'c' }))]).deadLetters).toEqual([]);
    expect(toBatch([it.process(received('plant', 5, 1, { sensor: 'd' }))]).deadLetters).toMatchObject([
      { reason: 'tooManySensors', row: 5 },
    ]);
  });

  test('a sensor that never repeats a unit is refused beyond fifty of them', () => {
    const it = processor(PLAIN);
    const inUnit = (unit: string, position: number) =>
      toBatch([it.process(received('plant', position, 85, { unit }))]).deadLetters;
    for (let i = 0; i < 50; i += 1) expect(inUnit(`u${i}`, i + 1)).toEqual([]);
    expect(inUnit('u50', 51)).toMatchObject([
      { reason: 'badUnit', detail: 'R101/temperature would come in its 51th unit', position: 51 },
    ]);
    expect(inUnit('u49', 52)).toEqual([]);
  });
});
