import { rmSync } from 'node:fs';
import { isDeadLetter } from '../../src/sources/source.ts';
import { childProcess } from '../child.ts';
import type { ReceiverArgs } from '../mqtt/bareReceiver.ts';
import { openChain } from '../mqtt/chain.ts';
import { temporaryFolder } from '../plantConfig.ts';
import { quantile } from '../support.ts';

export interface Latencies {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** From the source's emission of a reading until windows and twin have taken it in, while commits go on beside it. */
await childProcess<ReceiverArgs>(import.meta.url, async (args, { ready, finish }): Promise<Latencies> => {
  const dir = temporaryFolder();
  const arrivals = new Map<number, number>();
  const latencies: number[] = [];
  const chain = await openChain(args, dir, {
    onArrival(event) {
      if (!isDeadLetter(event)) arrivals.set(event.received?.position ?? 0, performance.now());
    },
    onEntry({ input }) {
      const position = 'received' in input ? (input.received?.position ?? 0) : 0;
      const arrived = arrivals.get(position);
      arrivals.delete(position);
      if (arrived !== undefined) latencies.push(performance.now() - arrived);
    },
    onCommit: () => undefined,
  });
  await chain.connected;
  ready();
  await finish;
  await chain.close();
  rmSync(dir, { recursive: true });
  // The first two rounds of all sensors create their streams and are compiled.
  const steady = latencies.slice(2 * args.sensors);
  return {
    count: latencies.length,
    p50Ms: quantile(steady, 0.5),
    p99Ms: quantile(steady, 0.99),
    maxMs: quantile(steady, 1),
  };
});
