import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './mosquitto.ts';

const PATH = '/usr/bin/victoria-metrics';

/**
 * Whether tests against a real VictoriaMetrics can run here. Where they have to (CI, or REQUIRE_SERVERS set), its lack is
 * an error.
 */
export function hasVictoriaMetrics(): boolean {
  const required = Boolean(process.env['CI']) || Boolean(process.env['REQUIRE_SERVERS']);
  const present = existsSync(PATH);
  if (required && !present)
    throw new Error(`these tests need victoria-metrics at ${PATH} (Debian: victoria-metrics)`);
  return present;
}

/** One series as it is stored; times in epoch milliseconds. */
export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

export interface VictoriaMetrics {
  readonly port: number;
  readonly url: string;
  /** All that is stored of a metric, such as `reactor_sensor_value`, by a PromQL selector. */
  series(match: string): Promise<readonly ExportedSeries[]>;
  /** Ends it in order, so that it saves what it has taken. */
  end(): Promise<void>;
  /** Starts it again, on the same port and data. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/** A VictoriaMetrics of its own on a free loopback port; it takes InfluxDB's `/api/v2/write`. */
export async function startVictoriaMetrics(): Promise<VictoriaMetrics> {
  const dir = mkdtempSync(join(tmpdir(), 'rxtwin-victoria-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `-httpListenAddr=127.0.0.1:${port}`,
    `-storageDataPath=${dir}`,
    '-retentionPeriod=100y',
    '-memory.allowedBytes=100MB',
    '-loggerLevel=ERROR',
  ];
  let child: ChildProcess | undefined;
  const begin = async (): Promise<void> => {
    const started = spawn(PATH, args, { stdio: 'ignore' });
    child = started;
    for (;;) {
      if (started.exitCode !== null) throw new Error(`victoria-metrics ended with ${started.exitCode}`);
      const healthy = await fetch(`${url}/health`).then(
        (response) => response.ok,
        () => false,
      );
      if (healthy) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    running.kill(signal);
    await exited;
  };
  await begin();
  return {
    port,
    url,
    async series(match) {
      // What it has taken can be found only after it has been flushed.
      await fetch(`${url}/internal/force_flush`);
      const query = new URLSearchParams({ 'match[]': match });
      const response = await fetch(`${url}/api/v1/export?${query.toString()}`);
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status}: ${text}`);
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ExportedSeries);
    },
    end: () => end('SIGTERM'),
    begin,
    async stop() {
      await end('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
