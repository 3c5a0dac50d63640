import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connectAsync } from 'mqtt';
import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { storeFigures } from '../support/fuzzSql.ts';
import type { ServiceProcess } from '../support/serviceProcess.ts';
import { startTraffic, together, trafficRow } from '../support/traffic.ts';
import { sleep } from '../support/wait.ts';

const HOUR_MS = 3_600_000;
const PRELOAD = new URL('../support/clockShift.ts', import.meta.url);
const EVERY_MS = 50;

/** Readings with the time of day as their source time, as from sensors that have a good clock. */
interface Timed {
  /** From now on their clock is wrong by so much. */
  shift(ms: number): void;
  /** @returns how many were acknowledged */
  stop(): Promise<number>;
  abandon(): void;
}

const ASSET = 'TIMED';

async function startTimed(url: string): Promise<Timed> {
  const client = await connectAsync(url, { clientId: 'timed' });
  client.on('error', () => undefined);
  let [running, sent, offsetMs] = [true, 0, 0];
  const done = (async () => {
    while (running) {
      const payload = JSON.stringify({ value: 80 + sent / 1000, timestamp: Date.now() + offsetMs });
      await client.publishAsync(`reactor/${ASSET}/sensor/temperature`, payload, { qos: 1 });
      sent += 1;
      await sleep(EVERY_MS);
    }
  })();
  done.catch(() => undefined);
  return {
    shift: (ms) => (offsetMs = ms),
    async stop() {
      running = false;
      await done;
      await client.endAsync();
      return sent;
    },
    abandon() {
      running = false;
      client.end(true);
    },
  };
}

interface Jump {
  readonly name: string;
  readonly fault: string;
  readonly whose: 'service' | 'plant';
  readonly byMs: number;
  /** Readings dated so far ahead are taken in. */
  readonly maxFutureMs?: number;
  /** What is dated in the future becomes a dead letter, as configured. */
  readonly refused?: boolean;
}

/** Where the twin of that asset has come to, against the time on the plant's clock. */
async function twinOf(service: ServiceProcess, plantNow: number): Promise<string> {
  const twin: unknown = await service.get(`/api/assets/${ASSET}/twin`).catch(() => null);
  if (typeof twin !== 'object' || twin === null || !('timestamp' in twin)) return 'no twin';
  const behindS = (plantNow - Date.parse(String(twin.timestamp))) / 1000;
  return `their twin stands ${behindS.toFixed(1)} s behind the plant's clock`;
}

async function jumped(options: FaultOptions, jump: Jump): Promise<FaultRow> {
  const { short } = options;
  const { name, fault, whose, byMs, maxFutureMs, refused = false } = jump;
  const clockFile = join(options.folder, `${name}.clock`);
  writeFileSync(clockFile, '0');
  const traffic = await startTraffic(options, {
    name,
    rate: Math.min(short ? 300 : 2000, options.rate),
    assetsBesides: { [ASSET]: { model: { type: 'batchReactor' }, sensors: { temperature: {} } } },
    ...(maxFutureMs !== undefined && { source: { maxFutureMs } }),
    env: {
      FAULTS_CLOCK_FILE: clockFile,
      NODE_OPTIONS: `--import ${pathToFileURL(PRELOAD.pathname).href}`,
    },
  });
  const timed = await startTimed(traffic.broker.url);
  const holdMs = short ? 3000 : 20_000;
  try {
    await traffic.publisher.reached(short ? 300 : 20_000);
    if (whose === 'service') writeFileSync(clockFile, String(byMs));
    else timed.shift(byMs);
    await sleep(holdMs);
    const twin = await twinOf(traffic.service(), Date.now() + (whose === 'plant' ? byMs : 0));
    const sentTimed = await timed.stop();
    const end = await traffic.end();
    const logged = Date.parse(String(traffic.service().records().at(-1)?.['time']));
    const setBy = logged - Date.now();
    const found = await storeFigures(
      traffic.storePath,
      `SELECT count(*)::DOUBLE AS stored, count(DISTINCT received_value)::DOUBLE AS different,
        count(*) FILTER (issues LIKE '%"order"%')::DOUBLE AS late FROM readings WHERE asset = '${ASSET}' AND source IS NOT NULL`,
    );
    const { stored = 0, different = 0, late = 0 } = found;
    const { deadLetters } = end.audit;
    const lost = sentTimed - different - (refused ? deadLetters : 0);
    return trafficRow(
      fault,
      end,
      [
        `besides, ${sentTimed} readings with the time of day: ${stored} stored, ${deadLetters} dead letters, ${lost} lost, ` +
          `${stored - different} twice, ${late} marked as late`,
        twin,
      ],
      {
        'readings with the time of day': stored === different && lost === 0,
        'clock was set': whose === 'plant' || Math.abs(setBy - byMs) < 60_000,
        'dead letters': refused ? deadLetters > 0 : deadLetters === 0,
      },
    );
  } finally {
    timed.abandon();
    await traffic.abandon();
  }
}

/** The first three are played in a short run, too. */
const JUMPS: readonly Jump[] = [
  { name: 'ahead', fault: "service's clock set 1 h ahead", whose: 'service', byMs: HOUR_MS },
  { name: 'back', fault: "service's clock set 1 h back", whose: 'service', byMs: -HOUR_MS },
  { name: 'plantback', fault: "plant's clock set 1 h back", whose: 'plant', byMs: -HOUR_MS },
  {
    name: 'plantahead',
    fault: "plant's clock set 1 h ahead, maxFutureMs 2 h",
    whose: 'plant',
    byMs: HOUR_MS,
    maxFutureMs: 2 * HOUR_MS,
  },
  {
    name: 'refused',
    fault: "plant's clock set 1 h ahead, maxFutureMs 1 min (default)",
    whose: 'plant',
    byMs: HOUR_MS,
    refused: true,
  },
];

async function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  if (options.short) return together(JUMPS.slice(0, 3).map((jump) => jumped(options, jump)));
  const rows: FaultRow[] = [];
  for (const jump of JUMPS) rows.push(await jumped(options, jump));
  return rows;
}

export default [
  {
    name: 'clock',
    about:
      'Somebody sets the wall clock of the service’s machine by an hour in mid-run, or that of the plant, so that source times ' +
      'jump. The numbered readings come beside others whose source time is the time of day; none of either may be lost, and ' +
      'the twins must be those of an undisturbed run.',
    needs: ['mosquitto'],
    run,
  },
] satisfies readonly Scenario[];
