import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatusCodes } from 'node-opcua';
import type { ServerSession } from 'node-opcua';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import type { OpcuaSourceConfig } from '../../config/types.ts';
import type { Reading } from '../../operators/types.ts';
import { isDeadLetter } from '../../src/sources/source.ts';
import { startTcpProxy } from '../fakes/tcpProxy.ts';
import type { TcpProxy } from '../fakes/tcpProxy.ts';
import { startTestServer } from '../support/opcuaServer.ts';
import type { TestServer, TestServerOptions } from '../support/opcuaServer.ts';
import { recordOpcua } from '../support/opcuaSource.ts';
import type { RecordOptions, Recorded } from '../support/opcuaSource.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxtwin-test-gaps-'));
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const until = (condition: () => void, timeout = 20_000): Promise<void> =>
  vi.waitFor(condition, { timeout, interval: 20 });

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function serve(options?: TestServerOptions): Promise<TestServer> {
  const server = await startTestServer(options);
  cleanups.push(() => server.close());
  return server;
}

async function proxied(server: TestServer): Promise<{ proxy: TcpProxy; endpoint: string }> {
  const proxy = await startTcpProxy(server.port);
  cleanups.push(() => proxy.close());
  return { proxy, endpoint: `opc.tcp://127.0.0.1:${proxy.port}` };
}

function record(
  settings: Pick<OpcuaSourceConfig, 'endpoint'> & Partial<OpcuaSourceConfig>,
  options?: RecordOptions,
): Recorded {
  const exact = { samplingIntervalMs: 0, queueSize: 10_000 };
  const recorded = recordOpcua({ certificatesFolder: folder, ...exact, ...settings }, options);
  cleanups.push(() => recorded.source.close());
  return recorded;
}

/** Writes 1, 2, 3 … to a node, each with a source time of its own. */
class Plant {
  readonly sent: { readonly value: number; readonly time: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastTime = 0;

  write(server: TestServer, name = 'T', time = Date.now()): void {
    this.#lastTime = Math.max(time, this.#lastTime + 1);
    const value = this.sent.length + 1;
    this.sent.push({ value, time: this.#lastTime });
    server.set(name, value, StatusCodes.Good, new Date(this.#lastTime));
  }

  start(server: TestServer, name = 'T', everyMs = 10): void {
    this.#timer = setInterval(() => this.write(server, name), everyMs);
    cleanups.push(() => this.stop());
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const key = ({ value, time }: { value: number | null; time: number }): string => `${value}@${time}`;

/** Sent and received, what of it is lost, and what came twice. */
function count(plant: Plant, readings: readonly Reading[]) {
  const keys = readings.map(({ value, timestamp }) => key({ value, time: timestamp }));
  const received = new Set(keys);
  const lost = plant.sent.filter((entry) => !received.has(key(entry))).length;
  return {
    sent: plant.sent.length,
    received: plant.sent.length - lost,
    lost,
    repeats: keys.length - received.size,
  };
}

const figures: string[] = [];
afterAll(() => {
  console.log(figures.join('\n'));
});

async function settled(what: string, plant: Plant, { readings }: Recorded, lost = 0): Promise<void> {
  await until(() => expect(count(plant, readings)).toMatchObject({ lost }));
  figures.push(`${what}: ${JSON.stringify(count(plant, readings))}`);
}

/** Largest step back in time between two readings that follow each other and are not marked as filled in. */
function stepsBack(readings: readonly Reading[]): number {
  let latest = -Infinity;
  let steps = 0;
  for (const { timestamp, received } of readings) {
    if (received?.backfilled === true) continue;
    if (timestamp < latest) steps += 1;
    latest = Math.max(latest, timestamp);
  }
  return steps;
}

/** Waits for the first value, then writes all the time. */
async function running(
  settings: Parameters<typeof record>[0],
  server: TestServer,
  options?: RecordOptions,
): Promise<{ plant: Plant; recorded: Recorded }> {
  const plant = new Plant();
  plant.write(server);
  const recorded = record(settings, options);
  await until(() => expect(recorded.readings).toHaveLength(1));
  plant.start(server);
  return { plant, recorded };
}

const reconnected = ({ source }: Recorded, times: number): Promise<void> =>
  until(() => expect(source.status()).toMatchObject({ connected: true, reconnects: times }));

const fetched = ({ infos }: Recorded): string[] =>
  infos.filter((line) => line.startsWith('fetched what the server had kept'));

test('short cuts: what the server kept comes first, in order, and nothing stays behind on it', async () => {
  const server = await serve();
  server.addSeries('T');
  const { proxy, endpoint } = await proxied(server);
  const { plant, recorded } = await running({ endpoint }, server);
  for (let cut = 1; cut <= 3; cut += 1) {
    const before = plant.sent.length;
    await until(() => expect(plant.sent.length).toBeGreaterThan(before + 20));
    proxy.cut();
    await reconnected(recorded, cut);
  }
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 20));
  plant.stop();
  await settled('three short cuts, anonymous user', plant, recorded);
  await until(() => expect(fetched(recorded)).toHaveLength(3));
  expect(recorded.readings.filter(({ received }) => received?.backfilled === true)).toEqual([]);
  expect(stepsBack(recorded.readings)).toBeLessThanOrEqual(3 * 60);
  const positions = recorded.readings.map(({ received }) => received?.position);
  expect(positions).toEqual(positions.map((_, index) => 41 + index));
  await recorded.source.close();
  await until(() => expect(server.server.engine.currentSessionCount).toBe(0));
  expect(server.server.engine.currentSubscriptionCount).toBe(0);
});

test('a half-open connection: notifications that were sent into the void are published again', async () => {
  const server = await serve();
  server.addSeries('T');
  const { proxy, endpoint } = await proxied(server);
  const { plant, recorded } = await running({ endpoint, watchdogMs: 600 }, server);
  proxy.freeze();
  await until(() => expect(recorded.source.status().connected).toBe(false));
  proxy.thaw();
  await reconnected(recorded, 1);
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 20));
  plant.stop();
  await settled('half-open', plant, recorded);
  expect(fetched(recorded)).toHaveLength(1);
});

test('a cut longer than the session: the subscription is transferred', async () => {
  const server = await serve({ users: { operator: 'secret' } });
  server.addSeries('T');
  const sessions: ServerSession[] = [];
  server.server.on('create_session', (session: ServerSession) => sessions.push(session));
  const { proxy, endpoint } = await proxied(server);
  const user = { username: 'operator', password: 'secret' };
  const reconnect = { minMs: 500, maxMs: 500 };
  const { plant, recorded } = await running({ endpoint, reconnect, ...user }, server);
  proxy.cut();
  // As the server does when the session's time is over: the subscription stays.
  for (const { authenticationToken } of sessions.splice(0)) {
    server.server.engine.closeSession(authenticationToken, false, 'Timeout');
  }
  await reconnected(recorded, 1);
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 20));
  plant.stop();
  await until(() => expect(fetched(recorded)).toHaveLength(1));
  await settled('cut longer than the session, transferred', plant, recorded);
  expect(fetched(recorded)).toHaveLength(1);
});

test('a cut longer than the session and the subscription: the history fills the gap', async () => {
  const server = await serve();
  server.addSeries('T', 100_000);
  const sessions: ServerSession[] = [];
  server.server.on('create_session', (session: ServerSession) => sessions.push(session));
  const { proxy, endpoint } = await proxied(server);
  const reconnect = { minMs: 500, maxMs: 500 };
  const { plant, recorded } = await running({ endpoint, reconnect }, server);
  proxy.cut();
  for (const { authenticationToken } of sessions.splice(0)) {
    server.server.engine.closeSession(authenticationToken, true, 'Timeout');
  }
  await reconnected(recorded, 1);
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 20));
  plant.stop();
  await settled('cut longer than session and subscription, from history', plant, recorded);
  expect(fetched(recorded)).toEqual([]);
  expect(recorded.infos.join()).toContain('the server kept nothing from before');
  expect(stepsBack(recorded.readings)).toBe(0);
});

test('a cut longer than the session, by time: what the server kept is there all the same', async () => {
  const server = await serve();
  server.addSeries('T', 100_000);
  const { proxy, endpoint } = await proxied(server);
  const reconnect = { minMs: 6000, maxMs: 6000 };
  const { plant, recorded } = await running({ endpoint, sessionTimeoutMs: 1000, reconnect }, server);
  proxy.cut();
  await until(() => expect(server.server.engine.currentSessionCount).toBe(0));
  await reconnected(recorded, 1);
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 20));
  plant.stop();
  await settled('cut of 6 to 9 s, session of 1 s', plant, recorded);
});

test("the server's certificate changes: a trusted one works, another one as soon as it is trusted", async () => {
  const pki = ['a', 'b', 'c'].map((name) => join(folder, `server-${name}`));
  const certificatesFolder = join(folder, 'client');
  const trusted = join(certificatesFolder, 'trusted', 'certs');
  mkdirSync(trusted, { recursive: true });
  const start = async (index: number, port = 0): Promise<TestServer> => {
    const server = await startTestServer({ port, pkiFolder: pki[index] ?? '' });
    server.addSeries('T', 100_000);
    return server;
  };
  const trust = (server: TestServer, name: string): void =>
    copyFileSync(server.certificateFile, join(trusted, name));

  const first = await start(0);
  trust(first, 'a.pem');
  const plant = new Plant();
  plant.write(first);
  const secure = {
    certificatesFolder,
    securityMode: 'SignAndEncrypt',
    securityPolicy: 'Basic256Sha256',
    reconnect: { minMs: 50, maxMs: 60_000 },
  } as const;
  const recorded = record({ ...secure, endpoint: first.endpoint });
  await until(() => expect(recorded.readings).toHaveLength(1));
  await first.close();
  await until(() => expect(recorded.source.status().connected).toBe(false));

  // Unknown: refused, and taken within a moment of being trusted although the next attempt is a minute away.
  const second = await start(1, first.port);
  for (let i = 0; i < 20; i += 1) plant.write(second);
  await until(() => expect(recorded.source.status().detail).toContain('BadCertificateUntrusted'), 60_000);
  expect(recorded.source.status().detail).toContain(
    `from ${join(certificatesFolder, 'rejected')} to ${trusted}`,
  );
  expect(recorded.readings).toHaveLength(1);
  for (const name of readdirSync(join(certificatesFolder, 'rejected'))) {
    renameSync(join(certificatesFolder, 'rejected', name), join(trusted, name));
  }
  await reconnected(recorded, 1);
  await settled('certificate changed, trusted later', plant, recorded);
  await second.close();

  // Trusted beforehand.
  await recorded.source.close();
  const third = await start(2, first.port);
  cleanups.push(() => third.close());
  trust(third, 'c.pem');
  const before = plant.sent.length;
  for (let i = 0; i < 20; i += 1) plant.write(third);
  const newest = () => plant.sent[before - 1]?.time ?? 0;
  const next = record({ ...secure, endpoint: third.endpoint }, { newest });
  await settled('certificate changed, trusted before', plant, next, before);
  expect(next.warnings).toEqual([]);
}, 120_000);

test('the server restarts: its history has what was measured before and meanwhile', async () => {
  let server = await serve();
  server.addSeries('T', 100_000);
  const { plant, recorded } = await running({ endpoint: server.endpoint }, server);
  await until(() => expect(plant.sent.length).toBeGreaterThan(30));
  plant.stop();
  await settled('before the restart', plant, recorded);
  await server.close();
  await until(() => expect(recorded.source.status().connected).toBe(false));
  const next = await startTestServer({ port: server.port });
  cleanups.push(() => next.close());
  server = next;
  server.addSeries('T', 100_000);
  for (let i = 0; i < 300; i += 1) plant.write(server, 'T', Date.now() - 300 + i);
  plant.start(server);
  await reconnected(recorded, 1);
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 20));
  plant.stop();
  await settled('server restarted, from history', plant, recorded);
  expect(recorded.source.status().problems).toEqual({});
});

test('a node that is removed and added again: its history fills the gap, others lose nothing', async () => {
  const server = await serve();
  server.addSeries('T', 100_000);
  server.addSeries('V', 100_000);
  const other = new Plant();
  other.write(server, 'V');
  const nodes = { 'R101/temperature': 'ns=2;s=T', 'R101/v': 'ns=2;s=V' };
  const plant = new Plant();
  plant.write(server);
  const recorded = record({ endpoint: server.endpoint, nodes }, { retryNodesMs: 200 });
  await until(() => expect(recorded.readings).toHaveLength(2));
  plant.start(server);
  server.remove('V');
  await until(() => expect(Object.keys(recorded.source.status().problems)).toEqual(['R101/v']));
  server.addSeries('V', 100_000);
  for (let i = 0; i < 50; i += 1) other.write(server, 'V');
  await until(() => expect(recorded.source.status().problems).toEqual({}));
  for (let i = 0; i < 50; i += 1) other.write(server, 'V');
  await until(() => expect(recorded.values('v')).toContain(101));
  plant.stop();
  const of = (sensor: string): Recorded => ({
    ...recorded,
    readings: recorded.readings.filter((reading) => reading.sensor === sensor),
  });
  await until(() => expect(count(other, of('v').readings).lost).toBe(0));
  await settled('node removed and added again', other, of('v'));
  await settled('its neighbour', plant, of('temperature'));
  expect(recorded.source.status().reconnects).toBe(0);
});

test('after a crash of the service a short gap comes before what is live, in order and not marked', async () => {
  const server = await serve();
  server.addSeries('T', 100_000);
  const plant = new Plant();
  for (let i = 0; i < 1500; i += 1) plant.write(server, 'T', Date.now() - 60_000 + i);
  plant.start(server);
  const committed = plant.sent[99]?.time ?? 0;
  const recorded = record({ endpoint: server.endpoint }, { newest: () => committed });
  await until(() => expect(recorded.readings.length).toBeGreaterThan(1450));
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 20));
  plant.stop();
  // The first 99 were committed before the crash.
  await settled('service crashed, short gap', plant, recorded, 99);
  expect(stepsBack(recorded.readings)).toBe(0);
  expect(recorded.readings.filter(({ received }) => received?.backfilled === true)).toEqual([]);
});

test('after a crash a long gap comes alongside what is live, marked, in bounded pages', async () => {
  const server = await serve();
  server.addSeries('T', 100_000);
  const plant = new Plant();
  for (let i = 0; i < 8000; i += 1) plant.write(server, 'T', Date.now() - 60_000 + i);
  const history = { enabled: true, maxHours: 24, pageSize: 500, maxRatePerS: 5000 };
  const recorded = record({ endpoint: server.endpoint, history }, { newest: () => plant.sent[0]?.time ?? 0 });
  await until(() => expect(recorded.readings.length).toBeGreaterThan(2500));
  plant.start(server);
  const marked = () => recorded.readings.filter(({ received }) => received?.backfilled === true);
  await until(() => expect(marked().length).toBeGreaterThan(0));
  // While paused, at most the pages that were asked for arrive, and nothing is emitted.
  recorded.source.pause();
  const emitted = recorded.readings.length;
  await sleep(500);
  expect(recorded.readings.length).toBe(emitted);
  recorded.source.resume();
  await until(() => expect(marked().length).toBeGreaterThan(5000));
  plant.stop();
  await settled('service crashed, long gap', plant, recorded);
  const times = marked().map(({ timestamp }) => timestamp);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(recorded.source.status()).toMatchObject({ reconnects: 0, problems: {} });
});

test('a crash in the middle of filling a gap: the next process goes on filling it', async () => {
  const server = await serve();
  server.addSeries('T', 100_000);
  const plant = new Plant();
  for (let i = 0; i < 6000; i += 1) plant.write(server, 'T', Date.now() - 60_000 + i);
  const history = { enabled: true, maxHours: 24, pageSize: 500, maxRatePerS: 4000 };
  const settings = { endpoint: server.endpoint, history };
  const first = record(settings, { newest: () => plant.sent[0]?.time ?? 0 });
  plant.start(server);
  await until(() => expect(first.readings.length).toBeGreaterThan(3000));
  // A commit as the service makes it: what has come so far, and the note; then the process is gone.
  const stored = [...first.readings];
  const note = first.source.note?.();
  first.source.commit(stored.at(-1)?.received?.position ?? 0);
  await first.source.close();
  const live = stored.filter(({ received }) => received?.backfilled !== true);
  const newest = Math.max(...live.map(({ timestamp }) => timestamp));
  expect(count(plant, stored).lost).toBeGreaterThan(1000);
  expect(note).toMatch(/^\{"gaps":\[\["R101\/temperature",\d+,\d+\]\]\}$/);

  const next = record(settings, { newest: () => newest, ...(note !== undefined && { note }) });
  await until(() => expect(count(plant, [...stored, ...next.readings]).lost).toBeLessThan(100));
  plant.stop();
  await until(() => expect(count(plant, [...stored, ...next.readings]).lost).toBe(0));
  // Nothing is noted any more once all of it is durable.
  await until(() => {
    next.source.commit(next.readings.at(-1)?.received?.position ?? 0);
    expect(next.source.note?.()).toBe('');
  });
});

test('the history goes back no further than configured, and may be off', async () => {
  const server = await serve();
  server.addSeries('T', 100_000);
  const plant = new Plant();
  const start = Date.now() - 7_200_000;
  for (let i = 0; i < 120; i += 1) plant.write(server, 'T', start + i * 60_000);
  const newest = () => start;
  const history = { enabled: true, maxHours: 1, pageSize: 10, maxRatePerS: 1e6 };
  const one = record({ endpoint: server.endpoint, history }, { newest });
  const none = record({ endpoint: server.endpoint, history: { ...history, enabled: false } }, { newest });
  await until(() => expect(one.readings.length).toBe(61));
  await until(() => expect(none.readings.length).toBe(1));
  expect(one.readings.map(({ value }) => value)).toEqual(Array.from({ length: 61 }, (_, i) => 60 + i));
});

test("what the server's queue had no room for is reported, and filled in from the history", async () => {
  const server = await serve();
  server.addSeries('T', 100_000);
  const { plant, recorded } = await running({ endpoint: server.endpoint, queueSize: 5 }, server);
  recorded.source.pause();
  const paused = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(paused + 100));
  recorded.source.resume();
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 20));
  plant.stop();
  await settled('queue overflowed in a pause, from history', plant, recorded);
  expect(recorded.warnings.join()).toContain("the server's queue overflowed");
  expect(recorded.source.status()).toMatchObject({ reconnects: 0 });
});

test('paused with full hands it disconnects, and loses nothing when it is resumed', async () => {
  const server = await serve();
  server.addSeries('T');
  const { plant, recorded } = await running({ endpoint: server.endpoint }, server, { holdCapacity: 3 });
  // Paused in the middle of a message: the rest of it is in hand already.
  recorded.source.events.subscribe((event) => {
    if (!isDeadLetter(event) && event.value === 40) recorded.source.pause();
  });
  await until(() => expect(plant.sent.length).toBeGreaterThan(20));
  for (let i = 0; i < 50; i += 1) plant.write(server);
  await until(() => expect(recorded.source.status().detail).toContain('paused with 3 readings in hand'));
  const emitted = recorded.readings.length;
  const last = plant.sent.length;
  await until(() => expect(plant.sent.length).toBeGreaterThan(last + 50));
  expect(recorded.readings.length).toBe(emitted);
  recorded.source.resume();
  await reconnected(recorded, 1);
  plant.stop();
  await settled('disconnected with full hands', plant, recorded);
});
