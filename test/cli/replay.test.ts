import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { tickTimes } from '../../src/cli/replayRun.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'rxtwin-replay-'))));
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a process in the test's folder. */
function rxtwin(args: readonly string[], stdin = '', readAll = true): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, 'replay', ...args], { cwd: folder });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (!readAll) child.stdout.destroy();
    });
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return name;
}

interface Json {
  readonly [key: string]: unknown;
}

const parsed = (text: string): Json[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json);

const ofType = (text: string, type: string): Json[] =>
  parsed(text).filter((record) => record['type'] === type);

const NO_CHECKS = { range: false, outlier: false, spike: false, missing: false, windows: [] };
const plain = (): string =>
  file('plain.json', JSON.stringify({ sensorTypes: { temperature: NO_CHECKS, pressure: NO_CHECKS } }));

/** A small generator of equally distributed numbers in [0, 1), the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Written from the textbook, apart from the product's own: x = [value, rate], P as a full matrix. */
function textbookKalman(samples: readonly { readonly t: number; readonly z: number }[]): number[][] {
  const [q0, q1, r] = [0.01, 0.01, 0.5];
  let x: [number, number] | null = null;
  let P = [
    [1, 0],
    [0, 1],
  ] as [[number, number], [number, number]];
  let last = 0;
  return samples.map(({ t, z }) => {
    if (x === null) {
      x = [z, 0];
      last = t;
      return [z, 0, 1, 1, 0, 0, 1];
    }
    const dt = (t - last) / 1000;
    last = t;
    const prior = [x[0] + dt * x[1], x[1]] as const;
    const [[a, b], [c, d]] = P;
    const M = [
      [a + dt * c + dt * (b + dt * d) + q0 * dt, b + dt * d],
      [c + dt * d, d + q1 * dt],
    ] as [[number, number], [number, number]];
    const S = M[0][0] + r;
    const K = [M[0][0] / S, M[1][0] / S] as const;
    const y = z - prior[0];
    x = [prior[0] + K[0] * y, prior[1] + K[1] * y];
    P = [
      [(1 - K[0]) * M[0][0], (1 - K[0]) * M[0][1]],
      [M[1][0] - K[1] * M[0][0], M[1][1] - K[1] * M[0][1]],
    ];
    return [x[0], x[1], Math.sqrt(P[0][0]), P[0][0], P[0][1], P[1][0], P[1][1], y, (y * y) / S];
  });
}

describe('rxtwin replay', () => {
  test('worked case, in the documented form: keys in order, full precision', async () => {
    const input = file(
      'worked.csv',
      'timestamp,asset,sensor,value,unit\n' +
        '2025-10-26T10:30:15.000Z,R101,temperature,85,degC\n' +
        '2025-10-26T10:30:16.000Z,R101,temperature,500,degC\n' +
        '2025-10-26T10:30:17.000Z,R101,temperature,120,degC\n',
    );
    const { code, stdout, stderr } = await rxtwin([input]);
    expect(code).toBe(0);
    const [first = '', ...others] = stdout.split('\n').filter((line) => line.includes('"reading"'));
    expect(first).toBe(
      '{"type":"reading","asset":"R101","sensor":"temperature","timestamp":"2025-10-26T10:30:15.000Z","value":85,' +
        '"unit":"degC","quality":"Good","issues":[],"imputed":false,"estimate":{"value":85,"ratePerS":0,"stdDev":1,' +
        '"covariance":[1,0,0,1],"innovation":null,"nis":null}}',
    );
    expect(others.map((line) => JSON.parse(line) as Json)).toMatchObject([
      { quality: 'Bad', issues: [{ check: 'range' }] },
      {
        quality: 'Uncertain',
        issues: [{ check: 'spike', message: 'Rapid change detected: 41.2% (allowed: 20.0%)' }],
      },
    ]);
    expect(ofType(stdout, 'window')).toMatchObject([
      { start: '2025-10-26T10:30:15.000Z', end: '2025-10-26T10:30:16.000Z', count: 1, mean: 85 },
      { start: '2025-10-26T10:30:16.000Z', count: 0, badCount: 1 },
      { start: '2025-10-26T10:30:17.000Z', count: 1, mean: 120 },
    ]);
    expect(stderr).toMatch(
      /^3 readings, \d+\.\d\d s, \d+ readings\/s; dead letters: 0; drops: 0; issues: range 1, spike 1\n$/,
    );
  });

  test('a wide recording with irregular times: estimates equal a textbook Kalman filter to 1e-12', async () => {
    const next = random(7);
    let t = Date.UTC(2020, 2, 9, 10, 14, 33);
    const rows = Array.from({ length: 1000 }, (_, i) => {
      t += [1000, 1000, 1000, 2000, 250, 61_000][Math.floor(next() * 6)] ?? 1000;
      return { t, temperature: 79 + Math.sin(i / 50) + next(), pressure: 0.05 + next() * 0.6 };
    });
    const input = file(
      'wide.csv',
      `\uFEFFdatetime;Pressure;Temperature;Volume Flow RateRMS\r\n${rows
        .map(
          (row) =>
            `${new Date(row.t).toISOString().slice(0, -1).replace('T', ' ')};${row.pressure};${row.temperature};32\r\n`,
        )
        .join('')}`,
    );
    const map = 'Temperature=temperature,Pressure=pressure';
    const { code, stdout } = await rxtwin([
      input,
      '--config',
      plain(),
      '--wide',
      '--asset',
      'V1',
      '--time',
      'datetime',
      '--map',
      map,
      '--separator',
      ';',
    ]);
    expect(code).toBe(0);
    for (const sensor of ['temperature', 'pressure'] as const) {
      const expected = textbookKalman(rows.map((row) => ({ t: row.t, z: row[sensor] })));
      const readings = ofType(stdout, 'reading').filter((record) => record['sensor'] === sensor);
      expect(readings).toHaveLength(1000);
      readings.forEach((record, i) => {
        expect(record['timestamp']).toBe(new Date(rows[i]!.t).toISOString());
        expect(record['value']).toBe(rows[i]![sensor]);
        const e = record['estimate'] as {
          readonly value: number;
          readonly ratePerS: number;
          readonly stdDev: number;
          readonly covariance: readonly number[];
          readonly innovation: number | null;
          readonly nis: number | null;
        };
        const fed = e.innovation === null || e.nis === null ? [] : [e.innovation, e.nis];
        const figures = [e.value, e.ratePerS, e.stdDev, ...e.covariance, ...fed];
        const wanted = expected[i]!;
        expect(figures).toHaveLength(wanted.length);
        figures.forEach((figure, k) => {
          expect(Math.abs(figure - wanted[k]!)).toBeLessThanOrEqual(
            1e-12 * Math.max(1, Math.abs(wanted[k]!)),
          );
        });
      });
    }
  });

  test('the same input and configuration give the same bytes, from a file and from standard input', async () => {
    const next = random(3);
    const lines = Array.from({ length: 3000 }, (_, i) => {
      const sensor = ['temperature', 'pressure', 'flow_rate'][i % 3] ?? '';
      return `${1_600_000_000_000 + Math.floor(i / 3) * 700 + Math.floor(next() * 900)},R101,${sensor},${next() * 5}`;
    });
    const text = `timestamp,asset,sensor,value\n${lines.join('\n')}\n`;
    const input = file('many.csv', text);
    const config = file(
      'twin.json',
      JSON.stringify({
        assets: {
          R101: {
            model: { type: 'batchReactor' },
            sensors: { temperature: { smooth: { lagMs: 5000 } }, pressure: {}, flow_rate: {} },
            anomaly: { sensors: ['temperature', 'pressure'], learnCount: 100, recordEveryMs: 0 },
          },
        },
      }),
    );
    const [first, second] = await Promise.all([
      rxtwin([input, '--config', config, '--output', 'first.ndjson']),
      rxtwin(['-', '--config', config], text),
    ]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(first.stdout).toBe('');
    const written = readFileSync(join(folder, 'first.ndjson'), 'utf8');
    expect(written === second.stdout).toBe(true);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(ofType(written, 'twin').length).toBeGreaterThan(100);
    expect(ofType(written, 'reading').length).toBeGreaterThan(2900);
    expect(ofType(written, 'twin')[0]).toMatchObject({ asset: 'R101', sync: { status: 'degraded' } });
    const isLate = ({ issues }: Json): boolean => JSON.stringify(issues).includes('"check":"order"');
    const temperatures = ofType(written, 'reading').filter(
      (reading) => reading['sensor'] === 'temperature' && !isLate(reading),
    );
    const smoothed = ofType(written, 'smoothed');
    // Each reading's in turn, the last ones at the end.
    expect(smoothed.map(({ timestamp }) => timestamp)).toEqual(
      temperatures.map(({ timestamp }) => timestamp),
    );
    expect(smoothed[0]).toMatchObject({ name: 'temperature_smoothed_5s', unit: 'degC' });
    expect(smoothed.at(-1)).toMatchObject({ lagMs: 0 });
    expect(ofType(written, 'anomaly').length).toBeGreaterThan(50);
  });

  test('a gap in the recording degrades the twin by a tick, before the reading that ends it', async () => {
    const config = file(
      'stale.json',
      JSON.stringify({
        sensorTypes: { temperature: NO_CHECKS },
        assets: {
          R101: { model: { type: 'batchReactor' }, sensors: { temperature: { staleAfterMs: 5000 } } },
        },
      }),
    );
    const input = file(
      'gap.csv',
      'timestamp,asset,sensor,value\n1000,R101,temperature,85\n20000,R101,temperature,85\n',
    );
    const { stdout } = await rxtwin([input, '-c', config]);
    const story = parsed(stdout).map(({ type, timestamp, sync }) => [
      type,
      timestamp,
      (sync as Json | undefined)?.['status'],
    ]);
    expect(story).toEqual([
      ['reading', '1970-01-01T00:00:01.000Z', undefined],
      ['twin', '1970-01-01T00:00:01.000Z', 'synchronised'],
      ['twin', '1970-01-01T00:00:01.000Z', 'degraded'],
      ['reading', '1970-01-01T00:00:20.000Z', undefined],
      ['twin', '1970-01-01T00:00:20.000Z', 'synchronised'],
    ]);
  });

  test('what cannot be read is reported with file and line, and the rest is replayed', async () => {
    const input = file(
      'broken.csv',
      'timestamp,asset,sensor,value\n1000,R101,temperature,85\nyesterday,R101,temperature,85\n2000,R101,temperature,warm\n' +
        '3000,R101,temperature\n4000,R101,temperature,86\n',
    );
    const { code, stdout, stderr } = await rxtwin([input, '-c', plain()]);
    expect(code).toBe(0);
    expect(ofType(stdout, 'reading').map(({ value }) => value)).toEqual([85, 86]);
    const lines = stderr.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'broken.csv:3: badTimestamp: timestamp: "yesterday" is not valid, expected an ISO 8601 time or epoch milliseconds, from 1970 on',
      'broken.csv:4: badValue: value: "warm" is not valid, expected a number or null',
      'broken.csv:5: malformed: line: 3 cells, expected 4 as in the header',
    ]);
    expect(lines[3]).toContain('dead letters: badTimestamp 1, badValue 1, malformed 1');
  });

  test('--format csv: readings only, one line each', async () => {
    const input = file(
      'two.ndjson',
      '{"timestamp":1000.125,"asset":"R101","sensor":"temperature","value":85}\n{"timestamp":2000,"asset":"R101","sensor":"temperature","value":900}\n',
    );
    const { stdout } = await rxtwin([input, '--format', 'csv']);
    expect(stdout.split('\n')).toEqual([
      'timestamp,asset,sensor,value,unit,quality,issues,imputed,estimate,rate_per_s,std_dev,p00,p01,p10,p11,innovation,nis',
      '1970-01-01T00:00:01.000125Z,R101,temperature,85,degC,Good,,false,85,0,1,1,0,0,1,,',
      expect.stringMatching(
        /^1970-01-01T00:00:02\.000Z,R101,temperature,900,degC,Bad,range: Out of range: 900 degC \(allowed: -50 to 400 degC\),false,85,0,/,
      ),
      '',
    ]);
  });

  test('naive times are read in --time-zone', async () => {
    const input = file(
      'local.csv',
      'timestamp,asset,sensor,value\n2025-07-01 12:00:00,R101,temperature,85\n',
    );
    const { stdout } = await rxtwin([input, '--time-zone', 'Europe/Berlin']);
    expect(parsed(stdout)[0]?.['timestamp']).toBe('2025-07-01T10:00:00.000Z');
  });

  test('a reader that has seen enough ends it quietly', async () => {
    const line = '1000,R101,temperature,85\n';
    const many = Array.from({ length: 60_000 }, (_, i) => line.replace('1000', String(1000 + i * 10))).join(
      '',
    );
    const input = file('head.csv', `timestamp,asset,sensor,value\n${many}`);
    const { code, stderr } = await rxtwin([input], '', false);
    expect(code).toBe(0);
    expect(stderr).not.toContain('EPIPE');
  });

  test.each([
    ['a missing file', ['nowhere.csv'], 'nowhere.csv: no such file'],
    ['a directory', ['.'], '.: is a directory, expected a file'],
    ['an empty file', ['empty.csv'], 'empty.csv: is empty'],
    [
      'a header that fits neither form',
      ['odd.csv'],
      'odd.csv: the header lacks asset, sensor; expected timestamp,asset,sensor,value[,unit][,quality], or NDJSON, or --wide; found timestamp, value, x',
    ],
    [
      'an unknown mapped column',
      ['odd.csv', '--wide', '--asset', 'A', '--time', 'timestamp', '--map', 'nope=temperature'],
      'odd.csv: the header lacks nope; found timestamp, value, x',
    ],
    [
      'half of the wide options',
      ['odd.csv', '--wide', '--time', 'timestamp'],
      '--wide: needs --asset, --map too',
    ],
    [
      'an unknown time zone',
      ['odd.csv', '--time-zone', 'Mars/Base'],
      "--time-zone: 'Mars/Base' is not valid, expected an IANA name such as Europe/Berlin",
    ],
    ['a directory as output', ['good.csv', '--output', '.'], '--output .: is a directory'],
  ])('%s is wrong usage: exit code 2 and one line', async (_, args, problem) => {
    file('empty.csv', '');
    file('odd.csv', 'timestamp,value,x\n1000,85,1\n');
    file('good.csv', 'timestamp,asset,sensor,value\n');
    const said: string[] = [];
    const stderr = vi
      .spyOn(process.stderr, 'write')
      .mockImplementation((text) => said.push(String(text)) > 0);
    const inFolder = (arg: string): string => (/\.csv$|^\.$/.test(arg) ? join(folder, arg) : arg);
    const code = await runCli(['replay', ...args.map(inFolder)]).finally(() => stderr.mockRestore());
    expect(code).toBe(2);
    expect(said.join('').replaceAll(`${folder}/`, '').replaceAll(folder, '.')).toBe(`${problem}\n`);
  });

  test('a failure on the way leaves the old output as it was', async () => {
    file('kept.ndjson', 'old\n');
    const input = file('fine.csv', 'timestamp,asset,sensor,value\n1000,R101,temperature,85\n');
    const { code } = await rxtwin([input, '-', '--output', 'kept.ndjson'], 'no header\n');
    expect(code).toBe(2);
    expect(readFileSync(join(folder, 'kept.ndjson'), 'utf8')).toBe('old\n');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('ticks of a recording', () => {
  test('come at each multiple that the clock passes, none before the first reading', () => {
    const ticks = tickTimes(1000);
    expect(ticks(1500)).toEqual([]);
    expect(ticks(1999)).toEqual([]);
    expect(ticks(2000)).toEqual([2000]);
    expect(ticks(2000)).toEqual([]);
    expect(ticks(5100)).toEqual([3000, 4000, 5000]);
  });

  test('of a long gap: the first 599 and the last', () => {
    const ticks = tickTimes(1000);
    ticks(0);
    const times = ticks(86_400_000);
    expect(times).toHaveLength(600);
    expect(times.slice(0, 2)).toEqual([1000, 2000]);
    expect(times.slice(-2)).toEqual([599_000, 86_400_000]);
  });
});
