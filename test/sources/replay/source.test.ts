import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualTimeScheduler } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createReplaySource } from '../../../src/sources/replay/source.ts';
import { isDeadLetter } from '../../../src/sources/source.ts';
import type { Source, SourceEvent } from '../../../src/sources/source.ts';

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'rxtwin-replay-source-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `${(from + i) * 1000},R101,t,${from + i}\n`).join('');

interface Options {
  readonly lastPosition?: number;
  readonly speed?: number;
  readonly scheduler?: SchedulerLike;
}

function open(files: readonly string[], { lastPosition = 0, speed, scheduler }: Options = {}): Source {
  const log = { info: () => undefined, warn: () => undefined };
  const config = { id: 'recorded', type: 'replay', files, speed: speed ?? null } as const;
  const newest = (): Promise<null> => Promise.resolve(null);
  const context = { now: () => 1_700_000_000_000, lastPosition, delivered: [], newest, log };
  return createReplaySource(config, context, scheduler);
}

const all = (source: Source): Promise<SourceEvent[]> =>
  new Promise((resolve, reject) => {
    const events: SourceEvent[] = [];
    source.events.subscribe({
      next: (event) => events.push(event),
      error: reject,
      complete: () => resolve(events),
    });
  });

const values = (events: readonly SourceEvent[]): (number | null | string)[] =>
  events.map((event) => (isDeadLetter(event) ? event.reason : event.value));

const positions = (events: readonly SourceEvent[]): (number | undefined)[] =>
  events.map((event) => (isDeadLetter(event) ? event.position : event.received?.position));

describe('the replay source', () => {
  test('reads its files in order, counts lines over all of them, and completes', async () => {
    const a = file('a.csv', `timestamp,asset,sensor,value\n${rows(0, 2)}bad line\n`);
    const b = file('b.ndjson', '{"timestamp":5000,"asset":"R101","sensor":"t","value":5}\n');
    const source = open([a, b]);
    const events = await all(source);
    expect(values(events)).toEqual([0, 1, 'malformed', 5]);
    expect(positions(events)).toEqual([2, 3, 4, 5]);
    expect(
      events.every(
        (event) => (isDeadLetter(event) ? event : event.received)?.arrivedAt === 1_700_000_000_000,
      ),
    ).toBe(true);
    expect(source.status()).toMatchObject({ connected: false, detail: `done: ${b}` });
  });

  test('goes on after the last committed position', async () => {
    const a = file('c.csv', `timestamp,asset,sensor,value\n${rows(0, 3)}`);
    const b = file('d.csv', `timestamp,asset,sensor,value\n${rows(3, 6)}`);
    expect(values(await all(open([a, b], { lastPosition: 3 })))).toEqual([2, 3, 4, 5]);
    expect(values(await all(open([a, b], { lastPosition: 7 })))).toEqual([5]);
    expect(values(await all(open([a, b], { lastPosition: 8 })))).toEqual([]);
  });

  test('pause holds exactly: not one reading more until resume, and none is lost', async () => {
    const source = open([file('p.csv', `timestamp,asset,sensor,value\n${rows(0, 20_000)}`)]);
    const seen: (number | null)[] = [];
    let done = false;
    source.events.subscribe({
      next: (event) => {
        if (!isDeadLetter(event)) seen.push(event.value);
        if (seen.length % 3000 === 0) source.pause();
      },
      complete: () => (done = true),
    });
    for (const held of [3000, 6000, 9000, 12_000, 15_000, 18_000]) {
      await vi.waitFor(() => expect(seen.length).toBe(held));
      await new Promise((resolve) => setImmediate(resolve));
      expect(seen.length).toBe(held);
      source.resume();
    }
    await vi.waitFor(() => expect(done).toBe(true));
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
  });

  test('speed paces readings by their recorded times', async () => {
    const scheduler = new VirtualTimeScheduler();
    const path = file(
      's.csv',
      'timestamp,asset,sensor,value\n0,R101,t,0\n10000,R101,t,1\n5000,R101,t,2\n86400000,R101,t,3\n',
    );
    const seen: [number | null, number][] = [];
    let done = false;
    open([path], { speed: 10, scheduler }).events.subscribe({
      next: (event) => seen.push([isDeadLetter(event) ? null : event.value, scheduler.now()]),
      complete: () => (done = true),
    });
    await vi.waitFor(() => {
      scheduler.flush();
      expect(done).toBe(true);
    });
    expect(seen).toEqual([
      [0, 0],
      [1, 1000],
      [2, 1000],
      [3, 8_640_000],
    ]);
  });

  test('stop ends a wait at once; unsubscribing falls silent', async () => {
    const path = file('w.csv', 'timestamp,asset,sensor,value\n0,R101,t,0\n86400000,R101,t,1\n');
    const source = open([path], { speed: 1 });
    const events = all(source);
    await vi.waitFor(() => expect(source.status().connected).toBe(true));
    await source.stop();
    expect(values(await events).length).toBeLessThanOrEqual(1);

    const other = open([file('u.csv', `timestamp,asset,sensor,value\n${rows(0, 5000)}`)]);
    let count = 0;
    await new Promise<void>((resolve) => {
      const subscription = other.events.subscribe(() => {
        count += 1;
        if (count === 10) {
          subscription.unsubscribe();
          resolve();
        }
      });
    });
    await other.close();
    expect(count).toBe(10);
  });

  test('a file that cannot be read is an error that names it', async () => {
    await expect(all(open([join(folder, 'nowhere.csv')]))).rejects.toThrow('nowhere.csv');
    const source = open([file('h.csv', 'a,b\n')]);
    await expect(all(source)).rejects.toThrow('the header lacks timestamp, asset, sensor, value');
    expect(source.status()).toMatchObject({ connected: false });
    expect(source.status().detail).toContain('failed: ');
  });
});
