import { readFileSync } from 'node:fs';
import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { atInstant, duringCheckpoint, killAndStart, onceReady } from '../support/killing.ts';
import type { Kill, Starts } from '../support/killing.ts';
import { randomOf } from '../support/random.ts';
import { rowsOf } from '../support/rows.ts';
import { startTraffic, trafficRow } from '../support/traffic.ts';
import type { Traffic } from '../support/traffic.ts';
import { sleep } from '../support/wait.ts';

const ASSETS = 25;
/** Of random instants, so many lie within the start and the recovery; the others in the time after it. */
const SHARE_IN_START = 0.3;
const LIFE_MS = 2000;

/** Nothing is broken: what the comparison itself is worth. */
async function control(options: FaultOptions): Promise<FaultRow> {
  const traffic = await startTraffic(options, { name: 'control', rate: options.rate, assets: ASSETS });
  try {
    await traffic.publisher.reached(options.rate * (options.short ? 4 : 20));
    const end = await traffic.end();
    const { windows, twinRecords } = end.audit;
    const notes = [`${windows} windows and ${twinRecords} recorded twins compared besides`];
    return trafficRow('nothing (control)', end, notes);
  } finally {
    await traffic.abandon();
  }
}

interface Killing {
  readonly name: string;
  readonly fault: string;
  readonly times: number;
  /** Made once the first service is ready. */
  kill(traffic: Traffic, usualStartMs: number): Kill;
  /** More for the note, when all is over. */
  readonly notes?: () => readonly string[];
  readonly config?: object;
}

async function killed(options: FaultOptions, killing: Killing): Promise<FaultRow> {
  const { name, fault, times, config } = killing;
  const traffic = await startTraffic(options, {
    name,
    rate: options.rate,
    assets: ASSETS,
    ...(config && { config }),
  });
  try {
    await traffic.publisher.reached(options.rate);
    const usualStartMs = await startsIn(traffic);
    options.log(`${fault}: a start takes ${Math.round(usualStartMs)} ms`);
    const starts: Starts = await killAndStart(traffic, times, killing.kill(traffic, usualStartMs));
    const caughtUpFrom = performance.now();
    const end = await traffic.end(600_000);
    const { windows, twinRecords } = end.audit;
    return trafficRow(fault, end, [
      starts.summary(),
      ...(killing.notes?.() ?? []),
      `all taken in and compared ${Math.round((performance.now() - caughtUpFrom) / 1000)} s after the last start`,
      `${windows} windows and ${twinRecords} recorded twins compared besides`,
    ]);
  } catch (error) {
    options.log(readFileSync(traffic.home.logFile, 'utf8').slice(-3000));
    throw error;
  } finally {
    await traffic.abandon();
  }
}

/** Ends the service once and measures how long the next one takes. */
async function startsIn(traffic: Traffic): Promise<number> {
  traffic.service().kill('SIGKILL');
  await traffic.service().ended;
  return traffic.restart().ready();
}

function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  const { short, seed } = options;
  const random = randomOf(seed);
  const instants = short ? 8 : 100;
  const inSuccession = short ? 6 : 15;
  const afterStarts = short ? 3 : 10;
  const checkpoints = short ? 3 : 10;
  let hit = 0;
  return rowsOf(options, {
    control: () => control(options),
    instants: () =>
      killed(options, {
        name: 'instants',
        fault: `kill -9, ${instants} random instants`,
        times: instants,
        kill: (_, usualStartMs) => async (service) => {
          if (random() < SHARE_IN_START) return atInstant(service, random() * usualStartMs);
          await onceReady(service);
          await sleep(random() * LIFE_MS);
        },
      }),
    succession: () =>
      killed(options, {
        name: 'succession',
        fault: `kill -9, ${inSuccession} times in quick succession while it starts and recovers`,
        times: inSuccession,
        kill: (_, usualStartMs) => (service) => atInstant(service, (0.3 + 0.8 * random()) * usualStartMs),
      }),
    ready: () =>
      killed(options, {
        name: 'ready',
        fault: `kill -9, ${afterStarts} times right after a start`,
        times: afterStarts,
        kill: () => async (service) => {
          await onceReady(service);
          await sleep(random() * 100);
        },
      }),
    checkpoint: () =>
      killed(options, {
        name: 'checkpoint',
        fault: `kill -9, ${checkpoints} times while a checkpoint is written`,
        times: checkpoints,
        config: { pipeline: { checkpoint: { everyMs: 500 } } },
        kill: (traffic) => async (service) => {
          await onceReady(service);
          if (await duringCheckpoint(traffic.storePath, 5000)) hit += 1;
          await sleep(random() * 10);
        },
        notes: () => [`a checkpoint was being written ${hit} times`],
      }),
  });
}

const scenarios: readonly Scenario[] = [
  {
    name: 'kill',
    needs: ['mosquitto'],
    about: `The service is ended with \`kill -9\`, as by a power cut of its machine's processes, while readings come in over MQTT (QoS 1, MQTT 5,
mosquitto), and is started again at once on the same store. The instants are random: three in ten
lie within the start and the recovery, the others in the two seconds after them. After the last start the publisher ends, the service takes in what is left, and is
compared and counted. One line without any fault shows that the comparison itself finds no difference where there is none.
A power cut of the whole machine is not played: that also depends on disks that keep what they have confirmed.`,
    run,
  },
];
export default scenarios;
