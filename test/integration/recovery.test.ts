import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { start, tempFolder, until } from './serviceRig.ts';
import type { TestService } from './serviceRig.ts';

const SENSORS = [
  ['temperature', 85, 6],
  ['pressure', 2.5, 0.2],
  ['flow_rate', 120, 9],
] as const;
const COUNT = 600;
const T0 = Date.UTC(2026, 0, 1);

/** A recording of three sensors, one a second, with a swing and a little noise. */
function recording(file: string, count = COUNT): void {
  const lines = ['timestamp,asset,sensor,value'];
  for (let i = 0; i < count; i += 1) {
    for (const [sensor, level, swing] of SENSORS) {
      const value = level + swing * Math.sin(i / 30) + ((i * 7919) % 101) / 400;
      lines.push(`${T0 + i * 1000},R101,${sensor},${value}`);
    }
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
}

const yaml = (file: string, more = ''): string => `
sources: [ { id: history, type: replay, files: [ ${JSON.stringify(file)} ], speed: null } ]
assets: { R101: { model: { type: batchReactor }, sensors: { temperature: {}, pressure: {}, flow_rate: {} } } }
pipeline: { checkpoint: { everyMs: 100 } }
${more}`;

const shown = async (service: TestService): Promise<unknown> => {
  const { state, parameters, residuals, timestamp } = await service.get('/api/assets/R101/twin');
  const latest = await Promise.all(
    SENSORS.map(async ([sensor]) => {
      const {
        timestamp: at,
        value,
        estimate,
        issues,
      } = await service.get(`/api/assets/R101/sensors/${sensor}/latest`);
      return { sensor, at, value, estimate, issues };
    }),
  );
  return { state, parameters, residuals, timestamp, latest };
};

const readingsOf = async (service: TestService): Promise<number> => {
  const text = await service.text('/metrics');
  return Number(/^rxtwin_commit_rows_total (\d+)/m.exec(text)?.[1] ?? 0);
};

const metric = async (service: TestService, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (\\S+)`, 'm').exec(await service.text('/metrics'))?.[1]);

/** A service that has taken in all of the recording, with checkpoints and a log beside its store. */
async function settled() {
  const folder = tempFolder();
  const file = join(folder, 'recording.csv');
  recording(file);
  const service = await start(yaml(file), folder);
  await until(async () => expect(await readingsOf(service)).toBe(COUNT * SENSORS.length));
  const checkpoints = join(folder, 'data', 'store.duckdb.checkpoints');
  await until(() => expect(names(checkpoints).length).toBeGreaterThan(1));
  return { folder, file, service, state: await shown(service) };
}

const names = (checkpoints: string): string[] =>
  existsSync(checkpoints)
    ? readdirSync(checkpoints)
        .filter((name) => name.startsWith('checkpoint-'))
        .sort()
    : [];

/** The files as a crash at this instant would leave them, in a folder of their own. */
function crashed(folder: string): {
  readonly folder: string;
  readonly store: string;
  readonly checkpoints: string;
} {
  const copy = tempFolder();
  cpSync(join(folder, 'data'), join(copy, 'data'), { recursive: true });
  rmSync(join(copy, 'data', 'store.duckdb.lock'), { force: true });
  const store = join(copy, 'data', 'store.duckdb');
  return { folder: copy, store, checkpoints: `${store}.checkpoints` };
}

const warnings = (service: TestService): string[] =>
  service.logged.filter(({ level }) => level === 'warn').map(({ message }) => message);

describe('a service that was killed', () => {
  test('goes on from its last checkpoint and the rows behind it', async () => {
    const { folder, file, state } = await settled();
    const left = crashed(folder);
    const again = await start(yaml(file), left.folder);
    expect(await shown(again)).toEqual(state);
    expect(warnings(again)).toEqual([]);
    await again.stop();
    expect(
      await again.read((store) =>
        store.range({ asset: 'R101', sensor: 'pressure', start: 0, end: 8e15, limit: 1e6 }),
      ),
    ).toHaveLength(COUNT);
  });

  test('falls back from damaged checkpoints, to the rows alone in the end', async () => {
    const { folder, file, state } = await settled();
    const left = crashed(folder);
    const all = names(left.checkpoints);
    for (const [i, name] of all.entries()) {
      const path = join(left.checkpoints, name);
      if (i % 2 === 0) truncateSync(path, statSync(path).size - 5);
      else writeFileSync(path, readFileSync(path).fill(0x55, 40, 60));
    }
    const again = await start(yaml(file), left.folder);
    expect(await shown(again)).toEqual(state);
    expect(await metric(again, 'rxtwin_recovery_rows')).toBeGreaterThanOrEqual(COUNT * SENSORS.length);
    expect(warnings(again)).toEqual([
      ...all.map(() => 'A checkpoint cannot be used; the one before is taken'),
      'There is no usable checkpoint; all stored rows run once more',
    ]);
  });

  test('with a store that is no more than noise starts on a new one, with the state of the checkpoint', async () => {
    const { folder, file, state } = await settled();
    const left = crashed(folder);
    writeFileSync(left.store, Buffer.alloc(50_000, 0x3c));
    rmSync(`${left.store}.wal`, { force: true });
    // Without the recording, which would begin anew: the store no longer knows how far it was.
    const again = await start(yaml(file).replace(/sources: .*/, 'sources: []'), left.folder);
    expect(await shown(again)).toEqual(state);
    expect(warnings(again).some((message) => message.startsWith('The checkpoint counts rows'))).toBe(true);
    const aside = readdirSync(join(left.folder, 'data')).filter((name) => name.includes('.damaged-'));
    expect(aside).toHaveLength(1);
    // Killed once more before anything else could be written: the state belongs to the new store by now.
    const twice = crashed(left.folder);
    const third = await start(yaml(file).replace(/sources: .*/, 'sources: []'), twice.folder);
    expect(await shown(third)).toEqual(state);
    expect(third.logged.some(({ message }) => message.startsWith('A checkpoint cannot be used'))).toBe(false);
  });

  test('resets an operator whose state a new configuration makes useless, and no other', async () => {
    const { folder, file, state } = await settled();
    const left = crashed(folder);
    const changed = 'sensorTypes: { temperature: { outlier: { windowSize: 50 } } }\n';
    const again = await start(yaml(file, changed), left.folder);
    expect(await shown(again)).toEqual(state);
    expect(
      again.logged
        .filter(({ message }) => message.startsWith('The state of an operator'))
        .map(({ detail }) => detail),
    ).toEqual([{ state: 'R101/temperature/flagOutliers', reason: 'windowSize was 100, is 50' }]);
  });
});

describe('smoothed estimates and anomaly records', () => {
  const ALL = { asset: 'R101', start: 0, end: 8e15, limit: 1e6 };
  const yamlWith = (file: string): string =>
    yaml(
      file,
      `sensorTypes:
  temperature: { smooth: { lagMs: 5000 } }
  pressure: { smooth: { lagMs: 8000, everyMs: 3000 }, kalman: { mode: adaptive, measurementVariance: 0.005 } }
`,
    ).replace(
      'flow_rate: {} } }',
      `flow_rate: {} }, anomaly: { sensors: [temperature, pressure, flow_rate], learnCount: 100, recordEveryMs: 0 } }`,
    );

  /** What is stored in the end, when the service is killed each time that it has taken in so much of the recording. */
  async function stored(parts: readonly number[]) {
    let folder = tempFolder();
    let service: TestService | null = null;
    let taken = 0;
    for (const count of parts) {
      if (service !== null) ({ folder } = crashed(folder));
      const file = join(folder, 'recording.csv');
      recording(file, count);
      const next = await start(yamlWith(file), folder);
      const fresh = (count - taken) * SENSORS.length;
      await until(async () => expect(await readingsOf(next)).toBe(fresh));
      service = next;
      taken = count;
    }
    if (service === null) throw new Error('nothing to do');
    const running = service;
    // The last interval of all is over when the clock has gone on.
    const last = new Date(T0 + (COUNT - 1) * 1000).toISOString();
    await until(async () =>
      expect(await running.get('/api/assets/R101/anomaly')).toMatchObject({ timestamp: last }),
    );
    const shownSmoothed = await service.get(
      `/api/assets/R101/sensors/temperature/smoothed?start=${T0}&end=${T0 + 1e6}&limit=3`,
    );
    const state = await service.get('/api/assets/R101/anomaly');
    expect(warnings(service)).toEqual([]);
    await service.stop();
    const rows = await service.read(async (store) => ({
      temperature: await store.smoothed({ ...ALL, sensor: 'temperature' }),
      pressure: await store.smoothed({ ...ALL, sensor: 'pressure' }),
      flowRate: await store.smoothed({ ...ALL, sensor: 'flow_rate' }),
      anomalies: await store.anomalies(ALL),
    }));
    return { rows, shownSmoothed, state };
  }

  test('are stored once each, the same as if the service had never been killed', async () => {
    const undisturbed = await stored([COUNT]);
    const { temperature, pressure, flowRate, anomalies } = undisturbed.rows;
    // What is less than the lag behind the last reading is still held.
    expect(temperature.map(({ timestamp }) => (timestamp - T0) / 1000)).toEqual(
      Array.from({ length: COUNT - 5 }, (_, i) => i),
    );
    expect([pressure.length, flowRate.length, anomalies.length]).toEqual([592, 0, 500]);
    expect(undisturbed.shownSmoothed).toMatchObject({
      truncated: true,
      smoothed: [{ name: 'temperature_smoothed_5s', lagMs: 5000 }, {}, {}],
    });
    expect(undisturbed.state).toMatchObject({ asset: 'R101', learning: false });

    const killed = await stored([40, 203, 411, COUNT]);
    expect(killed.rows).toEqual(undisturbed.rows);
    expect(killed.state).toEqual(undisturbed.state);
  }, 90_000);
});

test('an orderly stop leaves nothing to run once more', async () => {
  const { folder, file, service, state } = await settled();
  await service.stop();
  const again = await start(yaml(file), folder);
  expect(await shown(again)).toEqual(state);
  expect(await metric(again, 'rxtwin_recovery_rows')).toBe(0);
});
