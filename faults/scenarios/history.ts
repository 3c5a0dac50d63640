import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EstimatedReading } from '../../operators/types.ts';
import { CheckpointFolder } from '../../src/checkpoint/folder.ts';
import { encodeEnd, encodeStart } from '../../src/checkpoint/format.ts';
import { openStore } from '../../src/store/duckdb.ts';
import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { rowsOf } from '../support/rows.ts';
import { startTraffic, trafficRow } from '../support/traffic.ts';
import type { Traffic } from '../support/traffic.ts';

const SENSORS = 1000;
const ROWS_A_COMMIT = 20_000;
const DAY_MS = 86_400_000;

const EVERY_SECOND = { pipeline: { checkpoint: { everyMs: 1000 } } };
const QUIET = { info: (): void => undefined, warn: (): void => undefined };

/** A store with that many readings of other sensors than those of the traffic, and a checkpoint that counts them all. */
async function fill(storePath: string, rows: number): Promise<void> {
  const config = { path: storePath, retentionDays: 36_500, memoryLimitMb: 256, maxDeadLetters: 10 };
  const store = await openStore(config, QUIET);
  const sensors = Array.from({ length: SENSORS }, (_, i) => [`old${i % 100}`, `s${i}`] as const);
  for (let row = 0; row < rows; row += ROWS_A_COMMIT) {
    const lastRow = Math.min(rows, row + ROWS_A_COMMIT);
    const readings = Array.from({ length: lastRow - row }, (_, i) => oldReading(sensors, row + i + 1));
    await store.commit({
      ...{ lastRow, readings, held: [], ticks: [], smoothed: [], windows: [], twins: [] },
      ...{ anomalies: [], deadLetters: [] },
      positions: new Map([['old', lastRow]]),
    });
  }
  const folder = new CheckpointFolder(`${storePath}.checkpoints`, 3);
  const draft = await folder.draft();
  await draft.write(encodeStart(store.id, rows));
  await draft.write(encodeEnd(rows, 0));
  await draft.publish(rows, rows);
  await store.close();
}

function oldReading(sensors: readonly (readonly [string, string])[], row: number): EstimatedReading {
  const [asset, sensor] = sensors[row % sensors.length] ?? ['', ''];
  const timestamp = Date.UTC(2023, 0, 1) + Math.floor(row / sensors.length) * 1000;
  const value = 80 + (row % 977) / 50;
  const came = { source: 'old', position: row, arrivedAt: timestamp, value, unit: 'degC' } as const;
  return {
    ...{ asset, sensor, timestamp, value, unit: 'degC', quality: 'Good', issues: [], imputed: false },
    received: { row, ...came, quality: 'Good' },
    estimate: {
      ...{ value, ratePerS: 0, stdDev: 0.7 },
      ...{ covariance: [0.5, 0, 0, 0.1], innovation: 0, nis: 0 },
    },
  };
}

interface Crash {
  readonly name: string;
  readonly fault: string;
  /** Done to the store's folder between the kill and the next start. */
  readonly harm?: (checkpoints: string) => void;
  readonly rows: number;
}

async function crashed(options: FaultOptions, { name, fault, harm, rows }: Crash): Promise<FaultRow> {
  const storeFolder = join(options.folder, `${name}-store`);
  const storePath = join(storeFolder, 'store.duckdb');
  if (rows > 0) await fill(storePath, rows);
  const bytes = rows > 0 ? statSync(storePath).size : 0;
  const traffic = await startTraffic(options, {
    name,
    rate: options.rate,
    storeFolder,
    config: EVERY_SECOND,
  });
  try {
    await traffic.publisher.reached(options.rate * 8);
    traffic.service().kill('SIGKILL');
    await traffic.service().ended;
    harm?.(`${storePath}.checkpoints`);
    const readyMs = await traffic.restart().ready(300_000);
    const notes = [
      ...(rows > 0 ? [`the store held ${rows} older readings in ${Math.round(bytes / 1e6)} MB`] : []),
      await recovery(traffic, readyMs),
    ];
    return trafficRow(fault, await traffic.end(300_000), notes);
  } finally {
    await traffic.abandon();
  }
}

async function recovery(traffic: Traffic, readyMs: number): Promise<string> {
  const [rows, tookS] = await Promise.all(
    ['rxtwin_recovery_rows', 'rxtwin_recovery_seconds'].map((name) => traffic.service().metric(name)),
  );
  const unusable = traffic
    .service()
    .records()
    .filter(({ msg }) => typeof msg === 'string' && msg.startsWith('A checkpoint cannot be used')).length;
  return (
    `process start to ready ${(readyMs / 1000).toFixed(2)} s, of which recovery ${tookS} s for ${rows} rows run again` +
    (unusable > 0 ? `; ${unusable} damaged checkpoints passed over` : '')
  );
}

/** Overwrites the newest so many with noise in their middle. */
const damage =
  (count: number) =>
  (folder: string): void => {
    const names = existsSync(folder)
      ? readdirSync(folder).filter((name) => name.startsWith('checkpoint-'))
      : [];
    const newest = names.toSorted().slice(-count);
    if (newest.length < count) throw new Error(`only ${newest.length} checkpoints in ${dirname(folder)}`);
    for (const name of newest) {
      const file = join(folder, name);
      const size = statSync(file).size;
      writeFileSync(file, Buffer.alloc(64, 0xa5), { flag: 'r+' });
      if (statSync(file).size !== size) throw new Error(`${name}: damaged in length too`);
    }
  };

function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  const rows = options.short ? 500_000 : 10_000_000;
  return rowsOf(options, {
    long: () =>
      crashed(options, { name: 'long', fault: `kill -9, a history of ${rows} readings behind it`, rows }),
    newest: () =>
      crashed(options, {
        name: 'newest',
        fault: 'kill -9, and the newest checkpoint damaged',
        rows: 0,
        harm: damage(1),
      }),
    all: () =>
      crashed(options, {
        ...{ name: 'all', fault: 'kill -9, and all checkpoints damaged: from the rows alone', rows: 0 },
        harm: (folder) =>
          damage(readdirSync(folder).filter((name) => name.startsWith('checkpoint-')).length)(folder),
      }),
  });
}

const scenarios: readonly Scenario[] = [
  {
    name: 'history',
    needs: ['mosquitto'],
    about: `The service is killed with a long history in its store (${DAY_MS / 1000} readings a day and sensor, at one a second, add up), and with damaged
checkpoints: only rows behind the checkpoint run again, so the length of the history does not matter; a damaged checkpoint falls back to
the one before, and without any, all rows run again.`,
    run,
  },
];
export default scenarios;
