import { Compile } from 'typebox/compile';
import type { TSchema } from 'typebox';
import { afterEach, expect, test } from 'vitest';
import {
  AssetList,
  DeadLetters,
  History,
  Latest,
  Prediction,
  Ready,
  Quarantine,
  Sources,
  Twin,
} from '../../src/api/schemas.ts';
import { buildApp } from '../../src/api/server.ts';
import { fakeApi, reading, storedReading, T0 } from '../fakes/live.ts';
import type { FakeApi } from '../fakes/live.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(fake: FakeApi = fakeApi()) {
  const { app } = await buildApp(fake.options);
  closers.push(() => app.close());
  const get = async (url: string) => {
    const response = await app.inject({ method: 'GET', url });
    return { status: response.statusCode, headers: response.headers, text: response.body, response };
  };
  /** The JSON of a 200, which must fit the documented schema. */
  const ok = async (url: string, schema: TSchema): Promise<Record<string, unknown>> => {
    const { status, text } = await get(url);
    expect(status, text).toBe(200);
    const body = JSON.parse(text) as Record<string, unknown>;
    const compiled = Compile(schema);
    expect(compiled.Errors(body)).toEqual([]);
    return body;
  };
  return { ...fake, app, get, ok };
}

test('assets show model, sensors and sync', async () => {
  const { ok } = await start();
  const { assets, truncated } = await ok('/api/assets', AssetList);
  expect(truncated).toBe(false);
  expect(assets).toEqual([
    {
      asset: 'R101',
      model: 'batchReactor',
      sensors: [
        {
          ...{ sensor: 'temperature', value: 85.3, unit: 'degC', quality: 'Good', issues: [], stale: false },
          timestamp: '2025-10-26T10:30:15.000Z',
          estimate: { value: 85.1 + 0.2, ratePerS: 0.01, stdDev: 0.5 },
        },
        {
          ...{ sensor: 'pressure', value: null, unit: '', quality: null, issues: [], stale: true },
          ...{ timestamp: null, estimate: null },
        },
      ],
      sync: { status: 'synchronised', lagMs: 12, staleSensors: [] },
      anomaly: null,
    },
    { asset: 'tank/1', model: null, sensors: [], sync: null, anomaly: null },
    { asset: 'R102', model: 'batchReactor', sensors: [], sync: null, anomaly: null },
  ]);
});

test('the list of assets is bounded and can be paged', async () => {
  const { ok } = await start();
  const page = await ok('/api/assets?limit=1&offset=1', AssetList);
  expect(page).toMatchObject({ assets: [{ asset: 'tank/1' }], truncated: true });
  expect(await ok('/api/assets?limit=1&offset=2', AssetList)).toMatchObject({ truncated: false });
});

test('the twin keeps full precision', async () => {
  const { ok } = await start();
  expect(await ok('/api/assets/R101/twin', Twin)).toEqual({
    asset: 'R101',
    timestamp: '2025-10-26T10:30:15.000Z',
    state: {
      temperature: { value: 85.2, unit: 'degC', stdDev: 0.4 },
      pressure: { value: 2.5, unit: 'MPa', stdDev: null },
      conversion: { value: 0.3333333333333333, unit: '1', stdDev: null },
    },
    parameters: { massKg: 1000 },
    residuals: { temperature: -0.1 },
    sync: { status: 'synchronised', lagMs: 12, staleSensors: [] },
  });
});

test('a prediction has the asked horizon, by default 60 points of 1 s', async () => {
  const { ok } = await start();
  const body = await ok('/api/assets/R101/prediction', Prediction);
  expect(body).toMatchObject({ asset: 'R101', from: '2025-10-26T10:30:15.000Z', horizonS: 60, stepS: 1 });
  expect(body['trajectory']).toHaveLength(60);
  const ten = await ok('/api/assets/R101/prediction?horizonS=1&stepS=0.1', Prediction);
  expect(ten['trajectory']).toHaveLength(10);
  expect(ten['trajectory']).toMatchObject([
    { timestamp: '2025-10-26T10:30:15.100Z', temperature: 85, conversion: 0.1 },
    ...new Array<object>(9).fill({}),
  ]);
});

test('latest comes from the pipeline, else from the store', async () => {
  const { ok, get, store } = await start();
  const live = await ok('/api/assets/R101/sensors/temperature/latest', Latest);
  expect(live).toEqual({
    ...{ asset: 'R101', sensor: 'temperature', timestamp: '2025-10-26T10:30:15.000Z', value: 85.3 },
    ...{ unit: 'degC', quality: 'Good', issues: [], imputed: false, stale: false },
    estimate: { value: 85.1 + 0.2, ratePerS: 0.01, stdDev: 0.5 },
  });
  expect((await get('/api/assets/R101/sensors/pressure/latest')).status).toBe(404);
  store.rows.push(storedReading({ sensor: 'pressure', value: 0.1 + 0.2 }));
  const stored = await get('/api/assets/R101/sensors/pressure/latest');
  expect(stored.text).toContain('"value":0.30000000000000004');
  expect(JSON.parse(stored.text)).toMatchObject({ sensor: 'pressure', stale: true });
});

test('an asset whose name holds a slash is reached by escaping it', async () => {
  const { get } = await start();
  const { status, text } = await get('/api/assets/tank%2F1/twin');
  expect(status).toBe(404);
  expect(JSON.parse(text)).toMatchObject({ detail: 'This asset has no model.' });
});

test('history: the last hour, up to and with this millisecond, by default', async () => {
  const { ok, store } = await start();
  for (const ageMs of [3_600_001, 3_599_999, 0]) store.rows.push(storedReading({ timestamp: T0 - ageMs }));
  const body = await ok('/api/assets/R101/sensors/temperature/history', History);
  expect(body['readings']).toHaveLength(2);
  expect(body).toMatchObject({ asset: 'R101', sensor: 'temperature', truncated: false });
  expect(store.queries).toEqual([
    { asset: 'R101', sensor: 'temperature', start: T0 + 1 - 3_600_000, end: T0 + 1, limit: 1001 },
  ]);
});

test('history: every form of a time', async () => {
  const { ok, store } = await start();
  const base = '/api/assets/R101/sensors/temperature/history';
  for (const start of [
    '2025-10-26T10:00:00.000Z',
    '2025-10-26T10:00Z',
    '2025-10-26T12:00:00%2B02:00',
    '2025-10-26T12:00:00+02:00',
    '1761472800000',
  ]) {
    await ok(`${base}?start=${start}&end=2025-10-27`, History);
  }
  for (const query of store.queries) {
    expect(query).toMatchObject({ start: 1761472800000, end: Date.parse('2025-10-27T00:00:00Z') });
  }
});

test('history: a limit that cuts says so', async () => {
  const { ok, store } = await start();
  for (let i = 0; i < 5; i++) store.rows.push(storedReading({ timestamp: T0 - 5 + i }));
  const url = '/api/assets/R101/sensors/temperature/history';
  const cut = await ok(`${url}?limit=4`, History);
  expect(cut['truncated']).toBe(true);
  expect(cut['readings']).toHaveLength(4);
  const whole = await ok(`${url}?limit=5`, History);
  expect(whole['truncated']).toBe(false);
  expect(whole['readings']).toHaveLength(5);
});

test('history: windows', async () => {
  const { ok, store } = await start();
  for (let i = 0; i < 4; i++) store.rows.push(storedReading({ timestamp: T0 - 2000 + i * 500 }));
  const url = '/api/assets/R101/sensors/temperature/history?windowMs=1000';
  const body = await ok(url, History);
  expect(body).toMatchObject({
    windowMs: 1000,
    windows: [
      {
        start: '2025-10-26T10:30:13.000Z',
        end: '2025-10-26T10:30:14.000Z',
        count: 2,
        mean: 1.5,
        stdDev: null,
      },
      { start: '2025-10-26T10:30:14.000Z', count: 2 },
    ],
  });
});

test('history: CSV', async () => {
  const { get, store } = await start();
  store.rows.push(
    storedReading({ timestamp: T0 - 2 }),
    storedReading({
      timestamp: T0 - 1,
      value: null,
      unit: '=1+1',
      quality: 'Bad',
      issues: [{ check: 'range', message: 'said "no", and meant it' }],
      estimate: null,
      raw: null,
    }),
  );
  const { headers, text } = await get('/api/assets/R101/sensors/temperature/history?format=csv');
  expect(headers['content-type']).toMatch(/^text\/csv; charset=utf-8/);
  expect(headers['rxtwin-truncated']).toBe('false');
  expect(text).toBe(
    'timestamp,value,unit,quality,issues,imputed,estimate,ratePerS,stdDev,rawValue,rawUnit,rawQuality\r\n' +
      '2025-10-26T10:30:14.998Z,0.30000000000000004,degC,Good,,false,0.3,0,0.1,300,mdegC,Good\r\n' +
      `2025-10-26T10:30:14.999Z,,'=1+1,Bad,"range: said ""no"", and meant it",false,,,,,,\r\n`,
  );
  const windows = await get('/api/assets/R101/sensors/temperature/history?format=csv&windowMs=60000');
  expect(windows.text).toBe(
    'start,end,count,badCount,mean,timeWeightedMean,min,max,stdDev,first,last\r\n' +
      '2025-10-26T10:30:00.000Z,2025-10-26T10:31:00.000Z,2,0,1.5,,1,2,,1,2\r\n',
  );
});

test('history of a sensor that nobody knows is 404, of a known one without rows is empty', async () => {
  const { get, ok, store } = await start();
  expect((await get('/api/assets/R101/sensors/nothing/history')).status).toBe(404);
  expect(await ok('/api/assets/R101/sensors/temperature/history', History)).toMatchObject({ readings: [] });
  store.rows.push(storedReading({ asset: 'old', timestamp: 0 }));
  expect(await ok('/api/assets/old/sensors/temperature/history', History)).toMatchObject({ readings: [] });
});

test('dead letters and sources', async () => {
  const { ok, store } = await start();
  store.letters.push({
    ...{ row: 7, source: 'plant', position: 3, arrivedAt: T0, reason: 'malformed', detail: 'not JSON' },
    ...{ origin: 'reactor/R101/sensor/temperature', payload: '<b>{' },
  });
  expect(await ok('/api/dead-letters?limit=1', DeadLetters)).toEqual({
    deadLetters: [
      {
        ...{ source: 'plant', position: 3, arrivedAt: '2025-10-26T10:30:15.000Z', reason: 'malformed' },
        ...{ detail: 'not JSON', origin: 'reactor/R101/sensor/temperature', payload: '<b>{' },
      },
    ],
  });
  expect(await ok('/api/quarantine', Quarantine)).toEqual({
    points: [{ at: '2025-10-26T10:30:15.000Z', line: 'm value=1', reason: 'type conflict' }],
  });
  expect(await ok('/api/sources', Sources)).toEqual({
    sources: [
      {
        ...{ source: 'plant', type: 'mqtt', connected: true, detail: 'mqtt://127.0.0.1:1883' },
        ...{ reconnects: 2, problems: {} },
      },
    ],
  });
});

test('health: alive always, ready only when every part is', async () => {
  const { ok, get, live } = await start();
  expect(JSON.parse((await get('/health/live')).text)).toEqual({ status: 'ok' });
  expect(await ok('/health/ready', Ready)).toEqual({
    ready: true,
    parts: { store: { ok: true, detail: 'open' } },
  });
  live.healthView = { ready: false, parts: { store: { ok: false, detail: 'disk full' } } };
  const { status, text, headers } = await get('/health/ready');
  expect(status).toBe(503);
  expect(headers['content-type']).toBe('application/problem+json');
  expect(JSON.parse(text)).toMatchObject({
    detail: 'Not ready: store',
    ready: false,
    parts: { store: { ok: false, detail: 'disk full' } },
  });
});

test('metrics are text', async () => {
  const { get } = await start();
  const { headers, text } = await get('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).toContain('# TYPE rxtwin_readings_total counter');
});

test('the page needs nothing from elsewhere', async () => {
  const { get } = await start();
  const page = await get('/');
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
  for (const url of ['/', '/app.js', '/style.css']) {
    const { status, text } = await get(url);
    expect(status).toBe(200);
    expect(text.length).toBeGreaterThan(100);
    expect(text).not.toMatch(/https?:\/\/|innerHTML|document\.write|eval\(/);
  }
});

test('every answer carries the security headers, and no CORS', async () => {
  const { get } = await start();
  for (const url of ['/', '/api/assets', '/nothing', '/metrics', '/docs/', '/api/assets?x=1', '/%ff']) {
    const { headers } = await get(url);
    expect(headers['x-content-type-options'], url).toBe('nosniff');
    expect(headers['x-frame-options'], url).toBe('DENY');
    expect(headers['content-security-policy'], url).toContain("frame-ancestors 'none'");
    expect(headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('a failure inside says nothing of it outside, and everything in the log', async () => {
  const fake = fakeApi();
  fake.store.latest = () => Promise.reject(new Error('IO Error: /secret/path is gone'));
  const { get, logged } = await start(fake);
  const { status, text } = await get('/api/assets/R101/sensors/pressure/latest');
  expect(status).toBe(500);
  expect(JSON.parse(text)).toEqual({
    ...{ type: 'about:blank', title: 'Internal Server Error', status: 500 },
    detail: 'The service has failed to answer; its log says why.',
    instance: '/api/assets/R101/sensors/pressure/latest',
  });
  expect(logged).toMatchObject([{ message: 'request failed', detail: { err: { message: /secret/ } } }]);
});

test('a reading with hostile names stays data', async () => {
  const { ok, live } = await start();
  const latest = reading({ asset: '__proto__', sensor: 'constructor', value: 1 });
  live.byId.set('__proto__', {
    id: '__proto__',
    model: null,
    sensors: [{ asset: '__proto__', sensor: 'constructor', latest, stale: false }],
    twin: null,
    anomaly: null,
  });
  expect(await ok('/api/assets/__proto__/sensors/constructor/latest', Latest)).toMatchObject({ value: 1 });
});
