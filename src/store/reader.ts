import { openInstance, prepareSchema } from './database.ts';
import { Queries } from './queries.ts';
import { QueryQueue } from './queryQueue.ts';
import { readLastCommit } from './session.ts';
import type { StoreReader } from './store.ts';

/** Opens the store of a stopped service for queries. @throws StoreError, `locked` while a service has it. */
export async function openStoreReadOnly(path: string): Promise<StoreReader> {
  const instance = await openInstance(path, { access_mode: 'READ_ONLY', memory_limit: '512MB' });
  const connection = await instance.connect();
  try {
    const version = await prepareSchema(connection, path, 'read');
    const queue = await QueryQueue.open(instance);
    const queries = new Queries(queue, version);
    const { lastRow, positions } = await readLastCommit(queue);
    return {
      lastRow,
      positions,
      latest: (asset, sensor) => queries.latest(asset, sensor),
      range: (query) => queries.range(query),
      aggregate: (query) => queries.aggregate(query),
      windows: (query) => queries.windows(query),
      smoothed: (query) => queries.smoothed(query),
      twins: (query) => queries.twins(query),
      anomalies: (query) => queries.anomalies(query),
      deadLetters: (limit) => queries.deadLetters(limit),
      quarantined: (limit) => queries.quarantined(limit),
      oldest: (asset, sensor) => queries.oldest(asset, sensor),
      close: async () => {
        await queries.close();
        instance.closeSync();
      },
    };
  } catch (error) {
    instance.closeSync();
    throw error;
  } finally {
    connection.closeSync();
  }
}
