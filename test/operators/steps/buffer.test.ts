import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BoundQueue, queueState, resolveQueueOptions } from '../../../operators/steps/buffer.ts';
import type { QueueDrop, QueueOptions, QueueState } from '../../../operators/steps/buffer.ts';

interface Item {
  readonly id: number;
  readonly key: string;
  readonly keep?: boolean;
}

interface Driven {
  readonly queue: BoundQueue<Item>;
  readonly state: QueueState<Item>;
  readonly drops: [QueueDrop, number][];
}

function driven(options: QueueOptions<Item>): Driven {
  const state = queueState<Item>();
  const drops: [QueueDrop, number][] = [];
  const resolved = resolveQueueOptions({
    key: (item: Item) => item.key,
    droppable: (item: Item) => item.keep !== true,
    ...options,
  });
  return { queue: new BoundQueue(state, resolved, (why, item) => drops.push([why, item.id])), state, drops };
}

const items = (...ids: number[]): Item[] => ids.map((id) => ({ id, key: `k${id % 3}` }));
const ids = (taken: readonly Item[]): number[] => taken.map((item) => item.id);

describe('when full', () => {
  test('dropOldest drops the oldest', () => {
    const { queue, drops } = driven({ capacity: 2, overflow: 'dropOldest' });
    items(1, 2, 3, 4).forEach((item) => queue.offer(item, 0));
    expect(drops).toEqual([
      ['overflow', 1],
      ['overflow', 2],
    ]);
    expect(ids(queue.take(9))).toEqual([3, 4]);
  });

  test('dropNewest drops the arriving one', () => {
    const { queue, drops } = driven({ capacity: 2, overflow: 'dropNewest' });
    items(1, 2, 3).forEach((item) => queue.offer(item, 0));
    expect(drops).toEqual([['overflow', 3]]);
    expect(ids(queue.take(9))).toEqual([1, 2]);
  });

  test('latest keeps one a key, in its place, and drops the oldest key', () => {
    const { queue, drops } = driven({ capacity: 2, overflow: 'latest' });
    items(1, 2, 4, 5, 7).forEach((item) => queue.offer(item, 0));
    expect(drops).toEqual([
      ['replaced', 1],
      ['replaced', 2],
      ['replaced', 4],
    ]);
    items(3).forEach((item) => queue.offer(item, 0));
    expect(drops.at(-1)).toEqual(['overflow', 7]);
    expect(ids(queue.take(1))).toEqual([5]);
    items(8).forEach((item) => queue.offer(item, 0));
    expect(ids(queue.take(9))).toEqual([3, 8]);
  });

  test('pause: as many again wait, until their time is up', () => {
    const { queue, drops } = driven({ capacity: 2, overflow: 'pause', putTimeoutMs: 100 });
    items(1, 2).forEach((item) => queue.offer(item, 0));
    expect(queue.deadline()).toBeNull();
    items(3).forEach((item) => queue.offer(item, 10));
    items(4, 5).forEach((item) => queue.offer(item, 50));
    expect(drops).toEqual([['overflow', 5]]);
    expect(queue.deadline()).toBe(110);
    queue.expire(109);
    expect(queue.size).toBe(4);
    queue.expire(110);
    expect(drops.at(-1)).toEqual(['putTimeout', 3]);
    expect(queue.deadline()).toBe(150);
    expect(ids(queue.take(1))).toEqual([1]);
    // 4 has moved up, and no longer waits.
    expect(queue.deadline()).toBeNull();
    queue.expire(1e9);
    expect(ids(queue.take(9))).toEqual([2, 4]);
  });

  test.each(['pause', 'dropOldest', 'dropNewest', 'latest'] as const)(
    '%s: what may not be dropped gets in and stays',
    (overflow) => {
      const { queue, drops } = driven({ capacity: 1, overflow, putTimeoutMs: 0 });
      const kept = items(1, 2, 3, 4, 5).map((item) => ({ ...item, keep: true }));
      kept.forEach((item) => queue.offer(item, 0));
      items(6).forEach((item) => queue.offer(item, 0));
      queue.expire(1000);
      expect(drops).toEqual([['overflow', 6]]);
      expect(ids(queue.take(9))).toEqual([1, 2, 3, 4, 5]);
    },
  );
});

test('whatever happens: nothing vanishes, order is kept, the bound holds, JSON loses nothing', () => {
  const action = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ keep: fc.constant(false), key: fc.constantFrom('a', 'b', 'c', 'd') }),
    },
    { weight: 1, arbitrary: fc.record({ keep: fc.constant(true), key: fc.constant('tick') }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 6 }) },
    { weight: 1, arbitrary: fc.constant('expire' as const) },
    { weight: 1, arbitrary: fc.constant('restore' as const) },
  );
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 150 }),
      fc.constantFrom('pause' as const, 'dropOldest' as const, 'dropNewest' as const, 'latest' as const),
      fc.integer({ min: 1, max: 40 }),
      (actions, overflow, capacity) => {
        const options = resolveQueueOptions<Item>({
          capacity,
          overflow,
          putTimeoutMs: 5,
          key: (item) => item.key,
          droppable: (item) => item.keep !== true,
        });
        const out: Item[] = [];
        const dropped: Item[] = [];
        const open = (state: QueueState<Item>): BoundQueue<Item> =>
          new BoundQueue(state, options, (_, item) => dropped.push(item));
        let state = queueState<Item>();
        let queue = open(state);
        const sent: Item[] = [];
        actions.forEach((act, now) => {
          if (typeof act === 'number') {
            const taken = queue.take(act);
            expect(taken.length).toBeLessThanOrEqual(act);
            out.push(...taken);
          } else if (act === 'expire') {
            queue.expire(now);
          } else if (act === 'restore') {
            const copy = JSON.parse(JSON.stringify(state)) as QueueState<Item>;
            expect(copy).toStrictEqual(state);
            state = copy;
            queue = open(state);
          } else {
            const item = { id: sent.length, ...act };
            sent.push(item);
            queue.offer(item, now);
          }
          const waiting = state.items.slice(state.head);
          expect(waiting).toHaveLength(queue.size);
          const bound = overflow === 'pause' ? 2 * capacity : capacity;
          expect(waiting.filter((item) => !item.keep).length).toBeLessThanOrEqual(bound);
          // What has been taken does not pile up behind the head.
          expect(state.items.length).toBeLessThanOrEqual(2 * waiting.length + 32);
        });
        out.push(...queue.take(Infinity));
        expect(queue.size).toBe(0);
        expect(ids([...out, ...dropped]).toSorted((a, b) => a - b)).toEqual(ids(sent));
        expect(dropped.filter((item) => item.keep)).toEqual([]);
        if (overflow !== 'latest') expect(ids(out)).toEqual(ids(out).toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 400 },
  );
});

test('taking is cheap however long the queue', () => {
  const { queue } = driven({ capacity: 200_000, overflow: 'dropOldest' });
  const started = performance.now();
  for (let id = 0; id < 400_000; id += 1) queue.offer({ id, key: '' }, 0);
  let inOrder = 0;
  for (let id = 200_000; id < 400_000; id += 1) if (queue.take(1)[0]?.id === id) inOrder += 1;
  expect(inOrder).toBe(200_000);
  expect(performance.now() - started).toBeLessThan(3000);
});

test.each([
  [{ capacity: 0 }, 'capacity: 0 is not valid, expected a whole number >= 1'],
  [{ overflow: 'block' as 'pause' }, 'overflow: block is not valid, expected one of pause, dropOldest'],
  [{ overflow: 'latest' as const }, 'key: undefined is not valid'],
  [{ putTimeoutMs: -1 }, 'putTimeoutMs: -1 is not valid'],
])('%j is refused', (options, message) => {
  expect(() => resolveQueueOptions(options)).toThrow(RangeError);
  expect(() => resolveQueueOptions(options)).toThrow(message);
});
