import { connect } from 'mqtt';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { PlantConfig } from '../../../config/types.ts';
import { startBroker } from '../../../src/plant/broker.ts';
import { parseFault } from '../../../src/plant/faults.ts';
import { loadScenario } from '../../../src/plant/process/parseScenario.ts';
import { changedScenario, processFeed } from '../../../src/plant/process/processFeed.ts';
import type { ScenarioChanges } from '../../../src/plant/process/processFeed.ts';
import { simulatePlant } from '../../../src/plant/process/simulatePlant.ts';
import { runPlant } from '../../../src/plant/runPlant.ts';
import type { RunPlantOptions } from '../../../src/plant/runPlant.ts';
import { readNode } from './readNode.ts';

const FILE = new URL('../../../examples/scenarios/fouling.yaml', import.meta.url).pathname;
const START = Date.UTC(2026, 2, 1);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const changed = (more: Partial<ScenarioChanges> = {}) =>
  changedScenario(loadScenario(FILE), {
    assets: ['R101', 'R102'],
    seed: 3,
    startAt: START,
    everyS: null,
    faults: [],
    ...more,
  });

describe('a scenario in real time', () => {
  test('gives the same readings as the simulation, however time is cut', () => {
    const scenario = changed();
    const expected = [...simulatePlant({ ...scenario, durationS: 60 })].flatMap(({ readings }) => readings);
    const feed = processFeed(scenario);
    const found = [0, 300, 4700, 4701, 30_500, 60_999].flatMap((ms) => feed.advance(START + ms));
    expect(found).toEqual(expected);
    expect(feed.advance(START)).toEqual([]);
    expect(feed.truth('R102').timestamp).toBe(START + 60_000);
    expect(feed.setValues('R101')).toEqual({ temperature: 60 });
    expect(() => feed.truth('R9')).toThrow('asset: R9 is not in the plant');
  });
  test('goes on past its end', () => {
    const feed = processFeed({ ...changed(), durationS: 1 });
    expect(feed.advance(START + 5000).at(-1)?.timestamp).toBe(START + 5000);
  });
  test('takes another rate, and the faults of the command line', () => {
    const feed = processFeed(
      changed({
        everyS: 0.25,
        faults: [parseFault('bias:R102/temperature:2:0:50'), parseFault('stuck:R101/flow_rate:1:5')],
      }),
    );
    const samples = feed.advance(START + 4000);
    expect(samples).toHaveLength(2 * 4 * 17);
    const hot = samples.filter(
      ({ asset, sensor, value }) => sensor === 'temperature' && asset === 'R102' && (value ?? 0) > 100,
    );
    expect(hot.map(({ timestamp }) => timestamp)).toEqual([START + 2000]);
    const flows = samples.filter(({ asset, sensor }) => sensor === 'flow_rate' && asset === 'R101');
    expect(new Set(flows.slice(4).map(({ value }) => value)).size).toBe(1);
    expect(new Set(flows.slice(0, 4).map(({ value }) => value)).size).toBe(4);
  });
  test('refuses events about assets that the configuration does not have', () => {
    expect(() => changed({ assets: ['R101'] })).toThrow('events[2].assets: the plant has no "R102"');
  });
});

const CONFIG: PlantConfig = {
  assets: ['R101', 'R102'],
  intervalMs: 50,
  seed: 1,
  brokerPort: null,
  opcuaPort: null,
  publishUrl: '',
  scenario: FILE,
  publishTruth: true,
};

async function start(settings: Partial<PlantConfig>, more: Partial<RunPlantOptions> = {}) {
  const plant = await runPlant({ ...CONFIG, ...settings }, { now: () => Date.now(), ...more });
  cleanups.push(() => plant.close());
  return plant;
}

test('publishes readings, and the truth apart from them', async () => {
  const broker = await startBroker({ port: 0 });
  cleanups.push(() => broker.close());
  const client = connect(`mqtt://127.0.0.1:${broker.port}`);
  cleanups.push(() => client.endAsync());
  const messages: { topic: string; payload: Record<string, unknown> }[] = [];
  client.on('message', (topic, payload) => {
    messages.push({ topic, payload: JSON.parse(payload.toString()) as Record<string, unknown> });
  });
  await client.subscribeAsync('#', { qos: 1 });
  await start({ publishUrl: `mqtt://127.0.0.1:${broker.port}` }, { everyS: 0.1 });
  await vi.waitFor(() => expect(messages.length).toBeGreaterThan(60), { timeout: 20_000 });
  const topics = new Set(messages.map(({ topic }) => topic));
  expect(topics).toContain('reactor/R102/sensor/coolant_temperature');
  expect(topics).toContain('truth/R101');
  const truth = messages.find(({ topic }) => topic === 'truth/R101')?.payload;
  expect(truth?.['values']).toMatchObject({ setpoint: 60 });
  expect(truth?.['timestamp']).toMatch(/^\d{4}-.*Z$/);
  for (const { topic, payload } of messages) {
    if (topic.startsWith('reactor/'))
      expect(Object.keys(payload)).toEqual(['value', 'unit', 'timestamp', 'quality']);
  }
});

test('says nothing of the truth unless it is told to', async () => {
  const broker = await startBroker({ port: 0 });
  cleanups.push(() => broker.close());
  const client = connect(`mqtt://127.0.0.1:${broker.port}`);
  cleanups.push(() => client.endAsync());
  const topics: string[] = [];
  client.on('message', (topic) => topics.push(topic));
  await client.subscribeAsync('#', { qos: 1 });
  await start({ publishUrl: `mqtt://127.0.0.1:${broker.port}`, publishTruth: false }, { everyS: 0.1 });
  await vi.waitFor(() => expect(topics.length).toBeGreaterThan(60), { timeout: 20_000 });
  expect(topics.filter((topic) => topic.startsWith('truth'))).toEqual([]);
});

test('serves its sensors over OPC UA', async () => {
  const plant = await start({ opcuaPort: 0 });
  const endpoint = plant.opcuaEndpoint ?? '';
  const [temperature, setpoint, feed] = await readNode(endpoint, [
    'ns=2;s=Reactor.R101.Temperature.PV',
    'ns=2;s=Reactor.R101.Temperature.SV',
    'ns=2;s=Reactor.R102.FeedTemperature.PV',
  ]);
  expect(Math.abs((temperature ?? NaN) - 60)).toBeLessThan(3);
  expect(setpoint).toBe(60);
  expect(Math.abs((feed ?? NaN) - 76.85)).toBeLessThan(3);
});

test('a scenario that is not right is a clear error', async () => {
  await expect(start({ scenario: '/nowhere.yaml' })).rejects.toThrow('no such file');
});
