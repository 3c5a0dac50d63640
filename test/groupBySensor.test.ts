import { NEVER, Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { stage } from '../operators/stage.ts';
import type { Reading } from '../operators/types.ts';
import { groupBySensor } from '../src/groupBySensor.ts';
import type { SensorName } from '../src/groupBySensor.ts';
import { received } from './fakes/ingest.ts';

interface Rig {
  readonly source: Subject<Reading>;
  readonly ticks: Subject<number>;
  readonly told: string[];
  send(asset: string, sensor: string, value: number): void;
  unsubscribe(): void;
}

/** Stages that emit two results a reading, one a tick and one at the end, each with the sensor's name and a count of its own. */
function rig(known: readonly SensorName[] = []): Rig {
  const source = new Subject<Reading>();
  const ticks = new Subject<number>();
  const told: string[] = [];
  const stageOf = ({ asset, sensor }: SensorName) =>
    stage<Reading, string>((down, timed) => {
      const name = `${asset}/${sensor}`;
      told.push(`open ${name}`);
      let count = 0;
      timed.push({
        tick: (now) => down.next(`${name} at ${now}`),
        flush: () => down.next(`${name} end`),
      });
      return {
        next: ({ value }) => {
          if (value === -1) throw new Error(`${name} fails`);
          down.next(`${name} ${value}`);
          down.next(`${name} #${(count += 1)}`);
        },
      };
    });
  const subscription = source.pipe(groupBySensor(stageOf, ticks, { known })).subscribe({
    next: (line) => told.push(line),
    error: (error: Error) => told.push(error.message),
    complete: () => told.push('end'),
  });
  const send: Rig['send'] = (asset, sensor, value) =>
    source.next(received('plant', 1, value, { asset, sensor }));
  return { source, ticks, told, send, unsubscribe: () => subscription.unsubscribe() };
}

describe('groupBySensor', () => {
  test('opens a stage with the first reading of a sensor and hands each to its own', () => {
    const it = rig();
    it.send('A', 't', 1);
    it.send('B', 't', 2);
    it.send('A', 't', 3);
    it.send('A', 'p', 4);
    expect(it.told).toEqual([
      ...['open A/t', 'A/t 1', 'A/t #1', 'open B/t', 'B/t 2', 'B/t #1'],
      ...['A/t 3', 'A/t #2', 'open A/p', 'A/p 4', 'A/p #1'],
    ]);
  });

  test('opens the stages of known sensors at once, each only once', () => {
    const it = rig([
      { asset: 'B', sensor: 't' },
      { asset: 'A', sensor: 't' },
    ]);
    expect(it.told).toEqual(['open B/t', 'open A/t']);
    it.send('A', 't', 1);
    it.send('C', 't', 2);
    expect(it.told.slice(2)).toEqual(['A/t 1', 'A/t #1', 'open C/t', 'C/t 2', 'C/t #1']);
  });

  test('a tick reaches every sensor, in the order in which they were opened', () => {
    const it = rig([{ asset: 'B', sensor: 't' }]);
    it.send('A', 't', 1);
    it.ticks.next(7);
    expect(it.told.slice(-2)).toEqual(['B/t at 7', 'A/t at 7']);
  });

  test('names never run into each other, nor into built-in properties', () => {
    const it = rig();
    it.send('a/b', 'c', 1);
    it.send('a', 'b/c', 2);
    it.send('__proto__', 'constructor', 3);
    expect(it.told.filter((line) => line.startsWith('open'))).toHaveLength(3);
  });

  test('the end of the source ends every stage, then the result', () => {
    const it = rig();
    it.send('A', 't', 1);
    it.send('B', 't', 2);
    it.source.complete();
    expect(it.told.slice(-3)).toEqual(['A/t end', 'B/t end', 'end']);
    expect(it.ticks.observed).toBe(false);
  });

  test('an error of the source, and one of a stage, is the error of the result', () => {
    const lost = rig();
    lost.send('A', 't', 1);
    lost.source.error(new Error('lost'));
    expect(lost.told.at(-1)).toBe('lost');
    const failing = rig();
    failing.send('A', 't', -1);
    expect(failing.told.at(-1)).toBe('A/t fails');
    expect(failing.source.observed).toBe(false);
  });

  test('unsubscribing lets the source and the clock go; each subscription has stages of its own', () => {
    const it = rig();
    expect([it.source.observed, it.ticks.observed]).toEqual([true, true]);
    it.unsubscribe();
    expect([it.source.observed, it.ticks.observed]).toEqual([false, false]);

    const opened: string[] = [];
    const operator = groupBySensor(({ sensor }) => {
      opened.push(sensor);
      return stage<Reading, Reading>((down) => down);
    }, NEVER);
    const source = new Subject<Reading>();
    source.pipe(operator).subscribe();
    source.pipe(operator).subscribe();
    source.next(received('plant', 1, 1, { asset: 'A', sensor: 't' }));
    expect(opened).toEqual(['t', 't']);
  });
});
