import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { childProcess } from '../child.ts';
import { temporaryFolder } from '../plantConfig.ts';
import type { ReceiverArgs } from './bareReceiver.ts';
import { openChain } from './chain.ts';
import { Progress } from './progress.ts';
import type { Received } from './progress.ts';

/** `rows`: different readings that are in the store afterwards. */
export type ChainReceived = Received & { readonly rows: number };

/** Source, admission, operators, twins, store and acknowledgement, as the service runs them. */
await childProcess<ReceiverArgs>(import.meta.url, async (args, { ready, finish }): Promise<ChainReceived> => {
  const dir = temporaryFolder();
  const progress = new Progress(args.count);
  const chain = await openChain(args, dir, {
    onArrival: () => progress.arrive(),
    onEntry: () => undefined,
    onCommit: (readings) => progress.add(readings),
  });
  await chain.connected;
  ready();
  const received = await progress.done(finish);
  await chain.close();
  const rows = await storedRows(join(dir, 'bench.duckdb'));
  rmSync(dir, { recursive: true });
  return { ...received, rows };
});

async function storedRows(path: string): Promise<number> {
  const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    'SELECT count(*)::DOUBLE FROM (SELECT DISTINCT channel, timestamp FROM reading_rows WHERE value IS NOT NULL)',
  );
  connection.closeSync();
  instance.closeSync();
  return Number(reader.getRows()[0]?.[0]);
}
