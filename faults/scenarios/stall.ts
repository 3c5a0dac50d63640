import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { canFreeze, canMount, freezableDisk, tmpfsDisk } from '../support/diskMount.ts';
import type { Disk } from '../support/diskMount.ts';
import { watchMemory } from '../support/stallMemory.ts';
import { startTraffic, together, trafficRow } from '../support/traffic.ts';
import { sleep } from '../support/wait.ts';

/** That the stall itself takes. Catching up at full speed, heap and the store's cache grow to the size that they have at that speed. */
const MAX_GROWTH_MB = 100;
const REHEARSAL_MS = 60_000;
/** By then the service has to have noticed that nothing is committed. */
const NOTICED_MS = 12_000;

interface Stallable {
  readonly disk: Disk;
  readonly how: string;
  readonly stall: () => void;
  readonly go: () => void;
}

/** A disk whose writes hang; where that cannot be had, one that is full. */
function stallable(folder: string, sizeMb: number): Stallable {
  if (canFreeze(folder)) {
    const disk = freezableDisk(folder, sizeMb);
    return { disk, how: 'writes hang', stall: () => disk.freeze(), go: () => disk.thaw() };
  }
  const disk = tmpfsDisk(folder, sizeMb);
  return { disk, how: 'writes fail', stall: () => disk.fill(), go: () => disk.free() };
}

async function stalled(options: FaultOptions, protocolVersion: 4 | 5): Promise<FaultRow> {
  const { short } = options;
  const rate = short ? Math.min(800, options.rate) : options.rate;
  const stallMs = short ? 14_000 : 300_000;
  const { disk, how, stall, go } = stallable(options.folder, short ? 256 : 2048);
  try {
    const name = `stall${protocolVersion}`;
    const traffic = await startTraffic(options, { name, rate, protocolVersion, storeFolder: disk.path });
    try {
      const memory = watchMemory(traffic.service().pid);
      await traffic.publisher.reached(rate * (short ? 3 : 10));
      stall();
      await sleep(short ? stallMs : REHEARSAL_MS);
      go();
      await traffic.caughtUp();
      await sleep(NOTICED_MS);
      const usualMb = memory.peak();
      memory.rebase();
      const started = performance.now();
      stall();
      await sleep(NOTICED_MS);
      const health = await traffic.service().text('/health/ready').catch(String);
      await sleep(Math.max(0, started + stallMs - performance.now()));
      const stalledMb = memory.growth();
      const before = usualMb - memory.base();
      const behind = await traffic.behind();
      const answers = await traffic
        .service()
        .text('/health/live')
        .then(
          () => true,
          () => false,
        );
      go();
      const catchUpMs = await traffic.caughtUp();
      const growthMb = Math.max(0, memory.growth() - before);
      memory.stop();
      const end = await traffic.end();
      const mqtt = protocolVersion === 5 ? 'MQTT 5' : 'MQTT 3.1.1';
      return trafficRow(
        `store stalled for ${stallMs / 1000} s at ${rate} readings/s, ${mqtt}`,
        end,
        [
          how,
          `${behind} readings waited, in the broker; memory +${stalledMb.toFixed(0)} MB in the stall; catching up took ${growthMb.toFixed(0)} MB more than after a stall of ${(short ? stallMs : REHEARSAL_MS) / 1000} s before (${usualMb.toFixed(0)} MB)`,
          `caught up in ${(catchUpMs / 1000).toFixed(1)} s alongside live traffic`,
        ],
        {
          'stalled': behind > (rate * stallMs) / 2000,
          'memory': stalledMb < MAX_GROWTH_MB,
          'health says so': health.includes('503') && health.includes('store'),
          'the API answers': answers,
        },
      );
    } finally {
      go();
      await traffic.abandon();
    }
  } finally {
    await disk.remove();
  }
}

async function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  if (!canMount())
    throw new Error('needs the right to mount a disk (root, and no container that forbids it)');
  if (options.short) return together([stalled(options, 5), stalled(options, 4)]);
  return [await stalled(options, 5), await stalled(options, 4)];
}

export default [
  {
    name: 'stall',
    about:
      'The disk under the store hangs (a file system frozen with fsfreeze) while readings go on coming. The service takes no ' +
      'more than fits into its buffers; all else waits in the broker, whose queue has no bound. When the disk goes on, the ' +
      'service catches up alongside live traffic.',
    needs: ['mosquitto', 'mount'],
    run,
  },
] satisfies readonly Scenario[];
