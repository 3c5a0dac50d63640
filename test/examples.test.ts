import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../src/twin/registry.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const run = promisify(execFile);
/** Runs Node in the root of the repository, as a reader of the documentation does; rejects unless it exits with 0. */
const node = (...args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 });

test('the operators work as a library (built by "npm run build")', async () => {
  const { stdout, stderr } = await node('examples/operators-as-library.ts');
  expect(stderr).toBe('');
  expect(stdout).toContain('Rapid change detected: 41.3% (allowed: 20.0%)');
  expect(stdout).toMatch(/10:30:14 +500 degC +Bad +Out of range: 500 degC/);
});

describe('a model of one’s own', () => {
  const CONFIG = ['--config', 'examples/own-model/rxtwin.yaml'] as const;
  const RECORDED = 'examples/own-model/recorded.csv';

  test('its configuration is valid', async () => {
    const { stdout, stderr } = await node('src/main.ts', 'check', ...CONFIG);
    expect(stdout + stderr).toContain(
      'examples/own-model/rxtwin.yaml: ok (1 asset, 4 sensors, 1 twin, 1 source)',
    );
  });

  test('its twin finds the efficiency that the recording was made with', async () => {
    const { stdout, stderr } = await node('src/main.ts', 'replay', RECORDED, ...CONFIG);
    expect(stderr).toContain('dead letters: 0; drops: 0');
    const twins = stdout
      .split('\n')
      .filter((line) => line.startsWith('{"type":"twin"'))
      .map((line) => JSON.parse(line) as TwinLine);
    const mean = (from: string, to: string): number => {
      const found = twins.filter(({ timestamp }) => timestamp >= from && timestamp < to);
      expect(found.length).toBeGreaterThan(50);
      return found.reduce((sum, { state }) => sum + state.efficiency.value, 0) / found.length;
    };
    // The recording has 0.95, and 0.80 from 08:30 on.
    expect(mean('2025-10-26T08:10', '2025-10-26T08:30')).toBeCloseTo(0.95, 1.5);
    expect(mean('2025-10-26T08:45', '2025-10-26T09:00')).toBeCloseTo(0.8, 1.5);
    expect(twins.at(-1)?.sync.status).toBe('synchronised');
  });

  test('its step equals small steps of the same equation', async () => {
    const model = await loadModel({
      type: `${root}examples/own-model/stirredTankHeater.js`,
      sensors: {},
      parameters: {},
    });
    const tank = (): unknown => {
      const state = model.initial();
      model.correct(state, 'inlet_temperature', 15, 0);
      model.correct(state, 'flow_rate', 6, 0);
      model.correct(state, 'power', 12, 0);
      model.correct(state, 'temperature', 40, 0);
      return state;
    };
    const once = tank();
    model.advance(once, 600);
    const often = tank();
    for (let i = 0; i < 600; i += 1) model.advance(often, 1);
    const { value } = model.read(once, 'temperature');
    expect(value).toBeCloseTo(model.read(often, 'temperature').value, 9);
    // m c dT/dt = w c (Ti - T) + e P - U A (T - Ta), by Euler steps of 10 ms
    let T = 40;
    for (let i = 0; i < 60_000; i += 1) {
      T += (0.01 * (418 * (15 - T) + 0.95 * 12_000 - 15 * (T - 20))) / (200 * 4180);
    }
    expect(value).toBeCloseTo(T, 3);
  });

  test('an unknown parameter is refused by name', async () => {
    const type = `${root}examples/own-model/stirredTankHeater.js`;
    await expect(loadModel({ type, sensors: {}, parameters: { masKg: 1 } })).rejects.toThrow(
      'masKg: unknown parameter, expected one of massKg',
    );
  });
});

interface TwinLine {
  readonly timestamp: string;
  readonly state: { readonly efficiency: { readonly value: number } };
  readonly sync: { readonly status: string };
}
