import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { runCli } from '../../src/cli/cli.ts';
import { createRandom } from '../../src/plant/random.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
const START = 1.7e12;
const time = (second: number): string => new Date(START + second * 1000).toISOString();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxtwin-learn-'));
  const random = createRandom(1);
  const rows = Array.from({ length: 1000 }, (_, t) => {
    const wrong = t >= 900 ? 50 : 0;
    const flow = 10 + random.normal() + wrong;
    return `${time(t)},${flow},${50 + 2 * random.normal() + wrong}`;
  });
  writeFileSync(at('good.csv'), `time,F,L\n${rows.join('\n')}\n`);
  const later = rows.map((row, t) => row.replace(time(t), time(5000 + t)));
  writeFileSync(at('later.csv'), `time,F,L\n${later.slice(800).join('\n')}\n`);
  config('plant.json', {});
});
afterAll(() => rmSync(folder, { recursive: true }));

function config(name: string, anomaly: Record<string, unknown>): string {
  const off = { outlier: false, spike: false, windows: [] };
  const sensors = { flow: off, level: off };
  const asset = { sensors, anomaly: { sensors: ['flow', 'level'], recordEveryMs: 0, ...anomaly } };
  writeFileSync(at(name), JSON.stringify({ assets: { T1: asset } }));
  return at(name);
}

async function cli(...args: string[]): Promise<{ code: number; said: string }> {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => stderr.mockRestore());
  const wide = ['--wide', '--asset', 'T1', '--time', 'time', '--map', 'F=flow,L=level'];
  const code = await runCli([...args, ...wide]);
  return { code, said: stderr.mock.calls.map(([text]) => String(text)).join('') };
}

const learnIt = (output: string, ...more: string[]) =>
  cli('learn', at('good.csv'), '--config', at('plant.json'), '--output', at(output), ...more);

test('what is learned from a recording is in force from the first interval on', async () => {
  const { code, said } = await learnIt('baseline.json', '--to', time(900));
  expect(said).toBe('learned from 900 intervals\n');
  expect(code).toBe(0);
  const file = JSON.parse(readFileSync(at('baseline.json'), 'utf8')) as Record<string, unknown>;
  expect(file).toMatchObject({
    asset: 'T1',
    learned: { from: time(0), to: time(899), intervals: 900 },
    intervalMs: 1000,
    smoothingMs: 10_000,
    baselineMs: 100_000,
    sensors: ['flow', 'level'],
    usualMs: [1000, 1000],
  });
  const { center, scale } = file as { center: number[]; scale: number[] };
  expect(center.map(Math.round)).toEqual([10, 50]);
  expect(scale.map(Math.round)).toEqual([1, 2]);

  // Relative to the configuration that names it.
  const used = config('used.json', { baseline: './baseline.json' });
  expect(loadConfig([used], {}).config.assets['T1']?.anomaly?.baseline?.sensors).toEqual(['flow', 'level']);
  const replayed = await cli('replay', at('later.csv'), '--config', used, '--output', at('out.ndjson'));
  expect(replayed.code).toBe(0);
  const records = readFileSync(at('out.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; event?: string; timestamp: string })
    .filter(({ type }) => type === 'anomaly');
  expect(records).toHaveLength(200);
  expect(records.filter(({ event }) => event !== 'update').map(({ event }) => event)).toEqual(['onset']);
});

test('--from and --to choose source times; the last interval counts', async () => {
  expect((await learnIt('part.json', '--from', time(100), '--to', String(START + 400_000))).code).toBe(0);
  expect(JSON.parse(readFileSync(at('part.json'), 'utf8'))).toMatchObject({
    learned: { from: time(100), to: time(399), intervals: 300 },
  });
});

test('a date alone is its midnight, in --time-zone', async () => {
  expect((await learnIt('day.json', '--from', '2023-11-14', '--to', '2023-11-15')).code).toBe(0);
  expect(JSON.parse(readFileSync(at('day.json'), 'utf8'))).toMatchObject({ learned: { intervals: 1000 } });
  expect((await learnIt('none.json', '--from', '2023-11-15')).said).toMatch(/found 0 intervals/);
  const east = await learnIt('east.json', '--from', '2023-11-15', '--time-zone', 'Asia/Tokyo');
  expect(east.code).toBe(0);
  const { said } = await learnIt('none.json', '--from', '2023-02-30');
  expect(said).toMatch(/--from: '2023-02-30' is not valid/);
});

test('says where too little was learned from', async () => {
  const { said } = await learnIt('short.json', '--to', time(100));
  expect(said).toMatch(/warning: fewer than 20 independent values, learn from longer: flow, level/);
});

test.each([
  [['--from', 'noon'], /--from: 'noon' is not valid, expected ISO 8601/],
  [['--from', time(10), '--to', time(5)], /--to: .* expected a time after --from/],
  [['--to', time(5)], /T1: found 5 intervals with readings of flow, level, expected at least 20/],
])('%j is refused, and nothing is written', async (more, message) => {
  const { code, said } = await learnIt('refused.json', ...more);
  expect(said).toMatch(message);
  expect(code).toBe(2);
  expect(() => readFileSync(at('refused.json'))).toThrow();
});

test('an asset without anomaly is refused', async () => {
  writeFileSync(at('none.json'), '{ "assets": { "T1": {} } }');
  const { code, said } = await cli('learn', at('good.csv'), '--config', at('none.json'));
  expect(said).toMatch(/--asset: 'T1' is not valid, expected an asset with anomaly in the configuration/);
  expect(code).toBe(2);
});

describe('a baseline in the configuration', () => {
  const good = {
    ...{ sensors: ['flow', 'level'], center: [1, 2], scale: [1, 0], inflation: [1, 1], usualMs: [1, 1] },
    ...{ correlation: [1, 0.5, 0.5, 1], effectiveCounts: [20, 20] },
    ...{ intervalMs: 1000, smoothingMs: 10_000, baselineMs: 100_000 },
  };
  const problem = (content: unknown, options: Record<string, unknown> = {}): string => {
    writeFileSync(at('given.json'), typeof content === 'string' ? content : JSON.stringify(content));
    try {
      loadConfig([config('given-plant.json', { baseline: 'given.json', ...options })], {});
      return '';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };

  test('that is right is taken', () => {
    expect(problem(good)).toBe('');
    expect(problem({ ...good, baselineMs: null }, { baselineMs: null })).toBe('');
  });

  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /assets.T1.anomaly.baseline: .*given.json.*: not valid JSON/],
    ['a list', [], /sensors: missing, expected a list of names/],
    ['too few', { ...good, scale: [1] }, /scale: .*1 values.* expected 2 numbers/],
    ['text', { ...good, center: [1, 'x'] }, /center\[1\]: .*x.* is not valid, expected a number/],
    ['negative', { ...good, scale: [1, -1] }, /scale\[1\]: -1 is not valid, expected a number >= 0/],
    [
      'lopsided',
      { ...good, correlation: [1, 0.5, 0.4, 1] },
      /correlation\[2\]: 0.4 is not valid, expected 0.5/,
    ],
    [
      'that judges no sensor',
      { ...good, scale: [0, 0] },
      /baseline: .*given.json.*: scale: .*0.*0.* is not valid, expected at least one above 0/,
    ],
    [
      'without independent values',
      { ...good, effectiveCounts: [0, 0] },
      /effectiveCounts\[0\]: 0 is not valid, expected a number >= 1/,
    ],
    [
      'with a count beyond all recordings',
      { ...good, effectiveCounts: [1e308, 20] },
      /effectiveCounts\[0\]: 1e\+308 is not valid, expected a number >= 0 and <= 1000000000/,
    ],
    [
      'with a correlation of ones',
      { ...good, scale: [1, 1], correlation: [1, 1, 1, 1] },
      /correlation: .*level follows from flow.* is not valid, expected a positive definite matrix/,
    ],
    [
      'with a centre that is none',
      { ...good, center: [1e308, 2] },
      /center\[0\]: 1e\+308 is not valid, expected a number >= -1e\+100 and <= 1e\+100/,
    ],
    [
      'with a scale that is rounding',
      { ...good, center: [1e12, 2] },
      /scale\[0\]: 1 is not valid, expected 0 or a number >= 1000\.?\d*, with center\[0\] 1000000000000/,
    ],
    [
      'other sensors',
      { ...good, sensors: ['level', 'flow'] },
      /learned from level, flow, expected flow, level/,
    ],
    [
      'other options',
      { ...good, smoothingMs: 5000 },
      /learned with smoothingMs 5000, expected 10000 as here/,
    ],
  ])('%s is refused', (_, content, message) => {
    expect(problem(content)).toMatch(message);
  });

  test('that is missing says what writes one', () => {
    expect(() => loadConfig([config('absent.json', { baseline: './absent-baseline.json' })], {})).toThrow(
      /absent-baseline.json.*no such file; rxtwin learn writes one/,
    );
  });
});
