import { setTimeout as wait } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { childProcess } from '../child.ts';
import { noise, quantityOf } from '../support.ts';

export interface PublisherArgs {
  readonly url: string;
  readonly qos: 0 | 1;
  readonly sensors: number;
  readonly count: number;
  /** Messages a second, spread evenly. */
  readonly rate: number;
  /** Source time between two readings of a sensor; null: the time of publishing. */
  readonly everyMs: number | null;
}

const SLICE_MS = 5;
/** A recording: old enough to be over when it has been published. */
const BACK_MS = 3_600_000;
const MAX_UNACKNOWLEDGED = 500;

/** Publishes the readings of `sensors` sensors in turn at a steady rate; resolves when the broker has taken them all. */
await childProcess(import.meta.url, async (args: PublisherArgs) => {
  const { url, qos, sensors, count, rate, everyMs } = args;
  const client = await connectAsync(url, { clientId: `publisher-${process.pid}` });
  const random = noise(2);
  const base = Date.now() - BACK_MS;
  const started = performance.now();
  const open = { count: 0 };
  for (let sent = 0; sent < count;) {
    const due = Math.min(count, Math.ceil(((performance.now() - started) * rate) / 1000));
    for (; sent < due && open.count < MAX_UNACKNOWLEDGED; sent++) {
      const index = sent % sensors;
      const { sensor, unit, level } = quantityOf(index);
      const value = Number((level * (1 + 0.01 * random())).toFixed(3));
      const at = everyMs === null ? Date.now() : base + Math.floor(sent / sensors) * everyMs;
      const payload = JSON.stringify({ value, unit, timestamp: new Date(at).toISOString() });
      publish(client, `reactor/R${index >> 2}/sensor/${sensor}`, payload, qos, open);
    }
    await (open.count < MAX_UNACKNOWLEDGED
      ? wait(SLICE_MS)
      : new Promise((resolve) => setImmediate(resolve)));
  }
  while (open.count > 0) await wait(SLICE_MS);
  await client.endAsync();
  return null;
});

function publish(
  client: MqttClient,
  topic: string,
  payload: string,
  qos: 0 | 1,
  open: { count: number },
): void {
  open.count += 1;
  client.publish(topic, payload, { qos }, () => (open.count -= 1));
}
