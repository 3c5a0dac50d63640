import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/types.ts';
import { temporaryFolder } from '../plantConfig.ts';
import { COLD, REACTOR_SENSORS } from './readings.ts';

/** Reactors of the four sensors with every default, and a twin with joint estimation or the simple one. */
export function processConfig(reactors: number, type: 'cstr' | 'batchReactor'): Config {
  const sensors = Object.fromEntries(
    REACTOR_SENSORS.map(({ sensor, unit, noise }) => {
      return [sensor, { unit, kalman: { measurementVariance: (2 * noise) ** 2 / 12 } }];
    }),
  );
  const model = type === 'cstr' ? { type, ...COLD, estimate: { heatTransfer: {} } } : { type };
  const assets = Object.fromEntries(
    Array.from({ length: reactors }, (_, i) => [`R${i}`, { model, sensors }]),
  );
  const dir = temporaryFolder();
  try {
    const file = join(dir, 'bench.json');
    writeFileSync(file, JSON.stringify({ assets }));
    return loadConfig([file], {}).config;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
