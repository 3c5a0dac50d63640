import { connectAsync } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { MqttSourceConfig } from '../../config/types.ts';
import type { Delivered, SourceEvent } from '../../src/sources/source.ts';
import { startTcpProxy } from '../fakes/tcpProxy.ts';
import { hasMosquitto, startMosquitto } from '../support/mosquitto.ts';
import type { Mosquitto } from '../support/mosquitto.ts';
import { collect, commitAtOnce, committedOf, positionOf } from '../support/mqttSource.ts';
import type { Collected } from '../support/mqttSource.ts';

const TOPIC = 'reactor/R101/sensor/level';
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 10 });
const count = (broker: Mosquitto, line: string): number => broker.log().split(line).length - 1;
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function mosquitto(...config: string[]): Promise<Mosquitto> {
  const broker = await startMosquitto({
    config: ['allow_anonymous true', 'max_inflight_messages 50', ...config],
  });
  onTestFinished(() => broker.stop());
  return broker;
}

async function client(url: string): Promise<MqttClient> {
  const connected = await connectAsync(url, { reconnectPeriod: 50 });
  onTestFinished(() => connected.endAsync(true));
  return connected;
}

/** Connected, with a session at the broker. */
async function started(
  broker: Mosquitto,
  config: Partial<MqttSourceConfig>,
  onEvent?: (event: SourceEvent, source: Collected['source']) => void,
  lastPosition = 0,
  delivered: readonly Delivered[] = [],
): Promise<Collected> {
  const before = count(broker, 'Sending SUBACK to rxtwin');
  const sink = collect({ url: broker.url, ...config }, onEvent, lastPosition, delivered);
  onTestFinished(() => sink.source.close());
  await until(() => expect(count(broker, 'Sending SUBACK to rxtwin')).toBeGreaterThan(before));
  return sink;
}

/** The number 7 without a time, again and again: neither value nor time tells one message from the other. */
async function sevens(publisher: MqttClient, howMany: number, qos: 1 | 2): Promise<void> {
  const send = (): Promise<unknown> => publisher.publishAsync(TOPIC, '7', { qos });
  if (qos === 2) for (let i = 0; i < howMany; i += 1) await send();
  else await Promise.all(Array.from({ length: howMany }, send));
}

describe.skipIf(!hasMosquitto()).each([
  [4, 1],
  [5, 1],
  [4, 2],
  [5, 2],
] as const)(
  'equal numbers without time, MQTT version %i, QoS %i (needs mosquitto)',
  (protocolVersion, qos) => {
    it('come once over connections that are cut in mid-stream', async () => {
      const broker = await mosquitto();
      const proxy = await startTcpProxy(broker.port);
      onTestFinished(() => proxy.close());
      const url = `mqtt://127.0.0.1:${proxy.port}`;
      // Commits come late and by leaps, as those of a store.
      const sink = await started(broker, { protocolVersion, qos, url, reconnect: { minMs: 1, maxMs: 20 } });
      const timer = setInterval(() => sink.source.commit(Math.max(0, sink.events.length - 5)), 5);
      onTestFinished(() => clearInterval(timer));
      const publisher = await client(broker.url);
      const total = 600;
      const published = sevens(publisher, total, qos);
      for (const arrived of [50, 150, 250, 350, 450]) {
        await until(() => expect(sink.events.length).toBeGreaterThan(arrived));
        const { reconnects } = sink.source.status();
        proxy.cut();
        await until(() => expect(sink.source.status().reconnects).toBe(reconnects + 1));
      }
      await published;
      await until(() => expect(sink.events.length).toBeGreaterThanOrEqual(total));
      sink.source.commit(total);
      const acked = qos === 1 ? 'Received PUBACK' : 'Received PUBCOMP';
      await until(() => expect(count(broker, `${acked} from rxtwin`)).toBeGreaterThanOrEqual(total));
      expect(sink.events.map(positionOf)).toEqual(numbers(1, total));
      expect(sink.source.status().redelivered).toBeGreaterThan(0);
      // Nothing is left at the broker.
      await sink.source.close();
      const after = await started(broker, { protocolVersion, qos });
      await publisher.publishAsync(TOPIC, '8', { qos });
      await until(() => expect(after.values()).toEqual([8]));
    });

    it('come once over restarts of the service', async () => {
      const broker = await mosquitto();
      const publisher = await client(broker.url);
      const proxy = await startTcpProxy(broker.port);
      onTestFinished(() => proxy.close());
      const url = `mqtt://127.0.0.1:${proxy.port}`;
      const first = await started(broker, { protocolVersion, qos, url });
      await sevens(publisher, 40, qos);
      await until(() => expect(first.events).toHaveLength(40));
      first.source.commit(10);
      const acked = qos === 1 ? 'Received PUBACK' : 'Received PUBREC';
      await until(() => expect(count(broker, `${acked} from rxtwin`)).toBe(10));
      // 20 more are committed, and their acknowledgements swallowed; the last 10 were in hand when the process died.
      proxy.freeze();
      first.source.commit(30);
      proxy.cut();
      await first.source.close();
      proxy.thaw();

      const delivered = committedOf(first.events, 30);
      const second = await started(broker, { protocolVersion, qos }, commitAtOnce, 30, delivered);
      await sevens(publisher, 5, qos);
      await until(() => expect(second.events).toHaveLength(15));
      expect(second.events.map(positionOf)).toEqual(numbers(31, 45));
      expect(second.source.status().redelivered).toBe(20);
      await until(() => expect(count(broker, `${acked} from rxtwin`)).toBe(45));
    });

    it('come once over a restart of a broker that keeps its sessions', async () => {
      const broker = await mosquitto('persistence true');
      const publisher = await client(broker.url);
      const sink = await started(broker, { protocolVersion, qos });
      await sevens(publisher, 40, qos);
      await until(() => expect(sink.events).toHaveLength(40));
      sink.source.commit(10);
      const acked = qos === 1 ? 'Received PUBACK' : 'Received PUBREC';
      await until(() => expect(count(broker, `${acked} from rxtwin`)).toBe(10));
      await broker.end();
      await until(() => expect(sink.source.status().connected).toBe(false));
      sink.source.commit(20);
      await broker.begin();
      await until(() => expect(sink.source.status()).toMatchObject({ connected: true, redelivered: 30 }));
      await sevens(publisher, 5, qos);
      await until(() => expect(sink.events).toHaveLength(45));
      sink.source.commit(45);
      await until(() => expect(count(broker, `${acked} from rxtwin`)).toBe(45));
      expect(sink.events.map(positionOf)).toEqual(numbers(1, 45));
    });
  },
);

describe.skipIf(!hasMosquitto())('named deliveries with a real broker (needs mosquitto)', () => {
  it('keeps the names of two sources apart', async () => {
    const broker = await mosquitto();
    const publisher = await client(broker.url);
    const one = await started(broker, { id: 'one', clientId: 'rxtwin-one' }, commitAtOnce);
    const two = await started(broker, { id: 'two', clientId: 'rxtwin-two' }, commitAtOnce);
    await sevens(publisher, 100, 1);
    await until(() => expect([one.events.length, two.events.length]).toEqual([100, 100]));
    expect(one.source.status().redelivered).toBe(0);
    expect(two.source.status().redelivered).toBe(0);
  });

  it('takes everything for new where broker and sessions are gone', async () => {
    const broker = await mosquitto();
    const publisher = await client(broker.url);
    const sink = await started(broker, {});
    await sevens(publisher, 20, 1);
    await until(() => expect(sink.events).toHaveLength(20));
    broker.signal('SIGKILL');
    await until(() => expect(sink.source.status().connected).toBe(false));
    await broker.begin();
    await until(() => expect(count(broker, 'Sending SUBACK to rxtwin')).toBe(2));
    // The new broker begins with the same packet ids.
    await sevens(publisher, 20, 1);
    await until(() => expect(sink.events).toHaveLength(40));
    sink.source.commit(40);
    expect(sink.source.status().redelivered).toBe(0);
    await until(() => expect(count(broker, 'Received PUBACK from rxtwin')).toBe(20));
  });
});
