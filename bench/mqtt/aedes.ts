import { startBroker } from '../../src/plant/broker.ts';
import { childProcess } from '../child.ts';

await childProcess(import.meta.url, async ({ port }: { port: number }, { ready, finish }) => {
  const broker = await startBroker({ port });
  ready();
  await finish;
  await broker.close();
  return null;
});
