import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { startService } from '../../src/service.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { childProcess } from '../child.ts';
import type { ReceiverArgs } from '../mqtt/bareReceiver.ts';
import { serviceConfig, temporaryFolder } from '../plantConfig.ts';
import { cpuSince } from '../support.ts';
import { WARM_UP_MS } from './warmUp.ts';

export interface ServiceFigures {
  readonly cpuMsPerS: number;
  /** Readings that the service counted while it was measured. */
  readonly readings: number;
  readonly assetsInStep: number;
}

/** The whole service as `rxtwin run` starts it, with API and store; its CPU time while readings come. */
await childProcess<ReceiverArgs>(
  import.meta.url,
  async (args, { ready, finish }): Promise<ServiceFigures> => {
    const dir = temporaryFolder();
    const config = serviceConfig(args.sensors, args.url, args.qos, dir);
    const sources = config.sources.map((source) =>
      source.type === 'mqtt' ? { ...source, protocolVersion: args.protocolVersion } : source,
    );
    const service = await startService({ ...config, sources }, createLog(config.log.level));
    ready();
    await wait(WARM_UP_MS);
    const seenBefore = await readingsOf(service.address);
    const before = process.cpuUsage();
    const started = performance.now();
    await finish;
    const cpuNs = cpuSince(before);
    const elapsedMs = performance.now() - started;
    const readings = (await readingsOf(service.address)) - seenBefore;
    const assetsInStep = await inStep(service.address);
    await service.stop();
    rmSync(dir, { recursive: true });
    return { cpuMsPerS: cpuNs / 1e3 / elapsedMs, readings, assetsInStep };
  },
);

async function readingsOf(address: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  return [...text.matchAll(/^rxtwin_readings_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

async function inStep(address: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  return [...text.matchAll(/^rxtwin_twin_status\{.*status="synchronised".*\} 1$/gm)].length;
}
