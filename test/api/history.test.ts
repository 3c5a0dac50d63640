import { Compile } from 'typebox/compile';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { History, Latest } from '../../src/api/schemas.ts';
import { joinWindows } from '../../src/api/seam.ts';
import { buildApp, createApi } from '../../src/api/server.ts';
import { apiSource } from '../../src/cli/querySources.ts';
import { createInfluxReader, InfluxReadError } from '../../src/store/influx/reader.ts';
import type { InfluxReader } from '../../src/store/influx/reader.ts';
import type { AggregateRow, Store } from '../../src/store/store.ts';
import { fakeApi, T0 } from '../fakes/live.ts';
import { batch, freshStore, reading } from '../store/batches.ts';
import { answerFrom } from '../support/fluxPoints.ts';
import { startFluxServer } from '../support/fluxServer.ts';

/*
 * The plant has sent one reading a second, of the value 0, 1, 2 ..., from BEGIN on; the embedded store has kept those from
 * SEAM on, InfluxDB all but the last ten, which are not forwarded yet.
 */
const BEGIN = Math.floor(T0 / 60_000) * 60_000 - 600_000;
const COUNT = 300;
const KEPT_FROM = 100;
const SEAM = BEGIN + KEPT_FROM * 1000;
const BASE = '/api/assets/R101/sensors/temperature';
const interval = (from: number, to: number): string =>
  `start=${BEGIN + from * 1000}&end=${BEGIN + to * 1000}`;

const qualityOf = (i: number) => (i % 7 === 3 ? 'Bad' : i % 5 === 2 ? 'Uncertain' : 'Good');
/** Every tenth has a fraction that a double does not hold exactly. */
const timeOf = (i: number): number => BEGIN + i * 1000 + (i % 10 === 0 ? 0.123 : 0);

async function plantStore(
  from: number,
  more: Partial<Parameters<typeof freshStore>[0]> = {},
): Promise<Store> {
  const store = await freshStore(more);
  const indices = Array.from({ length: COUNT - from }, (_, i) => from + i);
  const readings = indices.map((i) =>
    reading({ row: i + 1, timestamp: timeOf(i), value: i, quality: qualityOf(i) }),
  );
  if (readings.length > 0) await store.commit(batch({ lastRow: COUNT, readings }));
  return store;
}

const POINTS = Array.from({ length: COUNT - 10 }, (_, i) => ({
  ...{ micros: Math.round(timeOf(i) * 1000), asset: 'R101', sensor: 'temperature' },
  ...{ quality: qualityOf(i), value: i, estimate: i + 0.5 },
}));

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(store: Store, history: InfluxReader | null) {
  const fake = fakeApi();
  const options = { ...fake.options, store, history };
  const { app } = await buildApp(options);
  closers.push(() => app.close());
  const get = (url: string) => app.inject({ method: 'GET', url });
  const ok = async (url: string, schema: typeof History | typeof Latest = History) => {
    const { statusCode, body } = await get(url);
    expect(statusCode, body).toBe(200);
    const answer = JSON.parse(body) as Record<string, unknown>;
    expect(Compile(schema).Errors(answer)).toEqual([]);
    return answer;
  };
  return { ...fake, options, get, ok };
}

/** Over a server that answers from the points. */
async function influx(points = POINTS) {
  const server = await startFluxServer(({ query }) => answerFrom(points, query));
  onTestFinished(() => server.close());
  const config = { url: server.url, token: 'token-of-the-test', org: 'o', bucket: 'b' };
  return { ...server, reader: createInfluxReader(config, { now: () => T0 }) };
}

const DOWN = 'InfluxDB at db:8086: 503 Service Unavailable';
const failing = (): Promise<never> => Promise.reject(new InfluxReadError(DOWN, 503));
const down: InfluxReader = { latest: failing, range: failing, aggregate: failing };

/** Values and times of the readings of an answer. */
const rowsOf = (answer: Record<string, unknown>) =>
  answer['readings'] as { value: number; timestamp: string; estimate: { value: number } | null }[];
const valuesOf = (answer: Record<string, unknown>): number[] => rowsOf(answer).map(({ value }) => value);
const windowsOf = (answer: Record<string, unknown>) =>
  answer['windows'] as { start: string; count: number; badCount: number; mean: number }[];
const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('readings', () => {
  test('across the seam: each once, oldest first', async () => {
    const { reader, requests } = await influx();
    const { ok } = await serve(await plantStore(KEPT_FROM), reader);
    const answer = await ok(`${BASE}/history?${interval(0, COUNT)}`);
    expect(valuesOf(answer)).toEqual(count(0, COUNT));
    expect(answer).toMatchObject({ truncated: false });
    expect(answer).not.toHaveProperty('incomplete');
    const [oldest] = rowsOf(answer);
    expect(oldest).toEqual({
      ...{ timestamp: new Date(BEGIN).toISOString().replace('.000Z', '.000123Z'), value: 0, unit: 'degC' },
      ...{
        quality: 'Good',
        issues: [],
        imputed: false,
        estimate: { value: 0.5, ratePerS: 0.01, stdDev: 0.5 },
      },
    });
    // What both hold comes from the store, which has no estimates here.
    expect(rowsOf(answer).filter(({ estimate }) => estimate !== null)).toHaveLength(KEPT_FROM);
    expect(requests).toHaveLength(1);
  });

  test('InfluxDB is not asked for what the store holds, and alone for what is older', async () => {
    const { reader, requests } = await influx();
    const { ok } = await serve(await plantStore(KEPT_FROM), reader);
    expect(valuesOf(await ok(`${BASE}/history?start=${timeOf(KEPT_FROM)}&end=${BEGIN + 103_000}`))).toEqual([
      100, 101, 102,
    ]);
    expect(requests).toHaveLength(0);
    expect(valuesOf(await ok(`${BASE}/history?${interval(10, 15)}`))).toEqual([10, 11, 12, 13, 14]);
    expect(requests).toHaveLength(1);
  });

  test.each([
    [40, true],
    [100, true],
    [101, true],
    [150, true],
    [299, true],
    [300, false],
    [1000, false],
  ])('limit %d: truncated %s', async (limit, truncated) => {
    const { reader } = await influx();
    const { ok } = await serve(await plantStore(KEPT_FROM), reader);
    const answer = await ok(`${BASE}/history?${interval(0, COUNT)}&limit=${limit}`);
    expect(valuesOf(answer)).toEqual(count(0, Math.min(limit, COUNT)));
    expect(answer['truncated']).toBe(truncated);
  });

  test('page by page it is the same', async () => {
    const { reader } = await influx();
    const { ok } = await serve(await plantStore(KEPT_FROM), reader);
    const seen: number[] = [];
    let start = BEGIN;
    for (let more = true; more;) {
      const answer = await ok(`${BASE}/history?start=${start}&end=${BEGIN + COUNT * 1000}&limit=37`);
      seen.push(...valuesOf(answer));
      more = answer['truncated'] === true;
      start = timeOf(seen.at(-1) ?? 0) + 0.5;
    }
    expect(seen).toEqual(count(0, COUNT));
  });

  test('the store has nothing of the sensor: all is from InfluxDB', async () => {
    const { reader } = await influx();
    const { ok } = await serve(await plantStore(COUNT), reader);
    expect(valuesOf(await ok(`${BASE}/history?${interval(0, COUNT)}`))).toEqual(count(0, COUNT - 10));
  });

  test('without an answer of InfluxDB the newer part comes, and says what is missing', async () => {
    const { ok, get, logged } = await serve(await plantStore(KEPT_FROM), down);
    const url = `${BASE}/history?${interval(0, COUNT)}`;
    const answer = await ok(url);
    expect(valuesOf(answer)).toEqual(count(KEPT_FROM, COUNT));
    const since = new Date(SEAM).toISOString().replace('.000Z', '.000123Z');
    expect(answer).toMatchObject({
      truncated: false,
      incomplete: `What is older than ${since} is missing: ${DOWN}`,
    });
    const csv = await get(`${url}&format=csv`);
    expect(csv.headers['rxtwin-incomplete']).toBe(`What is older than ${since} is missing: ${DOWN}`);
    expect(csv.body.split('\r\n')).toHaveLength(COUNT - KEPT_FROM + 2);
    expect(logged).toHaveLength(1);
    const inside = await ok(`${BASE}/history?${interval(101, COUNT)}`);
    expect(inside).not.toHaveProperty('incomplete');
  });

  test('a server that does not answer in time is no reason to fail', async () => {
    const server = await startFluxServer(() => () => undefined);
    onTestFinished(() => server.close());
    const config = { url: server.url, token: 'token-of-the-test', org: 'o', bucket: 'b' };
    const { ok } = await serve(await plantStore(KEPT_FROM), createInfluxReader(config, { timeoutMs: 100 }));
    const answer = await ok(`${BASE}/history?${interval(0, COUNT)}`);
    expect(valuesOf(answer)).toHaveLength(COUNT - KEPT_FROM);
    expect(answer['incomplete']).toMatch(/is missing: InfluxDB at .*: no whole answer within 100 ms$/);
    await server.requests[0]?.aborted;
  });

  test('what is pruned in the middle of a query comes from the other side', async () => {
    const { reader } = await influx();
    const store = await plantStore(KEPT_FROM, { retentionDays: 1 });
    const range = store.range.bind(store);
    let pruned = false;
    store.range = async (query) => {
      if (!pruned) await store.prune(BEGIN + 200_000 + 86_400_000, { row: Infinity, commit: Infinity });
      pruned = true;
      return range(query);
    };
    const { ok } = await serve(store, reader);
    expect(valuesOf(await ok(`${BASE}/history?${interval(0, COUNT)}`))).toEqual(count(0, COUNT));
    expect(await store.oldest?.('R101', 'temperature')).toBe(timeOf(200));
  });
});

describe('windows', () => {
  /** Of the readings themselves. */
  const expected = (sizeS: number, from: number, to: number) => {
    const windows = [];
    for (let at = Math.floor(from / sizeS) * sizeS; at < to; at += sizeS) {
      const all = count(at, Math.min(at + sizeS, COUNT));
      const usable = all.filter((i) => qualityOf(i) !== 'Bad');
      windows.push({
        start: new Date(BEGIN + at * 1000).toISOString(),
        count: usable.length,
        badCount: all.length - usable.length,
        mean: expect.closeTo(usable.reduce((a, b) => a + b, 0) / usable.length, 9) as number,
        min: Math.min(...usable),
        max: Math.max(...usable),
      });
    }
    return windows;
  };

  test.each([10, 20, 30, 60])('of %d s across the seam are those of all readings', async (size) => {
    const { reader } = await influx();
    const { ok } = await serve(await plantStore(KEPT_FROM), reader);
    const answer = await ok(`${BASE}/history?${interval(0, COUNT)}&windowMs=${size * 1000}`);
    expect(answer['windows']).toMatchObject(expected(size, 0, COUNT));
    expect(answer['windows']).toHaveLength(Math.ceil(COUNT / size));
    expect(answer).toMatchObject({ truncated: false });
  });

  test('the window that holds the start is whole, also where the store does not hold all of it', async () => {
    const { reader, requests } = await influx();
    const { ok } = await serve(await plantStore(KEPT_FROM), reader);
    const url = `${BASE}/history?${interval(110, 130)}&windowMs=60000`;
    expect((await ok(url))['windows']).toMatchObject(expected(60, 60, 180));
    expect(requests).toHaveLength(1);
    await ok(`${BASE}/history?${interval(125, 170)}&windowMs=60000`);
    expect(requests).toHaveLength(1);
  });

  test.each([
    [1, true],
    [3, true],
    [4, true],
    [9, true],
    [10, false],
  ])('limit %d: truncated %s', async (limit, truncated) => {
    const { reader } = await influx();
    const { ok } = await serve(await plantStore(KEPT_FROM), reader);
    const answer = await ok(`${BASE}/history?${interval(0, COUNT)}&windowMs=30000&limit=${limit}`);
    expect(answer['windows']).toMatchObject(expected(30, 0, COUNT).slice(0, limit));
    expect(answer['windows']).toHaveLength(limit);
    expect(answer['truncated']).toBe(truncated);
  });

  test('without InfluxDB the window that the seam is in is left out rather than wrong', async () => {
    const { ok } = await serve(await plantStore(KEPT_FROM), down);
    const url = `${BASE}/history?${interval(0, COUNT)}&windowMs=30000`;
    const answer = await ok(url);
    expect(answer['windows']).toMatchObject(expected(30, 120, COUNT));
    expect(answer['incomplete']).toContain('is missing');
    const cut = await ok(`${url}&limit=5`);
    expect(windowsOf(cut)).toHaveLength(5);
    expect(cut['truncated']).toBe(true);
    expect(await ok(`${url}&limit=6`)).toMatchObject({ truncated: false });
  });

  test('CSV', async () => {
    const { reader } = await influx();
    const { get } = await serve(await plantStore(KEPT_FROM), reader);
    const { body, headers } = await get(`${BASE}/history?${interval(60, 180)}&windowMs=60000&format=csv`);
    const [first] = expected(60, 60, 120);
    const mean =
      count(60, 120)
        .filter((i) => qualityOf(i) !== 'Bad')
        .reduce((a, b) => a + b, 0) / (first?.count ?? 0);
    expect(headers).not.toHaveProperty('rxtwin-incomplete');
    const [start, , n, bad, m, ...rest] = body.split('\r\n')[1]?.split(',') ?? [];
    expect({ start, n, bad, rest }).toEqual({
      ...{ start: first?.start, n: String(first?.count), bad: String(first?.badCount) },
      rest: ['', '60', '119', '', '', '119'],
    });
    expect(Number(m)).toBeCloseTo(mean, 9);
  });

  test('joined out of one side alone', () => {
    const row: AggregateRow = {
      ...{ start: 0, end: 10, count: 2, badCount: 1, mean: 3, timeWeightedMean: 3.5, min: 2, max: 4 },
      ...{ stdDev: 1, first: 2, last: 4 },
    };
    const none = {
      mean: null,
      timeWeightedMean: null,
      min: null,
      max: null,
      stdDev: null,
      first: null,
      last: null,
    };
    const bad: AggregateRow = { start: 0, end: 10, count: 0, badCount: 4, ...none };
    expect(joinWindows(bad, row)).toEqual({ ...row, badCount: 5 });
    expect(joinWindows(row, bad)).toEqual({ ...row, badCount: 5 });
    expect(joinWindows(row, { ...row, count: 6, mean: 7, min: 5, max: 9, last: 9 })).toEqual({
      ...{ start: 0, end: 10, count: 8, badCount: 2, mean: 6, timeWeightedMean: null, min: 2, max: 9 },
      ...{ stdDev: null, first: 2, last: 9 },
    });
  });
});

describe('latest', () => {
  test('comes from InfluxDB only where pipeline and store have none', async () => {
    const points = [
      { micros: T0 * 1000 - 1, asset: 'R9', sensor: 'ph', quality: 'Uncertain', value: 7.5, unit: '' },
    ];
    const { reader, requests } = await influx(points.map((point) => ({ ...point, estimate: 7.4 })));
    const { ok, get } = await serve(await plantStore(KEPT_FROM), reader);
    expect(await ok('/api/assets/R9/sensors/ph/latest', Latest)).toMatchObject({
      ...{ asset: 'R9', sensor: 'ph', value: 7.5, quality: 'Uncertain', stale: true },
      timestamp: new Date(T0 - 1).toISOString().replace('Z', '999Z'),
    });
    expect(requests).toHaveLength(1);
    await ok(`${BASE}/latest`, Latest);
    expect(requests).toHaveLength(1);
    expect((await get('/api/assets/R9/sensors/none/latest')).statusCode).toBe(404);
  });

  test('without an answer nobody can say that there is no such sensor', async () => {
    const { get, ok } = await serve(await plantStore(COUNT), down);
    const { statusCode, body } = await get('/api/assets/R9/sensors/ph/latest');
    expect(statusCode).toBe(503);
    expect(JSON.parse(body)).toMatchObject({
      detail: `The store has no reading of such a sensor, and ${DOWN}`,
    });
    expect(await ok('/api/assets/R9/sensors/ph/history')).toMatchObject({
      ...{ readings: [], incomplete: `Everything is missing: ${DOWN}` },
    });
  });
});

test('history of a sensor that only InfluxDB knows is empty where it has no rows, and not 404', async () => {
  const { reader } = await influx();
  const { ok, get } = await serve(await plantStore(COUNT), reader);
  expect(await ok(`${BASE}/history?start=0&end=1000`)).toMatchObject({ readings: [] });
  expect((await get('/api/assets/R101/sensors/none/history')).statusCode).toBe(404);
});

test('rxtwin query through the API has the older part too, and is told where it is missing', async () => {
  const { reader } = await influx();
  const store = await plantStore(KEPT_FROM);
  const { options } = await serve(store, reader);
  const api = await createApi(options);
  closers.push(() => api.close());
  const query = {
    asset: 'R101',
    sensor: 'temperature',
    start: BEGIN,
    end: BEGIN + COUNT * 1000,
    limit: 1000,
  };
  const { records, incomplete } = await apiSource(api.address).history(query);
  expect(records.map((record) => record['value'])).toEqual(count(0, COUNT));
  expect(incomplete).toBeNull();
  const without = await createApi({ ...options, history: down });
  closers.push(() => without.close());
  const rest = await apiSource(without.address).history({ ...query, windowMs: 50_000 });
  expect(rest.records).toHaveLength(3);
  expect(rest.incomplete).toContain(DOWN);
});
