import { setTimeout as wait } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { childProcess } from '../child.ts';
import type { ReceiverArgs } from '../mqtt/bareReceiver.ts';
import { cpuSince } from '../support.ts';
import { WARM_UP_MS } from './warmUp.ts';

/** The floor: CPU ms a second of a process that only takes the messages from the broker and parses them. */
await childProcess<ReceiverArgs>(
  import.meta.url,
  async ({ url, protocolVersion, qos }, { ready, finish }) => {
    const client = await connectAsync(url, { protocolVersion, clientId: `bare-${process.pid}` });
    let sum = 0;
    client.on('message', (_topic, payload) => {
      const { value } = JSON.parse(payload.toString()) as { value: number };
      sum += value;
    });
    await client.subscribeAsync('reactor/+/sensor/#', { qos });
    ready();
    await wait(WARM_UP_MS);
    const before = process.cpuUsage();
    const started = performance.now();
    await finish;
    const cpuMsPerS = cpuSince(before) / 1e3 / (performance.now() - started);
    if (!(sum > 0)) throw new Error('no message came');
    await client.endAsync();
    return cpuMsPerS;
  },
);
