import { Compile } from 'typebox/compile';
import type { TSchema } from 'typebox';
import { afterEach, expect, test } from 'vitest';
import {
  Anomaly,
  AssetList,
  DeadLetters,
  History,
  Latest,
  Prediction,
  Ready,
  Quarantine,
  Smoothed,
  Sources,
  Twin,
} from '../../src/api/schemas.ts';
import { buildApp } from '../../src/api/server.ts';
import type { AssetView } from '../../src/api/live.ts';
import { anomaly, fakeApi, reading, smoothed, storedReading, T0, twin } from '../fakes/live.ts';
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

test('a twin that estimates parameters says how well it knows them, and what else there is to say', async () => {
  const fake = fakeApi();
  const view = fake.live.byId.get('R101') as AssetView;
  const told = {
    parameterStdDev: { massKg: 0.1 + 0.2 },
    insights: { runaway: { warning: false, since: null } },
  };
  fake.live.byId.set('R101', { ...view, twin: twin(told) });
  const { ok } = await start(fake);
  const body = await ok('/api/assets/R101/twin', Twin);
  expect(body).toMatchObject(told);
  expect(Object.keys(body)).toEqual([
    ...['asset', 'timestamp', 'state', 'parameters', 'parameterStdDev', 'insights', 'residuals', 'sync'],
  ]);
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

test('smoothed estimates: the last hour by default, cut where there are more, also as CSV', async () => {
  const { ok, get, store } = await start();
  const times = [T0 - 3_600_001, T0 - 3_599_999, T0 - 10_000];
  store.smoothedRows.push(...times.map((timestamp) => smoothed({ timestamp })));
  store.smoothedRows.push(smoothed({ sensor: 'pressure' }), smoothed({ asset: 'R102' }));
  const url = '/api/assets/R101/sensors/temperature/smoothed';
  expect(await ok(url, Smoothed)).toEqual({
    ...{ asset: 'R101', sensor: 'temperature', truncated: false },
    ...{ start: '2025-10-26T09:30:15.001Z', end: '2025-10-26T10:30:15.001Z' },
    smoothed: ['2025-10-26T09:30:15.001Z', '2025-10-26T10:30:05.000Z'].map((timestamp) => ({
      ...{ name: 'temperature_smoothed_10s', timestamp, value: 0.1 + 0.2, unit: 'degC' },
      ...{ ratePerS: 0.01, stdDev: 0.125, lagMs: 10_400 },
    })),
  });
  const cut = await ok(`${url}?start=0&end=${T0}&limit=2`, Smoothed);
  expect(cut).toMatchObject({ truncated: true, smoothed: [{ timestamp: '2025-10-26T09:30:14.999Z' }, {}] });
  const { headers, text } = await get(`${url}?format=csv&limit=1`);
  expect(headers).toMatchObject({
    'content-type': 'text/csv; charset=utf-8; header=present',
    'rxtwin-truncated': 'true',
  });
  expect(text).toBe(
    'name,timestamp,value,unit,ratePerS,stdDev,lagMs\r\n' +
      'temperature_smoothed_10s,2025-10-26T09:30:15.001Z,0.30000000000000004,degC,0.01,0.125,10400\r\n',
  );
});

test('smoothed estimates of a sensor that nobody knows are 404, of one without them none', async () => {
  const { ok, get, store } = await start();
  expect((await get('/api/assets/R101/sensors/nothing/smoothed')).status).toBe(404);
  expect(await ok('/api/assets/R101/sensors/pressure/smoothed', Smoothed)).toMatchObject({ smoothed: [] });
  store.rows.push(storedReading({ asset: 'old', timestamp: 0 }));
  expect(await ok('/api/assets/old/sensors/temperature/smoothed', Smoothed)).toMatchObject({ smoothed: [] });
  const { status, text } = await get('/api/assets/R101/sensors/temperature/smoothed?start=5&end=5');
  expect([status, text]).toEqual([400, expect.stringContaining('start: \\"5\\" is not valid')]);
});

test('anomaly: off, learning, and as the last record said', async () => {
  const { ok, get, live } = await start();
  expect((await get('/api/assets/R999/anomaly')).status).toBe(404);
  const off = await get('/api/assets/R101/anomaly');
  expect(off.status).toBe(404);
  expect(off.text).toContain('No anomaly detection is configured for this asset.');
  const set = (view: AssetView['anomaly']) =>
    live.byId.set('R102', { id: 'R102', model: null, sensors: [], twin: null, anomaly: view });
  set({ learning: { learned: 7, wanted: 400 }, latest: null, alarms: 0 });
  const none = { timestamp: null, event: null, score: null, threshold: null, alarm: false, since: null };
  expect(await ok('/api/assets/R102/anomaly', Anomaly)).toEqual({
    ...{ asset: 'R102', learning: true, learned: 7, learnCount: 400, ...none, contributions: [], alarms: 0 },
  });
  const { assets } = await ok('/api/assets?offset=2', AssetList);
  expect(assets).toMatchObject([{ anomaly: { alarm: false, since: null, learning: true } }]);

  set({ learning: null, latest: anomaly({ asset: 'R102', since: T0 - 5000 }), alarms: 3 });
  expect(await ok('/api/assets/R102/anomaly', Anomaly)).toEqual({
    ...{ asset: 'R102', learning: false, timestamp: '2025-10-26T10:30:15.000Z', event: 'onset', alarms: 3 },
    ...{ score: 31.5, threshold: 20.25, alarm: true, since: '2025-10-26T10:30:10.000Z' },
    contributions: [
      { sensor: 'pressure', share: 0.75 },
      { sensor: 'temperature', share: 0.25 },
    ],
  });
  const list = await ok('/api/assets?offset=2', AssetList);
  expect(list['assets']).toMatchObject([
    { anomaly: { alarm: true, since: '2025-10-26T10:30:10.000Z', learning: false } },
  ]);
});

test('anomaly: the records of a range, also as CSV', async () => {
  const { ok, get, live, store } = await start();
  const view = { learning: null, latest: anomaly(), alarms: 1 };
  live.byId.set('R102', { id: 'R102', model: null, sensors: [], twin: null, anomaly: view });
  const cleared = { event: 'cleared' as const, alarm: false, since: null, timestamp: T0 + 1000 };
  store.anomalyRows.push(anomaly({ asset: 'R102' }), anomaly({ asset: 'R102', ...cleared }), anomaly());
  expect(await ok('/api/assets/R102/anomaly', Anomaly)).not.toHaveProperty('records');
  const all = await ok('/api/assets/R102/anomaly?end=2025-10-27&start=2025-10-26', Anomaly);
  expect(all).toMatchObject({
    ...{ start: '2025-10-26T00:00:00.000Z', end: '2025-10-27T00:00:00.000Z', truncated: false, alarm: true },
    records: [
      { event: 'onset', alarm: true, since: '2025-10-26T10:30:15.000Z', score: 31.5 },
      { event: 'cleared', alarm: false, since: null, timestamp: '2025-10-26T10:30:16.000Z' },
    ],
  });
  expect(all['records']).toHaveLength(2);
  const hour = await ok(`/api/assets/R102/anomaly?start=${T0 - 1}&limit=1`, Anomaly);
  expect(hour).toMatchObject({ records: [{ event: 'onset' }], truncated: false });
  const cut = await ok(`/api/assets/R102/anomaly?start=0&end=${T0 + 5000}&limit=1`, Anomaly);
  expect(cut).toMatchObject({ records: [{ event: 'onset' }], truncated: true });
  const { headers, text } = await get(`/api/assets/R102/anomaly?end=${T0 + 5000}&format=csv`);
  expect(headers['content-type']).toMatch(/^text\/csv/);
  expect(text).toBe(
    'timestamp,event,score,threshold,alarm,since,contributions\r\n' +
      '2025-10-26T10:30:15.000Z,onset,31.5,20.25,true,2025-10-26T10:30:15.000Z,pressure: 0.75; temperature: 0.25\r\n' +
      '2025-10-26T10:30:16.000Z,cleared,31.5,20.25,false,,pressure: 0.75; temperature: 0.25\r\n',
  );
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
