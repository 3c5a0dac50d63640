import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBroker } from './support/broker.ts';
import { createPlan } from './support/plan.ts';
import type { Probed } from './support/probe.ts';
import { startPublisher } from './support/publisher.ts';
import { serviceHome, startService } from './support/serviceProcess.ts';
import type { ServiceProcess } from './support/serviceProcess.ts';
import { slopeOf } from './support/slope.ts';
import { soakText } from './support/soakFigures.ts';
import type { MemoryFigures, SoakFigures } from './support/soakFigures.ts';
import { median, sleep, until, worst } from './support/wait.ts';

/*
 * npm run soak                                 10 minutes at 500 readings a second; prints
 * npm run soak -- --minutes 60 --keep          an hour; keeps the figures for docs/reliability.md
 * npm run soak -- --minutes 5 --rate 2000
 */

const KEPT = new URL('../docs/soak.json', import.meta.url);
const PROBE = new URL('support/probe.ts', import.meta.url).href;
const PLAN = { assets: 25, seed: 1 };
const MB = 1_000_000;
const STOP_WITHIN_MS = 10_000;
/** Share of the time in which caches fill. */
const WARM_UP = 1 / 3;
/** MB an hour. A leak of one small object a reading would be ten times as much. */
const LIMITS = { heap: 10, external: 10, rss: 60 };
/** In a shorter run the reserves of store and allocator still fill: the size of the process is shown, not judged. */
const RSS_JUDGED_FROM_MINUTES = 60;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '500' },
    keep: { type: 'boolean', default: false },
  },
});
const minutes = Number(flags.minutes);
const rate = Number(flags.rate);
if (!(minutes > 0) || !(rate > 0)) {
  console.error('--minutes and --rate: expected numbers > 0');
  process.exit(2);
}

interface Sample extends Probed {
  readonly atS: number;
  readonly descriptors: number;
}

const mb = (bytes: number): string => (bytes / MB).toFixed(1).padStart(6);

const timersOf = ({ resources }: Probed): number => resources['Timeout'] ?? 0;

const probes = (file: string): readonly Probed[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Probed);

const folder = mkdtempSync(join(tmpdir(), 'rxtwin-soak-'));
// Also where it fails or is interrupted.
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const figures = await soak();
console.log(soakText(figures));
if (flags.keep) writeFileSync(KEPT, `${JSON.stringify(figures, null, 2)}\n`);
process.exit(figures.failures.length > 0 ? 1 : 0);

async function soak(): Promise<SoakFigures> {
  const broker = await startBroker(join(folder, 'broker'));
  const home = serviceHome(join(folder, 'service'), {
    ...createPlan(PLAN).config,
    sources: [{ id: 'plant', type: 'mqtt', url: broker.url, clientId: 'service' }],
    // A small cache of the store's is full soon; a large one would go on growing for hours, as it may.
    store: { path: join(folder, 'store', 'soak.duckdb'), memoryLimitMb: 64, retentionDays: 36_500 },
  });
  const probeFile = join(folder, 'probe');
  writeFileSync(probeFile, '');
  const service = startService(home, {
    nodeArgs: ['--expose-gc', '--import', PROBE],
    env: { PROBE_FILE: probeFile },
  });
  await service.ready();
  const publisher = startPublisher({ url: broker.url, plan: PLAN, rate });
  const leave = new AbortController();
  const listening = listen(service, leave.signal);

  const samples = await sampled(service, probeFile);
  const received = await service.metric('rxtwin_readings_total', 'source="plant"');
  leave.abort();
  await listening;
  const sent = await publisher.finish();
  const started = performance.now();
  const exitCode = await service.stop(STOP_WITHIN_MS * 2);
  const tookMs = performance.now() - started;
  const last = probes(probeFile).at(-1);
  await broker.end('SIGTERM');
  const end = { exitCode, tookMs, byItself: last?.byItself === true };
  return figuresOf(samples, end, { received, sent });
}

/** Asks the process about itself at a steady pace, and shows what it says. */
async function sampled(service: ServiceProcess, probeFile: string): Promise<readonly Sample[]> {
  const everyMs = Math.max(1000, Math.min(10_000, (minutes * 60_000) / 60));
  const started = performance.now();
  const samples: Sample[] = [];
  for (let due = started + everyMs; due <= started + minutes * 60_000; due += everyMs) {
    await sleep(Math.max(0, due - performance.now()));
    const before = probes(probeFile).length;
    service.kill('SIGUSR2');
    const probed = await until('the service to answer', () => probes(probeFile).at(before));
    await service.text('/metrics');
    const descriptors = readdirSync(`/proc/${service.pid}/fd`).length;
    const sample = { ...probed, atS: (performance.now() - started) / 1000, descriptors };
    samples.push(sample);
    console.log(
      `${sample.atS.toFixed(0).padStart(6)} s  rss ${mb(sample.rss)}  heap ${mb(sample.heapUsed)}  external ${mb(sample.external)} MB  ` +
        `fd ${descriptors}  timers ${timersOf(sample)}  lag ${sample.lagMs.toFixed(1)} ms`,
    );
  }
  return samples;
}

/** A client on the event stream, as the live page is one. */
async function listen(service: ServiceProcess, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${service.address()}/api/stream`, { signal });
  if (response.body === null) return;
  try {
    for await (const _ of response.body);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function figuresOf(
  all: readonly Sample[],
  end: SoakFigures['end'],
  { received, sent }: { readonly received: number; readonly sent: number },
): SoakFigures {
  const samples = all.slice(Math.floor(all.length * WARM_UP));
  const spread = (of: (sample: Sample) => number) => {
    const values = samples.map(of);
    return { first: values[0] ?? NaN, last: values.at(-1) ?? NaN, most: worst(values) };
  };
  const memory = (what: string, limit: number | null, of: (sample: Sample) => number): MemoryFigures => {
    const { first, last, most } = spread((sample) => of(sample) / MB);
    const slope = slopeOf(samples.map((sample) => [sample.atS / 3600, of(sample) / MB]));
    return { what, firstMb: first, lastMb: last, mostMb: most, slope, limit };
  };
  const lags = samples.map(({ lagMs }) => lagMs);
  const figures = {
    minutes,
    rate,
    warmUpMinutes: minutes * WARM_UP,
    memory: [
      memory('JavaScript heap after garbage collection', LIMITS.heap, ({ heapUsed }) => heapUsed),
      memory('buffers outside of it', LIMITS.external, ({ external }) => external),
      memory('whole process (RSS)', minutes < RSS_JUDGED_FROM_MINUTES ? null : LIMITS.rss, ({ rss }) => rss),
    ],
    descriptors: spread(({ descriptors }) => descriptors),
    timers: spread(timersOf),
    lagMs: { median: median(lags), worst: worst(lags) },
    end,
  };
  const checks = {
    'too few samples': samples.length >= 5,
    'most readings did not arrive': received > 0.8 * createPlan(PLAN).sent(sent) - 5 * rate,
    'file descriptors grow': figures.descriptors.last <= figures.descriptors.first + 5,
    'timers grow': figures.timers.last <= figures.timers.first + 5,
    'no exit code 0 after SIGTERM': end.exitCode === 0 && end.tookMs <= STOP_WITHIN_MS,
    'the process did not end by itself': end.byItself,
    ...Object.fromEntries(
      figures.memory.map(({ what, slope, limit }) => [
        `${what} grows`,
        limit === null || slope.lower <= limit,
      ]),
    ),
  };
  const failures = Object.entries(checks).flatMap(([name, ok]) => (ok ? [] : [name]));
  return { ...figures, failures };
}
