import { cpSync, mkdirSync, openSync, closeSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { MqttClient } from 'mqtt';
import { describe, expect, it } from 'vitest';
import { hasMosquitto } from '../support/mosquitto.ts';
import { mosquitto, publisher, start, tempFolder, until } from './serviceRig.ts';
import type { TestService } from './serviceRig.ts';

/* What a tester from outside has found, so that it does not come back. */

const TOPIC = 'reactor/R101/sensor/temperature';

const source = (port: number): string =>
  `sources: [{ id: broker, type: mqtt, url: "mqtt://127.0.0.1:${port}", clientId: rxtwin-known }]`;
const plant = (port: number, temperature: string, pipeline = ''): string => `
assets: { R101: { model: { type: batchReactor }, sensors: { temperature: ${temperature}, pressure: {} } } }
pipeline: { checkpoint: { everyMs: 60000 }${pipeline} }
${source(port)}`;

const reading = (value: number, timestamp: number): string => JSON.stringify({ value, timestamp });

/** Resolves when all that was published before has been taken in. */
async function taken(service: TestService, client: MqttClient): Promise<void> {
  const value = 1 + Math.random();
  await client.publishAsync('reactor/R101/sensor/pressure', `${value}`, { qos: 1 });
  await until(async () => {
    expect(await service.get('/api/assets/R101/sensors/pressure/latest')).toMatchObject({ value });
  });
}

describe.skipIf(!hasMosquitto())('what was found once (needs mosquitto)', () => {
  it('equal numbers without time that arrive within one millisecond are all stored', async () => {
    const broker = await mosquitto();
    const service = await start(plant(broker.port, '{}'));
    await service.ready();
    const client = await publisher(broker.url);
    await Promise.all(Array.from({ length: 200 }, () => client.publishAsync(TOPIC, '21.5', { qos: 1 })));
    await taken(service, client);
    await service.stop();
    expect(await service.stored()).toHaveLength(200);
  });

  it('a crash soon after a damaged store was set aside does not lose the state a second time', async () => {
    const broker = await mosquitto();
    const folder = tempFolder();
    const before = await start(plant(broker.port, '{}'), folder);
    await before.ready();
    const client = await publisher(broker.url);
    const now = Date.now();
    for (let i = 0; i < 20; i += 1)
      await client.publishAsync(TOPIC, reading(80 + i / 10, now - 20_000 + i * 1000), { qos: 1 });
    await taken(before, client);
    await before.stop();

    const file = openSync(join(folder, 'data', 'store.duckdb'), 'r+');
    writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, 0);
    closeSync(file);
    const second = await start(plant(broker.port, '{}'), folder);
    const twin = await second.get<{ state: unknown }>('/api/assets/R101/twin');
    const crashed = tempFolder();
    cpSync(join(folder, 'data'), join(crashed, 'data'), { recursive: true });
    await second.stop();

    const third = await start(plant(broker.port, '{}'), crashed);
    expect((await third.get<{ state: unknown }>('/api/assets/R101/twin')).state).toEqual(twin.state);
  });

  it('readings that were held and acknowledged are not lost when order is switched off', async () => {
    const broker = await mosquitto();
    const folder = tempFolder();
    const before = await start(plant(broker.port, '{ order: { maxDelayMs: 600000 } }'), folder);
    await before.ready();
    const client = await publisher(broker.url);
    const now = Date.now();
    for (let i = 0; i < 20; i += 1)
      await client.publishAsync(TOPIC, reading(80 + i / 10, now - 20_000 + i * 1000), { qos: 1 });
    await taken(before, client);
    await before.stop();
    const after = await start(plant(broker.port, '{ order: false }'), folder);
    await after.ready();
    await client.publishAsync(TOPIC, reading(90, now), { qos: 1 });
    await taken(after, client);
    await after.stop();
    expect(await after.stored()).toHaveLength(21);
  });

  it('a file in the place of the checkpoints does not stop the start', async () => {
    const broker = await mosquitto();
    const folder = tempFolder();
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'store.duckdb.checkpoints'), 'x');
    await (await start(plant(broker.port, '{}'), folder)).ready();
  });

  it('while the service itself holds its sources, the clock fills no gaps', async () => {
    const broker = await mosquitto();
    const service = await start(
      `${plant(broker.port, '{ missing: { expectedIntervalMs: 100 } }', ', tickMs: 50')}
influx: { url: "http://127.0.0.1:9", token: token-of-test, org: o, bucket: b, backlog: { maxRows: 20, policy: stop } }`,
    );
    await until(() =>
      expect(service.logged.some(({ message }) => message.startsWith('connected'))).toBe(true),
    );
    const client = await publisher(broker.url);
    for (let i = 0; i < 50; i += 1) {
      await client.publishAsync(TOPIC, reading(80 + i / 100, Date.now()), { qos: 1 });
      await new Promise((resolve) => setTimeout(resolve, 90));
    }
    await service.stop();
    const imputed = await service.read(async (store) =>
      (await store.range({ asset: 'R101', sensor: 'temperature', start: 0, end: 8e15, limit: 1000 })).filter(
        (row) => row.imputed,
      ),
    );
    expect(imputed).toHaveLength(0);
  });
});
