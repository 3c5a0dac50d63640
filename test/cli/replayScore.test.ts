import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { createRandom } from '../../src/plant/random.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxtwin-score-'));
  for (const seed of [1, 2]) writeFileSync(join(folder, `${seed}.csv`), recording(seed));
  const anomaly = { sensors: ['flow', 'level'], learnCount: 200 };
  const off = { outlier: false, spike: false, windows: [] };
  const sensors = { flow: off, level: off };
  writeFileSync(join(folder, 'on.json'), JSON.stringify({ assets: { T1: { sensors, anomaly } } }));
  writeFileSync(join(folder, 'off.json'), JSON.stringify({ assets: { T1: { sensors } } }));
  writeFileSync(
    join(folder, 'blunt.json'),
    JSON.stringify({
      assets: { T1: { anomaly: { falseAlarmRate: 1e-9, smoothingMs: 300, baselineMs: 400 } } },
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A wide recording, labelled: 800 s, the level 3 standard deviations too high from 400 to 600 s. */
function recording(seed: number): string {
  const random = createRandom(seed);
  const rows = Array.from({ length: 800 }, (_, t) => {
    const anomalous = t >= 400 && t < 600;
    const flow = 10 + random.normal();
    const level = 50 + random.normal() + (anomalous ? 3 : 0);
    return [new Date(1.7e12 + t * 1000).toISOString(), flow, level, anomalous ? 1 : 0].join(',');
  });
  return `time,F,L,anomaly\n${rows.join('\n')}\n`;
}

async function score(
  inputs: string[],
  ...args: string[]
): Promise<{ code: number; table: string; problem: string }> {
  const output = join(folder, 'table.md');
  rmSync(output, { force: true });
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const files = inputs.map((name) => join(folder, name));
  const wide = ['--wide', '--asset', 'T1', '--time', 'time', '--map', 'F=flow,L=level'];
  const code = await runCli(['replay', ...files, ...wide, '--output', output, ...args]);
  const problem = stderr.mock.calls.map(([text]) => String(text)).join('');
  stderr.mockRestore();
  return { code, table: code === 0 ? readFileSync(output, 'utf8') : '', problem };
}

const cells = (line = ''): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

test('several configurations side by side, each recording by itself', async () => {
  const [on, off, blunt] = ['on.json', 'off.json', 'blunt.json'].map((name) => join(folder, name));
  const labels = ['1.csv', '2.csv'].map((name) => join(folder, name));
  const configs = ['--config', String(on), '--config', String(off), '--config', `${on},${blunt}`];
  const { code, table } = await score(['1.csv', '2.csv'], '--score', ...labels, '--skip', '200', ...configs);
  expect(code).toBe(0);
  const [head, , first, second, third] = table.split('\n').map(cells);
  expect(head?.slice(0, 4)).toEqual(['configuration', 'J', 'false alarms %', 'missed %']);
  expect(first?.[0]).toBe(on);
  expect(Number(first?.[1])).toBeGreaterThan(90);
  expect(first?.[4]).toBe('2 of 2');
  expect(Number(first?.[5])).toBeLessThan(15);
  expect(Math.abs(Number(first?.[7]))).toBeLessThan(10);
  // Without detectAnomaly, and without checks, nothing is ever marked.
  expect(second?.slice(1, 5)).toEqual(['0.0', '0.0', '100.0', '0 of 2']);
  expect(third?.[0]).toBe(`${on},${blunt}`);
  expect(Number(third?.[1])).toBeLessThan(50);
});

test.each([
  [['--score', '1.csv', '2.csv', '3.csv'], /3 files of labels for 2 inputs/],
  [['--score', 'nowhere.csv'], /nowhere\.csv: no such file$/m],
  [['--score', '1.csv', '--label', 'fault'], /the header lacks fault/],
  [['--score', '1.csv', '--skip', '-1'], /--skip: '-1' is not valid/],
])('%o is refused', async (args, message) => {
  const placed = args.map((arg) => (arg.endsWith('.csv') ? join(folder, arg) : arg));
  const { code, problem } = await score(['1.csv', '2.csv'], ...placed);
  expect(code).toBe(2);
  expect(problem).toMatch(message);
});
