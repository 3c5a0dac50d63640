import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStoreReadOnly } from '../../src/store/duckdb.ts';
import { hasMosquitto } from '../support/mosquitto.ts';
import { run, steps } from './serviceProcess.ts';
import type { RunProcess } from './serviceProcess.ts';
import { configFile, mosquitto, publisher, start, tempFolder, until } from './serviceRig.ts';

const running = (process: RunProcess): Promise<string> =>
  until(() => {
    const address = process.address();
    if (address === null) throw new Error(`not running: ${process.stdout()}${process.stderr()}`);
    return address;
  });

describe.skipIf(!hasMosquitto())('SIGTERM under load (needs mosquitto)', () => {
  test('ends with 0 after five steps; what the broker no longer holds is in the store', async () => {
    const broker = await mosquitto();
    const folder = tempFolder();
    const file = configFile(
      `sources: [ { id: plant, type: mqtt, url: "${broker.url}", clientId: rxtwin, cleanSession: false } ]`,
      folder,
    );
    const process = run([file], folder);
    const address = await running(process);
    await until(async () => expect((await fetch(`${address}/health/ready`)).status).toBe(200));
    const client = await publisher(broker.url);
    let sent = 0;
    const stopSending = new AbortController();
    const load = (async () => {
      while (!stopSending.signal.aborted) {
        const some = Array.from({ length: 50 }, () => {
          sent += 1;
          const payload = JSON.stringify({
            value: 80 + (sent % 7),
            timestamp: 1_760_000_000_000 + sent * 10,
          });
          return client.publishAsync('reactor/R101/sensor/temperature', payload, { qos: 1 });
        });
        await Promise.all(some);
      }
    })();
    const acks = (): number => broker.log().split('Received PUBACK from rxtwin ').length - 1;
    await until(() => expect(acks()).toBeGreaterThan(2000));
    process.child.kill('SIGTERM');
    expect(await process.ended).toBe(0);
    stopSending.abort();
    await load;
    expect(steps(process)).toEqual([1, 2, 3, 4, 5]);

    const store = await openStoreReadOnly(join(folder, 'data', 'store.duckdb'));
    const query = { asset: 'R101', sensor: 'temperature', start: 0, end: 8e15, limit: 1_000_000 };
    const rows = (await store.range(query)).filter(({ raw }) => raw !== null);
    await store.close();
    const stored = rows.map(({ timestamp }) => (timestamp - 1_760_000_000_000) / 10);
    // One sender over one connection, so the broker's order is the order of sending: no gap in what was taken in.
    expect(stored).toEqual(Array.from({ length: stored.length }, (_, i) => i + 1));
    expect(stored.length).toBeLessThan(sent);
    // All that was committed was acknowledged, and nothing else.
    await until(() => expect(acks()).toBe(stored.length));
  });

  test('a second signal ends the process at once with 1', async () => {
    const broker = await mosquitto();
    const folder = tempFolder();
    const file = configFile(
      `sources: [ { id: plant, type: mqtt, url: "${broker.url}", clientId: rxtwin } ]`,
      folder,
    );
    const process = run([file], folder);
    const address = await running(process);
    await until(async () => expect((await fetch(`${address}/health/ready`)).status).toBe(200));
    // A broker that does not answer: the orderly end has to wait for it.
    broker.signal('SIGSTOP');
    process.child.kill('SIGTERM');
    await until(() => expect(steps(process)).toContain(3));
    process.child.kill('SIGTERM');
    expect(await process.ended).toBe(1);
    expect(steps(process)).not.toContain(5);
    broker.signal('SIGCONT');
  });
});

describe('a start that cannot succeed ends with 1 and one line', () => {
  test('port in use', async () => {
    const { port } = new URL((await start('')).address);
    const process = run([configFile(`\napi: { port: ${port} }`)]);
    expect(await process.ended).toBe(1);
    expect(process.stderr().trim()).toMatch(new RegExp(`^error: .*${port}.*$`));
    expect(process.stderr().trim()).not.toContain('\n');
  });

  test('store in use by another process', async () => {
    const folder = tempFolder();
    await start('', folder);
    const process = run([configFile('', folder)]);
    expect(await process.ended).toBe(1);
    expect(process.stderr().trim()).toMatch(/^error: .*store\.duckdb.*(lock|use)/i);
    expect(process.stderr().trim()).not.toContain('\n');
  });

  test('store that is no database', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'data'));
    writeFileSync(
      join(folder, 'data', 'store.duckdb'),
      'not a database, but long enough to look at'.repeat(200),
    );
    const process = run([configFile('', folder)]);
    expect(await process.ended).toBe(1);
    expect(process.stderr().trim()).toMatch(/^error: .*store\.duckdb/);
    expect(process.stderr().trim()).not.toContain('\n');
  });
});
