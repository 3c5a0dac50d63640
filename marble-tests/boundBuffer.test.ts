import fc from 'fast-check';
import { firstValueFrom, from, Subject, timer } from 'rxjs';
import { expect, test } from 'vitest';
import { boundBuffer } from '../operators/boundBuffer.ts';
import { queueState } from '../operators/steps/buffer.ts';
import type { Overflow } from '../operators/steps/buffer.ts';
import { operatorContract } from './contract.ts';
import { VirtualWork } from './virtualWork.ts';

interface Item {
  readonly id: number;
  readonly key: string;
}
const item = (id: number): Item => ({ id, key: `k${id % 2}` });
const items = [1, 2, 3, 4].map(item);
const ids = (batches: readonly (readonly Item[])[]): number[][] =>
  batches.map((batch) => batch.map((i) => i.id));

operatorContract(
  'boundBuffer',
  (cell) => boundBuffer<Item>({ capacity: 2 }, () => undefined, cell),
  items,
  () => queueState<Item>(),
);

test('a consumer that returns nothing gets and passes on each item at once', () => {
  const source = new Subject<Item>();
  const seen: string[] = [];
  source
    .pipe(boundBuffer({ capacity: 2 }, (batch) => void seen.push(`consumed ${batch.length}`)))
    .subscribe((batch) => seen.push(`emitted ${batch[0]?.id}`));
  source.next(item(1));
  expect(seen).toEqual(['consumed 1', 'emitted 1']);
});

test('batches grow while the consumer is busy, up to maxBatch', async () => {
  const work = new VirtualWork({ capacity: 10, maxBatch: 3 });
  work.offer(1);
  work.offer(2, 3, 4, 5);
  expect(work.started).toEqual([[1]]);
  expect(work.emitted).toEqual([]);
  await work.finish();
  expect(work.emitted).toEqual([[1]]);
  expect(work.started).toEqual([[1], [2, 3, 4]]);
  await work.finish();
  await work.finish();
  expect(work.emitted).toEqual([[1], [2, 3, 4], [5]]);
});

test('completes once all is consumed', async () => {
  const work = new VirtualWork({ capacity: 10 });
  work.offer(1, 2);
  work.source.complete();
  expect(work.ending).toBe('');
  await work.finish();
  expect(work.ending).toBe('');
  await work.finish();
  expect(work.emitted).toEqual([[1], [2]]);
  expect(work.ending).toBe('complete');
});

test('an error of the source comes after what was taken in', async () => {
  const work = new VirtualWork({ capacity: 10 });
  work.offer(1, 2);
  work.source.error(new Error('source lost'));
  await work.finish();
  await work.finish();
  expect(work.emitted).toEqual([[1], [2]]);
  expect(work.ending).toBe('source lost');
});

test('a consumer that throws or rejects is an error', async () => {
  const failing = [
    (): never => {
      throw new Error('disk full');
    },
    (): Promise<never> => Promise.reject(new Error('disk full')),
  ];
  for (const consume of failing) {
    await expect(firstValueFrom(from(items).pipe(boundBuffer({}, consume)))).rejects.toThrow('disk full');
  }
});

test('a consumer that takes more while it emits gets it in order', () => {
  const source = new Subject<Item>();
  const seen: number[][] = [];
  source.pipe(boundBuffer({}, () => undefined)).subscribe((batch) => {
    if (batch[0]?.id === 1) [2, 3].forEach((id) => source.next(item(id)));
    if (batch[0]?.id === 2) source.complete();
    seen.push(...ids([batch]));
  });
  source.next(item(1));
  expect(seen).toEqual([[1], [2, 3]]);
  expect(source.observed).toBe(false);
});

test('unsubscribing stops the timers and ignores what was in flight', async () => {
  const work = new VirtualWork({ capacity: 1, putTimeoutMs: 100 });
  work.offer(1, 2, 3);
  expect(work.scheduler.actions).toHaveLength(1);
  work.subscription.unsubscribe();
  expect(work.scheduler.actions.filter((action) => !action.closed)).toEqual([]);
  await work.finish();
  work.pass(1000);
  expect([work.emitted, work.dropped]).toEqual([[], []]);
});

test('pause: presses at capacity, relieves at half, drops what waits too long', async () => {
  const work = new VirtualWork({ capacity: 2, maxBatch: 1, putTimeoutMs: 100 });
  work.offer(1, 2);
  expect(work.pressure).toEqual([]);
  work.offer(3);
  expect(work.pressure).toEqual([true]);
  work.offer(4);
  work.pass(60);
  work.offer(5, 6);
  expect(work.dropped).toEqual(['overflow 6']);
  work.pass(39);
  expect(work.dropped).toHaveLength(1);
  work.pass(1);
  expect(work.dropped).toEqual(['overflow 6', 'putTimeout 4']);
  await work.finish();
  // 2 has begun, 5 has moved up.
  work.pass(1000);
  expect(work.dropped).toHaveLength(2);
  expect(work.pressure).toEqual([true]);
  await work.finish();
  expect(work.pressure).toEqual([true, false]);
  await work.finish();
  await work.finish();
  expect(work.emitted).toEqual([[1], [2], [3], [5]]);
});

test.each<[Overflow, number[], string[]]>([
  ['dropOldest', [4, 5], ['overflow 2', 'overflow 3']],
  ['dropNewest', [2, 3], ['overflow 4', 'overflow 5']],
  ['latest', [4, 5], ['overflow 2', 'overflow 3']],
])('%s when full', async (overflow, kept, dropped) => {
  const work = new VirtualWork({ capacity: 2, overflow, key: (i) => i.key });
  work.offer(1, 2, 3, 4, 5);
  expect(work.dropped).toEqual(dropped);
  expect(work.pressure).toEqual([]);
  await work.finish();
  await work.finish();
  expect(work.emitted).toEqual([[1], kept]);
});

test('maxWaitMs: an idle consumer waits for company, until there is enough, it is urgent, or time is up', async () => {
  const work = new VirtualWork({
    capacity: 10,
    maxBatch: 3,
    maxWaitMs: 50,
    urgent: (i) => i.id === 9,
  });
  work.offer(1, 2);
  work.pass(49);
  expect(work.started).toEqual([]);
  work.pass(1);
  expect(work.started).toEqual([[1, 2]]);
  await work.finish();
  work.offer(3, 4, 5);
  expect(work.started.at(-1)).toEqual([3, 4, 5]);
  work.offer(6);
  await work.finish();
  // It came while the consumer was busy and waits for company from then on.
  expect(work.started.at(-1)).toEqual([3, 4, 5]);
  work.pass(50);
  expect(work.started.at(-1)).toEqual([6]);
  await work.finish();
  work.offer(7, 9);
  expect(work.started.at(-1)).toEqual([7, 9]);
  await work.finish();
  work.offer(8);
  work.source.complete();
  expect(work.started.at(-1)).toEqual([8]);
  await work.finish();
  expect(work.ending).toBe('complete');
});

test('with real timers: a slow consumer and a full buffer lose nothing unreported', async () => {
  const source = new Subject<Item>();
  const done: number[] = [];
  const dropped: number[] = [];
  const end = new Promise<void>((resolve, reject) => {
    source
      .pipe(
        boundBuffer(
          { capacity: 5, maxBatch: 2, putTimeoutMs: 10, onDrop: (_, i) => dropped.push(i.id) },
          () => firstValueFrom(timer(2)),
        ),
      )
      .subscribe({ next: (b) => done.push(...b.map((i) => i.id)), complete: resolve, error: reject });
  });
  for (let id = 0; id < 30; id += 1) source.next(item(id));
  source.complete();
  await end;
  expect(dropped.length).toBeGreaterThanOrEqual(19);
  expect([...done, ...dropped].toSorted((x, y) => x - y)).toEqual(Array.from({ length: 30 }, (_, i) => i));
  expect(done).toEqual(done.toSorted((x, y) => x - y));
});

test('whatever the timing: nothing vanishes without a report, and order is kept', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant('offer' as const) },
    { weight: 2, arbitrary: fc.constant('finish' as const) },
    { weight: 1, arbitrary: fc.nat(40) },
  );
  const options = fc.record({
    capacity: fc.integer({ min: 1, max: 5 }),
    maxBatch: fc.integer({ min: 1, max: 6 }),
    overflow: fc.constantFrom<Overflow>('pause', 'dropOldest', 'dropNewest', 'latest'),
    putTimeoutMs: fc.nat(60),
    maxWaitMs: fc.constantFrom(0, 0, 15),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), options, async (steps, chosen) => {
      const work = new VirtualWork({ ...chosen, key: (i) => i.key });
      let sent = 0;
      for (const act of steps) {
        if (act === 'offer') work.offer(++sent);
        else if (act === 'finish') await work.finish();
        else work.pass(act);
      }
      work.source.complete();
      for (let i = 0; work.ending === '' && i <= sent; i += 1) await work.finish();
      expect(work.ending).toBe('complete');
      const out = work.emitted.flat();
      const gone = work.dropped.map((text) => Number(text.split(' ')[1]));
      expect([...out, ...gone].toSorted((x, y) => x - y)).toEqual(
        Array.from({ length: sent }, (_, i) => i + 1),
      );
      if (chosen.overflow !== 'latest') expect(out).toEqual(out.toSorted((x, y) => x - y));
      expect(work.pressure.filter((_, i) => i % 2 === 0)).not.toContain(false);
      expect(work.pressure.at(-1) ?? false).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('bad options throw when composed', () => {
  const compose = (options: object) => () => boundBuffer<Item>(options, () => undefined);
  expect(compose({ maxBatch: 0 })).toThrow('maxBatch: 0 is not valid');
  expect(compose({ maxWaitMs: -1 })).toThrow('maxWaitMs: -1 is not valid');
  expect(compose({ overflow: 'latest' })).toThrow('key: undefined is not valid');
});

test('a source that goes on in the very moment in which it may does not overtake what waits', async () => {
  const source = new Subject<Item>();
  let next = 1;
  const offerOne = (): void => source.next(item(next++));
  const consumed: number[] = [];
  let finish: (() => void) | undefined;
  const subscription = source
    .pipe(
      boundBuffer({ capacity: 4, onPressure: (paused) => !paused && offerOne() }, (batch) => {
        consumed.push(...batch.map(({ id }) => id));
        return new Promise<void>((resolve) => (finish = resolve));
      }),
    )
    .subscribe();
  for (let i = 0; i < 5; i += 1) offerOne();
  for (let round = 0; round < 3; round += 1) {
    finish?.();
    await new Promise(setImmediate);
  }
  expect(consumed).toEqual([1, 2, 3, 4, 5, 6]);
  subscription.unsubscribe();
});
