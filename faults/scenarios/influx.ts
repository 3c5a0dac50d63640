import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { problem, startFakeInflux, TAKES } from '../../test/fakes/influxServer.ts';
import type { FakeAnswer, FakeInflux } from '../../test/fakes/influxServer.ts';
import { startVictoriaMetrics } from '../../test/support/victoriaMetrics.ts';
import { forwardable, nameOfLine, pointName, quarantinedNames } from '../support/influxAudit.ts';
import { startInfluxFront } from '../support/influxFront.ts';
import type { InfluxFront } from '../support/influxFront.ts';
import { startTraffic, trafficRow } from '../support/traffic.ts';
import type { Traffic } from '../support/traffic.ts';
import { sleep, until } from '../support/wait.ts';

const INFLUX = {
  token: 'secret',
  org: 'plant',
  bucket: 'readings',
  batchRows: 500,
  maxWaitMs: 50,
  timeoutMs: 1000,
  retry: { minMs: 50, maxMs: 500 },
  catchUpShare: 1,
};
/** 99 in 100 commits take no longer than this, whatever InfluxDB does; or than without InfluxDB, if that is more. */
const MAX_P99_S = 0.2;

interface Fault {
  readonly fault: string;
  /** Makes the server ill; the answer undoes it. */
  readonly begin: (fake: FakeInflux, front: InfluxFront) => Promise<void> | void;
}

const answering =
  (answer: (lines: readonly string[]) => FakeAnswer): Fault['begin'] =>
  (fake) => {
    fake.answer = answer;
  };

/** Refused for good, as of a wrong type. */
const isBad = (line: string): boolean => line.includes('reactor_id=R104') && line.includes('sensor_type=ph');

const FAULTS: readonly Fault[] = [
  { fault: 'InfluxDB down', begin: (_, front) => front.down() },
  { fault: 'InfluxDB slow (0.6 s more an answer)', begin: (_, front) => front.delay(300) },
  { fault: 'InfluxDB takes requests and never answers', begin: answering(() => 'hang') },
  { fault: 'InfluxDB cuts connections in mid-request', begin: answering(() => 'cut') },
  { fault: 'InfluxDB takes points, connection cut before its answer', begin: answering(() => 'takeAndCut') },
  {
    fault: 'InfluxDB answers 400 for some points and takes the others',
    begin: answering((lines) => {
      const taken = lines.filter((line) => !isBad(line));
      const dropped = lines.length - taken.length;
      if (dropped === 0) return TAKES;
      const message = `partial write: field type conflict: input field "value" dropped=${dropped}`;
      return { ...problem(400, 'invalid', message), taken };
    }),
  },
  {
    fault: 'InfluxDB answers 400 and takes nothing of the request',
    begin: answering((lines) =>
      lines.some(isBad) ? problem(400, 'invalid', 'unable to parse points') : TAKES,
    ),
  },
  {
    fault: 'InfluxDB answers 401',
    begin: answering(() => problem(401, 'unauthorized', 'unauthorized access')),
  },
  { fault: 'InfluxDB answers 404', begin: answering(() => problem(404, 'not found', 'bucket not found')) },
  {
    fault: 'InfluxDB answers 413 for more than 10 points',
    begin: answering((lines) =>
      lines.length > 10 ? problem(413, 'request too large', 'body too large') : TAKES,
    ),
  },
  {
    fault: 'InfluxDB answers 429, Retry-After 1 s',
    begin: answering(() => ({
      ...problem(429, 'too many requests', 'slow down'),
      headers: { 'retry-after': '1' },
    })),
  },
  { fault: 'InfluxDB answers 500', begin: answering(() => problem(500, 'internal error', 'oops')) },
  { fault: 'InfluxDB answers 503', begin: answering(() => problem(503, 'unavailable', 'starting')) },
];

interface Phase {
  readonly fault: string;
  readonly from: number;
  readonly to: number;
  readonly catchUpMs: number;
  readonly lagRows: number;
}

const lag = (traffic: Traffic): Promise<number> =>
  traffic
    .service()
    .metric('rxtwin_forward_lag_rows')
    .catch(() => Infinity);

async function forwarded(traffic: Traffic, atMost: number): Promise<number> {
  const started = performance.now();
  await until('all rows to be forwarded', async () => ((await lag(traffic)) <= atMost ? true : undefined), {
    timeoutMs: 120_000,
    everyMs: 50,
  });
  return performance.now() - started;
}

async function playedServer(options: FaultOptions): Promise<FaultRow[]> {
  const { short } = options;
  const rate = Math.min(short ? 300 : 2000, options.rate);
  const without = await commitP99(options, rate);
  const fake = await startFakeInflux();
  const front = await startInfluxFront(Number(new URL(fake.url).port));
  const traffic = await startTraffic(options, {
    name: 'played',
    rate,
    config: { influx: { ...INFLUX, url: front.url } },
  });
  try {
    await traffic.publisher.reached(rate);
    const phases: Phase[] = [];
    for (const { fault, begin } of FAULTS) {
      const from = traffic.publisher.acknowledged();
      await begin(fake, front);
      await sleep(short ? 700 : 5000);
      const lagRows = await lag(traffic);
      const to = traffic.publisher.acknowledged();
      await front.up();
      front.delay(0);
      fake.answer = () => TAKES;
      const catchUpMs = await forwarded(traffic, rate / 2);
      phases.push({ fault, from, to, catchUpMs, lagRows });
    }
    const p99 = await commitQuantile(traffic);
    const quarantined = await traffic
      .service()
      .metric('rxtwin_forward_quarantined_total')
      .catch(() => NaN);
    await forwarded(traffic, rate / 2);
    const count = await traffic.finish();
    // The last commit may still be on its way.
    await sleep(1000);
    await forwarded(traffic, 0);
    const end = await traffic.end(120_000, count);
    const rows = await forwardable(traffic.storePath);
    const inQuarantine = await quarantinedNames(traffic.storePath);
    const points = new Map<string, number>();
    for (const line of fake.points.values()) {
      const name = nameOfLine(line);
      points.set(name, (points.get(name) ?? 0) + 1);
    }
    const counted = (phase: Phase | null) => {
      const own = rows.filter(({ asset, sensor, timestamp }) => {
        if (phase === null) return true;
        const n = traffic.plan.numberOf(asset, sensor, timestamp);
        return n !== undefined && n >= phase.from && n < phase.to;
      });
      const stored = own.filter(({ name }) => points.has(name)).length;
      const refused = own.filter(({ name }) => inQuarantine.has(name) && !points.has(name)).length;
      const duplicated = own.reduce((sum, { name }) => sum + Math.max(0, (points.get(name) ?? 0) - 1), 0);
      return { sent: own.length, stored, refused, duplicated, lost: own.length - stored - refused };
    };
    const all = counted(null);
    const fastEnough = p99 <= Math.max(MAX_P99_S, without);
    return [
      ...phases.map((phase): FaultRow => {
        const { sent, stored, lost, duplicated, refused } = counted(phase);
        return {
          fault: phase.fault,
          sent,
          stored,
          lost,
          duplicated,
          twin: null,
          // What was under way when a fault ended was sent again, maybe to the next fault, which refuses some.
          passed: lost === 0 && duplicated === 0 && sent > 0 && (refused > 0 || !phase.fault.includes('400')),
          note: `counts of points in InfluxDB; ${refused} in quarantine; ${phase.lagRows} rows waited, caught up in ${(phase.catchUpMs / 1000).toFixed(1)} s`,
        };
      }),
      trafficRow(
        'all of these, seen from the sources',
        end,
        [
          `99 % of commits within ${(p99 * 1000).toFixed(0)} ms, ${(without * 1000).toFixed(0)} ms without InfluxDB`,
          `in InfluxDB: ${all.stored} of ${all.sent} points, ${all.refused} in quarantine, ${all.lost} lost, ${all.duplicated} twice`,
        ],
        {
          'points': all.lost === 0 && all.duplicated === 0,
          'quarantine counted': quarantined === inQuarantine.size,
          'commits not held up': fastEnough,
        },
      ),
    ];
  } finally {
    await traffic.abandon();
    await front.down();
    await fake.close();
  }
}

/** The bound of the histogram's bucket under which 99 of 100 commits are. */
async function commitQuantile(traffic: Traffic): Promise<number> {
  const text = await traffic.service().text('/metrics');
  const buckets = [...text.matchAll(/^rxtwin_commit_duration_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)].map(
    ([, bound, count]) => [bound === '+Inf' ? Infinity : Number(bound), Number(count)] as const,
  );
  const total = buckets.at(-1)?.[1] ?? 0;
  return buckets.find(([, count]) => count >= 0.99 * total)?.[0] ?? NaN;
}

async function commitP99(options: FaultOptions, rate: number): Promise<number> {
  const traffic = await startTraffic(options, { name: 'without', rate });
  try {
    await traffic.publisher.reached(rate * (options.short ? 2 : 10));
    return await commitQuantile(traffic);
  } finally {
    await traffic.abandon();
  }
}

/** A real server of the write API, stopped and started again. It keeps milliseconds, and does not merge what comes twice. */
async function realServer(options: FaultOptions): Promise<FaultRow> {
  const { short } = options;
  const rate = Math.min(short ? 300 : 2000, options.rate);
  const server = await startVictoriaMetrics();
  const traffic = await startTraffic(options, {
    name: 'victoria',
    rate,
    config: { influx: { ...INFLUX, url: server.url } },
  });
  try {
    await traffic.publisher.reached(rate);
    await server.end();
    await sleep(short ? 1000 : 10_000);
    const lagRows = await lag(traffic);
    await server.begin();
    const catchUpMs = await forwarded(traffic, rate / 2);
    const count = await traffic.finish();
    // The last commit may still be on its way.
    await sleep(1000);
    await forwarded(traffic, 0);
    const end = await traffic.end(120_000, count);
    const rows = await forwardable(traffic.storePath, 'value IS NOT NULL');
    const points = new Map<string, number>();
    for (const { metric, timestamps } of await server.series('reactor_sensor_value')) {
      for (const at of timestamps) {
        const name = pointName(metric['reactor_id'] ?? '', metric['sensor_type'] ?? '', at * 1000);
        points.set(name, (points.get(name) ?? 0) + 1);
      }
    }
    const stored = rows.filter(({ name }) => points.has(name)).length;
    const twice = rows.filter(({ name }) => (points.get(name) ?? 0) > 1).length;
    const notes = [
      `${stored} of ${rows.length} points there, ${twice} samples sent twice`,
      `${lagRows} rows waited, caught up in ${(catchUpMs / 1000).toFixed(1)} s`,
    ];
    return trafficRow('VictoriaMetrics (real) stopped and started again', end, notes, {
      points: stored === rows.length,
    });
  } finally {
    await traffic.abandon();
    await server.stop();
  }
}

async function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  return [...(await playedServer(options)), await realServer(options)];
}

export default [
  {
    name: 'influx',
    about:
      'InfluxDB, played by a server that takes points and has every fault, and once a real VictoriaMetrics, is away, slow, ' +
      'refuses, or answers with errors, while readings come in. Afterwards every stored reading must be there once; points ' +
      'that it refuses for good are in quarantine; commits, and so acknowledgements, must not wait for it.',
    needs: ['mosquitto', 'victoria-metrics'],
    run,
  },
] satisfies readonly Scenario[];
