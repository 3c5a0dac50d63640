import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeForwardStore, forwardRow } from '../../fakes/forwardStore.ts';
import type { FakeForwardStore } from '../../fakes/forwardStore.ts';
import { problem, TAKES, valuesOf } from '../../fakes/influxServer.ts';
import { forwardRig } from './rig.ts';
import type { ForwardRig } from './rig.ts';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const sorted = (values: number[]): number[] => values.toSorted((a, b) => a - b);

let rig: ForwardRig;
let store: FakeForwardStore;
beforeEach(async () => {
  rig = await forwardRig();
  store = fakeForwardStore();
});
afterEach(() => rig.close());

/** Commits of one row each: the values go on from commit to commit. */
const fill = (count: number): void => {
  for (let i = 0; i < count; i++) store.commit([forwardRow(store.lastCommit + 1)]);
};
const caughtUp = (forwarder: { status(): { lagRows: number } }): Promise<void> =>
  vi.waitFor(
    () =>
      expect(forwarder.status()).toMatchObject({
        lagRows: 0,
        cursor: { through: store.lastCommit, ahead: null },
      }),
    { timeout: 10_000, interval: 5 },
  );
const received = (): number[] => sorted(valuesOf(rig.server.points.values()));

describe('requests', () => {
  test('carry exact line protocol, compressed, with token, organisation and bucket', async () => {
    const estimate = { value: 84.5, ratePerS: -0.001, stdDev: 0.2 };
    store.commit([
      forwardRow(1, { timestamp: 1_700_000_000_000.123, value: 85.25, estimate, imputed: true }),
      forwardRow(2, { value: null, unit: '', quality: 'Bad', estimate }),
      ...upTo(8).map((n) => forwardRow(n + 2)),
    ]);
    const forwarder = rig.start(store);
    forwarder.committed(1, 10);
    await vi.waitFor(() => expect(store.forwarded.through).toBe(1));
    const [request] = rig.server.requests;
    expect(request?.url).toBe('/api/v2/write?org=plant+org&bucket=raw+%26+more&precision=us');
    expect(request?.headers['authorization']).toBe('Token s3cret-token');
    expect(request?.headers['content-encoding']).toBe('gzip');
    expect(request?.lines.slice(0, 3)).toEqual([
      'reactor_sensor,quality=Good,reactor_id=R101,sensor_type=temperature,unit=degC estimate=84.5,estimate_rate_per_s=-0.001,estimate_std_dev=0.2,imputed=T,value=85.25 1700000000000123',
      'reactor_sensor,quality=Bad,reactor_id=R101,sensor_type=temperature estimate=84.5,estimate_rate_per_s=-0.001,estimate_std_dev=0.2,imputed=F 1700000002000000',
      'reactor_sensor,quality=Good,reactor_id=R101,sensor_type=temperature,unit=degC imputed=F,value=3 1700000003000000',
    ]);
    expect(rig.server.requests).toHaveLength(1);
  });

  test('hold at most batchRows rows, also of a larger commit, and skip rows without anything', async () => {
    store.commit(upTo(25).map((n) => forwardRow(n)));
    store.commit([forwardRow(0, { value: null }), forwardRow(0, { value: Infinity })]);
    const forwarder = rig.start(store, { batchRows: 10 });
    await vi.waitFor(() => expect(store.forwarded).toEqual({ through: 2, ahead: null }));
    expect(rig.server.requests.map(({ lines }) => lines.length)).toEqual([10, 10, 5]);
    expect(forwarder.status()).toMatchObject({ forwardedRows: 25, skippedRows: 2, lagRows: 0 });
  });

  test('wait for company, but not for long', async () => {
    const forwarder = rig.start(store, { maxWaitMs: 300, batchRows: 5 });
    const started = performance.now();
    fill(2);
    forwarder.committed(2, 2);
    await caughtUp(forwarder);
    expect(performance.now() - started).toBeGreaterThan(295);
    expect(rig.server.requests).toHaveLength(1);
    const full = performance.now();
    fill(5);
    for (const commit of [3, 4, 5, 6, 7]) forwarder.committed(commit, 1);
    await caughtUp(forwarder);
    expect(performance.now() - full).toBeLessThan(290);
    expect(rig.server.requests).toHaveLength(2);
  });
});

describe('a server in trouble', () => {
  test.each([
    ['503', problem(503, 'unavailable', 'shutting down')],
    ['500', { status: 500, body: 'internal error' }],
    ['408', { status: 408 }],
    ['a broken JSON body', { status: 502, headers: { 'content-type': 'application/json' }, body: '{"mess' }],
    ['a cut connection', 'cut' as const],
    ['an answer that was lost', 'takeAndCut' as const],
    ['no answer in time', 'hang' as const],
  ])('%s: tried again until it works, nothing lost, nothing in quarantine', async (_, fault) => {
    fill(25);
    let mended = false;
    rig.server.answer = () => (mended ? TAKES : fault);
    const forwarder = rig.start(store, { timeoutMs: 150 });
    await vi.waitFor(() => expect(forwarder.status().retries).toBeGreaterThanOrEqual(3), { timeout: 5000 });
    expect(forwarder.status()).toMatchObject({ state: 'retrying', ok: false, lagRows: 25, forwardedRows: 0 });
    expect(store.forwarded.through).toBe(0);
    mended = true;
    await caughtUp(forwarder);
    expect(received()).toEqual(upTo(25));
    expect(forwarder.status()).toMatchObject({ quarantinedRows: 0, ok: true, forwardedRows: 25 });
    expect(store.quarantined).toEqual([]);
  });

  test('one that is not there comes back', async () => {
    fill(3);
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const forwarder = rig.start(store, { url: `http://user:pa55word@127.0.0.1:${port}` });
    await vi.waitFor(() => expect(forwarder.status().retries).toBeGreaterThan(2));
    expect(forwarder.status().detail).toContain('ECONNREFUSED');
    // A relay on that port: the server is back.
    const { port: target } = new URL(rig.server.url);
    const relay = createServer((socket) => {
      const out = connect(Number(target), '127.0.0.1');
      socket.pipe(out).pipe(socket);
      for (const end of [socket, out]) end.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => relay.listen(port, '127.0.0.1', resolve));
    await caughtUp(forwarder);
    await forwarder.stop();
    relay.close();
    expect(received()).toEqual([1, 2, 3]);
    expect(rig.logged.join()).not.toContain('pa55word');
  });

  test.each([
    ['closes its half without a word', '', true],
    ['closes its half within the head', 'HTTP/1.1 204 No', true],
    ['closes its half within an answer', 'HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf', true],
    ['does not speak HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', false],
    ['stays silent within an answer', 'HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nhalf', false],
  ])('one that %s', async (_, bytes, ends) => {
    fill(3);
    let connections = 0;
    const odd = createServer({ allowHalfOpen: true }, (socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.once('data', () => (ends ? socket.end(bytes) : socket.write(bytes)));
    });
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    const { port } = odd.address() as AddressInfo;
    const forwarder = rig.start(store, { url: `http://127.0.0.1:${port}`, timeoutMs: 100 });
    await vi.waitFor(() => expect(connections).toBeGreaterThan(2), { timeout: 5000 });
    expect(forwarder.status()).toMatchObject({ state: 'retrying', lagRows: 3, forwardedRows: 0 });
    expect(store.forwarded.through).toBe(0);
    await forwarder.stop();
    odd.close();
  });

  test.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 2000).toUTCString()],
  ])('Retry-After in %s is kept to', async (_, retryAfter) => {
    fill(1);
    rig.server.answer = () =>
      rig.server.requests.length === 1
        ? { ...problem(429, 'too many requests', 'slow down'), headers: { 'retry-after': retryAfter() } }
        : TAKES;
    const forwarder = rig.start(store);
    await caughtUp(forwarder);
    const [first, second] = rig.server.requests;
    // A date has whole seconds.
    expect(second!.at - first!.at).toBeGreaterThan(990);
  });

  test('waits double up to the longest', async () => {
    fill(1);
    rig.server.answer = () => ({ status: 503 });
    const forwarder = rig.start(store, { retry: { minMs: 20, maxMs: 160 } });
    await vi.waitFor(() => expect(rig.server.requests.length).toBeGreaterThan(6), { timeout: 5000 });
    await forwarder.stop();
    const times = rig.server.requests.map(({ at }) => at);
    const waits = times.slice(1).map((at, i) => at - times[i]!);
    for (const [i, least] of [10, 20, 40, 80, 80].entries())
      expect(waits[i]).toBeGreaterThanOrEqual(least - 2);
  });
});

describe('a wrong configuration', () => {
  test.each([
    [401, problem(401, 'unauthorized', 'unauthorized access of s3cret-token')],
    [403, problem(403, 'forbidden', 'insufficient permissions for write')],
    [404, problem(404, 'not found', 'bucket "raw & more" not found')],
    [302, { status: 302, headers: { location: 'http://u:pa55word@elsewhere/' } }],
    [
      200,
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<title>Log in</title>', taken: [] },
    ],
  ])('%s: said, kept trying, nothing lost, nothing in quarantine', async (_, fault) => {
    fill(25);
    let mended = false;
    rig.server.answer = () => (mended ? TAKES : fault);
    const forwarder = rig.start(store);
    await vi.waitFor(() => expect(rig.server.requests.length).toBeGreaterThan(3));
    const status = forwarder.status();
    expect(status).toMatchObject({ state: 'misconfigured', ok: false, lagRows: 25, quarantinedRows: 0 });
    const everything = rig.logged.join() + JSON.stringify(status);
    expect(everything).toContain('InfluxDB does not take the rows');
    expect(everything).not.toMatch(/s3cret-token|pa55word/);
    expect(store.forwarded.through).toBe(0);
    mended = true;
    await caughtUp(forwarder);
    expect(received()).toEqual(upTo(25));
    expect(store.quarantined).toEqual([]);
  });

  test('is tried at the longest wait from the first time on', async () => {
    fill(1);
    rig.server.answer = () => ({ status: 401 });
    rig.start(store, { retry: { minMs: 1, maxMs: 400 } });
    await vi.waitFor(() => expect(rig.server.requests.length).toBe(2), { timeout: 3000 });
    const [first, second] = rig.server.requests;
    expect(second!.at - first!.at).toBeGreaterThan(195);
  });
});

describe('a stop', () => {
  test('ends within seconds though the server hangs; a new start goes on from the stored cursor', async () => {
    fill(30);
    rig.server.answer = (lines) => (lines.some((line) => line.includes('value=11 ')) ? 'hang' : TAKES);
    const forwarder = rig.start(store, { timeoutMs: 60_000, batchRows: 5 });
    await vi.waitFor(() => expect(rig.server.requests.at(-1)?.lines[0] ?? '').toContain('value=11 '));
    const started = performance.now();
    await forwarder.stop();
    await forwarder.stop();
    expect(performance.now() - started).toBeLessThan(2000);
    expect(forwarder.status().state).toBe('stopped');
    expect(forwarder.pruneBound()).toBe(store.forwarded.through);
    expect(received().slice(0, 10)).toEqual(upTo(10));

    rig.server.answer = () => TAKES;
    await caughtUp(rig.start(store));
    expect(received()).toEqual(upTo(30));
  });

  test('while it waits for a server that is away is immediate', async () => {
    fill(1);
    rig.server.answer = () => ({ status: 503 });
    const forwarder = rig.start(store, { retry: { minMs: 60_000, maxMs: 60_000 } });
    await vi.waitFor(() => expect(forwarder.status().state).toBe('retrying'));
    const started = performance.now();
    await forwarder.stop();
    expect(performance.now() - started).toBeLessThan(200);
  });
});

test('a store that fails is asked again', async () => {
  fill(5);
  store.fault = new Error('disk on fire');
  const forwarder = rig.start(store);
  await vi.waitFor(() => expect(rig.logged.join()).toContain('tried again'));
  expect(forwarder.status()).toMatchObject({ state: 'retrying', ok: false });
  expect(forwarder.status().detail).toContain('the store: disk on fire');
  store.fault = null;
  await vi.waitFor(() => expect(store.forwarded.through).toBe(5));
  expect(received()).toEqual(upTo(5));
  expect(forwarder.status().ok).toBe(true);
});

test.each([3_600_000, -3_600_000])('a clock that jumps by %d ms holds up nothing', async (jump) => {
  const forwarder = rig.start(store, { maxWaitMs: 100, retry: { minMs: 50, maxMs: 100 } });
  rig.server.answer = () => ({ status: 503 });
  fill(1);
  forwarder.committed(1, 1);
  await vi.waitFor(() => expect(forwarder.status().retries).toBeGreaterThan(1));
  rig.clockOffsetMs = jump;
  rig.server.answer = () => TAKES;
  const jumped = performance.now();
  fill(1);
  forwarder.committed(2, 1);
  await caughtUp(forwarder);
  expect(performance.now() - jumped).toBeLessThan(2000);
  expect(received()).toEqual([1, 2]);
});
