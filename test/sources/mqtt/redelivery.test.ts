import type { Subscription } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { MqttSourceConfig } from '../../../config/types.ts';
import { REMEMBERED } from '../../../src/sources/mqtt/deliveries.ts';
import { createMqttSource } from '../../../src/sources/mqtt/source.ts';
import { startRawBroker } from '../../fakes/rawBroker.ts';
import type { RawBroker, RawConnection } from '../../fakes/rawBroker.ts';
import {
  collect,
  commitAtOnce,
  committedOf,
  CONTEXT,
  DEFAULTS,
  positionOf,
} from '../../support/mqttSource.ts';
import type { Collected } from '../../support/mqttSource.ts';

const TOPIC = 'reactor/R1/sensor/t';
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 });

async function rawBroker(): Promise<RawBroker> {
  const broker = await startRawBroker();
  broker.sessionPresent = true;
  onTestFinished(() => broker.close());
  return broker;
}

/** A source connected to the broker, and its connection there. */
async function start(
  broker: RawBroker,
  config: Partial<MqttSourceConfig> = {},
  ...rest: Parameters<typeof collect> extends [unknown, ...infer R] ? R : never
): Promise<{ sink: Collected; at: RawConnection }> {
  const before = broker.connections.length;
  const sink = collect({ url: broker.url, protocolVersion: 4, ...config }, ...rest);
  onTestFinished(() => sink.source.close());
  await until(() => expect(sink.source.status().connected).toBe(true));
  return { sink, at: broker.connections[before]! };
}

async function reconnected(broker: RawBroker, sink: Collected): Promise<RawConnection> {
  const reconnects = sink.source.status().reconnects;
  broker.connections.at(-1)?.socket.destroy();
  await until(() =>
    expect(sink.source.status()).toMatchObject({ connected: true, reconnects: reconnects + 1 }),
  );
  return broker.connections.at(-1)!;
}

const puback = (...ids: number[]): string =>
  ids.map((id) => `4002${id.toString(16).padStart(4, '0')}`).join('');

describe('on the next connection', () => {
  it('acknowledges at once what is committed, with its commit what is in hand, and passes on what is new', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker);
    for (const id of [1, 2, 3]) at.publish(TOPIC, '7', 1, id);
    await until(() => expect(sink.events).toHaveLength(3));
    sink.source.commit(2);
    await until(() => expect(at.received.join('')).toBe(puback(1, 2)));

    const next = await reconnected(broker, sink);
    for (const id of [1, 2, 3, 4]) next.publish(TOPIC, '7', 1, id, 'again');
    next.publish(TOPIC, '7', 1, 5);
    await until(() => expect(sink.events).toHaveLength(5));
    expect(sink.events.map(positionOf)).toEqual([1, 2, 3, 4, 5]);
    await until(() => expect(next.received.join('')).toBe(puback(1, 2)));
    expect(sink.source.status().redelivered).toBe(3);
    sink.source.commit(3);
    await until(() => expect(next.received.join('')).toBe(puback(1, 2, 3)));
    sink.source.commit(5);
    await until(() => expect(next.received.join('')).toBe(puback(1, 2, 3, 4, 5)));
  });

  it('acknowledges on it what is committed while there is none', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker, { reconnect: { minMs: 100, maxMs: 100 } });
    at.publish(TOPIC, '7', 1, 9);
    await until(() => expect(sink.events).toHaveLength(1));
    at.socket.destroy();
    await until(() => expect(sink.source.status().connected).toBe(false));
    sink.source.commit(1);
    const next = await reconnected(broker, sink);
    next.publish(TOPIC, '7', 1, 9, 'again');
    await until(() => expect(next.received.join('')).toBe(puback(9)));
    expect(sink.events).toHaveLength(1);
  });

  it('keeps the order of arrival where committed messages come behind those in hand', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker);
    for (const id of [1, 2]) at.publish(TOPIC, String(id), 1, id);
    await until(() => expect(sink.events).toHaveLength(2));
    sink.source.commit(1);
    const next = await reconnected(broker, sink);
    next.publish(TOPIC, '2', 1, 2, 'again');
    next.publish(TOPIC, '1', 1, 1, 'again');
    await until(() => expect(sink.source.status().redelivered).toBe(2));
    expect(next.received).toEqual([]);
    sink.source.commit(2);
    await until(() => expect(next.received.join('')).toBe(puback(2, 1)));
  });

  it('forgets all names with the session', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker, {}, commitAtOnce);
    at.publish(TOPIC, '7', 1, 1);
    await until(() => expect(sink.events).toHaveLength(1));
    broker.sessionPresent = false;
    const next = await reconnected(broker, sink);
    next.publish(TOPIC, '7', 1, 1, 'again');
    await until(() => expect(sink.events).toHaveLength(2));
    expect(sink.source.status().redelivered).toBe(0);
  });

  it.each([
    ['another payload', TOPIC, '8'],
    ['another topic', `${TOPIC}2`, '7'],
    ['a character moved from payload to topic', `${TOPIC}7`, ''],
  ])('takes the same packet id with %s for new', async (_what, topic, payload) => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker, {}, commitAtOnce);
    at.publish(TOPIC, '7', 1, 1);
    await until(() => expect(sink.events).toHaveLength(1));
    const next = await reconnected(broker, sink);
    next.publish(topic, payload, 1, 1, 'again');
    await until(() => expect(sink.events).toHaveLength(2));
  });

  it('takes a message without DUP for new, and knows that one from then on', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker, {}, commitAtOnce);
    at.publish(TOPIC, '7', 1, 1);
    await until(() => expect(sink.events).toHaveLength(1));
    at.publish(TOPIC, '8', 1, 1);
    await until(() => expect(sink.events).toHaveLength(2));
    const next = await reconnected(broker, sink);
    next.publish(TOPIC, '8', 1, 1, 'again');
    next.publish(TOPIC, '7', 1, 1, 'again');
    await until(() => expect(sink.values()).toEqual([7, 8, 7]));
    expect(sink.source.status().redelivered).toBe(1);
  });

  it('names dead letters and the last reading of a batch', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker, {}, commitAtOnce);
    at.publish(TOPIC, '[1,{"value":2},{"value":3}]', 1, 1);
    at.publish(TOPIC, '[{"value":4},5]', 1, 2);
    at.publish('nowhere', '6', 1, 3);
    at.publish(TOPIC, '7', 0, 0);
    await until(() => expect(sink.events).toHaveLength(7));
    const named = committedOf(sink.events, 99);
    expect(named.map(({ position, delivery }) => [position, Math.floor(delivery / 2 ** 32)])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(sink.events.map(positionOf)).toEqual([0, 0, 1, 1, 2, 3, 4]);
    const next = await reconnected(broker, sink);
    next.publish(TOPIC, '[1,{"value":2},{"value":3}]', 1, 1, 'again');
    next.publish(TOPIC, '[{"value":4},5]', 1, 2, 'again');
    next.publish('nowhere', '6', 1, 3, 'again');
    await until(() => expect(next.received.join('')).toBe(puback(1, 2, 3)));
    expect(sink.events).toHaveLength(7);
  });
});

it('answers a message that comes again on the same connection with one acknowledgement', async () => {
  const broker = await rawBroker();
  const { sink, at } = await start(broker);
  at.publish(TOPIC, '7', 1, 1);
  at.publish(TOPIC, '7', 1, 1, 'again');
  await until(() => expect(sink.source.status().redelivered).toBe(1));
  sink.source.commit(1);
  at.publish(TOPIC, '7', 1, 2);
  await until(() => expect(sink.events).toHaveLength(2));
  sink.source.commit(2);
  await until(() => expect(at.received.join('')).toBe(puback(1, 2)));
});

it('passes messages on to a new subscriber that an earlier one had in hand, but not those that are committed', async () => {
  const broker = await rawBroker();
  const source = createMqttSource({ ...DEFAULTS, url: broker.url, protocolVersion: 4 }, CONTEXT);
  onTestFinished(() => source.close());
  const positions: number[] = [];
  const subscribe = (): Subscription => source.events.subscribe((event) => positions.push(positionOf(event)));
  const first = subscribe();
  await until(() => expect(source.status().connected).toBe(true));
  for (const id of [1, 2]) broker.connections[0]!.publish(TOPIC, '7', 1, id);
  await until(() => expect(positions).toEqual([1, 2]));
  source.commit(1);
  first.unsubscribe();
  subscribe();
  await until(() => expect(source.status().connected).toBe(true));
  for (const id of [1, 2]) broker.connections[1]!.publish(TOPIC, '7', 1, id, 'again');
  await until(() => expect(positions).toEqual([1, 2, 3]));
});

describe('after a restart', () => {
  it.each([
    ['nothing was acknowledged', 0],
    ['some of it was committed', 3],
    ['all was committed', 5],
  ])('emits each constant number once where %s', async (_what, committed) => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker);
    for (const id of [1, 2, 3, 4, 5]) at.publish(TOPIC, '7', 1, id);
    await until(() => expect(sink.events).toHaveLength(5));
    const delivered = committedOf(sink.events, committed);
    await sink.source.close();

    const { sink: next, at: there } = await start(broker, {}, commitAtOnce, committed, delivered);
    for (const id of [1, 2, 3, 4, 5, 6]) there.publish(TOPIC, '7', 1, id, 'again');
    await until(() => expect(there.received.join('')).toBe(puback(1, 2, 3, 4, 5, 6)));
    expect(next.events.map(positionOf)).toEqual([1, 2, 3, 4, 5, 6].slice(committed));
    expect(next.source.status().redelivered).toBe(committed);
  });

  it('knows the last messages only, however many there were', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker);
    at.publish(TOPIC, '7', 1, 1);
    at.publish(TOPIC, '7', 1, 2);
    await until(() => expect(sink.events).toHaveLength(2));
    const [first, second] = committedOf(sink.events, 2);
    await sink.source.close();
    const others = Array.from({ length: REMEMBERED - 1 }, (_, i) => ({
      position: 3 + i,
      delivery: (3 + i) * 2 ** 32 + 5,
    }));
    const delivered = [first!, second!, ...others];
    const { sink: next, at: there } = await start(broker, {}, commitAtOnce, REMEMBERED + 1, delivered);
    there.publish(TOPIC, '7', 1, 2, 'again');
    there.publish(TOPIC, '7', 1, 1, 'again');
    await until(() => expect(there.received.join('')).toBe(puback(2, 1)));
    expect(next.events.map(positionOf)).toEqual([REMEMBERED + 2]);
  });
});

describe('QoS 2', () => {
  it('after a restart, acknowledges what was committed and completes what was released', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker, { qos: 2 });
    for (const id of [1, 2, 3]) at.publish(TOPIC, '7', 2, id);
    await until(() => expect(sink.events).toHaveLength(3));
    sink.source.commit(1);
    await until(() => expect(at.received.join('')).toBe('50020001'));
    const delivered = committedOf(sink.events, 2);
    at.socket.destroy();
    await sink.source.close();

    const { sink: next, at: there } = await start(broker, { qos: 2 }, undefined, 2, delivered);
    there.release(1);
    there.publish(TOPIC, '7', 2, 2, 'again');
    there.publish(TOPIC, '7', 2, 3, 'again');
    await until(() => expect(next.events.map(positionOf)).toEqual([3]));
    await until(() => expect(there.received.join('')).toBe('7002000150020002'));
    next.source.commit(3);
    await until(() => expect(there.received.join('')).toBe('700200015002000250020003'));
    there.release(2);
    there.release(3);
    await until(() => expect(there.received.join('')).toMatch(/7002000270020003$/));
    // Released, so that the id is free and the very same message under it is a new one.
    there.publish(TOPIC, '7', 2, 2, 'again');
    await until(() => expect(next.events.map(positionOf)).toEqual([3, 4]));
  });

  it('knows an unreleased message by its id alone, without DUP', async () => {
    const broker = await rawBroker();
    const { sink, at } = await start(broker, { qos: 2 }, commitAtOnce);
    at.publish(TOPIC, '7', 2, 1);
    await until(() => expect(at.received.join('')).toBe('50020001'));
    const next = await reconnected(broker, sink);
    next.publish(TOPIC, '7', 2, 1);
    await until(() => expect(next.received.join('')).toBe('50020001'));
    expect(sink.events).toHaveLength(1);
    expect(sink.source.status().redelivered).toBe(1);
  });

  it('acknowledges what is in hand with its commit', async () => {
    const broker = await rawBroker();
    const { sink } = await start(broker, { qos: 2 });
    broker.connections.at(-1)!.publish(TOPIC, '7', 2, 1);
    await until(() => expect(sink.events).toHaveLength(1));
    const next = await reconnected(broker, sink);
    next.publish(TOPIC, '7', 2, 1, 'again');
    await until(() => expect(sink.source.status().redelivered).toBe(1));
    expect(next.received).toEqual([]);
    sink.source.commit(1);
    await until(() => expect(next.received.join('')).toBe('50020001'));
    expect(sink.events).toHaveLength(1);
  });
});
