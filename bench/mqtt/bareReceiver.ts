import { connectAsync } from 'mqtt';
import { childProcess } from '../child.ts';
import { Progress } from './progress.ts';
import type { Received } from './progress.ts';

export interface ReceiverArgs {
  readonly url: string;
  readonly protocolVersion: 4 | 5;
  readonly qos: 0 | 1;
  readonly sensors: number;
  readonly count: number;
}

/** The least that a subscriber can do: mqtt.js, and JSON.parse of every payload. */
await childProcess<ReceiverArgs>(import.meta.url, async (args, { ready, finish }): Promise<Received> => {
  const { url, protocolVersion, qos, count } = args;
  const client = await connectAsync(url, {
    protocolVersion,
    clientId: `bare-${process.pid}`,
    ...(protocolVersion === 5 ? { properties: { receiveMaximum: 1000 } } : {}),
  });
  const progress = new Progress(count);
  let sum = 0;
  client.on('message', (_topic, payload) => {
    progress.arrive();
    const { value } = JSON.parse(payload.toString()) as { value: number };
    sum += value;
    progress.add(1);
  });
  await client.subscribeAsync('reactor/+/sensor/#', { qos });
  ready();
  const received = await progress.done(finish);
  if (!Number.isFinite(sum)) throw new Error('a payload without a value');
  await client.endAsync();
  return received;
});
