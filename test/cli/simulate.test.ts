import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'mqtt';
import { afterAll, expect, test, vi } from 'vitest';
import { startBroker } from '../../src/plant/broker.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxtwin-test-simulate-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Run {
  stdout: string;
  stderr: string;
  readonly exitCode: Promise<number | null>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** The command as its own process, with a plant that publishes to `port`. */
function simulate(port: number, ...args: string[]): Run {
  const file = join(folder, `plant-${port}.yaml`);
  writeFileSync(
    file,
    `plant: { assets: [R101], brokerPort: null, opcuaPort: 0, publishUrl: "mqtt://127.0.0.1:${port}" }\n`,
  );
  const child = spawn(process.execPath, ['src/main.ts', 'simulate', '--config', file, ...args]);
  const { promise: exitCode, resolve } = Promise.withResolvers<number | null>();
  const run: Run = { stdout: '', stderr: '', exitCode, kill: (signal) => child.kill(signal) };
  child.stdout.on('data', (data: Buffer) => (run.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (run.stderr += data.toString()));
  child.on('exit', resolve);
  return run;
}

test('publishes at the given rate with the scripted fault, says where to look, and ends with 0 on SIGTERM', async () => {
  const broker = await startBroker({ port: 0 });
  const client = connect(`mqtt://127.0.0.1:${broker.port}`);
  const times: number[] = [];
  const values: unknown[] = [];
  client.on('message', (_topic, payload) => {
    const { timestamp, value } = JSON.parse(payload.toString()) as { timestamp: string; value: unknown };
    times.push(Date.parse(timestamp));
    values.push(value);
  });
  await client.subscribeAsync('reactor/R101/sensor/pressure');
  const run = simulate(broker.port, '--rate', '20', '--fault', 'stuck:R101/pressure:0:1000');
  await vi.waitFor(() => expect(times.length).toBeGreaterThan(20), { timeout: 25_000, interval: 50 });
  run.kill('SIGTERM');
  expect(await run.exitCode).toBe(0);
  expect(run.stderr).toBe('');
  expect(run.stdout).toContain('a sample of each sensor every 50 ms');
  expect(run.stdout).toMatch(/OPC UA: opc\.tcp:\/\/127\.0\.0\.1:\d+, ns=2;s=Reactor\./);
  const meanMs = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / (times.length - 1);
  expect(meanMs).toBeGreaterThanOrEqual(45);
  expect(new Set(values).size).toBe(1);
  await client.endAsync();
  await broker.close();
});

test('runs a scenario in real time, with a fault of the command line', async () => {
  const scenario = join(folder, 'scenario.yaml');
  writeFileSync(scenario, 'process: { start: { setpointDegC: 60 } }\n');
  const broker = await startBroker({ port: 0 });
  const client = connect(`mqtt://127.0.0.1:${broker.port}`);
  const values: number[] = [];
  client.on('message', (_topic, payload) => {
    values.push((JSON.parse(payload.toString()) as { value: number }).value);
  });
  await client.subscribeAsync('reactor/R101/sensor/temperature');
  const fault = 'bias:R101/temperature:0:1000:500';
  const run = simulate(broker.port, '--rate', '20', '--scenario', scenario, '--fault', fault);
  await vi.waitFor(() => expect(values.length).toBeGreaterThan(10), { timeout: 25_000, interval: 50 });
  run.kill('SIGTERM');
  expect(await run.exitCode).toBe(0);
  expect(run.stderr).toBe('');
  expect(run.stdout).toContain(`Plant of R101, scenario ${scenario}`);
  expect(run.stdout).toContain('<Temperature|CoolantTemperature|FlowRate|FeedTemperature>');
  for (const value of values) expect(Math.abs(value - 560)).toBeLessThan(3);
  await client.endAsync();
  await broker.close();
});

test.each([
  [['--scenario', '/nowhere.yaml'], /^\/nowhere.yaml: no such file/],
  [['--fault', 'spike:R109/temperature:1:1'], /^--fault: the plant has no R109\/temperature/],
  [['--fault', 'boom'], /unknown kind/],
  [['--rate', '0'], /expected a number > 0 and <= 1000/],
])('wrong usage %j ends with 2', async (args, message) => {
  const run = simulate(1, ...args);
  expect(await run.exitCode).toBe(2);
  expect(run.stderr).toMatch(message);
  expect(run.stdout).toBe('');
});
