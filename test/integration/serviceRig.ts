import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectAsync } from 'mqtt';
import type { IClientOptions, MqttClient } from 'mqtt';
import { onTestFinished, vi } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/types.ts';
import { startService } from '../../src/service.ts';
import type { Service } from '../../src/service.ts';
import { openStoreReadOnly } from '../../src/store/duckdb.ts';
import type { StoreReader } from '../../src/store/store.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import type { Mosquitto, MosquittoOptions } from '../support/mosquitto.ts';

export const until = <T>(check: () => T | Promise<T>, timeout = 20_000): Promise<T> =>
  vi.waitFor(check, { timeout, interval: 20 });

export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rxtwin-service-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function mosquitto(options?: MosquittoOptions): Promise<Mosquitto> {
  const broker = await startMosquitto(options);
  onTestFinished(() => broker.stop());
  return broker;
}

export async function publisher(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(url, { reconnectPeriod: 50, ...options });
  client.on('error', () => undefined);
  onTestFinished(() => client.endAsync(true));
  return client;
}

/** Publishes with the command line client of mosquitto, as an operator at a shell would. */
export const mosquittoPub = (port: number, topic: string, payload: string): Promise<unknown> =>
  promisify(execFile)('mosquitto_pub', [
    '-h',
    '127.0.0.1',
    '-p',
    `${port}`,
    '-q',
    '1',
    '-t',
    topic,
    '-m',
    payload,
  ]);

export interface Logged {
  readonly level: string;
  readonly message: string;
  readonly detail: object;
}

export interface TestService {
  readonly config: Config;
  readonly service: Service;
  readonly address: string;
  readonly logged: readonly Logged[];
  /** The body of a path, parsed; fails where the status is not 200. */
  get<T = Record<string, unknown>>(path: string): Promise<T>;
  status(path: string): Promise<number>;
  text(path: string): Promise<string>;
  /** Resolves once /health/ready says so. */
  ready(): Promise<void>;
  stop(): Promise<void>;
  /** After stop: the rows of one sensor, oldest first. */
  stored(sensor?: string): Promise<{ value: number | null; row: number }[]>;
  /** After stop: whatever the store answers. */
  read<T>(query: (store: StoreReader) => Promise<T>): Promise<T>;
}

/** A folder with rxtwin.yaml. */
export function configFile(yaml: string, folder = tempFolder()): string {
  const file = join(folder, 'rxtwin.yaml');
  const store = `store: { path: ${JSON.stringify(join(folder, 'data', 'store.duckdb'))} }\n`;
  writeFileSync(file, `${yaml}\n${store}${yaml.includes('\napi:') ? '' : 'api: { port: 0 }\n'}`);
  return file;
}

/** A service in this process, with a store of its own and the API on a free port. */
export async function start(yaml: string, folder = tempFolder()): Promise<TestService> {
  const { config } = loadConfig([configFile(yaml, folder)], {});
  const logged: Logged[] = [];
  const service = await startService(config, recordingLog(logged));
  onTestFinished(() => service.stop());
  const { address } = service;
  const text = async (path: string): Promise<string> => {
    const response = await fetch(address + path);
    const body = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${body}`);
    return body;
  };
  const read: TestService['read'] = async (query) => {
    const store = await openStoreReadOnly(config.store.path);
    try {
      return await query(store);
    } finally {
      await store.close();
    }
  };
  return {
    config,
    service,
    address,
    logged,
    text,
    read,
    get: async <T>(path: string) => JSON.parse(await text(path)) as T,
    status: async (path) => {
      const response = await fetch(address + path);
      await response.text();
      return response.status;
    },
    ready: () =>
      until(async () => {
        await text('/health/ready');
      }),
    stop: () => service.stop(),
    stored: (sensor = 'temperature') =>
      read(async (store) => {
        const query = { asset: 'R101', sensor, start: -8e15, end: 8e15, limit: 1_000_000 };
        return (await store.range(query)).map(({ value, row }) => ({ value, row }));
      }),
  };
}

export function recordingLog(logged: Logged[]): Log {
  const note = (level: string) => (detail: object, message: string) =>
    void logged.push({ level, message, detail });
  const log: Log = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    child: () => log,
  };
  return log;
}

/** Reads server-sent events until `enough` says so. */
export async function events(
  url: string,
  enough: (seen: readonly { type: string; data: Record<string, unknown> }[]) => boolean,
): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const abort = new AbortController();
  const response = await fetch(url, { signal: abort.signal });
  const seen: { type: string; data: Record<string, unknown> }[] = [];
  let text = '';
  const decoder = new TextDecoder();
  if (response.body === null) throw new Error('no body');
  for await (const chunk of response.body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const type = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (type !== undefined && data !== undefined)
        seen.push({ type, data: JSON.parse(data) as Record<string, unknown> });
    }
    if (enough(seen)) break;
  }
  abort.abort();
  return seen;
}
