import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import type { Config, MqttSourceConfig } from '../config/types.ts';
import { QUANTITIES } from './support.ts';

/**
 * Batch reactors of four sensors each, with every default: checks, filter, one window of a second.
 *
 * @param more keys of the whole configuration.
 * @param each settings of each sensor, and of each asset, on top of the defaults.
 */
export function plantConfig(
  sensors: number,
  more: object = {},
  { sensor: settings = {}, asset = {} }: { readonly sensor?: object; readonly asset?: object } = {},
): Config {
  const own = Object.fromEntries(QUANTITIES.map(({ sensor }) => [sensor, settings]));
  const names = Array.from({ length: Math.ceil(sensors / 4) }, (_, i) => `R${i}`);
  const assets = Object.fromEntries(
    names.map((name) => [name, { model: { type: 'batchReactor' }, sensors: own, ...asset }]),
  );
  const dir = temporaryFolder();
  try {
    const file = join(dir, 'bench.json');
    writeFileSync(file, JSON.stringify({ assets, ...more }));
    return loadConfig([file], {}).config;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The same, fed over MQTT and kept in a store of its own in `dir`, its API on a free port. */
export function serviceConfig(sensors: number, url: string, qos: 0 | 1, dir: string): Config {
  return plantConfig(sensors, {
    sources: [{ id: 'plant', type: 'mqtt', url, qos, clientId: `bench-${process.pid}`, cleanSession: true }],
    store: { path: join(dir, 'bench.duckdb') },
    api: { host: '127.0.0.1', port: 0 },
    log: { level: 'warn' },
  });
}

export function mqttSourceOf({ sources }: Config): MqttSourceConfig {
  const source = sources.find((given) => given.type === 'mqtt');
  if (source === undefined) throw new Error('the configuration has no MQTT source');
  return source;
}

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'rxtwin-bench-'));
