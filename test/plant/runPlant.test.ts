import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'mqtt';
import { AttributeIds, OPCUACertificateManager, OPCUAClient } from 'node-opcua';
import type { DataValue } from 'node-opcua';
import { afterEach, expect, test, vi } from 'vitest';
import type { PlantConfig } from '../../config/types.ts';
import { startBroker } from '../../src/plant/broker.ts';
import { createPublisher } from '../../src/plant/publisher.ts';
import { parseFault } from '../../src/plant/faults.ts';
import { runPlant } from '../../src/plant/runPlant.ts';
import type { RunningPlant } from '../../src/plant/runPlant.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const CONFIG: PlantConfig = {
  assets: ['R101'],
  intervalMs: 50,
  seed: 1,
  brokerPort: null,
  opcuaPort: null,
  publishUrl: '',
  scenario: '',
  publishTruth: false,
};

async function start(settings: Partial<PlantConfig>, faults: readonly string[] = []): Promise<RunningPlant> {
  const plant = await runPlant(
    { ...CONFIG, ...settings },
    { now: () => Date.now(), sprinkle: false, faults: faults.map(parseFault) },
  );
  cleanups.push(() => plant.close());
  return plant;
}

async function readNodes(endpoint: string, names: readonly string[]): Promise<DataValue[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rxtwin-test-pki-'));
  const clientCertificateManager = new OPCUACertificateManager({
    rootFolder: folder,
    disableFileWatchers: true,
  });
  const client = OPCUAClient.create({
    endpointMustExist: false,
    clientCertificateManager,
    connectionStrategy: { maxRetry: 0 },
  });
  await client.connect(endpoint);
  const session = await client.createSession();
  try {
    const nodes = names.map((name) => ({
      nodeId: `ns=2;s=Reactor.R101.${name}`,
      attributeId: AttributeIds.Value,
    }));
    return await session.read(nodes);
  } finally {
    await session.close();
    await client.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

test('publishes every sensor in the documented form', async () => {
  const broker = await startBroker({ port: 0, host: '127.0.0.1' });
  cleanups.push(() => broker.close());
  const client = connect(`mqtt://127.0.0.1:${broker.port}`);
  cleanups.push(() => client.endAsync());
  const messages: { topic: string; payload: Record<string, unknown>; qos: number }[] = [];
  client.on('message', (topic, payload, packet) => {
    messages.push({
      topic,
      payload: JSON.parse(payload.toString()) as Record<string, unknown>,
      qos: packet.qos,
    });
  });
  await client.subscribeAsync('reactor/+/sensor/#', { qos: 1 });
  const before = Date.now();
  const plant = await start({ publishUrl: `mqtt://127.0.0.1:${broker.port}` }, [
    'dropout:R101/pressure:0:100',
  ]);
  await vi.waitFor(() => expect(messages.length).toBeGreaterThan(12), { timeout: 10_000 });
  expect([...new Set(messages.map(({ topic }) => topic))].sort()).toEqual([
    'reactor/R101/sensor/flow_rate',
    'reactor/R101/sensor/pressure',
    'reactor/R101/sensor/temperature',
  ]);
  for (const { topic, payload, qos } of messages) {
    expect(Object.keys(payload)).toEqual(['value', 'unit', 'timestamp', 'quality']);
    expect(qos).toBe(1);
    expect(payload['quality']).toBe('Good');
    expect(payload['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(String(payload['timestamp']))).toBeGreaterThanOrEqual(before);
    if (topic.endsWith('pressure')) expect(payload).toMatchObject({ value: null, unit: 'MPa' });
    else expect(payload['value']).toBeTypeOf('number');
  }
  await plant.close();
  expect(plant.counts()?.published).toBeGreaterThanOrEqual(12);
});

test('a broker that is away costs samples, not memory', async () => {
  const publisher = createPublisher({ url: 'mqtt://127.0.0.1:1' });
  publisher.publish([
    { asset: 'R101', sensor: 'temperature', value: 1, unit: 'degC', quality: 'Good', timestamp: 0 },
  ]);
  expect(publisher.counts()).toEqual({ published: 0, dropped: 1 });
  await publisher.close();
});

test('serves PV and SV over OPC UA with its own times and statuses', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'rxtwin-test-tmp-'));
  vi.stubEnv('TMPDIR', temporary);
  cleanups.push(() => {
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true });
  });
  const plant = await start({ opcuaPort: 0 }, ['bad:R101/pressure:0:1000', 'dropout:R101/flow_rate:0:1000']);
  const names = [
    'Temperature.PV',
    'Temperature.SV',
    'Pressure.PV',
    'Pressure.SV',
    'FlowRate.PV',
    'FlowRate.SV',
  ];
  const endpoint = plant.opcuaEndpoint ?? '';
  expect(endpoint).toMatch(/^opc\.tcp:\/\/127\.0\.0\.1:\d+$/);
  expect(readdirSync(temporary)).toHaveLength(1);
  const values = await readNodes(endpoint, names);
  expect(values.map(({ statusCode }) => statusCode.name)).toEqual([
    'Good',
    'Good',
    'BadSensorFailure',
    'Good',
    'BadNoData',
    'Good',
  ]);
  expect(values[0]?.value.value).toBeGreaterThan(82);
  expect(values[0]?.value.value).toBeLessThan(90);
  expect(values[1]?.value.value).toBeCloseTo(plant.plant.setValues('R101')['temperature'] ?? NaN, 1);
  const times = values.map(({ sourceTimestamp }) => sourceTimestamp?.getTime());
  expect(new Set(times).size).toBe(1);
  expect(Math.abs((times[0] ?? 0) - Date.now())).toBeLessThan(5000);
  await Promise.all([plant.close(), plant.close()]);
  expect(readdirSync(temporary)).toEqual([]);
});

test('runs its own broker, and leaves no timer behind', async () => {
  const broker = await startBroker({ port: 0, host: '127.0.0.1' });
  await broker.close();
  const plant = await start({ brokerPort: broker.port, publishUrl: `mqtt://127.0.0.1:${broker.port}` });
  expect(plant.brokerPort).toBe(broker.port);
  await vi.waitFor(() => expect(plant.counts()?.published).toBeGreaterThan(3), { timeout: 10_000 });
  await plant.close();
  const { published, dropped } = plant.counts() ?? { published: 0, dropped: 0 };
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(plant.counts()).toEqual({ published, dropped });
});

test('a port that is taken is a clear error, and what had started is stopped', async () => {
  const taken = await startBroker({ port: 0, host: '127.0.0.1' });
  cleanups.push(() => taken.close());
  const free = await startBroker({ port: 0, host: '127.0.0.1' });
  await free.close();
  await expect(start({ brokerPort: free.port, opcuaPort: taken.port })).rejects.toThrow(
    `plant's OPC UA server on 127.0.0.1:${taken.port}`,
  );
  const again = await startBroker({ port: free.port, host: '127.0.0.1' });
  await again.close();
});
