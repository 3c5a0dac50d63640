import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { runCli } from '../../src/cli/cli.ts';
import { createRandom } from '../../src/plant/random.ts';

let folder = '';
const file = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxtwin-tune-'));
  const random = createRandom(1);
  const rows = Array.from({ length: 1500 }, (_, i) => {
    const at = new Date(1.7e12 + i * 1000).toISOString();
    return {
      at,
      temperature: 85 + 4 * Math.sin(i / 60) + 0.5 * random.normal(),
      flow: 1e-7 * random.normal(),
    };
  });
  const long = rows.flatMap(({ at, temperature, flow }) => [
    `${at},R101,temperature,${temperature},degC`,
    `${at},1e5,on,${flow},m3/s`,
    `${at},Reactor 2,flow,${flow},`,
  ]);
  writeFileSync(file('long.csv'), `timestamp,asset,sensor,value,unit\n${long.join('\n')}\nbroken\n`);
  const wide = rows.map(({ at, temperature, flow }) => `${at};${temperature};${flow}`);
  writeFileSync(file('wide.csv'), `time;T;F\n${wide.join('\n')}\n`);
  const lines = rows.map(({ at, temperature }) =>
    JSON.stringify({ asset: 'R101', sensor: 'temperature', timestamp: at, value: temperature, unit: 'degC' }),
  );
  writeFileSync(file('lines.ndjson'), `${lines.join('\n')}\n`);
  writeFileSync(
    file('plant.json'),
    JSON.stringify({ assets: { R101: { sensors: { temperature: { unit: 'K' } } } } }),
  );
  writeFileSync(file('empty.csv'), 'timestamp,asset,sensor,value\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function tune(...args: string[]): Promise<{ code: number; text: string; told: string }> {
  const output = file('out.yaml');
  rmSync(output, { force: true });
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const code = await runCli(['tune', ...args, '--output', output]);
  const told = stderr.mock.calls.map(([text]) => String(text)).join('');
  stderr.mockRestore();
  return { code, text: code === 0 ? readFileSync(output, 'utf8') : '', told };
}

describe('a long recording', () => {
  test('gives configuration that is accepted as it stands, with evidence', async () => {
    const { code, text, told } = await tune(file('long.csv'));
    expect(code).toBe(0);
    const { config, warnings } = loadConfig([file('out.yaml')], {});
    expect(warnings).toEqual([]);
    expect(Object.keys(config.assets)).toEqual(['R101', '1e5']);
    const sensor = config.assets['R101']?.sensors['temperature'];
    expect(sensor).toMatchObject({
      unit: 'degC',
      missing: { expectedIntervalMs: 1000 },
      staleAfterMs: 10_000,
    });
    const variance = sensor?.kalman === false ? NaN : sensor?.kalman.measurementVariance;
    expect(Math.abs((variance ?? NaN) / 0.25 - 1)).toBeLessThan(0.15);
    expect(sensor?.rate).not.toBe(false);
    expect(config.assets['1e5']?.sensors['on']?.unit).toBe('m3/s');
    expect(text).toMatch(/# 1500 readings in 25 min, every 1 s/);
    expect(text).toMatch(/physics knows better/);
    expect(text).toMatch(/Reactor 2\/flow: no proposal: "Reactor 2" is not a valid name/);
    expect(text.split('\n').filter((line) => line.length > 120)).toEqual([]);
    expect(told).toMatch(/long\.csv:4502: line: 1 cells/);
    expect(told).toMatch(/^R101\/temperature +1500 +1 s +0/m);
    expect(told).toMatch(/4500 readings of 3 sensors in \d+\.\d s/);
  });

  test('one sensor of it, as JSON', async () => {
    const { code, text } = await tune(file('long.csv'), '--json', '--sensor', 'R101/temperature');
    expect(code).toBe(0);
    const { sensors } = JSON.parse(text) as {
      sensors: { sensor: string; filter: { judged: { nis: number } } }[];
    };
    expect(sensors.map(({ sensor }) => sensor)).toEqual(['temperature']);
    expect(sensors[0]?.filter.judged.nis).toBeGreaterThan(0.8);
    expect(sensors[0]?.filter.judged.nis).toBeLessThan(1.2);
  });

  test('with the configuration in force: in its units', async () => {
    const { code, text } = await tune(
      file('long.csv'),
      '--sensor',
      'R101/temperature',
      '--config',
      file('plant.json'),
    );
    expect(code).toBe(0);
    expect(text).toMatch(/As configured so far \(constantVelocity\)/);
    expect(text).not.toMatch(/unit:/);
    const { config } = loadConfig([file('plant.json'), file('out.yaml')], {});
    expect(config.assets['R101']?.sensors['temperature']).toMatchObject({ unit: 'K' });
  });
});

test('wide CSV and NDJSON are read like those of replay, and the same readings give the same figures', async () => {
  const figures = async (...args: string[]): Promise<unknown> => {
    const { code, text } = await tune(...args, '--json');
    expect(code).toBe(0);
    const { sensors } = JSON.parse(text) as { sensors: { sensor: string; filter: unknown }[] };
    return sensors.find(({ sensor }) => sensor === 'temperature')?.filter;
  };
  const wide = ['--wide', '--asset', 'R101', '--time', 'time', '--map', 'T=temperature,F=flow'];
  const [a, b] = [await figures(file('wide.csv'), ...wide), await figures(file('lines.ndjson'))];
  expect(a).toEqual(b);
  expect(a).toHaveProperty('judged');
});

test.each([
  [['nowhere.csv'], /nowhere\.csv: no such file/],
  [['empty.csv'], /empty\.csv: no readings/],
  [
    ['long.csv', '--sensor', 'R101/flow'],
    /--sensor: R101\/flow is not in the recording, expected one of R101\/temperature/,
  ],
  [['long.csv', '--wide'], /--wide: needs --asset, --time, --map too/],
  [['long.csv', '--separator', 'xx'], /--separator: 'xx' is not valid/],
  [['wide.csv'], /wide\.csv: .*header/i],
])('%s is refused with what is wrong', async ([name = '', ...args], problem) => {
  const { code, told } = await tune(file(name), ...args);
  expect(code).toBe(2);
  expect(told).toMatch(problem);
  expect(readdirSync(folder).filter((each) => each.includes('.tmp') || each === 'out.yaml')).toEqual([]);
});
