import { BehaviorSubject, of, Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Reading } from '../operators/types.ts';
import { ingest } from '../src/ingest.ts';
import type { IngestParts } from '../src/ingest.ts';
import { createProcessor } from '../src/processor.ts';
import { Recall } from '../src/recall.ts';
import type { ClockTick, Entry } from '../src/processor.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import { configFolder } from './config/helpers.ts';
import type { Store } from '../src/store/store.ts';
import { fakeCommits, fakeSource, received } from './fakes/ingest.ts';
import type { FakeCommits, FakeSource } from './fakes/ingest.ts';

const SENSORS = `
sensorTypes: { temperature: { windows: [], missing: false, spike: false, outlier: false } }
`;

interface Rig {
  readonly sources: readonly FakeSource[];
  readonly commits: FakeCommits;
  readonly ticks: Subject<ClockTick>;
  readonly drops: string[];
  readonly processed: Entry[];
  readonly errors: string[];
  readonly heldUp: boolean[];
  readonly stop: Subject<void>;
  readonly abort: Subject<void>;
  readonly outcome: () => string;
}

type Remembers = Pick<Store, 'recall'>;
const REMEMBERS_NOTHING: Remembers = {
  recall: (readings) => Promise.resolve(readings.map(() => false)),
};

function rig(
  pipeline: string,
  sources: readonly FakeSource[] = [fakeSource('plant')],
  memory: Remembers | null = null,
  hold: Observable<boolean> = of(false),
): Rig {
  const folder = configFolder();
  onTestFinished(() => folder.remove());
  const { config } = folder.load(`${SENSORS}pipeline: ${pipeline}\n`);
  const [ticks, stop, abort] = [new Subject<ClockTick>(), new Subject<void>(), new Subject<void>()];
  const commits = fakeCommits();
  const drops: string[] = [];
  const processed: Entry[] = [];
  const errors: string[] = [];
  const heldUp: boolean[] = [];
  let outcome = 'running';
  const onDrop: IngestParts['onDrop'] = (reason, { value }) => drops.push(`${reason} ${value}`);
  const recall = new Recall(memory ?? REMEMBERS_NOTHING);
  const processor = createProcessor({
    config,
    ...(memory && { isKnown: recall.isKnown }),
    registry: new StateRegistry(),
    twins: new Map(),
    lastRow: 0,
    onDrop,
  });
  const subscription = ingest({
    config: config.pipeline,
    sources,
    ticks,
    processor,
    store: commits,
    recall,
    hold,
    onDrop,
    onHeldUp: (held) => heldUp.push(held),
    onEntry: (entry) => processed.push(entry),
    onCommit: () => undefined,
    onStoreError: (error) => errors.push(String(error)),
    stop,
    abort,
  }).subscribe({
    complete: () => (outcome = 'complete'),
    error: (error: unknown) => (outcome = String(error)),
  });
  onTestFinished(() => subscription.unsubscribe());
  return { sources, commits, ticks, drops, processed, errors, heldUp, stop, abort, outcome: () => outcome };
}

const AT_ONCE = '{ commit: { maxWaitMs: 0 } }';
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const plant = ({ sources }: Rig): FakeSource => sources[0]!;
/** Lets everything that is due happen. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('senders are held up while the sources are paused, and while a commit takes long', async () => {
  const it = rig(AT_ONCE);
  plant(it).send(1);
  await vi.advanceTimersByTimeAsync(400);
  expect(it.heldUp).toEqual([]);
  it.commits.succeed();
  plant(it).send(2);
  await vi.advanceTimersByTimeAsync(600);
  // The sources themselves go on.
  expect(it.heldUp).toEqual([true]);
  expect(plant(it).pressure).toEqual([]);
  it.commits.succeed();
  await settle();
  expect(it.heldUp).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(5000);
  expect(it.heldUp).toEqual([true, false]);
});

test('notes of the sources are stored with what came before them, where they have changed', async () => {
  const it = rig(AT_ONCE);
  plant(it).send(1);
  await settle();
  plant(it).remember('a gap');
  plant(it).send(2);
  it.commits.succeed();
  await settle();
  it.commits.succeed();
  plant(it).send(3);
  await settle();
  plant(it).remember('');
  plant(it).send(4);
  it.commits.succeed();
  await settle();
  it.commits.succeed();
  await settle();
  const notes = it.commits.durable.map((batch) => batch.notes && [...batch.notes]);
  expect(notes).toEqual([undefined, [['plant', 'a gap']], undefined, [['plant', '']]]);
});

describe('acknowledgement', () => {
  test('comes after the commit, in order, and what arrives meanwhile is the next commit', async () => {
    const it = rig(AT_ONCE);
    for (const value of numbers(1, 3)) plant(it).send(value);
    await settle();
    expect(it.processed).toHaveLength(3);
    expect(it.commits.attempts.map(({ lastRow }) => lastRow)).toEqual([1]);
    expect(plant(it).committed).toEqual([]);
    it.commits.succeed();
    await settle();
    expect(plant(it).committed).toEqual([1]);
    expect(it.commits.attempts.map(({ lastRow }) => lastRow)).toEqual([1, 3]);
    it.commits.succeed();
    await settle();
    expect(plant(it).committed).toEqual([1, 3]);
    expect(it.commits.values()).toEqual([1, 2, 3]);
    expect(it.commits.rows()).toEqual([1, 2, 3]);
  });

  test('goes to each source with its own position', async () => {
    const it = rig(AT_ONCE, [fakeSource('a'), fakeSource('b')]);
    const [a, b] = [it.sources[0]!, it.sources[1]!];
    a.send(1);
    a.send(2);
    b.send(3, { sensor: 'other' });
    b.sendBroken();
    a.send(4);
    it.commits.quick();
    await settle();
    expect([a.committed, b.committed]).toEqual([[1, 3], [2]]);
    expect(it.commits.durable.flatMap(({ deadLetters }) => deadLetters.map(({ row }) => row))).toEqual([4]);
  });

  test('a commit that fails is tried again with the same batch, and nothing is acknowledged meanwhile', async () => {
    const it = rig(AT_ONCE);
    plant(it).send(1);
    await settle();
    for (const attempt of [1, 2, 3]) {
      it.commits.fail('disk full');
      await settle();
      plant(it).send(attempt + 1);
      await vi.advanceTimersByTimeAsync(1000);
      expect(it.commits.inFlight()).toBe(1);
      expect(plant(it).committed).toEqual([]);
    }
    expect(it.commits.attempts.map(({ readings }) => readings.length)).toEqual([1, 1, 1, 1]);
    expect(it.errors).toEqual(Array(3).fill('Error: disk full'));
    it.commits.quick();
    await settle();
    expect(plant(it).committed).toEqual([1, 4]);
    expect(it.commits.values()).toEqual([1, 2, 3, 4]);
  });

  test('a reading that is recognised as a duplicate is acknowledged and not stored', async () => {
    const it = rig(AT_ONCE);
    it.commits.quick();
    plant(it).send(1, { timestamp: 5000 });
    plant(it).send(1, { timestamp: 5000 });
    await settle();
    expect(it.commits.values()).toEqual([1]);
    expect(it.drops).toEqual(['duplicate 1']);
    expect(plant(it).committed.at(-1)).toBe(2);
    expect(it.commits.durable.flatMap(({ held }) => held)).toEqual([]);
  });
});

describe('when to commit', () => {
  test('a lone reading waits for company as long as the configuration says', async () => {
    const it = rig('{ commit: { maxWaitMs: 250 } }');
    plant(it).send(1);
    await vi.advanceTimersByTimeAsync(249);
    plant(it).send(2);
    expect(it.commits.attempts).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(it.commits.attempts.map(({ readings }) => readings.length)).toEqual([2]);
  });

  test('at once when half of what the source may leave unacknowledged is owed', async () => {
    const it = rig('{ commit: { maxWaitMs: 1000 } }', [fakeSource('plant', 10)]);
    it.commits.quick();
    for (const value of numbers(1, 4)) plant(it).send(value);
    await settle();
    expect(it.commits.attempts).toHaveLength(0);
    plant(it).send(5);
    await settle();
    expect(plant(it).committed).toEqual([5]);
    // Counted from what was acknowledged, dead letters too.
    for (const value of numbers(6, 9)) plant(it).send(value);
    await settle();
    expect(plant(it).committed).toEqual([5]);
    plant(it).sendBroken();
    await settle();
    expect(plant(it).committed).toEqual([5, 10]);
  });

  test('ticks do not hurry a commit', async () => {
    const it = rig('{ commit: { maxWaitMs: 250 } }', [fakeSource('plant', 2)]);
    for (const at of numbers(1, 50)) it.ticks.next({ at });
    await settle();
    expect(it.commits.attempts).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(250);
    expect(it.commits.attempts[0]?.ticks).toHaveLength(50);
  });
});

describe('while commits take too long', () => {
  const TIGHT =
    '{ buffer: { capacity: 4, overflow: OVERFLOW, putTimeoutMs: 300 }, commit: { maxRows: 3, maxWaitMs: 0 } }';
  const tight = (overflow: string): string => TIGHT.replace('OVERFLOW', overflow);

  test('pause: sources stop at capacity and go on after it; a source that obeys loses nothing', async () => {
    const it = rig(tight('pause'));
    let next = 0;
    const sendWhileAllowed = (): void => {
      while (plant(it).pressure.at(-1) !== 'pause' && next < 100) plant(it).send((next += 1));
    };
    sendWhileAllowed();
    // One in flight, three processed and waiting, three taken out for processing, four in the admission buffer.
    expect(next).toBeLessThanOrEqual(11);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(it.processed.length).toBeLessThanOrEqual(7);
    while (next < 100 || it.commits.inFlight() > 0) {
      it.commits.succeed();
      await settle();
      sendWhileAllowed();
      await settle();
    }
    expect(it.commits.values()).toEqual(numbers(1, 100));
    expect(it.commits.rows()).toEqual(numbers(1, 100));
    expect(it.drops).toEqual([]);
    expect(plant(it).committed.at(-1)).toBe(100);
    expect(new Set(plant(it).pressure)).toEqual(new Set(['pause', 'resume']));
  });

  test('sources go on only when neither the buffers nor anybody else holds them back', async () => {
    const hold = new BehaviorSubject(false);
    const it = rig(tight('pause'), [fakeSource('plant')], null, hold);
    hold.next(true);
    expect(plant(it).pressure).toEqual(['pause']);
    for (const value of numbers(1, 12)) plant(it).send(value);
    await settle();
    it.commits.quick();
    await settle();
    expect(plant(it).pressure).toEqual(['pause']);
    hold.next(false);
    expect(plant(it).pressure).toEqual(['pause', 'resume']);
  });

  test('pause: what a source sends all the same is dropped after putTimeoutMs, before it gets a row', async () => {
    const it = rig(tight('pause'));
    for (const value of numbers(1, 40)) plant(it).send(value);
    await vi.advanceTimersByTimeAsync(300);
    expect(it.drops.length).toBeGreaterThan(20);
    it.commits.quick();
    await settle();
    const stored = it.commits.values();
    expect(stored.length + it.drops.length).toBe(40);
    expect(it.commits.rows()).toEqual(numbers(1, stored.length));
  });

  test('pause: of a source that is acknowledged nothing is dropped, even if one message exceeds the buffer', async () => {
    const it = rig(tight('pause'), [fakeSource('plant', 10)]);
    for (const value of numbers(1, 40)) plant(it).send(value);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(plant(it).pressure).toEqual(['pause']);
    it.commits.quick();
    await settle();
    expect(it.drops).toEqual([]);
    expect(it.commits.values()).toEqual(numbers(1, 40));
    expect(plant(it).committed.at(-1)).toBe(40);
  });

  test.each(['dropOldest', 'dropNewest', 'latest'])(
    '%s: drops only before the pipeline, and everything is either stored or counted',
    async (overflow) => {
      const it = rig(tight(overflow));
      for (const value of numbers(1, 200)) plant(it).send(value, { sensor: `s${value % 7}`, unit: '' });
      expect(plant(it).pressure).toEqual([]);
      it.commits.quick();
      await settle();
      const stored = it.commits.values();
      expect(it.drops.length).toBeGreaterThan(150);
      expect(stored.length + it.drops.length).toBe(200);
      expect(it.processed.map(({ row }) => row)).toEqual(numbers(1, stored.length));
      expect(it.commits.rows()).toEqual(numbers(1, stored.length));
      if (overflow === 'dropNewest') expect(stored).toEqual(numbers(1, stored.length));
      else expect(stored).toContain(200);
    },
  );

  test.each(['pause', 'dropOldest', 'dropNewest', 'latest'])(
    '%s: dead letters and ticks are never dropped',
    async (overflow) => {
      const it = rig(tight(overflow));
      for (const value of numbers(1, 50)) {
        plant(it).send(value);
        plant(it).sendBroken();
        it.ticks.next({ at: value * 1000 });
      }
      await vi.advanceTimersByTimeAsync(1000);
      it.commits.quick();
      await settle();
      expect(it.commits.durable.flatMap(({ deadLetters }) => deadLetters)).toHaveLength(50);
      expect(it.commits.durable.flatMap(({ ticks }) => ticks.map(({ at }) => at / 1000))).toEqual(
        numbers(1, 50),
      );
      expect(plant(it).committed.at(-1)).toBe(100);
    },
  );

  test.each(['dropOldest', 'dropNewest', 'latest'])(
    '%s: nothing is acknowledged while something older still waits',
    async (overflow) => {
      const it = rig(tight(overflow));
      for (const value of numbers(1, 60)) {
        plant(it).send(value, { sensor: `s${Math.imul(value, 2_654_435_761) >>> 30}`, unit: '' });
      }
      const droppedSoFar = (): Set<number> => new Set(it.drops.map((drop) => Number(drop.split(' ')[1])));
      while (it.commits.inFlight() > 0) {
        it.commits.succeed();
        await settle();
        const done = new Set([...it.commits.values(), ...droppedSoFar()]);
        const acknowledged = plant(it).committed.at(-1) ?? 0;
        expect(numbers(1, acknowledged).filter((position) => !done.has(position))).toEqual([]);
        const recorded = it.commits.durable.flatMap(({ positions }) => [...positions.values()]);
        expect(recorded).toEqual([...recorded].sort((a, b) => a - b));
      }
      expect(plant(it).committed.length).toBeGreaterThan(1);
    },
  );

  test('a commit that never ends stops the intake and nothing is acknowledged', async () => {
    const it = rig(tight('pause'));
    for (const value of numbers(1, 11)) plant(it).send(value);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(it.commits.attempts).toHaveLength(1);
    expect(plant(it).committed).toEqual([]);
    expect(plant(it).pressure).toEqual(['pause']);
    expect(it.outcome()).toBe('running');
  });
});

describe('the end', () => {
  test('stop commits and acknowledges what is in hand, then completes', async () => {
    const it = rig('{ commit: { maxRows: 3, maxWaitMs: 10000 } }');
    for (const value of numbers(1, 8)) plant(it).send(value);
    it.stop.next();
    plant(it).send(9);
    it.ticks.next({ at: 1 });
    while (it.commits.inFlight() > 0) {
      expect(it.outcome()).toBe('running');
      it.commits.succeed();
      await settle();
    }
    expect(it.outcome()).toBe('complete');
    expect(it.commits.values()).toEqual(numbers(1, 8));
    expect(it.commits.durable.flatMap(({ ticks }) => ticks)).toEqual([]);
    expect(plant(it).committed.at(-1)).toBe(8);
  });

  test('a source stays connected until what it is owed is acknowledged', async () => {
    const it = rig(AT_ONCE);
    plant(it).send(1);
    it.stop.next();
    await settle();
    expect(plant(it).listeners()).toBe(1);
    it.commits.succeed();
    await settle();
    expect(plant(it).committed).toEqual([1]);
  });

  test('abort gives up on a commit that keeps failing; nothing is acknowledged', async () => {
    const it = rig(AT_ONCE);
    plant(it).send(1);
    await settle();
    it.commits.fail('disk gone');
    it.stop.next();
    await vi.advanceTimersByTimeAsync(1000);
    it.commits.fail('disk gone');
    expect(it.outcome()).toBe('running');
    it.abort.next();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(it.outcome()).not.toBe('running');
    expect(it.commits.attempts).toHaveLength(2);
    expect(plant(it).committed).toEqual([]);
  });

  test('a source that is lost for good ends the intake, after what is in hand was committed', async () => {
    const it = rig(AT_ONCE, [fakeSource('a'), fakeSource('b')]);
    const [a, b] = [it.sources[0]!, it.sources[1]!];
    b.send(1);
    b.send(2);
    a.fail(new Error('gone'));
    expect(it.outcome()).toBe('running');
    it.commits.quick();
    await settle();
    expect(it.outcome()).toBe('Error: gone');
    expect(b.committed).toEqual([1, 2]);
  });

  test('a source that has no more to give does not end the others', async () => {
    const it = rig(AT_ONCE, [fakeSource('a'), fakeSource('b')]);
    it.commits.quick();
    it.sources[0]!.complete();
    it.sources[1]!.send(1);
    await settle();
    expect(it.commits.values()).toEqual([1]);
    expect(it.outcome()).toBe('running');
  });
});

describe('what comes again', () => {
  /** A store that knows readings by their source time, and answers when it is told to. */
  const memory = (known: readonly number[]) => {
    const waiting: (() => void)[] = [];
    const asked: number[][] = [];
    return {
      asked,
      recall: (readings: readonly Reading[]) => {
        asked.push(readings.map(({ timestamp }) => timestamp));
        return new Promise<boolean[]>((resolve) =>
          waiting.push(() => resolve(readings.map(({ timestamp }) => known.includes(timestamp)))),
        );
      },
      answer: () => waiting.shift()?.(),
    };
  };

  test('waits for the answer of the store, with what comes behind it, and is acknowledged but not stored', async () => {
    const store = memory([1000, 2000]);
    const it = rig(AT_ONCE, [fakeSource('plant')], store);
    it.commits.quick();
    for (const value of [1, 2, 3]) plant(it).send(value);
    await settle();
    // The first of a sensor is asked for; the others wait behind it.
    expect(store.asked).toEqual([[1000]]);
    expect(it.processed).toEqual([]);
    store.answer();
    await settle();
    expect(store.asked).toEqual([[1000], [2000, 3000]]);
    store.answer();
    await settle();
    expect(it.commits.values()).toEqual([3]);
    expect(it.drops).toEqual(['duplicate 1', 'duplicate 2']);
    expect(plant(it).committed.at(-1)).toBe(3);
    expect(it.processed.map(({ row }) => row)).toEqual([1, 2, 3]);
  });

  test('is found among what is not committed yet', async () => {
    const store = memory([]);
    const it = rig('{ commit: { maxWaitMs: 0 } }', [fakeSource('plant')], store);
    plant(it).send(0, { timestamp: 500 });
    await settle();
    store.answer();
    await settle();
    // So many that the operator forgets the first of them; the first commit is still in flight.
    for (const value of numbers(1, 150)) plant(it).send(value, { timestamp: 1000 * value });
    await settle();
    plant(it).send(2, { timestamp: 2000, received: received('plant', 152, 2).received });
    plant(it).send(151, { timestamp: 151_000 });
    await settle();
    expect(store.asked).toEqual([[500], [2000]]);
    store.answer();
    it.commits.quick();
    await settle();
    expect(it.drops).toEqual(['duplicate 2']);
    expect(it.commits.values()).toEqual(numbers(0, 151));
  });

  test('a store that cannot answer is asked again, and nothing is lost', async () => {
    let failures = 2;
    const it = rig(AT_ONCE, [fakeSource('plant')], {
      recall: (readings) =>
        failures-- > 0 ? Promise.reject(new Error('disk')) : Promise.resolve(readings.map(() => false)),
    });
    it.commits.quick();
    plant(it).send(1);
    await settle();
    expect([it.errors, it.processed]).toEqual([['Error: disk'], []]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(it.errors).toEqual(['Error: disk', 'Error: disk']);
    expect(it.commits.values()).toEqual([1]);
  });

  test('what waits for an answer is still processed and committed at the end', async () => {
    const store = memory([]);
    const it = rig(AT_ONCE, [fakeSource('plant')], store);
    it.commits.quick();
    plant(it).send(1);
    await settle();
    it.stop.next();
    await settle();
    expect(it.outcome()).toBe('running');
    store.answer();
    await settle();
    expect([it.outcome(), it.commits.values()]).toEqual(['complete', [1]]);
  });
});
