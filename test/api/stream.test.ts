import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { createApi } from '../../src/api/server.ts';
import { anomaly, fakeApi, reading, smoothed, twin, window } from '../fakes/live.ts';
import type { FakeApi } from '../fakes/live.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(fake: FakeApi = fakeApi()) {
  const api = await createApi(fake.options);
  closers.push(() => api.close());
  return { ...fake, api };
}

interface Stream {
  readonly response: IncomingMessage;
  text: string;
  ended: boolean;
  /** Waits until the text holds so many messages. */
  messages(count: number): Promise<{ readonly id: string; readonly event: string; readonly data: object }[]>;
  readonly close: () => void;
}

async function open(address: string, query = '', lastEventId?: string): Promise<Stream> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${address}/api/stream${query}`, { headers, agent: false }, resolve).on('error', reject).end();
  });
  const field = (block: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  const stream: Stream = {
    response,
    text: '',
    ended: false,
    messages: (count) =>
      vi.waitFor(
        () => {
          const blocks = stream.text
            .split('\n\n')
            .slice(0, -1)
            .filter((block) => block.includes('data: '));
          expect(blocks.length).toBeGreaterThanOrEqual(count);
          return blocks.map((block) => ({
            id: field(block, 'id'),
            event: field(block, 'event'),
            data: JSON.parse(field(block, 'data')) as object,
          }));
        },
        { timeout: 5000, interval: 5 },
      ),
    close: () => response.destroy(),
  };
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => (stream.text += chunk));
  response.on('error', () => undefined);
  response.on('close', () => (stream.ended = true));
  closers.push(stream.close);
  if (response.statusCode === 200) await vi.waitFor(() => expect(stream.text).toContain('retry: 2000'));
  return stream;
}

test('sends readings, windows and twins as they are recorded', async () => {
  const { api, live } = await start();
  const stream = await open(api.address);
  expect(stream.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-content-type-options': 'nosniff',
  });
  const issues = [{ check: 'spike', message: 'line\nbreak' }];
  live.events.next({ type: 'reading', reading: reading({ issues, quality: 'Uncertain' }) });
  live.events.next({ type: 'window', window: window() });
  live.events.next({ type: 'twin', twin: twin() });
  const [first, second, third] = await stream.messages(3);
  expect(first).toMatchObject({ event: 'reading' });
  expect(JSON.stringify(first?.data)).toBe(
    '{"type":"reading","asset":"R101","sensor":"temperature","timestamp":"2025-10-26T10:30:15.000Z","value":85.3,' +
      '"unit":"degC","quality":"Uncertain","issues":[{"check":"spike","message":"line\\nbreak"}],"imputed":false,' +
      '"estimate":{"value":85.3,"ratePerS":0.01,"stdDev":0.5,"covariance":[0.25,0.1,0.1,0.2],"innovation":0.125,"nis":0.5}}',
  );
  expect(second).toMatchObject({
    event: 'window',
    data: { start: '2025-10-26T10:30:15.000Z', end: '2025-10-26T10:30:16.000Z', stdDev: Math.SQRT2 },
  });
  expect(third).toMatchObject({ event: 'twin', data: { asset: 'R101', sync: { status: 'synchronised' } } });
});

test('sends smoothed estimates and anomalies, and those alone to whom asks for them', async () => {
  const { api, live } = await start();
  const stream = await open(api.address, '?type=smoothed,anomaly');
  live.events.next({ type: 'reading', reading: reading() });
  live.events.next({ type: 'smoothed', smoothed: smoothed() });
  live.events.next({ type: 'anomaly', anomaly: anomaly() });
  const messages = await stream.messages(2);
  expect(messages.map(({ event, data }) => [event, JSON.stringify(data)])).toEqual([
    [
      'smoothed',
      '{"type":"smoothed","asset":"R101","sensor":"temperature","name":"temperature_smoothed_10s",' +
        '"timestamp":"2025-10-26T10:30:05.000Z","value":0.30000000000000004,"unit":"degC","ratePerS":0.01,' +
        '"stdDev":0.125,"lagMs":10400}',
    ],
    [
      'anomaly',
      '{"type":"anomaly","asset":"R101","timestamp":"2025-10-26T10:30:15.000Z","event":"onset","score":31.5,' +
        '"threshold":20.25,"alarm":true,"since":"2025-10-26T10:30:15.000Z","contributions":' +
        '[{"sensor":"pressure","share":0.75},{"sensor":"temperature","share":0.25}]}',
    ],
  ]);
});

test('filters by repeated and comma separated parameters', async () => {
  const { api, live } = await start();
  const stream = await open(api.address, '?asset=R101,R102&sensor=temperature&sensor=ph&type=reading');
  for (const [asset, sensor] of [
    ['R103', 'ph'],
    ['R101', 'pressure'],
    ['R102', 'ph'],
  ]) {
    live.events.next({ type: 'reading', reading: reading({ asset: asset ?? '', sensor: sensor ?? '' }) });
  }
  live.events.next({ type: 'window', window: window() });
  live.events.next({ type: 'reading', reading: reading({ value: 4 }) });
  const messages = await stream.messages(2);
  expect(messages).toHaveLength(2);
  expect(messages).toMatchObject([
    { data: { asset: 'R102', sensor: 'ph' } },
    { data: { asset: 'R101', value: 4 } },
  ]);
});

test('resumes after the last event seen, and says when that was before a restart', async () => {
  const { api, live } = await start();
  const first = await open(api.address);
  for (let value = 0; value < 3; value++) live.events.next({ type: 'reading', reading: reading({ value }) });
  const seen = await first.messages(3);
  first.close();
  live.events.next({ type: 'reading', reading: reading({ value: 3 }) });
  const second = await open(api.address, '', seen[1]?.id);
  const missed = await second.messages(2);
  expect(missed).toMatchObject([
    { id: seen[2]?.id, data: { value: 2 } },
    { event: 'reading', data: { value: 3 } },
  ]);
  const stranger = await open(api.address, '', '0123456789ab-17');
  const [gap, ...rest] = await stranger.messages(5);
  expect(gap).toMatchObject({ event: 'gap', id: '', data: { type: 'gap', reason: 'restart' } });
  expect(rest).toMatchObject([0, 1, 2, 3].map((value) => ({ data: { value } })));
});

test('a hundred clients get the same', async () => {
  const { api, live } = await start();
  const streams = await Promise.all(Array.from({ length: 100 }, () => open(api.address)));
  for (let value = 0; value < 50; value++) live.events.next({ type: 'reading', reading: reading({ value }) });
  for (const stream of streams) {
    const messages = await stream.messages(50);
    expect(messages.map(({ data }) => 'value' in data && data.value)).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    );
  }
});

test('one stream too many is refused, and a slot is free again when a client leaves', async () => {
  const { api } = await start(fakeApi({ maxStreams: 2 }));
  const first = await open(api.address);
  await open(api.address);
  const third = await open(api.address);
  expect(third.response.statusCode).toBe(503);
  expect(third.response.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'retry-after': '10',
  });
  await vi.waitFor(() => expect(third.text).toContain('All 2 streams are in use.'));
  first.close();
  await vi.waitFor(async () => {
    const again = await open(api.address);
    again.close();
    expect(again.response.statusCode).toBe(200);
  });
});

/** A client that asks and then does not read. */
async function deaf(address: string): Promise<Socket> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname, port: Number(port) });
  closers.push(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write('GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  return socket;
}

test('clients that do not read neither fill the memory nor hold up pushing, and get the latest when they read', async () => {
  const { api, live } = await start();
  const sockets = await Promise.all(Array.from({ length: 5 }, () => deaf(api.address)));
  const before = process.memoryUsage().arrayBuffers;
  let slowestMs = 0;
  for (let round = 0; round < 40; round++) {
    const from = performance.now();
    for (let i = 0; i < 5000; i++) {
      const sensor = `s${i % 100}`;
      live.events.next({ type: 'reading', reading: reading({ sensor, value: round * 5000 + i }) });
    }
    slowestMs = Math.max(slowestMs, performance.now() - from);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // 200 000 events of about 350 bytes are 70 MB, and 350 MB where each client has its own.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10e6);
  expect(slowestMs).toBeLessThan(500);
  const [socket] = sockets;
  let text = '';
  socket?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket?.resume();
  await vi.waitFor(() => expect(text).toContain('"value":199999,'), { timeout: 5000 });
  expect(text).toContain('"reason":"conflated"');
  // The latest of every sensor has come.
  for (let i = 199_900; i < 200_000; i++) expect(text).toContain(`"value":${i},`);
});

test('closing ends the streams and does not wait for connections that are kept alive or do nothing', async () => {
  const fake = fakeApi();
  const api = await createApi(fake.options);
  const stream = await open(api.address);
  const { hostname, port } = new URL(api.address);
  const idle = connect({ host: hostname, port: Number(port) });
  closers.push(() => idle.destroy());
  await new Promise((resolve) => idle.once('connect', resolve));
  await fetch(`${api.address}/health/live`, { headers: { connection: 'keep-alive' } });
  await deaf(api.address);
  const from = performance.now();
  await api.close();
  expect(performance.now() - from).toBeLessThan(2000);
  await vi.waitFor(() => expect(stream.ended).toBe(true));
  expect(fake.live.events.observed).toBe(false);
  await expect(fetch(`${api.address}/health/live`)).rejects.toThrow();
});

/** What a raw client gets until the server closes the connection. */
async function raw(address: string, ...parts: string[]): Promise<string> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname, port: Number(port) });
  closers.push(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

test.each([
  ['no HTTP at all', ['\x16\x03\x01hello\r\n\r\n'], 400],
  ['headers without end', [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`], 431],
  ['a path without end', [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`], 431],
  ['a slow loris', ['GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '], 408],
  [
    'a body without end',
    [
      'POST /api/assets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\nConnection: close\r\n\r\n',
    ],
    413,
  ],
])('%s is answered with a problem and hung up', async (_name, parts, status) => {
  const { api } = await start();
  const text = await raw(api.address, ...parts);
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(text.toLowerCase()).toContain('content-type: application/problem+json\r\n');
  const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as object;
  expect(body).toMatchObject({ type: 'about:blank', status });
  expect((await fetch(`${api.address}/health/live`)).status).toBe(200);
});

test('a port that is taken is refused', async () => {
  const { api } = await start();
  const other = fakeApi();
  const config = { ...other.options.config, port: Number(new URL(api.address).port) };
  await expect(createApi({ ...other.options, config })).rejects.toThrow(/EADDRINUSE/);
  expect(other.live.events.observed).toBe(false);
});
