import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { openStore } from '../../src/store/duckdb.ts';
import { batch, configOf, folder, quiet, reading } from '../store/batches.ts';

const NOON = Date.parse('2025-10-26T12:00:00.000Z');

/** Runs a command line; what it wrote and its exit code. */
async function cli(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const capture = (take: (text: string) => void) => (text: string | Uint8Array) => {
    take(String(text));
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(capture((text) => (out += text))),
    vi.spyOn(process.stderr, 'write').mockImplementation(capture((text) => (err += text))),
  ];
  try {
    return { code: await runCli(args), out, err };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

async function configFile(store: string, port = 1): Promise<string> {
  const path = join(await folder(), 'config.json');
  await writeFile(
    path,
    JSON.stringify({ store: { path: store }, api: { host: '127.0.0.1', port, maxRows: 5000 } }),
  );
  return path;
}

/** A stopped service's store: 90 readings a minute apart, the last at noon, the last but one Uncertain. */
async function stoppedService(): Promise<string> {
  const path = join(await folder(), 'store.duckdb');
  const store = await openStore(configOf(path), quiet);
  const readings = Array.from({ length: 90 }, (_, i) => {
    const timestamp = NOON - (89 - i) * 60_000;
    const plain = reading({ row: i + 1, timestamp, value: 85 + i / 3 });
    const issues = [{ check: 'spike', message: 'Rapid change, "detected"' }];
    return i === 88 ? { ...plain, quality: 'Uncertain' as const, issues } : plain;
  });
  await store.commit(batch({ lastRow: 90, readings }));
  await store.close();
  return configFile(path);
}

describe('query on the store of a stopped service', () => {
  it('latest: a table, and every digit as JSON', async () => {
    const config = await stoppedService();
    const table = await cli('query', 'latest', 'R101/temperature', '--config', config);
    expect(table).toStrictEqual({
      code: 0,
      err: '',
      out:
        'timestamp                      value  unit  quality  estimate  ratePerS  stdDev  imputed  issues\n' +
        '2025-10-26T12:00:00.000Z  114.666667  degC  Good     -         -         -       false\n'.replace(
          '  114',
          '  114',
        ),
    });
    const json = await cli('query', 'latest', 'R101/temperature', '--config', config, '--json');
    expect(JSON.parse(json.out)).toMatchObject([
      { asset: 'R101', value: 85 + 89 / 3, quality: 'Good', issues: [] },
    ]);
  });

  it('range: by default the last hour of data, the last reading included', async () => {
    const config = await stoppedService();
    const { code, out, err } = await cli('query', 'range', 'R101/temperature', '--config', config, '--csv');
    expect({ code, err }).toStrictEqual({ code: 0, err: '' });
    const lines = out.trimEnd().split('\r\n');
    expect(lines).toHaveLength(61);
    expect(lines[0]).toBe('timestamp,value,unit,quality,estimate,ratePerS,stdDev,imputed,issues');
    expect(lines[1]).toBe(`2025-10-26T11:01:00.000Z,${85 + 30 / 3},degC,Good,,,,false,`);
    expect(lines[59]).toContain(',Uncertain,,,,false,"spike: Rapid change, ""detected"""');
    expect(lines[60]).toBe(`2025-10-26T12:00:00.000Z,${85 + 89 / 3},degC,Good,,,,false,`);
  });

  it('range: bounds in any notation, and the limit is told', async () => {
    const config = await stoppedService();
    const bounds = ['--start', '2025-10-26T11:30:00Z', '--end', String(NOON), '--json', '--config', config];
    const all = await cli('query', 'range', 'R101/temperature', ...bounds);
    expect(JSON.parse(all.out)).toHaveLength(30);
    const some = await cli('query', 'range', 'R101/temperature', ...bounds, '--limit', '2');
    expect(JSON.parse(some.out)).toMatchObject([
      { timestamp: '2025-10-26T11:30:00.000Z' },
      { timestamp: '2025-10-26T11:31:00.000Z' },
    ]);
    expect(some.err).toBe('R101/temperature: 2 rows shown, there may be more: see --limit and --start\n');
  });

  it('aggregate: epoch-aligned windows', async () => {
    const config = await stoppedService();
    const args = ['--window', '30m', '--start', '2025-10-26T11:00:00Z', '--config', config];
    const { out } = await cli('query', 'aggregate', 'R101/temperature', ...args, '--json');
    const rows: unknown = JSON.parse(out);
    expect(rows).toMatchObject([
      { start: '2025-10-26T11:00:00.000Z', end: '2025-10-26T11:30:00.000Z', count: 30, badCount: 0 },
      { start: '2025-10-26T11:30:00.000Z', count: 30 },
      { start: '2025-10-26T12:00:00.000Z', count: 1, mean: 85 + 89 / 3, stdDev: null },
    ]);
    const table = await cli('query', 'aggregate', 'R101/temperature', ...args);
    expect(table.out.split('\n')[0]).toMatch(/^start +end +count +badCount +mean /);
  });

  it('tells an empty answer from an unknown sensor', async () => {
    const config = await stoppedService();
    const past = ['--start', '2020-01-01', '--end', '2020-01-02', '--config', config];
    expect(await cli('query', 'range', 'R101/temperature', ...past)).toStrictEqual({
      code: 0,
      out: '',
      err: 'R101/temperature: no data in the range\n',
    });
    expect(await cli('query', 'aggregate', 'R101/ph', '--json', '--config', config)).toMatchObject({
      code: 0,
      out: '[]\n',
    });
    expect(await cli('query', 'latest', 'R101/ph', '--config', config)).toStrictEqual({
      code: 1,
      out: '',
      err: 'R101/ph: there is no reading of such a sensor\n',
    });
  });

  it.each([
    [['latest', 'R101'], 'ASSET/SENSOR: "R101" is not valid'],
    [['range', 'a/b', '--start', 'yesterday'], '--start: "yesterday" is not valid'],
    [['range', 'a/b', '--start', '2025-01-02', '--end', '2025-01-01'], '--start: must be before --end'],
    [['range', 'a/b', '--limit', '0'], '--limit: "0" is not valid, expected a whole number from 1 to'],
    [['aggregate', 'a/b', '--window', '0m'], '--window: "0m" is not valid'],
    [['latest', 'a/b', '--json', '--csv'], '--json and --csv exclude each other'],
    [['latest', 'a/b', '--url', 'here'], '--url: "here" is not valid'],
    [['oldest', 'a/b'], "unknown command 'oldest'"],
  ])('refuses %j', async (args, message) => {
    const { code, out, err } = await cli('query', ...args);
    expect({ code, out, lines: err.trimEnd().split('\n').length }).toStrictEqual({
      code: 2,
      out: '',
      lines: 1,
    });
    expect(err).toContain(message);
  });

  it('says which file is missing', async () => {
    const config = await configFile('/nowhere/at/all.duckdb');
    expect(await cli('query', 'latest', 'a/b', '--config', config)).toStrictEqual({
      code: 1,
      out: '',
      err: '/nowhere/at/all.duckdb: there is no such store\n',
    });
  });
});

describe('query on a running service', () => {
  it('says what is missing where the service had no answer of InfluxDB', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ readings: [{ value: 1 }], incomplete: 'Older \u001b[2J is missing' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { code, out, err } = await cli(
      ...['query', 'range', 'R101/t', '--url', `http://127.0.0.1:${port}`, '--json'],
      ...['--start', '2025-10-26', '--end', '2025-10-27'],
    );
    expect({ code, rows: JSON.parse(out) as unknown, err }).toStrictEqual({
      ...{ code: 0, rows: [{ value: 1 }] },
      err: 'R101/t: Older \ufffd[2J is missing\n',
    });
  });

  it('goes to its API while it has the store open', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const missing = request.url?.includes('/ph/') === true;
      response.writeHead(missing ? 404 : 200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(
          missing
            ? { status: 404, detail: 'There is no such sensor.' }
            : {
                timestamp: '2025-10-26T12:00:00.000Z',
                value: 0.1 + 0.2,
                windows: [{ start: 'x', count: 3 }],
              },
        ),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;

    const path = join(await folder(), 'store.duckdb');
    const committer = join(import.meta.dirname, '../store/committer.ts');
    const child = spawn(process.execPath, [committer, path, 'endless']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();

    const config = await configFile(path, port);
    const latest = await cli('query', 'latest', 'R 1/a/b', '--config', config, '--json');
    expect(JSON.parse(latest.out)).toMatchObject([{ value: 0.1 + 0.2 }]);
    const windows = await cli('query', 'aggregate', 'R101/t', '--window', '5m', '--config', config, '--json');
    expect(JSON.parse(windows.out)).toStrictEqual([{ start: 'x', count: 3 }]);
    expect(asked).toStrictEqual([
      '/api/assets/R%201/sensors/a%2Fb/latest',
      '/api/assets/R101/sensors/t/latest',
      `/api/assets/R101/sensors/t/history?start=${NOON + 1 - 3_600_000}&end=${NOON + 1}&limit=1000&windowMs=300000`,
    ]);
    expect(await cli('query', 'latest', 'R101/ph', '--url', `http://127.0.0.1:${port}/`)).toMatchObject({
      code: 1,
      err: 'R101/ph: there is no reading of such a sensor\n',
    });

    const down = await cli('query', 'latest', 'a/b', '--config', await configFile(path, 1));
    expect(down.code).toBe(1);
    expect(down.err).toMatch(/: in use by process \d+ .*; its API http:\/\/127\.0\.0\.1:1\/.*: no answer/);
  });
});
