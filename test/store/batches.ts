import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { StoreConfig } from '../../config/types.ts';
import type { AnomalyRecord } from '../../operators/steps/anomaly.ts';
import type { EstimatedReading, Quality, WindowAggregate } from '../../operators/types.ts';
import type { SmoothedRecord } from '../../src/smoothed.ts';
import { openStore } from '../../src/store/duckdb.ts';
import type { CommitBatch, Store } from '../../src/store/store.ts';

export const quiet = { info: (): void => undefined, warn: (): void => undefined };

export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rxtwin-store-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

export const configOf = (path: string, more: Partial<StoreConfig> = {}): StoreConfig => ({
  path,
  retentionDays: 30,
  memoryLimitMb: 128,
  maxDeadLetters: 100,
  ...more,
});

/** A store in a folder of its own, closed and removed with the test. */
export async function freshStore(more: Partial<StoreConfig> = {}): Promise<Store> {
  const store = await openStore(configOf(join(await folder(), 'data', 'store.duckdb'), more), quiet);
  onTestFinished(() => store.close());
  return store;
}

export const batch = (parts: Partial<CommitBatch>): CommitBatch => ({
  lastRow: 0,
  readings: [],
  held: [],
  ticks: [],
  smoothed: [],
  windows: [],
  twins: [],
  anomalies: [],
  deadLetters: [],
  positions: new Map(),
  ...parts,
});

export interface ReadingParts {
  readonly row: number;
  readonly timestamp: number;
  readonly value: number | null;
  readonly quality?: Quality;
  readonly sensor?: string;
  readonly estimate?: EstimatedReading['estimate'];
}

export const reading = ({
  row,
  timestamp,
  value,
  quality = 'Good',
  sensor,
  estimate,
}: ReadingParts): EstimatedReading => ({
  asset: 'R101',
  sensor: sensor ?? 'temperature',
  timestamp,
  value,
  unit: 'degC',
  quality,
  issues: [],
  imputed: false,
  received: { row, source: 'plant', position: row, arrivedAt: timestamp + 1, value, unit: 'degC', quality },
  estimate: estimate ?? null,
});

export const window = (parts: Partial<WindowAggregate>): WindowAggregate => ({
  asset: 'R101',
  sensor: 'temperature',
  unit: 'degC',
  sizeMs: 1000,
  everyMs: 1000,
  start: 0,
  end: 1000,
  count: 1,
  badCount: 0,
  imputedCount: 0,
  mean: 85,
  timeWeightedMean: 85,
  min: 85,
  max: 85,
  stdDev: null,
  first: 85,
  last: 85,
  revision: 0,
  ...parts,
});

export const smoothed = (parts: Partial<SmoothedRecord>): SmoothedRecord => ({
  asset: 'R101',
  sensor: 'temperature',
  timestamp: 0,
  value: 0.1 + 0.2,
  unit: 'degC',
  ratePerS: -1e-7,
  stdDev: 1 / 3,
  wantedLagMs: 10_000,
  lagMs: 10_000.5,
  ...parts,
});

export const anomaly = (parts: Partial<AnomalyRecord>): AnomalyRecord => ({
  asset: 'R101',
  timestamp: 1000.5,
  event: 'onset',
  score: 31.5,
  threshold: 20.25,
  alarm: true,
  since: 1000.5,
  contributions: [
    { sensor: 'pressure', share: 2 / 3 },
    { sensor: 'flow "rate"', share: 1 / 3 },
  ],
  ...parts,
});

/** Nothing is kept beyond its retention. */
export const NO_BOUNDS = { row: Infinity, commit: Infinity };
