import { EMPTY, NEVER } from 'rxjs';
import { expect, test } from 'vitest';
import { conflate } from '../operators/conflate.ts';
import { queueState } from '../operators/steps/buffer.ts';
import { marbles, operatorContract } from './contract.ts';

interface Item {
  readonly key: string;
  readonly n: number;
}
const keyOf = (item: Item): string => item.key;
const item = (key: string, n: number): Item => ({ key, n });
const [a1, a2, b1, b2, c1] = [item('a', 1), item('a', 2), item('b', 1), item('b', 2), item('c', 1)];

operatorContract(
  'conflate',
  (cell) => conflate(keyOf, NEVER, { maxKeys: 2 }, cell),
  [a1, b1, a2, c1, b2],
  () => queueState<Item>(),
);

test('passes on the latest a key at each release, by first arrival', () => {
  marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
    const source = cold('-a-b-c------d--|', { a: a1, b: b1, c: a2, d: b2 });
    const release = hot('--------x-x--------x');
    expectObservable(source.pipe(conflate(keyOf, release))).toBe('--------(cb)---(d|)', {
      c: a2,
      b: b1,
      d: b2,
    });
    expectSubscriptions(release.subscriptions).toBe('^--------------!');
  });
});

test('releases every so many milliseconds', () => {
  marbles(({ cold, expectObservable }) => {
    const source = cold('-a-b-c------d--|', { a: a1, b: b1, c: a2, d: b2 });
    expectObservable(source.pipe(conflate(keyOf, 4))).toBe('----(ab)c---d--|', {
      a: a1,
      b: b1,
      c: a2,
      d: b2,
    });
  });
});

test('one key too many releases the oldest early', () => {
  marbles(({ cold, expectObservable }) => {
    const source = cold('-a-b-c-d-|', { a: a1, b: b1, c: c1, d: b2 });
    expectObservable(source.pipe(conflate(keyOf, NEVER, { maxKeys: 2 }))).toBe('-----a---(dc|)', {
      a: a1,
      c: c1,
      d: b2,
    });
  });
});

test('goes on when the releases have ended, and flushes at completion', () => {
  marbles(({ cold, expectObservable }) => {
    expectObservable(cold('-a-|', { a: a1 }).pipe(conflate(keyOf, EMPTY))).toBe('---(a|)', { a: a1 });
  });
});

test('an error of the releases is an error', () => {
  marbles(({ cold, expectObservable }) => {
    expectObservable(cold('-a---', { a: a1 }).pipe(conflate(keyOf, cold('---#')))).toBe('---#');
  });
});

test('bad options throw when composed', () => {
  expect(() => conflate(keyOf, 0)).toThrow('release: 0 is not valid, expected a number > 0');
  expect(() => conflate(keyOf, NEVER, { maxKeys: 0 })).toThrow('maxKeys: 0 is not valid');
});
