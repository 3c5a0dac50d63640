import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../operators/types.ts';
import { groupBySensor } from '../src/groupBySensor.ts';
import { received } from './fakes/ingest.ts';

interface Rig {
  readonly source: Subject<Reading>;
  readonly told: string[];
  send(asset: string, sensor: string, value: number): void;
  unsubscribe(): void;
}

function rig(known: Parameters<typeof groupBySensor>[0] = []): Rig {
  const source = new Subject<Reading>();
  const told: string[] = [];
  const subscription = source.pipe(groupBySensor(known)).subscribe({
    next: ({ asset, sensor, readings }) => {
      const name = `${asset}/${sensor}`;
      told.push(`open ${name}`);
      readings.subscribe({
        next: ({ value }) => told.push(`${name} ${value}`),
        error: (error: Error) => told.push(`${name} ${error.message}`),
        complete: () => told.push(`${name} end`),
      });
    },
    error: (error: Error) => told.push(error.message),
    complete: () => told.push('end'),
  });
  const send: Rig['send'] = (asset, sensor, value) =>
    source.next(received('plant', 1, value, { asset, sensor }));
  return { source, told, send, unsubscribe: () => subscription.unsubscribe() };
}

describe('groupBySensor', () => {
  test('opens a stream with the first reading of a sensor and hands each to its own', () => {
    const it = rig();
    it.send('A', 't', 1);
    it.send('B', 't', 2);
    it.send('A', 't', 3);
    it.send('A', 'p', 4);
    expect(it.told).toEqual(['open A/t', 'A/t 1', 'open B/t', 'B/t 2', 'A/t 3', 'open A/p', 'A/p 4']);
  });

  test('opens the streams of known sensors at once, each only once', () => {
    const it = rig([
      { asset: 'B', sensor: 't' },
      { asset: 'A', sensor: 't' },
    ]);
    expect(it.told).toEqual(['open B/t', 'open A/t']);
    it.send('A', 't', 1);
    it.send('C', 't', 2);
    expect(it.told.slice(2)).toEqual(['A/t 1', 'open C/t', 'C/t 2']);
  });

  test('names never run into each other, nor into built-in properties', () => {
    const it = rig();
    it.send('a/b', 'c', 1);
    it.send('a', 'b/c', 2);
    it.send('__proto__', 'constructor', 3);
    expect(it.told.filter((line) => line.startsWith('open'))).toHaveLength(3);
  });

  test('the end ends every stream, then the result', () => {
    const it = rig();
    it.send('A', 't', 1);
    it.send('B', 't', 2);
    it.source.complete();
    expect(it.told.slice(-3)).toEqual(['A/t end', 'B/t end', 'end']);
  });

  test('so does an error', () => {
    const it = rig();
    it.send('A', 't', 1);
    it.source.error(new Error('lost'));
    expect(it.told.slice(-2)).toEqual(['A/t lost', 'lost']);
  });

  test('unsubscribing lets the source go; each subscription has streams of its own', () => {
    const it = rig();
    expect(it.source.observed).toBe(true);
    it.unsubscribe();
    expect(it.source.observed).toBe(false);
  });
});
