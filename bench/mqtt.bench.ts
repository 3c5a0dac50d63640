import { runChild, startChild } from './child.ts';
import type { ReceiverArgs } from './mqtt/bareReceiver.ts';
import { startBroker } from './mqtt/broker.ts';
import type { BenchBroker } from './mqtt/broker.ts';
import type { ChainReceived } from './mqtt/chainReceiver.ts';
import type { Received } from './mqtt/progress.ts';
import { median } from './support.ts';
import type { Bench, Measure } from './support.ts';

const SENSORS = 1000;
const COUNT = 160_000;
const ROUNDS = 3;
/** Messages a second: as many as broker and publisher manage on one core while the receiver has the other. */
const RATE = 20_000;
/** Source time between two readings of a sensor. */
const EVERY_MS = 100;

/** From the broker to the committed row, against the least that a subscriber can do; processes of their own, in turns. */
export const measure: Bench = async ({ quick }) => {
  const broker = await startBroker();
  try {
    return [
      await compare(broker, 0, quick ? 5000 : COUNT, quick ? 1 : ROUNDS),
      await compare(broker, 1, quick ? 5000 : COUNT, quick ? 1 : ROUNDS),
    ];
  } finally {
    await broker.stop();
  }
};

async function compare(broker: BenchBroker, qos: 0 | 1, count: number, rounds: number): Promise<Measure> {
  const { url, protocolVersion } = broker;
  const args: ReceiverArgs = { url, protocolVersion, qos, sensors: SENSORS, count };
  const bare: number[] = [];
  const chain: number[] = [];
  let lost = 0;
  for (let round = 0; round < rounds; round++) {
    const least = await receive<Received>('mqtt/bareReceiver.ts', args);
    bare.push(least.cpuNs);
    const full = await receive<ChainReceived>('mqtt/chainReceiver.ts', args);
    chain.push(full.cpuNs);
    lost += count - full.rows;
  }
  const us = median(chain) / 1000;
  const bareUs = median(bare) / 1000;
  const sent = count * rounds;
  const limit = qos === 0 ? 2.5 : 2;
  return {
    name: `MQTT QoS ${qos} -> chain -> committed in the store${qos === 0 ? '' : ', acknowledged after the commit'}`,
    result: `${us.toFixed(1)} µs of CPU a message; ${lost} of ${sent} lost`,
    baseline: `bare mqtt.js subscriber of QoS ${qos}, JSON.parse: ${bareUs.toFixed(1)} µs (${broker.name})`,
    ratio: (us / bareUs).toFixed(2),
    target: `≤ ${limit} × the baseline${qos === 0 ? '' : ', nothing lost'}`,
    reached: us <= limit * bareUs && (qos === 0 || lost === 0),
  };
}

async function receive<T>(file: string, args: ReceiverArgs): Promise<T> {
  const receiver = startChild<T>(file, args);
  await receiver.ready;
  const { url, qos, sensors, count } = args;
  await runChild('mqtt/publisher.ts', { url, qos, sensors, count, rate: RATE, everyMs: EVERY_MS });
  receiver.finish();
  return receiver.result;
}
