import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { MqttSourceConfig } from '../../config/types.ts';
import { hasMosquitto, startMosquitto } from '../support/mosquitto.ts';
import type { Mosquitto, MosquittoOptions } from '../support/mosquitto.ts';
import { collect, commitAtOnce, positionOf } from '../support/mqttSource.ts';
import type { Collected } from '../support/mqttSource.ts';

const TOPIC = 'reactor/R101/sensor/temperature';
const PROCESS = new URL('../support/mqttSourceProcess.ts', import.meta.url).pathname;
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 10 });
const ascending = (a: number | null, b: number | null): number => (a ?? 0) - (b ?? 0);

async function mosquitto(options?: MosquittoOptions): Promise<Mosquitto> {
  const broker = await startMosquitto(options);
  onTestFinished(() => broker.stop());
  return broker;
}

async function client(url: string): Promise<MqttClient> {
  const connected = await connectAsync(url, { reconnectPeriod: 50 });
  onTestFinished(() => connected.endAsync(true));
  return connected;
}

function start(...args: Parameters<typeof collect>): Collected {
  const collected = collect(...args);
  onTestFinished(() => collected.source.close());
  return collected;
}

/** Started, connected and subscribed. */
async function started(broker: Mosquitto, ...args: Parameters<typeof collect>): Promise<Collected> {
  const [config, ...rest] = args;
  const id = config.clientId ?? 'rxtwin';
  const before = count(broker, `Sending SUBACK to ${id}`);
  const collected = start({ url: broker.url, ...config }, ...rest);
  await until(() => expect(count(broker, `Sending SUBACK to ${id}`)).toBeGreaterThan(before));
  return collected;
}

const count = (broker: Mosquitto, line: string): number => broker.log().split(line).length - 1;

/** QoS 2 one by one: mosquitto disconnects publishers that have more in flight than its window. */
async function publish(publisher: MqttClient, values: readonly number[], qos: 0 | 1 | 2 = 1): Promise<void> {
  const send = (value: number): Promise<unknown> =>
    publisher.publishAsync(TOPIC, JSON.stringify({ value }), { qos });
  if (qos === 2) for (const value of values) await send(value);
  else await Promise.all(values.map(send));
}

async function spawnSource(
  config: Partial<MqttSourceConfig>,
): Promise<{ lines(): string[]; child: ChildProcess }> {
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const lines = (): string[] => output.split('\n');
  await until(() => expect(lines()).toContain('connected'));
  return { child, lines };
}

describe.skipIf(!hasMosquitto())('MQTT source with a real broker (needs mosquitto)', () => {
  describe.each([4, 5] as const)('protocol version %i', (protocolVersion) => {
    it.each([0, 1, 2] as const)('takes in messages of QoS %i in order, each once', async (qos) => {
      const broker = await mosquitto();
      const sink = await started(broker, { protocolVersion, qos }, commitAtOnce);
      await publish(await client(broker.url), numbers(1, 300), qos);
      await until(() => expect(sink.values()).toHaveLength(300));
      expect(sink.values()).toEqual(numbers(1, 300));
      expect(sink.events.map(positionOf)).toEqual(numbers(1, 300));
      const [first] = sink.readings();
      expect(first).toMatchObject({ asset: 'R101', sensor: 'temperature', quality: 'Good', unit: '' });
      expect(sink.source.status()).toMatchObject({ connected: true, reconnects: 0, problems: {} });
      const acks = `Received ${qos === 1 ? 'PUBACK' : 'PUBREC'} from rxtwin`;
      await until(() => expect(count(broker, acks)).toBe(qos === 0 ? 0 : 300));
    });

    it.each([1, 2] as const)('acknowledges QoS %i on commit and not before', async (qos) => {
      const broker = await mosquitto({ config: ['allow_anonymous true', 'max_inflight_messages 4'] });
      const sink = await started(broker, { protocolVersion, qos, receiveMaximum: 4 });
      const publisher = await client(broker.url);
      await publish(publisher, numbers(1, 12), qos);
      // QoS 0 passes by the window, so its arrival shows that the broker is through with the others.
      await publish(publisher, [1000], 0);
      await until(() => expect(sink.values()).toContain(1000));
      expect(sink.values()).toEqual([1, 2, 3, 4, 1000]);

      sink.source.commit(2);
      const acks = (): string[] => broker.log().match(/Received PUB(ACK|REC) from rxtwin \(Mid: \d+/g) ?? [];
      const ack = `Received ${qos === 1 ? 'PUBACK' : 'PUBREC'} from rxtwin (Mid: `;
      await until(() => expect(sink.values().length).toBeGreaterThan(6));
      await publish(publisher, [2000], 0);
      await until(() => expect(sink.values()).toContain(2000));
      expect(acks()).toEqual([`${ack}1`, `${ack}2`]);

      await until(() => {
        sink.source.commit(sink.events.length);
        expect(sink.values().filter((value) => value !== 2000)).toEqual([
          1,
          2,
          3,
          4,
          1000,
          ...numbers(5, 12),
        ]);
      });
      await until(() => expect(acks()).toEqual(numbers(1, 12).map((id) => `${ack}${id}`)));
    });

    it('gets again what a killed process had not committed', async () => {
      const broker = await mosquitto();
      const config = { url: broker.url, protocolVersion, clientId: 'victim' };
      const victim = await spawnSource(config);
      await until(() => expect(count(broker, 'Sending SUBACK to victim')).toBe(1));
      const publisher = await client(broker.url);
      await publish(publisher, numbers(1, 10));
      await until(() => expect(victim.lines()).toEqual(expect.arrayContaining(numbers(1, 10).map(String))));
      victim.child.kill('SIGKILL');
      await once(victim.child, 'exit');
      await publish(publisher, [11]);

      const second = await started(broker, config, commitAtOnce);
      await until(() => expect(second.values()).toHaveLength(11));
      expect(second.values()).toEqual(numbers(1, 11));
      await second.source.close();

      const third = await started(broker, config, commitAtOnce, 11);
      await publish(publisher, [12]);
      await until(() => expect(third.values()).toContain(12));
      expect(third.values()).toEqual([12]);
      expect(third.events.map(positionOf)).toEqual([12]);
    });

    it('loses nothing when the broker restarts in mid-stream', async () => {
      const broker = await mosquitto({ config: ['allow_anonymous true', 'persistence true'] });
      const uncommitted: number[] = [];
      const sink = await started(broker, { protocolVersion }, (event, source) => {
        uncommitted.push(positionOf(event));
        if (uncommitted.length >= 7) source.commit(Math.max(...uncommitted.splice(0)));
      });
      const timer = setInterval(() => sink.source.commit(sink.events.length), 20);
      onTestFinished(() => clearInterval(timer));
      const publisher = await client(broker.url);
      const published = publish(publisher, numbers(1, 200));
      await until(() => expect(sink.values().length).toBeGreaterThan(50));
      const more = publish(publisher, numbers(201, 400));
      await broker.end();
      await until(() => expect(sink.source.status().connected).toBe(false));
      expect(sink.source.status().detail).toMatch(
        /^not connected to mqtt:\/\/127\.0\.0\.1:\d+: .*next attempt in \d+ ms$/,
      );
      await broker.begin();
      await Promise.all([published, more]);
      await publish(publisher, numbers(401, 420));
      await until(() => expect(new Set(sink.values()).size).toBe(420));
      expect([...new Set(sink.values())].sort(ascending)).toEqual(numbers(1, 420));
      expect(sink.events.map(positionOf)).toEqual(numbers(1, sink.events.length));
      expect(sink.source.status().reconnects).toBe(1);
    });

    it('subscribes anew when the broker has forgotten the session', async () => {
      const broker = await mosquitto();
      const sink = await started(broker, { protocolVersion }, commitAtOnce);
      await broker.end();
      await broker.begin();
      await until(() => expect(count(broker, 'Sending SUBACK to rxtwin')).toBe(2));
      await publish(await client(broker.url), [5]);
      await until(() => expect(sink.values()).toEqual([5]));
      expect(sink.source.status()).toMatchObject({ connected: true, reconnects: 1 });
    });

    it('shares a subscription between two clients', async () => {
      const broker = await mosquitto();
      const shared = { protocolVersion, sharedGroup: 'twins' };
      const a = await started(broker, { ...shared, clientId: 'a' }, commitAtOnce);
      const b = await started(broker, { ...shared, clientId: 'b' }, commitAtOnce);
      await publish(await client(broker.url), numbers(1, 100));
      await until(() => expect(a.values().length + b.values().length).toBe(100));
      expect([...a.values(), ...b.values()].sort(ascending)).toEqual(numbers(1, 100));
      expect(a.values().length).toBeGreaterThan(10);
      expect(b.values().length).toBeGreaterThan(10);
      expect(a.readings()[0]).toMatchObject({ asset: 'R101', sensor: 'temperature' });
    });

    it('pauses without losing anything or the connection, and resumes', async () => {
      const broker = await mosquitto();
      const sink = await started(broker, { protocolVersion, keepAliveS: 1 }, commitAtOnce);
      const observer = await started(broker, { protocolVersion, clientId: 'observer' }, commitAtOnce);
      const publisher = await client(broker.url);
      await publish(publisher, [1]);
      await until(() => expect(sink.values()).toEqual([1]));
      sink.source.pause();
      await publish(publisher, numbers(2, 200));
      await until(() => expect(observer.values()).toHaveLength(200));
      expect(sink.values()).toEqual([1]);
      // Longer than keep alive and a half, after which either side would have given the connection up.
      await until(() => expect(count(broker, 'Received PINGREQ from rxtwin')).toBeGreaterThan(5));
      expect(sink.values()).toEqual([1]);
      sink.source.resume();
      await until(() => expect(sink.values()).toEqual(numbers(1, 200)));
      expect(sink.source.status()).toMatchObject({ connected: true, reconnects: 0 });
    });

    it('takes nothing more after stop, but acknowledges what is committed then', async () => {
      const broker = await mosquitto();
      const first = await started(broker, { protocolVersion });
      const publisher = await client(broker.url);
      await publish(publisher, numbers(1, 5));
      await until(() => expect(first.values()).toEqual(numbers(1, 5)));
      await first.source.stop();
      await publish(publisher, [6, 7]);
      first.source.commit(3);
      await until(() => expect(count(broker, 'Received PUBACK from rxtwin')).toBe(3));
      await first.source.close();
      await first.source.close();
      expect(first.values()).toEqual(numbers(1, 5));

      const second = await started(broker, { protocolVersion }, commitAtOnce, 5);
      await until(() => expect(second.values()).toEqual([4, 5, 6, 7]));
    });

    it('leaves its last will only when it dies', async () => {
      const broker = await mosquitto();
      const watcher = await client(broker.url);
      const seen: string[] = [];
      watcher.on('message', (topic, payload) => seen.push(`${topic} ${payload.toString()}`));
      await watcher.subscribeAsync('status/#');
      const will = { topic: 'status/twin', payload: 'gone', qos: 1, retain: false } as const;
      const closing = await started(broker, { protocolVersion, will, clientId: 'closing' });
      await closing.source.close();
      await watcher.publishAsync('status/marker', '1');
      await until(() => expect(seen).toEqual(['status/marker 1']));
      const dying = await spawnSource({ url: broker.url, protocolVersion, will, clientId: 'dying' });
      dying.child.kill('SIGKILL');
      await until(() => expect(seen).toEqual(['status/marker 1', 'status/twin gone']));
    });

    it('goes on trying with wrong credentials, says so, and gets in when they are right', async () => {
      const passwords = (password: string): string => `twin:${password}\n`;
      const broker = await mosquitto({
        config: ['allow_anonymous false', 'password_file DIR/passwords'],
        files: { passwords: passwords('other') },
      });
      const file = join(broker.dir, 'passwords');
      execFileSync('mosquitto_passwd', ['-U', file]);
      broker.signal('SIGHUP');
      const sink = start(
        { url: broker.url, protocolVersion, username: 'twin', password: 'secret' },
        commitAtOnce,
      );
      await until(() => expect(sink.warnings.length).toBeGreaterThan(2));
      const { connected, detail } = sink.source.status();
      expect(connected).toBe(false);
      expect(detail).toMatch(/Not authorized|Bad User Name or Password/i);
      expect(detail).not.toContain('secret');
      // Of the longest wait, 200 ms, at most half is random.
      const waits = sink.warnings.map((warning) => Number(/"waitMs":(\d+)/.exec(warning)?.[1]));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(100);
      writeFileSync(file, passwords('secret'));
      execFileSync('mosquitto_passwd', ['-U', file]);
      broker.signal('SIGHUP');
      await until(() => expect(sink.source.status().connected).toBe(true));
      expect(sink.source.status().reconnects).toBe(0);
    });
  });

  it('starts without a broker and connects when it comes', async () => {
    const broker = await mosquitto();
    await broker.end();
    const sink = start({ url: broker.url }, commitAtOnce);
    await until(() => expect(sink.warnings.length).toBeGreaterThan(2));
    expect(sink.source.status().detail).toContain('ECONNREFUSED');
    await broker.begin();
    await until(() => expect(sink.source.status().connected).toBe(true));
    await until(() => expect(count(broker, 'Sending SUBACK to rxtwin')).toBe(1));
    await publish(await client(broker.url), [1]);
    await until(() => expect(sink.values()).toEqual([1]));
  });

  it('reads wildcard topics, retained messages and several subscriptions by a template', async () => {
    const broker = await mosquitto();
    const publisher = await client(broker.url);
    const retained = JSON.stringify({ value: 1, timestamp: '2025-10-26T10:30:15.000Z' });
    await publisher.publishAsync('site/R7/sensor/temp/top', retained, { qos: 1, retain: true });
    const sink = await started(
      broker,
      { topics: ['site/+/sensor/#', 'extra/+'], topicTemplate: 'site/{asset}/sensor/{sensor}' },
      commitAtOnce,
    );
    await until(() => expect(sink.readings()).toHaveLength(1));
    expect(sink.readings()[0]).toMatchObject({
      asset: 'R7',
      sensor: 'temp.top',
      timestamp: Date.UTC(2025, 9, 26, 10, 30, 15),
    });
    await publisher.publishAsync('extra/1', '2', { qos: 1 });
    await publisher.publishAsync('site/bad name/sensor/x', '3', { qos: 1 });
    await publisher.publishAsync('site/R8/sensor/x', '{"value":', { qos: 1 });
    await publisher.publishAsync('site/R8/sensor/x', '4', { qos: 1 });
    await until(() => expect(sink.values()).toEqual([1, 4]));
    expect(sink.deadLetters().map(({ reason, origin }) => `${reason} ${origin}`)).toEqual([
      'badTopic extra/1',
      'badTopic site/bad name/sensor/x',
      'malformed site/R8/sensor/x',
    ]);
    await until(() => expect(count(broker, 'Received PUBACK from rxtwin')).toBe(5));
  });

  it('holds back the acknowledgement of a batch until its last reading is committed', async () => {
    const broker = await mosquitto();
    const sink = await started(broker, { receiveMaximum: 1 });
    const publisher = await client(broker.url);
    await publisher.publishAsync(TOPIC, '[{"value":1},{"value":"x"},{"value":3}]', { qos: 1 });
    await publish(publisher, [4]);
    await until(() => expect(sink.events).toHaveLength(3));
    expect(sink.events.map(positionOf)).toEqual([0, 0, 1]);
    sink.source.commit(0);
    await publish(publisher, [9], 0);
    await until(() => expect(sink.values()).toEqual([1, 3, 9]));
    sink.source.commit(1);
    await until(() => expect(sink.values()).toEqual([1, 3, 9, 4]));
  });

  it('connects by TLS where the certificate is trusted, with one of its own where that is asked for', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rxtwin-tls-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const path = (name: string): string => join(dir, name);
    const certificate = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
    ];
    execFileSync(
      'openssl',
      [
        ...[...certificate, '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
        ...['-keyout', path('key.pem'), '-out', path('cert.pem')],
      ],
      { stdio: 'ignore' },
    );
    const secured = await mosquitto({
      config: [
        ...['allow_anonymous true', 'require_certificate true', `cafile ${path('cert.pem')}`],
        ...[`certfile ${path('cert.pem')}`, `keyfile ${path('key.pem')}`],
      ],
    });
    const url = `mqtts://127.0.0.1:${secured.port}`;
    const tls = {
      caFile: '',
      certFile: path('cert.pem'),
      keyFile: path('key.pem'),
      rejectUnauthorized: true,
    };
    const trusting = start({ url, tls: { ...tls, caFile: path('cert.pem') } }, commitAtOnce);
    const strange = start({ url, tls, clientId: 'strange' });
    const anonymous = start({
      url,
      tls: { ...tls, caFile: path('cert.pem'), certFile: '', keyFile: '' },
      clientId: 'x',
    });
    const careless = start({ url, tls: { ...tls, rejectUnauthorized: false }, clientId: 'careless' });
    await until(() => expect(trusting.source.status().connected).toBe(true));
    await until(() => expect(careless.source.status().connected).toBe(true));
    await until(() => expect(strange.source.status().detail).toMatch(/self-signed certificate/));
    await until(() => expect(anonymous.warnings.length).toBeGreaterThan(0));
    expect(strange.source.status().connected).toBe(false);
    expect(anonymous.source.status().connected).toBe(false);
    await until(() => expect(count(secured, 'Sending SUBACK to rxtwin')).toBe(1));
    const publisher = await connectAsync(url, {
      ca: readFileSync(path('cert.pem')),
      cert: readFileSync(path('cert.pem')),
      key: readFileSync(path('key.pem')),
    });
    onTestFinished(() => publisher.endAsync(true));
    await publish(publisher, [1]);
    await until(() => expect(trusting.values()).toEqual([1]));
  });

  it('goes on after a broker that was killed and lost its sessions', async () => {
    const broker = await mosquitto();
    const sink = await started(broker, {}, commitAtOnce);
    const publisher = await client(broker.url);
    await publish(publisher, numbers(1, 50));
    await until(() => expect(sink.values()).toEqual(numbers(1, 50)));
    broker.signal('SIGKILL');
    await until(() => expect(sink.source.status().connected).toBe(false));
    await broker.begin();
    await until(() => expect(count(broker, 'Sending SUBACK to rxtwin')).toBe(2));
    await publish(publisher, numbers(51, 60));
    await until(() => expect(sink.values()).toEqual(numbers(1, 60)));
  });
});
