import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { createServer } from 'node:net';
import { config as rxjsConfig } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startBroker } from '../../../src/plant/broker.ts';
import { createMqttSource } from '../../../src/sources/mqtt/source.ts';
import type { SourceEvent } from '../../../src/sources/source.ts';
import { startRawBroker } from '../../fakes/rawBroker.ts';
import type { RawBroker, RawConnection } from '../../fakes/rawBroker.ts';
import { collect, commitAtOnce, CONTEXT, DEFAULTS, positionOf } from '../../support/mqttSource.ts';
import type { Collected } from '../../support/mqttSource.ts';

const TOPIC = 'reactor/R1/sensor/t';
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });

function start(...args: Parameters<typeof collect>): Collected {
  const collected = collect(...args);
  onTestFinished(() => collected.source.close());
  return collected;
}

async function rawBroker(): Promise<RawBroker> {
  const broker = await startRawBroker();
  onTestFinished(() => broker.close());
  return broker;
}

async function connection(broker: RawBroker, index: number): Promise<RawConnection> {
  await until(() => expect(broker.connections.length).toBeGreaterThan(index));
  return broker.connections[index]!;
}

async function publisher(port: number): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  onTestFinished(() => client.endAsync(true));
  return client;
}

describe('acknowledgements over a lost connection', () => {
  it('never acknowledges a new message for an old one of the same packet id', async () => {
    const broker = await rawBroker();
    const sink = start({ url: broker.url, protocolVersion: 4 });
    const first = await connection(broker, 0);
    await until(() => expect(sink.source.status().connected).toBe(true));
    first.publish(TOPIC, '1', 1, 77);
    await until(() => expect(sink.values()).toEqual([1]));
    first.socket.destroy();
    const second = await connection(broker, 1);
    await until(() => expect(sink.source.status()).toMatchObject({ connected: true, reconnects: 1 }));
    second.publish(TOPIC, '2', 1, 77);
    await until(() => expect(sink.values()).toEqual([1, 2]));
    sink.source.commit(1);
    second.publish(TOPIC, '3', 1, 78);
    await until(() => expect(sink.values()).toEqual([1, 2, 3]));
    expect(second.received).toEqual([]);
    sink.source.commit(3);
    await until(() => expect(second.received.join('')).toBe('4002004d4002004e'));
    expect(first.received).toEqual([]);
  });

  it('takes a message of QoS 2 once although its PUBREC was lost', async () => {
    const broker = await rawBroker();
    const sink = start({ url: broker.url, protocolVersion: 4, qos: 2 });
    const first = await connection(broker, 0);
    await until(() => expect(sink.source.status().connected).toBe(true));
    first.publish(TOPIC, '1', 2, 5);
    await until(() => expect(sink.values()).toEqual([1]));
    sink.source.commit(1);
    await until(() => expect(first.received).toEqual(['50020005']));
    broker.sessionPresent = true;
    first.socket.destroy();

    const second = await connection(broker, 1);
    await until(() => expect(sink.source.status().reconnects).toBe(1));
    second.publish(TOPIC, '1', 2, 5, 'again');
    await until(() => expect(second.received).toEqual(['50020005']));
    second.release(5);
    await until(() => expect(second.received).toEqual(['50020005', '70020005']));
    expect(sink.values()).toEqual([1]);

    second.publish(TOPIC, '2', 2, 5);
    await until(() => expect(sink.values()).toEqual([1, 2]));
    sink.source.commit(2);
    broker.sessionPresent = false;
    second.socket.destroy();
    const third = await connection(broker, 2);
    await until(() => expect(sink.source.status().reconnects).toBe(2));
    third.publish(TOPIC, '3', 2, 5);
    await until(() => expect(sink.values()).toEqual([1, 2, 3]));
  });

  it('holds packets that a pause caught, and forgets them with their connection', async () => {
    const broker = await rawBroker();
    const sink = start({ url: broker.url, protocolVersion: 4 }, commitAtOnce);
    const first = await connection(broker, 0);
    await until(() => expect(sink.source.status().connected).toBe(true));
    sink.source.pause();
    first.publish(TOPIC, '1', 1, 1);
    first.publish(TOPIC, '2', 1, 2);
    first.socket.destroySoon();
    const second = await connection(broker, 1);
    await until(() => expect(sink.source.status().reconnects).toBe(1));
    second.publish(TOPIC, '1', 1, 1);
    second.publish(TOPIC, '2', 1, 2);
    second.publish(TOPIC, '3', 1, 3);
    expect(sink.values()).toEqual([]);
    sink.source.resume();
    await until(() => expect(sink.values()).toEqual([1, 2, 3]));
    await until(() => expect(second.received).toEqual(['40020001', '40020002', '40020003']));
    expect(sink.events.map(positionOf)).toEqual([1, 2, 3]);
  });

  it('connects anew after bytes that are no MQTT', async () => {
    const broker = await rawBroker();
    const sink = start({ url: broker.url, protocolVersion: 4 }, commitAtOnce);
    const first = await connection(broker, 0);
    await until(() => expect(sink.source.status().connected).toBe(true));
    first.socket.write(Buffer.alloc(200, 0xff));
    await until(() => expect(sink.source.status()).toMatchObject({ connected: true, reconnects: 1 }));
    expect(sink.warnings).toHaveLength(1);
  });
});

describe('with the embedded broker', () => {
  async function embedded(): Promise<number> {
    const broker = await startBroker({ port: 0 });
    onTestFinished(() => broker.close());
    return broker.port;
  }

  it('takes in readings and survives a receiver that throws', async () => {
    const port = await embedded();
    const thrown: unknown[] = [];
    rxjsConfig.onUnhandledError = (error) => thrown.push(error);
    onTestFinished(() => {
      rxjsConfig.onUnhandledError = null;
    });
    const sink = start({ url: `mqtt://127.0.0.1:${port}`, protocolVersion: 4 }, (event, source) => {
      source.commit(positionOf(event));
      if (positionOf(event) === 2) throw new Error('receiver');
    });
    await until(() => expect(sink.source.status().connected).toBe(true));
    const client = await publisher(port);
    await until(() => {
      client.publish(TOPIC, '1', { qos: 0 });
      expect(sink.events.length).toBeGreaterThan(0);
    });
    for (const value of [2, 3, 4, 5]) await client.publishAsync(TOPIC, String(value), { qos: 1 });
    await until(() => expect(sink.values().slice(-4)).toEqual([2, 3, 4, 5]));
    await until(() => expect(thrown).toEqual([new Error('receiver')]));
    expect(sink.source.status()).toMatchObject({ connected: true, reconnects: 0 });
  });

  it('disconnects when nobody listens and connects when somebody does again', async () => {
    const port = await embedded();
    const url = `mqtt://127.0.0.1:${port}`;
    const source = createMqttSource(
      { ...DEFAULTS, url, protocolVersion: 4 },
      { ...CONTEXT, now: () => 5, lastPosition: 41 },
    );
    onTestFinished(() => source.close());
    const first = source.events.subscribe();
    await until(() => expect(source.status().connected).toBe(true));
    first.unsubscribe();
    expect(source.status()).toMatchObject({
      connected: false,
      detail: `disconnected from ${url} by this service`,
    });
    const events: SourceEvent[] = [];
    const completed = vi.fn();
    source.events.subscribe({ next: (event) => events.push(event), complete: completed });
    await until(() => expect(source.status().connected).toBe(true));
    const client = await publisher(port);
    await until(() => {
      client.publish(TOPIC, '1', { qos: 1 });
      expect(events.length).toBeGreaterThan(0);
    });
    expect(events[0]).toMatchObject({ timestamp: 5, received: { position: 42, arrivedAt: 5 } });
    await source.close();
    expect(completed).toHaveBeenCalledOnce();
    const late = vi.fn();
    source.events.subscribe({ complete: late });
    expect(late).toHaveBeenCalledOnce();
    expect(source.status().connected).toBe(false);
  });

  it('says that the broker does not speak MQTT 5', async () => {
    const port = await embedded();
    const sink = start({ url: `mqtt://127.0.0.1:${port}`, protocolVersion: 5 });
    await until(() => expect(sink.warnings.length).toBeGreaterThan(1));
    expect(sink.source.status().connected).toBe(false);
    expect(sink.source.status().detail).toMatch(/Unacceptable protocol version|connection closed/i);
  });

  it('refuses a payload beyond its bound and closes twice', async () => {
    const broker = await startBroker({ port: 0 });
    const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
    const closed = new Promise((resolve) => client.once('close', () => resolve(true)));
    client.publish(TOPIC, Buffer.alloc(300_000), { qos: 0 });
    expect(await closed).toBe(true);
    await Promise.all([broker.close(), broker.close()]);
    await expect(
      connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 }, false),
    ).rejects.toThrow();
  });

  it('says when its port is taken', async () => {
    const port = await embedded();
    await expect(startBroker({ port })).rejects.toThrow('EADDRINUSE');
  });
});

it('reports a refused topic and goes on with the others', async () => {
  const aedes = await Aedes.createBroker({
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic.startsWith('secret') ? null : subscription),
  });
  const server = createServer((socket) => void aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve()))));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const topics = ['secret/#', 'bad/#/filter', 'reactor/+/sensor/#'];
  const sink = start({ url: `mqtt://127.0.0.1:${address.port}`, protocolVersion: 4, topics }, commitAtOnce);
  await until(() => expect(Object.keys(sink.source.status().problems)).toHaveLength(2));
  expect(sink.source.status().problems).toEqual({
    'secret/#': 'subscription refused: Unspecified error (128)',
    'bad/#/filter': 'Invalid topic bad/#/filter',
  });
  expect(sink.warnings.join()).toContain('secret/#');
  const client = await publisher(address.port);
  await until(() => {
    client.publish(TOPIC, '1');
    expect(sink.values()).toContain(1);
  });
});

it('takes good readings for good although the clock was set back by an hour', async () => {
  const broker = await rawBroker();
  let offset = 0;
  const now = (): number => Date.now() + offset;
  const source = createMqttSource(
    { ...DEFAULTS, url: broker.url, protocolVersion: 4, maxFutureMs: 60_000 },
    { ...CONTEXT, now },
  );
  onTestFinished(() => source.close());
  const events: SourceEvent[] = [];
  source.events.subscribe((event) => events.push(event));
  const at = await connection(broker, 0);
  await until(() => expect(source.status().connected).toBe(true));
  const send = (aheadMs: number): void =>
    at.publish(TOPIC, `{"value":1,"timestamp":${Date.now() + aheadMs}}`, 0, 0);
  send(0);
  await until(() => expect(events).toHaveLength(1));
  offset = -3_600_000;
  send(0);
  send(50_000);
  send(120_000);
  await until(() => expect(events).toHaveLength(4));
  expect(events.map((event) => ('reason' in event ? event.reason : event.value))).toEqual([
    1,
    1,
    1,
    'futureTimestamp',
  ]);
});

describe('createMqttSource', () => {
  it.each(['127.0.0.1:1883', 'http://127.0.0.1', 'mqtt://', 'mqtt://user:secret@'])(
    'refuses the URL %s',
    (url) => {
      const create = (): unknown => createMqttSource({ ...DEFAULTS, url }, CONTEXT);
      expect(create).toThrow('url: not valid');
      expect(create).not.toThrow('secret');
    },
  );

  it('refuses a bad topic template', () => {
    expect(() => createMqttSource({ ...DEFAULTS, topicTemplate: 'a/b' }, CONTEXT)).toThrow(
      'topicTemplate: a/b',
    );
  });

  it('knows how many messages may be unacknowledged', () => {
    const window = (config: Partial<typeof DEFAULTS>): number =>
      createMqttSource({ ...DEFAULTS, ...config }, CONTEXT).window;
    expect(window({ protocolVersion: 5, receiveMaximum: 500 })).toBe(500);
    expect(window({ protocolVersion: 4 })).toBe(10);
    expect(window({ qos: 0 })).toBe(Infinity);
  });

  it('shows no credentials and reports a certificate that is not there', async () => {
    const source = createMqttSource(
      {
        ...DEFAULTS,
        url: 'mqtts://user:secret@127.0.0.1:1',
        tls: { ...DEFAULTS.tls, caFile: '/nowhere/ca.pem' },
        reconnect: { minMs: 50, maxMs: 50 },
      },
      CONTEXT,
    );
    const completed = vi.fn();
    source.events.subscribe({ complete: completed });
    expect(source.status()).toMatchObject({ connected: false, reconnects: 0 });
    expect(source.status().detail).toContain('/nowhere/ca.pem');
    expect(source.status().detail).not.toContain('secret');
    await source.close();
    expect(completed).toHaveBeenCalledOnce();
  });
});
