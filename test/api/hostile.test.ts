import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../src/api/server.ts';
import type { App } from '../../src/api/context.ts';
import { fakeApi } from '../fakes/live.ts';

let app: App;
beforeAll(async () => {
  ({ app } = await buildApp(fakeApi().options));
});
afterAll(() => app.close());

const HISTORY = '/api/assets/R101/sensors/temperature/history';
const PREDICTION = '/api/assets/R101/prediction';

async function problem(url: string, method: 'GET' | 'POST' | 'DELETE' | 'PUT' = 'GET') {
  const response = await app.inject({ method, url });
  expect(response.headers['content-type']).toBe('application/problem+json');
  const body = JSON.parse(response.body) as Record<string, unknown>;
  expect(body['status']).toBe(response.statusCode);
  for (const key of ['type', 'title', 'detail', 'instance']) expect(body[key]).toBeTypeOf('string');
  expect(response.body).not.toMatch(/node_modules|\.ts:|at .*\(/);
  return { status: response.statusCode, detail: String(body['detail']), body, headers: response.headers };
}

describe('parameters that are refused', () => {
  test.each([
    // url, what the detail must say
    [`${PREDICTION}?horizonS=abc`, 'horizonS: "abc" is not valid, expected number'],
    [`${PREDICTION}?horizonS=`, 'horizonS: "" is not valid, expected number'],
    [`${PREDICTION}?horizonS=0`, 'horizonS: "0" is not valid, expected > 0'],
    [`${PREDICTION}?horizonS=-1`, 'horizonS: "-1" is not valid, expected > 0'],
    [`${PREDICTION}?horizonS=86401`, 'horizonS: "86401" is not valid, expected <= 86400'],
    [`${PREDICTION}?horizonS=Infinity`, 'horizonS: "Infinity" is not valid, expected <= 86400'],
    [`${PREDICTION}?horizonS=NaN`, 'horizonS: "NaN" is not valid, expected number'],
    [`${PREDICTION}?horizonS=1e999`, 'horizonS: '],
    [`${PREDICTION}?horizonS=1&horizonS=2`, 'horizonS: '],
    [
      `${PREDICTION}?horizonS[]=1`,
      'horizonS[]: "1" is not valid, expected no such parameter; known: horizonS, stepS',
    ],
    [`${PREDICTION}?stepS=0`, 'stepS: "0" is not valid, expected > 0'],
    [
      `${PREDICTION}?horizonS=86400&stepS=1`,
      'stepS: "1" is not valid, expected at least horizonS / 10000 = 8.64',
    ],
    [`${PREDICTION}?stepS=1e-300`, 'stepS: "1e-300" is not valid'],
    [`${PREDICTION}?horizonS=1&stepS=2`, 'stepS: "2" is not valid, expected at most horizonS = 1'],
    [`${PREDICTION}?horizon=1`, 'horizon: "1" is not valid, expected no such parameter'],
    [`${PREDICTION}?__proto__=1`, '__proto__'],
    [`${PREDICTION}?constructor=1`, 'constructor: "1" is not valid'],
    [`${HISTORY}?start=yesterday`, 'start: "yesterday" is not valid, expected ISO 8601'],
    [`${HISTORY}?start=2025-02-30T00:00:00Z`, 'start: '],
    [`${HISTORY}?start=2025-10-26T10:30:15`, 'start: "2025-10-26T10:30:15" is not valid'],
    [`${HISTORY}?start=2025-10-26T25:30:15Z`, 'start: '],
    [`${HISTORY}?start=9e99`, 'start: '],
    [`${HISTORY}?start=9999999999999999`, 'start: '],
    [`${HISTORY}?start=`, 'start: "" is not valid'],
    [`${HISTORY}?end=1%27%3B%20DROP%20TABLE%20readings`, 'end: "1\'; DROP TABLE readings" is not valid'],
    [`${HISTORY}?end=${'1'.repeat(500)}`, 'end: '],
    [`${HISTORY}?start=2&end=1`, 'start: "2" is not valid, expected a time before 1970-01-01T00:00:00.001Z'],
    [`${HISTORY}?start=1&end=1`, 'start: "1" is not valid'],
    [`${HISTORY}?limit=0`, 'limit: "0" is not valid, expected >= 1'],
    [`${HISTORY}?limit=1.5`, 'limit: "1.5" is not valid, expected integer'],
    [`${HISTORY}?limit=100001`, 'limit: "100001" is not valid, expected <= 100000'],
    [`${HISTORY}?limit=1%20OR%201`, 'limit: "1 OR 1" is not valid'],
    [`${HISTORY}?limit=null`, 'limit: "null" is not valid'],
    [`${HISTORY}?limit=true`, 'limit: "true" is not valid'],
    [`${HISTORY}?windowMs=0`, 'windowMs: "0" is not valid, expected >= 1'],
    [`${HISTORY}?windowMs=1e300`, 'windowMs: '],
    [`${HISTORY}?format=xml`, 'format: "xml" is not valid, expected one of json, csv'],
    ['/api/assets?limit=x', 'limit: "x" is not valid, expected integer'],
    ['/api/assets?offset=-1', 'offset: "-1" is not valid, expected >= 0'],
    ['/api/assets?x=1', 'x: "1" is not valid, expected no such parameter; known: limit, offset'],
    ['/api/assets/R101/twin?x=1', 'x: "1" is not valid, expected no such parameter; known: none'],
    ['/api/dead-letters?limit=-5', 'limit: "-5" is not valid, expected >= 1'],
    ['/api/sources?x', 'x: "" is not valid'],
    ['/health/live?x', 'x: "" is not valid'],
    ['/health/ready?x', 'x: "" is not valid'],
    ['/metrics?x', 'x: "" is not valid'],
    [
      '/api/stream?type=everything',
      'type: "everything" is not valid, expected reading, smoothed, window, twin, anomaly or alarm',
    ],
    ['/api/stream?type=reading,', 'type: "reading," is not valid'],
    ['/api/stream?asset=', 'asset: "" is not valid'],
    [
      '/api/stream?assets=R101',
      'assets: "R101" is not valid, expected no such parameter; known: asset, sensor, type',
    ],
  ])('%s', async (url, detail) => {
    const { status, detail: said, body } = await problem(url);
    expect(said).toContain(detail);
    expect(status).toBe(400);
    expect(said.length).toBeLessThan(400);
    expect(body['errors']).toHaveLength(1);
  });
});

describe('paths that lead nowhere', () => {
  test.each([
    ['/nothing', 404],
    ['/api', 404],
    ['/api/assets/', 404],
    ['/api/assets/R999/twin', 404],
    ['/api/assets/R101/nothing', 404],
    ['/api/assets/R102/twin', 404],
    ['/api/assets/tank%2F1/prediction', 404],
    ['/api/assets/R999/prediction', 404],
    ['/api/assets/R101/sensors/none/latest', 404],
    ['/api/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd/twin', 404],
    ['/../../etc/passwd', 404],
    ['/app.js/../../package.json', 404],
    ['/api/assets/__proto__/twin', 404],
    ['/api/assets/constructor/sensors/prototype/latest', 404],
    [`/api/assets/${encodeURIComponent("R101'; DROP TABLE x; --")}/sensors/a/latest`, 404],
    ['/api/assets/R101%00/twin', 404],
    ['/api/assets/%/twin', 400],
    ['/%E0%A4%A', 400],
    ['/api/assets/%ff/twin', 400],
    [`/api/assets/${'a'.repeat(300)}/twin`, 400],
    [`/api/assets/${'a'.repeat(600)}/twin`, 414],
  ])('%s is %d', async (url, status) => {
    expect((await problem(url)).status).toBe(status);
  });
});

test('a wrong method is 405 and says which is right', async () => {
  for (const method of ['POST', 'PUT', 'DELETE'] as const) {
    const { status, headers } = await problem('/api/assets', method);
    expect(status).toBe(405);
    expect(headers['allow']).toBe('GET, HEAD');
  }
  expect((await problem('/api/assets/R101/sensors/x/history', 'POST')).status).toBe(405);
  expect((await problem('/nothing', 'POST')).status).toBe(404);
});

test('a body that nobody asked for is refused early', async () => {
  const response = await app.inject({ method: 'POST', url: '/api/assets', payload: { x: 'y'.repeat(5000) } });
  expect([405, 413]).toContain(response.statusCode);
  expect(response.headers['content-type']).toBe('application/problem+json');
});

test('HEAD works wherever GET ends', async () => {
  expect((await app.inject({ method: 'HEAD', url: '/api/assets' })).statusCode).toBe(200);
  expect((await app.inject({ method: 'HEAD', url: '/api/stream' })).statusCode).toBe(405);
});
