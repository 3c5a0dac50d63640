import { readdirSync } from 'node:fs';
import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { canMount, tmpfsDisk } from '../support/diskMount.ts';
import type { Disk } from '../support/diskMount.ts';
import { startTraffic, together, trafficRow } from '../support/traffic.ts';
import type { Traffic } from '../support/traffic.ts';
import { sleep, until } from '../support/wait.ts';

/** As the service names the reason, in health and log. */
const NO_SPACE = /no space|disk.*full|ENOSPC/i;
const CHECKPOINTS = { pipeline: { checkpoint: { everyMs: 500 } } };

const rateOf = ({ short, rate }: FaultOptions): number => Math.min(short ? 400 : 2000, rate);

async function onDisk(
  options: FaultOptions,
  name: string,
  play: (traffic: Traffic, disk: Disk) => Promise<FaultRow>,
  config: object = {},
): Promise<FaultRow> {
  const disk = tmpfsDisk(options.folder, options.short ? 128 : 1024);
  try {
    const own = { name, rate: rateOf(options), storeFolder: `${disk.path}/data`, config };
    const traffic = await startTraffic(options, own);
    try {
      await traffic.publisher.reached(own.rate * (options.short ? 1 : 10));
      return await play(traffic, disk);
    } finally {
      await traffic.abandon();
    }
  } finally {
    await disk.remove();
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Full in mid-load, by a file that is not the service's; freed again. */
function inMidLoad(options: FaultOptions): Promise<FaultRow> {
  const fullMs = options.short ? 4000 : 20_000;
  return onDisk(options, 'full', async (traffic, disk) => {
    const { pid } = traffic.service();
    disk.fill();
    const started = performance.now();
    const health = await until(
      'the service to say that it is not ready',
      () =>
        traffic
          .service()
          .text('/health/ready')
          .then(() => undefined, String),
      { timeoutMs: 30_000 },
    );
    await sleep(Math.max(0, started + fullMs - performance.now()));
    const behind = await traffic.behind();
    disk.free();
    const catchUpMs = await traffic.caughtUp();
    const alive = traffic.service().alive() && traffic.service().pid === pid;
    const ready = await traffic
      .service()
      .ready(10_000)
      .then(
        () => true,
        () => false,
      );
    const end = await traffic.end();
    const reason = NO_SPACE.exec(health)?.[0] ?? 'no reason';
    return trafficRow(
      `disk full for ${fullMs / 1000} s under load`,
      end,
      [
        `health said "${reason}"`,
        `${behind} readings behind when it was freed, caught up in ${seconds(catchUpMs)}`,
      ],
      {
        'health says why': NO_SPACE.test(health),
        'ready again': ready,
        'did not crash': alive,
      },
    );
  });
}

/** Full whenever the service begins to write a checkpoint; then killed, so that it needs one. */
function atCheckpoints(options: FaultOptions): Promise<FaultRow> {
  const times = options.short ? 3 : 10;
  return onDisk(
    options,
    'checkpoint',
    async (traffic, disk) => {
      let hit = 0;
      for (let i = 0; i < times; i += 1) {
        if (await draftAppears(traffic.storePath)) hit += 1;
        disk.fill();
        await sleep(options.short ? 300 : 1000);
        disk.free();
        await traffic.caughtUp();
      }
      const alive = traffic.service().alive();
      traffic.service().kill();
      await traffic.service().ended;
      const readyMs = await traffic.restart().ready();
      const end = await traffic.end();
      const notes = [
        `a checkpoint was being written ${hit} times`,
        `ready ${seconds(readyMs)} after the kill`,
      ];
      return trafficRow(`disk full as a checkpoint is written, ${times} times, then kill -9`, end, notes, {
        'did not crash': alive,
      });
    },
    CHECKPOINTS,
  );
}

/** The checkpoints have no room at all, the store has: commits go on, and recovery has only the rows. */
function withoutCheckpoints(options: FaultOptions): Promise<FaultRow> {
  return onDisk(
    options,
    'nocheckpoint',
    async (traffic) => {
      // A service of its own on the same store, whose checkpoints' folder is now a full disk.
      const exitCode = await traffic.service().stop();
      const own = tmpfsDisk(options.folder, 1, `${traffic.storePath}.checkpoints`);
      try {
        own.fill();
        await traffic.restart().ready();
        await sleep(options.short ? 1500 : 8000);
        const warned = NO_SPACE.test(traffic.service().output());
        traffic.service().kill();
        await traffic.service().ended;
        const readyMs = await traffic.restart().ready();
        const end = await traffic.end();
        const notes = [`ready ${seconds(readyMs)} after the kill, from older checkpoints and rows`];
        return trafficRow('no room for checkpoints at all, then kill -9', end, notes, {
          'stopped in order': exitCode === 0,
          'log says why': warned,
        });
      } finally {
        await own.remove();
      }
    },
    CHECKPOINTS,
  );
}

/** Full when the service starts. It may refuse to start, with the reason; a supervisor starts it again. */
function atStart(options: FaultOptions): Promise<FaultRow> {
  return onDisk(options, 'start', async (traffic, disk) => {
    traffic.service().kill();
    await traffic.service().ended;
    disk.fill();
    const service = traffic.restart();
    const said = await until(
      'the service to say why it does not work, or to end',
      async () => {
        if (!service.alive()) return service.output();
        const health = await service.text('/health/ready').catch(String);
        return NO_SPACE.test(health) ? health : undefined;
      },
      { timeoutMs: 30_000 },
    );
    await sleep(options.short ? 500 : 5000);
    const started = service.alive();
    disk.free();
    if (!started) traffic.restart();
    await traffic.service().ready();
    const end = await traffic.end();
    const how = started ? 'it started and waited for room' : 'it ended, saying why, and was started again';
    return trafficRow('disk full at start', end, [how], { 'says why': NO_SPACE.test(said) });
  });
}

async function draftAppears(storePath: string): Promise<boolean> {
  const drafts = (): string[] => {
    try {
      return readdirSync(`${storePath}.checkpoints`).filter((name) => name.endsWith('.draft'));
    } catch {
      return [];
    }
  };
  const deadline = performance.now() + 3000;
  while (performance.now() < deadline) {
    if (drafts().length > 0) return true;
    await sleep(1);
  }
  return false;
}

async function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  if (!canMount())
    throw new Error('needs the right to mount a disk (root, and no container that forbids it)');
  const rows = [inMidLoad, atCheckpoints, withoutCheckpoints, atStart];
  if (options.short) return together(rows.map((row) => row(options)));
  const results: FaultRow[] = [];
  for (const row of rows) results.push(await row(options));
  return results;
}

export default [
  {
    name: 'disk',
    about:
      'The disk of the store (a small tmpfs) is filled to the last byte by a file that is not the service’s: under load, at the ' +
      'moment a checkpoint is written, for the checkpoints alone, and before the start. The service acknowledges nothing that ' +
      'it cannot store, says why, and catches up when there is room.',
    needs: ['mosquitto', 'mount'],
    run,
  },
] satisfies readonly Scenario[];
