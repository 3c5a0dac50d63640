import { existsSync, readdirSync } from 'node:fs';
import type { ServiceProcess } from './serviceProcess.ts';
import type { Traffic } from './traffic.ts';
import { median, sleep, until, worst } from './wait.ts';

/** Ends the service at some instant after its start; the next one is started when this resolves. */
export type Kill = (service: ServiceProcess, index: number) => Promise<void>;

/** How the starts after a kill went. */
export class Starts {
  readonly #readyAfterMs: number[] = [];
  readonly #rerun: number[] = [];
  #unready = 0;

  /** Once the process has ended, or is to stay. */
  note(service: ServiceProcess, readyAfterMs: number | null): void {
    if (readyAfterMs === null) this.#unready += 1;
    else this.#readyAfterMs.push(readyAfterMs);
    for (const record of service.records()) {
      if (typeof record['rerun'] === 'number') this.#rerun.push(record['rerun']);
    }
  }

  summary(): string {
    const times = this.#readyAfterMs;
    const recovery =
      times.length === 0
        ? 'never ready'
        : `process start to ready: median ${seconds(median(times))}, worst ${seconds(worst(times))} (${times.length} starts)`;
    const reruns =
      this.#rerun.length === 0
        ? 'rows run again not reported'
        : `rows run again: median ${Math.round(median(this.#rerun))}, at most ${worst(this.#rerun)}`;
    return `${recovery}; ${this.#unready} killed before they were ready; ${reruns}`;
  }
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** Kills and starts the service so many times; the last one is left running. */
export async function killAndStart(traffic: Traffic, times: number, kill: Kill): Promise<Starts> {
  const starts = new Starts();
  let service = traffic.service();
  for (let i = 0; i < times; i += 1) {
    let readyAfterMs: number | null = null;
    const watching = new AbortController();
    const ready = whenReady(service, watching.signal).then((ms) => (readyAfterMs = ms));
    await kill(service, i);
    watching.abort();
    service.kill('SIGKILL');
    await service.ended;
    await ready;
    starts.note(service, readyAfterMs);
    service = traffic.restart();
  }
  starts.note(service, await service.ready(120_000));
  return starts;
}

/** Milliseconds from the start until the service is ready; null where it ended before. */
async function whenReady(service: ServiceProcess, signal: AbortSignal): Promise<number | null> {
  while (service.alive() && !signal.aborted) {
    const ready = await service.text('/health/ready').then(
      () => true,
      () => false,
    );
    if (ready) return performance.now() - service.startedAt;
    await sleep(20);
  }
  return null;
}

/** At that many milliseconds after the start of the process, whatever it is doing then. */
export async function atInstant(service: ServiceProcess, afterMs: number): Promise<void> {
  await sleep(Math.max(0, service.startedAt + afterMs - performance.now()));
}

/** While the service writes a checkpoint; at the latest after `patienceMs`. @returns whether it was seen to */
export async function duringCheckpoint(storePath: string, patienceMs: number): Promise<boolean> {
  const folder = `${storePath}.checkpoints`;
  const drafts = (): string[] =>
    existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.draft')) : [];
  const before = new Set(drafts());
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    if (drafts().some((name) => !before.has(name))) return true;
    await sleep(1);
  }
  return false;
}

/** Right after the service has said that it is ready. */
export async function onceReady(service: ServiceProcess): Promise<void> {
  await until('the service to be ready', () =>
    service.alive()
      ? service.text('/health/ready').then(
          () => true as const,
          () => undefined,
        )
      : true,
  );
}
