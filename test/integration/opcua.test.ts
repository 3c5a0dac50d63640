import type { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataType, MonitoringMode, StatusCodes } from 'node-opcua';
import type { MonitoredItem, ServerSession } from 'node-opcua';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { OpcuaSourceConfig } from '../../config/types.ts';
import { startTcpProxy } from '../fakes/tcpProxy.ts';
import { startTestServer } from '../support/opcuaServer.ts';
import type { TestServer } from '../support/opcuaServer.ts';
import { recordOpcua } from '../support/opcuaSource.ts';
import type { RecordOptions, Recorded } from '../support/opcuaSource.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxtwin-test-pki-'));
let server: TestServer;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startTestServer();
  for (const name of ['T', 'T.SV', 'P']) server.add(name, DataType.Double, 1);
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const until = (condition: () => void, timeout = 10_000): Promise<void> =>
  vi.waitFor(condition, { timeout, interval: 20 });

function record(settings: Partial<OpcuaSourceConfig>, options?: RecordOptions): Recorded {
  const recorded = recordOpcua(
    { endpoint: server.endpoint, certificatesFolder: folder, ...settings },
    options,
  );
  cleanups.push(() => recorded.source.close());
  return recorded;
}

for (const mode of ['subscription', 'polling'] as const) {
  describe(mode, () => {
    test('gives value, source time, unit and position of PV and SV nodes', async () => {
      const at = new Date(Date.now() - 5000);
      server.set('T', 85.25, StatusCodes.Good, at);
      server.set('T.SV', 86);
      const nodes = { 'R101/temperature': 'ns=2;s=T', 'R101/temperature_sv': 'ns=2;s=T.SV' };
      const { source, readings } = record({ mode, nodes, units: { 'R101/temperature': 'degC' } });
      await until(() => expect(readings.length).toBeGreaterThanOrEqual(2));
      expect(readings.slice(0, 2)).toMatchObject([
        {
          asset: 'R101',
          sensor: 'temperature',
          value: 85.25,
          timestamp: at.getTime(),
          unit: 'degC',
          quality: 'Good',
          issues: [],
          received: { source: 'plc', position: 41, value: 85.25, quality: 'Good' },
        },
        { sensor: 'temperature_sv', value: 86, unit: '', received: { position: 42 } },
      ]);
      expect(source.status()).toEqual({
        connected: true,
        detail: `connected to ${server.endpoint}, 2 nodes by ${mode}`,
        reconnects: 0,
        problems: {},
      });
    });

    test('maps status codes, and passes no Bad value on', async () => {
      server.set('T', 10);
      const { readings } = record({ mode });
      await until(() => expect(readings.at(-1)).toMatchObject({ value: 10, quality: 'Good' }));
      server.set('T', 11, StatusCodes.UncertainLastUsableValue);
      await until(() =>
        expect(readings.at(-1)).toMatchObject({
          value: 11,
          quality: 'Uncertain',
          issues: [{ check: 'source', message: 'UncertainLastUsableValue' }],
        }),
      );
      server.set('T', 12, StatusCodes.BadSensorFailure);
      await until(() =>
        expect(readings.at(-1)).toMatchObject({
          value: null,
          quality: 'Bad',
          issues: [{ check: 'source', message: 'BadSensorFailure' }],
          received: { value: null, quality: 'Bad' },
        }),
      );
    });

    test('reports a bad node beside good ones', async () => {
      server.set('T', 20);
      const nodes = { 'R101/a': 'ns=2;s=Nope', 'R101/temperature': 'ns=2;s=T', 'R101/b': 'nonsense' };
      const { source, readings, letters } = record({ mode, nodes });
      await until(() => expect(readings).toHaveLength(1));
      server.set('T', 21);
      await until(() => expect(readings.at(-1)).toMatchObject({ sensor: 'temperature', value: 21 }));
      expect(readings.every(({ sensor }) => sensor === 'temperature')).toBe(true);
      expect(letters).toEqual([]);
      expect(source.status()).toMatchObject({
        connected: true,
        problems: { 'R101/a': 'BadNodeIdUnknown (ns=2;s=Nope)' },
      });
      expect(source.status().problems['R101/b']).toContain('nonsense is not a node id');
    });

    test('tells once of a node that vanishes, and takes it up again when it is back', async () => {
      server.add('V', DataType.Double, 5);
      const nodes = { 'R101/v': 'ns=2;s=V', 'R101/temperature': 'ns=2;s=T' };
      const { source, readings, values } = record({ mode, nodes }, { retryNodesMs: 100 });
      await until(() => expect(values('v')).toContain(5));
      server.remove('V');
      await until(() => {
        expect(source.status().problems['R101/v']).toMatch(/^BadNodeId(Unknown|Invalid) \(ns=2;s=V\)$/);
      });
      const bad = readings.filter((r) => r.sensor === 'v' && r.quality === 'Bad');
      expect(bad.map(({ value }) => value)).toEqual([null]);
      expect(bad[0]?.issues[0]?.message).toMatch(/^BadNodeId(Unknown|Invalid)$/);
      server.set('T', 31);
      await until(() => expect(values('temperature').at(-1)).toBe(31));
      server.add('V', DataType.Double, 6);
      await until(() => expect(values('v').at(-1)).toBe(6));
      server.set('V', 7);
      await until(() => expect(values('v').at(-1)).toBe(7));
      expect(source.status()).toMatchObject({ reconnects: 0, problems: {} });
      server.remove('V');
    });

    test('emits nothing between pause and resume', async () => {
      server.set('T', 1);
      const { source, readings, values } = record({ mode });
      await until(() => expect(readings.length).toBeGreaterThan(0));
      source.pause();
      const count = readings.length;
      const other = record({ mode, id: 'other' });
      for (const value of [2, 3, 4]) {
        server.set('T', value);
        await until(() => expect(other.values('temperature').at(-1)).toBe(value));
      }
      expect(readings).toHaveLength(count);
      source.resume();
      await until(() => expect(values('temperature').at(-1)).toBe(4));
      // The server's queue kept what a subscription missed; a poll sees the present only.
      const seen = [...new Set(values('temperature'))];
      expect(seen).toEqual(mode === 'subscription' ? [1, 2, 3, 4] : [1, 4]);
      expect(source.status()).toMatchObject({ reconnects: 0 });
      const positions = readings.map((r) => r.received?.position);
      expect(positions).toEqual(readings.map((_, index) => 41 + index));
    });

    test('stops taking but stays connected, then closes and completes', async () => {
      const own = await startTestServer();
      cleanups.push(() => own.close());
      own.add('T', DataType.Double, 1);
      const recorded = record({ mode, endpoint: own.endpoint });
      const { source, readings } = recorded;
      await until(() => expect(readings.length).toBeGreaterThan(0));
      await source.stop();
      const count = readings.length;
      const other = record({ mode, id: 'other', endpoint: own.endpoint });
      own.set('T', 99);
      await until(() => expect(other.values('temperature').at(-1)).toBe(99));
      expect(readings).toHaveLength(count);
      expect(source.status().connected).toBe(true);
      await Promise.all([source.close(), source.close()]);
      expect(recorded.completed).toBe(true);
      expect(source.status().connected).toBe(false);
      await other.source.close();
      await until(() => expect(own.server.engine.currentSessionCount).toBe(0));
      expect(own.server.engine.currentSubscriptionCount).toBe(0);
    });

    test('comes back after the server went away and started again', async () => {
      let own = await startTestServer();
      cleanups.push(() => own.close());
      own.add('T', DataType.Double, 1);
      const { source, readings, values } = record({ mode, endpoint: own.endpoint });
      await until(() => expect(values('temperature')).toContain(1));
      await own.close();
      await until(() => expect(source.status()).toMatchObject({ connected: false }));
      expect(source.status().detail).toMatch(/^not connected to opc\.tcp:\/\/127\.0\.0\.1:\d+: ./);
      own = await startTestServer({ port: own.port });
      own.add('T', DataType.Double, 2);
      await until(() => expect(values('temperature').at(-1)).toBe(2));
      own.set('T', 3);
      await until(() => expect(values('temperature').at(-1)).toBe(3));
      expect(source.status()).toMatchObject({ connected: true, reconnects: 1 });
      const positions = readings.map((r) => r.received?.position ?? 0);
      expect(positions).toEqual(positions.map((_, index) => 41 + index));
    });

    test('watchdog: a connection that went silent is given up and built anew', async () => {
      const proxy = await startTcpProxy(server.port);
      cleanups.push(() => proxy.close());
      server.set('T', 1);
      const endpoint = `opc.tcp://127.0.0.1:${proxy.port}`;
      const { source, values, warnings } = record({ mode, endpoint, watchdogMs: 600 });
      await until(() => expect(values('temperature')).toContain(1));
      proxy.freeze();
      await until(() => expect(source.status().connected).toBe(false));
      expect(warnings.join()).toMatch(/nothing heard for \d+ ms|does not answer/);
      proxy.thaw();
      server.set('T', 2);
      await until(() => expect(values('temperature').at(-1)).toBe(2), 20_000);
      expect(source.status().reconnects).toBe(1);
    });
  });
}

test('waits for a server that is not there yet', async () => {
  const first = await startTestServer();
  await first.close();
  const { source, values, warnings } = record({ endpoint: first.endpoint });
  await until(() => expect(source.status().detail).toContain('not connected'));
  expect(warnings).toHaveLength(1);
  const late = await startTestServer({ port: first.port });
  cleanups.push(() => late.close());
  late.add('T', DataType.Double, 7);
  await until(() => expect(values('temperature')).toEqual([7]));
  expect(source.status()).toMatchObject({ connected: true, reconnects: 0 });
});

test('a quiet but living subscription is not given up', async () => {
  server.set('T', 1);
  const { source, values } = record({ watchdogMs: 400, trigger: 'statusValue' });
  await until(() => expect(values('temperature')).toEqual([1]));
  const started = Date.now();
  await until(() => expect(Date.now() - started).toBeGreaterThan(1500));
  server.set('T', 2);
  await until(() => expect(values('temperature')).toEqual([1, 2]));
  expect(source.status()).toMatchObject({ connected: true, reconnects: 0 });
});

test('the trigger decides whether the same value measured anew is reported', async () => {
  server.set('T', 5);
  const withTime = record({ id: 'a' });
  const without = record({ id: 'b', trigger: 'statusValue' });
  await until(() => expect(withTime.readings.length * without.readings.length).toBe(1));
  for (let i = 1; i <= 3; i += 1) {
    server.set('T', 5, StatusCodes.Good, new Date(Date.now() + i));
    await until(() => expect(withTime.values('temperature')).toHaveLength(1 + i));
  }
  server.set('T', 6);
  await until(() => expect(without.values('temperature')).toEqual([5, 6]));
});

test('what is no finite number becomes a dead letter, all kinds of numbers a value', async () => {
  server.add('S', DataType.String, 'hot');
  server.add('B', DataType.Boolean, true);
  server.add('A', DataType.Double, Float64Array.from([1, 2]), true);
  server.add('N', DataType.Double, Number.NaN);
  server.add('I64', DataType.Int64, [0xffffffff, 0xfffffffe]);
  server.add('U64', DataType.UInt64, [1, 5]);
  server.add('I16', DataType.Int16, -7);
  server.add('F', DataType.Float, 0.5);
  const names = ['S', 'B', 'A', 'N', 'I64', 'U64', 'I16', 'F'];
  const nodes = Object.fromEntries(names.map((name) => [`R101/${name}`, `ns=2;s=${name}`]));
  const { letters, readings, values } = record({ nodes });
  // NaN differs from itself, so the server may report it at each sampling.
  const origins = () => new Set(letters.map(({ origin }) => origin));
  await until(() => expect(origins().size + readings.length).toBe(8));
  expect(letters.slice(0, 4).map(({ reason, origin, detail }) => [origin, reason, detail])).toEqual([
    ['ns=2;s=S', 'badValue', 'value is a String, expected a number'],
    ['ns=2;s=B', 'badValue', 'value is a Boolean, expected a number'],
    ['ns=2;s=A', 'badValue', 'value is an array of Double, expected a number'],
    ['ns=2;s=N', 'notFinite', 'value is NaN, expected a finite number'],
  ]);
  expect(letters[0]?.payload).toContain('hot');
  expect([values('I64'), values('U64'), values('I16'), values('F')]).toEqual([
    [-2],
    [2 ** 32 + 5],
    [-7],
    [0.5],
  ]);
});

test('keeps to the limits of the server', async () => {
  const own = await startTestServer({ maxNodesPerRead: 3, maxMonitoredItemsPerCall: 3 });
  cleanups.push(() => own.close());
  const nodes: Record<string, string> = {};
  for (let i = 0; i < 10; i += 1) {
    own.add(`N${i}`, DataType.Double, i);
    nodes[`R101/n${i}`] = `ns=2;s=N${i}`;
  }
  for (const mode of ['subscription', 'polling'] as const) {
    const { readings, source } = record({ endpoint: own.endpoint, nodes, mode });
    await until(() => expect(readings.length).toBeGreaterThanOrEqual(10));
    expect(readings.slice(0, 10).map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(source.status().problems).toEqual({});
  }
});

/** The server forgets to sample: keep-alives go on, notifications do not come, reads work. */
function stickItems(seen: MonitoredItem[]): void {
  for (const item of seen.splice(0)) item.setMonitoringMode(MonitoringMode.Disabled);
}

function collectItems(own: TestServer): MonitoredItem[] {
  const seen: MonitoredItem[] = [];
  own.server.on('create_session', (session: ServerSession) => {
    session.on('new_subscription', (subscription: EventEmitter) => {
      subscription.on('monitoredItem', (item: MonitoredItem) => seen.push(item));
    });
  });
  return seen;
}

test('a subscription that is alive but stuck is built anew; a node that stays stuck is taken up alone', async () => {
  const own = await startTestServer();
  cleanups.push(() => own.close());
  own.add('T', DataType.Double, 1);
  const items = collectItems(own);
  const { source, values, warnings } = record(
    { endpoint: own.endpoint, watchdogMs: 300 },
    { retryNodesMs: 200 },
  );
  await until(() => expect(values('temperature')).toEqual([1]));
  stickItems(items);
  own.set('T', 2);
  await until(() => expect(values('temperature').at(-1)).toBe(2));
  expect(warnings.join()).toContain('subscription stuck: ns=2;s=T changes without a notification');
  expect(source.status().reconnects).toBe(1);

  stickItems(items);
  own.set('T', 3);
  await until(() => expect(values('temperature').at(-1)).toBe(3));
  expect(warnings.join()).toContain('node cannot be read');
  expect(source.status()).toMatchObject({ connected: true, reconnects: 1, problems: {} });
});

test.each(['subscription', 'polling'] as const)('%s: a long pause is no outage', async (mode) => {
  server.set('T', 1);
  const { source, values } = record({ mode, watchdogMs: 300 });
  await until(() => expect(values('temperature')).toContain(1));
  source.pause();
  const started = Date.now();
  await until(() => expect(Date.now() - started).toBeGreaterThan(1000));
  server.set('T', 2);
  source.resume();
  await until(() => expect(values('temperature').at(-1)).toBe(2));
  expect(source.status()).toMatchObject({ connected: true, reconnects: 0 });
});

test('logs in with a user name, and says why it cannot', async () => {
  const own = await startTestServer({ users: { operator: 'secret' } });
  cleanups.push(() => own.close());
  own.add('T', DataType.Double, 3);
  const good = record({ endpoint: own.endpoint, username: 'operator', password: 'secret' });
  await until(() => expect(good.values('temperature')).toEqual([3]));
  const wrong = record({ endpoint: own.endpoint, username: 'operator', password: 'guess' });
  await until(() => expect(wrong.source.status().detail).toMatch(/BadUserAccessDenied|BadIdentityToken/));
  expect(JSON.stringify(wrong.source.status()) + wrong.warnings.join()).not.toContain('guess');
});

test('an untrusted server is refused with the way to trust it, which works', async () => {
  const certificatesFolder = mkdtempSync(join(folder, 'secure-'));
  server.set('T', 4);
  const { source, values } = record({
    certificatesFolder,
    securityMode: 'SignAndEncrypt',
    securityPolicy: 'Basic256Sha256',
  });
  await until(() => expect(source.status().detail).toContain('BadCertificateUntrusted'));
  const rejected = join(certificatesFolder, 'rejected');
  const trusted = join(certificatesFolder, 'trusted', 'certs');
  expect(source.status().detail).toContain(`from ${rejected} to ${trusted}`);
  expect(values('temperature')).toEqual([]);
  await until(() => expect(readdirSync(rejected)).toHaveLength(1));
  for (const name of readdirSync(rejected)) renameSync(join(rejected, name), join(trusted, name));
  await until(() => expect(values('temperature')).toEqual([4]));
});

test('a certificates folder that cannot be used gives a clear message', async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  const { source } = record({ certificatesFolder: join(file, 'pki') });
  await until(() =>
    expect(source.status().detail).toContain(`certificatesFolder ${join(file, 'pki')} cannot be used`),
  );
});

test('closes in the middle of connecting', async () => {
  const proxy = await startTcpProxy(server.port);
  cleanups.push(() => proxy.close());
  proxy.freeze();
  const recorded = record({ endpoint: `opc.tcp://127.0.0.1:${proxy.port}` });
  await until(() => expect(recorded.source.status().detail).toContain('connecting'));
  const started = Date.now();
  await recorded.source.close();
  expect(Date.now() - started).toBeLessThan(5000);
  expect(recorded.completed).toBe(true);
  expect(recorded.readings).toEqual([]);
});
