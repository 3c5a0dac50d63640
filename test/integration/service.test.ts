import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataType, StatusCodes } from 'node-opcua';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasMosquitto, freePort } from '../support/mosquitto.ts';
import { startTestServer } from '../support/opcuaServer.ts';
import type { TestServer, TestServerOptions } from '../support/opcuaServer.ts';
import {
  events,
  mosquitto,
  mosquittoPub,
  numbers,
  publisher,
  start,
  tempFolder,
  until,
} from './serviceRig.ts';
import type { TestService } from './serviceRig.ts';

const TOPIC = 'reactor/R101/sensor/temperature';
const AT = Date.parse('2026-01-05T08:00:00.000Z');
const at = (seconds: number): string => new Date(AT + seconds * 1000).toISOString();

const mqttYaml = (url: string, more = ''): string =>
  `sources: [ { id: plant, type: mqtt, url: "${url}", clientId: rxtwin, reconnect: { minMs: 50, maxMs: 200 }${more} } ]`;

const LATEST = '/api/assets/R101/sensors/temperature/latest';

interface Latest {
  readonly value: number;
  readonly quality: string;
  readonly issues: readonly { readonly check: string; readonly message: string }[];
  readonly timestamp: string;
}

async function opcuaServer(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  let open = true;
  onTestFinished(async () => {
    if (open) await server.close();
  });
  return {
    ...server,
    close: () => {
      open = false;
      return server.close();
    },
  };
}

const metric = (text: string, line: string): number =>
  Number(
    text
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
      ?.slice(line.length + 1) ?? NaN,
  );

const deadLetters = async (it: TestService): Promise<{ reason: string; payload: string }[]> =>
  (await it.get<{ deadLetters: { reason: string; payload: string }[] }>('/api/dead-letters?limit=1000'))
    .deadLetters;

describe.skipIf(!hasMosquitto())('the service on a real broker (needs mosquitto)', () => {
  test('the worked case by mosquitto_pub: API, stream, twin, windows, metrics and store agree', async () => {
    const broker = await mosquitto();
    const it = await start(`
assets: { R101: { model: { type: batchReactor }, sensors: { temperature: {}, pressure: {}, flow_rate: {} } } }
${mqttYaml(broker.url)}
twin: { everyMs: 0 }
`);
    await it.ready();
    const stream = events(`${it.address}/api/stream?asset=R101`, (seen) =>
      seen.some(({ type, data }) => type === 'reading' && data['value'] === 84),
    );
    await until(async () =>
      expect(metric(await it.text('/metrics'), 'rxtwin_source_connected{source="plant"}')).toBe(1),
    );
    const send = (second: number, value: number): Promise<unknown> =>
      mosquittoPub(
        broker.port,
        TOPIC,
        JSON.stringify({ value, unit: 'degC', timestamp: at(second), quality: 'Good' }),
      );
    await mosquittoPub(
      broker.port,
      'reactor/R101/sensor/pressure',
      `{"value": 2.5, "timestamp": "${at(0)}"}`,
    );
    await mosquittoPub(broker.port, 'reactor/R101/sensor/flow_rate', `{"value": 120, "timestamp": ${AT}}`);
    await send(0, 85);
    await until(async () => expect((await it.get<Latest>(LATEST)).value).toBe(85));
    await send(1, 500);
    await until(async () =>
      expect(await it.get<Latest>(LATEST)).toMatchObject({ value: 500, quality: 'Bad' }),
    );
    await send(2, 120);
    await until(async () =>
      expect(await it.get<Latest>(LATEST)).toMatchObject({
        timestamp: at(2),
        value: 120,
        quality: 'Uncertain',
        issues: [{ check: 'spike', message: 'Rapid change detected: 41.2% (allowed: 20.0%)' }],
      }),
    );
    await send(3, 84);

    const seen = await stream;
    expect(
      seen
        .filter(({ type, data }) => type === 'reading' && data['sensor'] === 'temperature')
        .map(({ data }) => data),
    ).toMatchObject([
      { timestamp: at(0), value: 85, quality: 'Good' },
      { timestamp: at(1), value: 500, quality: 'Bad' },
      { timestamp: at(2), value: 120, quality: 'Uncertain' },
      { timestamp: at(3), value: 84, quality: 'Good' },
    ]);
    expect(seen.some(({ type }) => type === 'twin')).toBe(true);
    expect(seen.find(({ type }) => type === 'window')?.data).toMatchObject({
      start: at(0),
      end: at(1),
      mean: 85,
    });

    const twin = await it.get<{ state: Record<string, { value: number }>; sync: { status: string } }>(
      '/api/assets/R101/twin',
    );
    expect(twin).toMatchObject({
      asset: 'R101',
      timestamp: at(3),
      sync: { status: 'synchronised', staleSensors: [] },
    });
    expect(twin.state['pressure']?.value).toBe(2.5);
    expect(twin.state['temperature']?.value).toBeGreaterThan(84);
    expect(twin.state['temperature']?.value).toBeLessThan(120);
    const prediction = await it.get<{ trajectory: unknown[] }>(
      '/api/assets/R101/prediction?horizonS=10&stepS=1',
    );
    expect(prediction.trajectory.length).toBeGreaterThanOrEqual(10);

    const history = `/api/assets/R101/sensors/temperature/history?start=${at(0)}&end=${at(10)}`;
    await until(async () => {
      const { readings } = await it.get<{ readings: Latest[] }>(history);
      expect(readings.map(({ value, quality }) => `${value} ${quality}`)).toEqual([
        '85 Good',
        '500 Bad',
        '120 Uncertain',
        '84 Good',
      ]);
    });
    const { windows } = await it.get<{ windows: unknown[] }>(`${history}&windowMs=10000`);
    expect(windows).toMatchObject([{ count: 3, badCount: 1, min: 84, max: 120 }]);

    const metrics = await it.text('/metrics');
    expect(metric(metrics, 'rxtwin_readings_total{source="plant",quality="Good"}')).toBe(4);
    expect(metric(metrics, 'rxtwin_readings_total{source="plant",quality="Bad"}')).toBe(1);
    expect(metric(metrics, 'rxtwin_readings_total{source="plant",quality="Uncertain"}')).toBe(1);
    expect(metric(metrics, 'rxtwin_issues_total{check="spike"}')).toBe(1);
    expect(metric(metrics, 'rxtwin_commit_rows_total')).toBe(6);
    expect(metric(metrics, 'rxtwin_twin_status{asset="R101",status="synchronised"}')).toBe(1);
    expect(metric(metrics, 'rxtwin_buffer_readings')).toBe(0);
    for (const name of ['rxtwin_commit_duration_seconds_count', 'process_cpu_seconds_total'])
      expect(metric(metrics, name)).toBeGreaterThan(0);

    await it.stop();
    expect((await it.stored()).map(({ value }) => value)).toEqual([85, 500, 120, 84]);
  });

  test('broken payloads become dead letters with their reasons while good ones flow', async () => {
    const broker = await mosquitto();
    const it = await start(mqttYaml(broker.url, ', maxPayloadBytes: 1000'));
    await it.ready();
    const client = await publisher(broker.url);
    const broken: [string, string | Buffer][] = [
      ['malformed', '{'],
      ['malformed', ''],
      ['malformed', Buffer.from([0xff, 0xfe, 0x00])],
      ['badValue', '{"value": "85"}'],
      ['oversized', `{"value": 1, "x": "${'x'.repeat(2000)}"}`],
      ['badTimestamp', '{"value": 1, "timestamp": "yesterday"}'],
      ['futureTimestamp', `{"value": 1, "timestamp": "2099-01-01T00:00:00Z"}`],
      ['badQuality', '{"value": 1, "quality": "Fine"}'],
      ['notFinite', '1e999'],
    ];
    for (const [i, [, payload]] of broken.entries()) {
      await client.publishAsync(TOPIC, payload, { qos: 1 });
      await client.publishAsync(TOPIC, JSON.stringify({ value: 85 + i / 10, timestamp: at(i) }), { qos: 1 });
    }
    const good = broken.map((_, i) => 85 + i / 10);
    await until(async () => expect(await deadLetters(it)).toHaveLength(broken.length));
    const letters = (await deadLetters(it)).reverse();
    expect(letters.map(({ reason }) => reason)).toEqual(broken.map(([reason]) => reason));
    expect(letters[0]?.payload).toBe('{');
    await until(async () => expect((await it.get<Latest>(LATEST)).value).toBe(good.at(-1)));
    const metrics = await it.text('/metrics');
    expect(metric(metrics, 'rxtwin_dead_letters_total{source="plant",reason="malformed"}')).toBe(3);
    expect(await it.status('/health/ready')).toBe(200);
    await it.stop();
    expect((await it.stored()).map(({ value }) => value)).toEqual(good);
  });

  test('readings that are not listed are refused, where the configuration says so', async () => {
    const broker = await mosquitto();
    const it = await start(`
assets: { R101: { sensors: { temperature: {} } } }
unknownAssets: reject
${mqttYaml(broker.url)}
`);
    await it.ready();
    const client = await publisher(broker.url);
    await client.publishAsync('reactor/R999/sensor/temperature', '1', { qos: 1 });
    await client.publishAsync('reactor/R101/sensor/level', '2', { qos: 1 });
    await client.publishAsync(TOPIC, '3', { qos: 1 });
    await until(async () => expect((await it.get<Latest>(LATEST)).value).toBe(3));
    await until(async () =>
      expect((await deadLetters(it)).map(({ reason }) => reason)).toEqual(['unknownAsset', 'unknownAsset']),
    );
    expect(await it.status('/api/assets/R999/sensors/temperature/latest')).toBe(404);
  });

  test.each([4, 5] as const)(
    'QoS 1 by protocol version %i: all that was acknowledged is in the store, over a broker restart',
    async (protocolVersion) => {
      const broker = await mosquitto({ config: ['allow_anonymous true', 'persistence true'] });
      // A broker that restarts sends again what was not acknowledged, which by MQTT 5 are up to receiveMaximum messages.
      const it = await start(`
${mqttYaml(broker.url, `, protocolVersion: ${protocolVersion}, cleanSession: false, receiveMaximum: 500`)}
sensorTypes: { temperature: { order: { rememberCount: 1000 } } }
`);
      await it.ready();
      const client = await publisher(broker.url, { clean: false, clientId: 'sender' });
      const publish = (i: number): Promise<unknown> =>
        client.publishAsync(TOPIC, JSON.stringify({ value: 85 + (i % 10) / 10, timestamp: AT + i * 10 }), {
          qos: 1,
        });
      // Each is sent until the broker has acknowledged it, as a gateway does; so some come more than once.
      const waiting = numbers(1, 3000);
      const sender = async (): Promise<void> => {
        for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) {
          while (
            !(await publish(i).then(
              () => true,
              () => false,
            ))
          )
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      const sending = Promise.all(numbers(1, 20).map(sender));
      await until(() => expect(waiting.length).toBeLessThan(2000));
      await broker.end();
      await broker.begin();
      await sending;
      await until(async () => expect((await it.get<Latest>(LATEST)).timestamp).toBe(at(30)));
      // Some again, as after a lost acknowledgement: recognised by source time.
      const duplicates = async (): Promise<number> =>
        metric(await it.text('/metrics'), 'rxtwin_drops_total{reason="duplicate"}') || 0;
      const before = await duplicates();
      await Promise.all(numbers(2981, 3000).map(publish));
      await until(async () => expect(await duplicates()).toBe(before + 20));
      await it.stop();
      const rows = await it.read(async (store) =>
        store.range({ asset: 'R101', sensor: 'temperature', start: 0, end: 8e15, limit: 100_000 }),
      );
      const measured = rows.filter(({ raw }) => raw !== null);
      const times = measured.map(({ timestamp }) => (timestamp - AT) / 10);
      expect(numbers(1, 3000).filter((i) => !times.includes(i))).toEqual([]);
      expect(times).toHaveLength(3000);
      for (const { timestamp, raw } of measured)
        expect(raw?.value).toBe(85 + (((timestamp - AT) / 10) % 10) / 10);
    },
  );

  test('stop acknowledges all that it has committed, so that nothing comes again', async () => {
    const broker = await mosquitto();
    const folder = tempFolder();
    const yaml = mqttYaml(broker.url, ', cleanSession: false');
    const it = await start(`${yaml}\npipeline: { commit: { maxWaitMs: 60000 } }`, folder);
    await it.ready();
    const client = await publisher(broker.url);
    for (const i of numbers(1, 5))
      await client.publishAsync(TOPIC, `{"value": ${i}, "timestamp": ${AT + i}}`, { qos: 1 });
    await until(async () => expect((await it.get<Latest>(LATEST)).value).toBe(5));
    const acks = (): number => broker.log().split('Received PUBACK from rxtwin ').length - 1;
    expect(acks()).toBe(0);
    await it.stop();
    expect(acks()).toBe(5);
    expect(broker.log()).toContain('Received DISCONNECT from rxtwin');

    for (const i of numbers(6, 8))
      await client.publishAsync(TOPIC, `{"value": ${i}, "timestamp": ${AT + i}}`, { qos: 1 });
    const again = await start(yaml, folder);
    await until(async () => expect((await again.get<Latest>(LATEST)).value).toBe(8));
    await again.stop();
    const stored = await again.stored();
    expect(stored.map(({ value }) => value)).toEqual(numbers(1, 8));
    const rows = stored.map(({ row }) => row);
    expect(new Set(rows).size).toBe(8);
    expect(rows).toEqual([...rows].sort((a, b) => a - b));
  });

  test('an OPC UA server that restarts does not touch the live MQTT source, and comes back', async () => {
    const broker = await mosquitto();
    const port = await freePort();
    let server = await opcuaServer({ port });
    server.add('T', DataType.Double, 20);
    const it = await start(`
sources:
  - { id: plant, type: mqtt, url: "${broker.url}", clientId: rxtwin }
  - id: plc
    type: opcua
    endpoint: "${server.endpoint}"
    nodes: { R101/level: "ns=2;s=T" }
    certificatesFolder: ${JSON.stringify(tempFolder())}
    reconnect: { minMs: 50, maxMs: 200 }
sensorTypes: { level: { spike: false, outlier: false, missing: false } }
`);
    await it.ready();
    const client = await publisher(broker.url);
    const LEVEL = LATEST.replace('temperature', 'level');
    let next = 0;
    const flowing = async (): Promise<void> => {
      next += 1;
      await client.publishAsync(TOPIC, JSON.stringify({ value: 80 + next / 10 }), { qos: 1 });
      await until(async () => expect((await it.get<Latest>(LATEST)).value).toBe(80 + next / 10));
    };
    server.set('T', 21);
    await until(async () => expect((await it.get<Latest>(LEVEL)).value).toBe(21));
    await flowing();
    await server.close();
    await until(async () => expect(await it.status('/health/ready')).toBe(503));
    for (let i = 0; i < 5; i += 1) await flowing();
    const down = await it.text('/metrics');
    expect(metric(down, 'rxtwin_source_connected{source="plc"}')).toBe(0);
    expect(metric(down, 'rxtwin_source_connected{source="plant"}')).toBe(1);
    server = await opcuaServer({ port });
    server.add('T', DataType.Double, 22);
    await until(async () => expect((await it.get<Latest>(LEVEL)).value).toBe(22));
    server.set('T', 23, StatusCodes.UncertainSensorNotAccurate);
    await until(async () =>
      expect(await it.get<Latest>(LEVEL)).toMatchObject({ value: 23, quality: 'Uncertain' }),
    );
    await flowing();
    await it.ready();
    await it.stop();
    expect((await it.stored()).map(({ value }) => value)).toEqual(numbers(1, next).map((i) => 80 + i / 10));
    expect(new Set((await it.stored('level')).map(({ value }) => value))).toEqual(new Set([20, 21, 22, 23]));
  });

  test('starts with broker and PLC down, says so, and goes on when they come', async () => {
    const broker = await mosquitto();
    await broker.end();
    const port = await freePort();
    const it = await start(`
sources:
  - { id: plant, type: mqtt, url: "${broker.url}", clientId: rxtwin, reconnect: { minMs: 50, maxMs: 200 } }
  - id: plc
    type: opcua
    endpoint: "opc.tcp://127.0.0.1:${port}"
    nodes: { R101/level: "ns=2;s=T" }
    certificatesFolder: ${JSON.stringify(tempFolder())}
    reconnect: { minMs: 50, maxMs: 200 }
`);
    expect(await it.status('/health/live')).toBe(200);
    expect(await it.status('/health/ready')).toBe(503);
    await until(async () => {
      const { sources } = await it.get<{ sources: { source: string; connected: boolean; detail: string }[] }>(
        '/api/sources',
      );
      expect(sources.map(({ source, connected }) => [source, connected])).toEqual([
        ['plant', false],
        ['plc', false],
      ]);
      expect(sources[0]?.detail).toContain('ECONNREFUSED');
      expect(sources[1]?.detail).toContain('cannot be established');
    });
    await broker.begin();
    const server = await opcuaServer({ port });
    server.add('T', DataType.Double, 1.5);
    await it.ready();
    const client = await publisher(broker.url);
    await client.publishAsync(TOPIC, '85', { qos: 1 });
    await until(async () => expect((await it.get<Latest>(LATEST)).value).toBe(85));
    await until(async () =>
      expect((await it.get<Latest>(LATEST.replace('temperature', 'level'))).value).toBe(1.5),
    );
  });
});

test('a taken port is told in one line, and leaves nothing open', async () => {
  const first = await start('');
  const { port } = new URL(first.address);
  const folder = tempFolder();
  await expect(start(`\napi: { port: ${port} }`, folder)).rejects.toThrow(new RegExp(`:${port}\\b`));
  const second = await start('', folder);
  expect(await second.status('/health/live')).toBe(200);
});

test('stop is idempotent and logs its five steps', async () => {
  const it = await start('');
  await Promise.all([it.stop(), it.stop()]);
  await it.stop();
  const steps = it.logged
    .map(({ detail }) => ('step' in detail ? detail.step : null))
    .filter((step) => step !== null);
  expect(steps).toEqual([1, 2, 3, 4, 5]);
  await expect(fetch(`${it.address}/health/live`)).rejects.toThrow();
});

test.skipIf(!hasMosquitto())(
  'a model that fails in mid-stream costs its own state and nothing else (needs mosquitto)',
  async () => {
    const broker = await mosquitto();
    const folder = tempFolder();
    const path = join(folder, 'model.mjs');
    writeFileSync(
      path,
      `export default () => ({
      type: 'touchy', quantities: { temperature: 'degC' }, outputs: { level: 'degC' }, initial: () => ({ level: 0 }),
      parameters: () => ({}), advance: () => undefined, read: (s) => ({ value: s.level, stdDev: null }),
      correct: (s, quantity, value) => {
        if (value === 86) throw new Error('cannot take 86');
        s.level = value;
        return null;
      },
    });`,
    );
    const it = await start(
      `
assets: { R101: { model: { type: ${JSON.stringify(path)} }, sensors: { temperature: { kalman: false } } } }
twin: { everyMs: 0 }
${mqttYaml(broker.url)}
`,
      folder,
    );
    await it.ready();
    const client = await publisher(broker.url);
    for (const value of [85, 86, 87]) {
      await client.publishAsync(TOPIC, `{"value": ${value}, "timestamp": ${AT + value}}`, { qos: 1 });
    }
    await until(async () =>
      expect(await it.get('/api/assets/R101/twin')).toMatchObject({ state: { level: { value: 87 } } }),
    );
    const problem = 'correct temperature by 86 failed: cannot take 86; it starts anew';
    expect(it.logged).toContainEqual({
      level: 'warn',
      message: 'A model failed',
      detail: { asset: 'R101', problem },
    });
    await it.stop();
    expect((await it.stored()).map(({ value }) => value)).toEqual([85, 86, 87]);
  },
);
