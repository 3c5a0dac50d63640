import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/*
 * Loaded into the service with `node --expose-gc --import`: on SIGUSR2 a line of JSON about the process goes to the file that
 * PROBE_FILE names, and a last one when it ends.
 */

export interface Probed {
  readonly rss: number;
  /** After a full garbage collection. */
  readonly heapUsed: number;
  readonly external: number;
  /** Kind of timer, socket, … -> how many keep the process alive. */
  readonly resources: Readonly<Record<string, number>>;
  /** Longest delay of the event loop since the line before, milliseconds. */
  readonly lagMs: number;
  /** Only in the last line: whether the process ended by itself, with nothing left to do. */
  readonly byItself?: boolean;
}

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

function probe(): Probed {
  const lagMs = Math.max(0, delay.max / 1e6 - 10);
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return { rss, heapUsed, external, resources, lagMs };
}

const file = process.env['PROBE_FILE'] ?? '';
const write = (probed: Probed): void => appendFileSync(file, `${JSON.stringify(probed)}\n`);

process.on('SIGUSR2', () => {
  write(probe());
  setImmediate(() => delay.reset());
});
let byItself = false;
process.once('beforeExit', () => (byItself = true));
process.once('exit', () => write({ ...probe(), byItself }));
