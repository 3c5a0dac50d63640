import { expect, test } from 'vitest';
import { orderByTime } from '../operators/orderByTime.ts';
import { orderState } from '../operators/steps/order.ts';
import type { OrderOptions } from '../operators/steps/order.ts';
import { withIssue } from '../operators/types.ts';
import type { Reading } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

const at = (seconds: number): Reading => reading(seconds, { timestamp: seconds * 1000 });
const [r1, r2, r3, r4, r6] = [at(1), at(2), at(3), at(4), at(6)];
const inputs = [r1, r3, r2, r3, r4, at(0.5), r6, r4];

operatorContract('orderByTime', (cell) => orderByTime({ rememberCount: 3 }, cell), inputs, orderState);
operatorContract(
  'orderByTime with a delay',
  (cell) => orderByTime({ maxDelayMs: 1500, maxReadings: 3 }, cell),
  inputs,
  orderState,
);

test('without delay: marks what is late, drops what is there twice', () => {
  const dropped: unknown[] = [];
  const options: OrderOptions = { onDrop: (reason, item) => dropped.push([reason, item]) };
  marbles(({ cold, expectObservable }) => {
    const L = withIssue(r2, 'Uncertain', {
      check: 'order',
      message: 'Source time is 1000 ms before that of a reading already passed on',
    });
    expectObservable(cold('--a-c-b-c-d-|', { a: r1, b: r2, c: r3, d: r4 }).pipe(orderByTime(options))).toBe(
      '--a-c-L---d-|',
      { a: r1, c: r3, L, d: r4 },
    );
  });
  expect(dropped).toEqual([['duplicate', r3]]);
});

test('with delay: puts in order, and releases all at completion', () => {
  marbles(({ cold, expectObservable }) => {
    const source = cold('--a---c---b---d---f--|', { a: r1, b: r2, c: r3, d: r4, f: r6 });
    expectObservable(source.pipe(orderByTime({ maxDelayMs: 1000 }))).toBe('------a---b---c---d--(f|)', {
      a: r1,
      b: r2,
      c: r3,
      d: r4,
      f: r6,
    });
  });
});

test('a tick releases what has waited long enough by the clock', () => {
  marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
    const source = cold('--c-b---------|', { b: r2, c: r3 });
    const ticks = hot('------x---y-----z', { x: 3900, y: 5000, z: 9000 });
    expectObservable(source.pipe(orderByTime({ maxDelayMs: 2000 }, undefined, ticks))).toBe(
      '----------(bc)|',
      {
        b: r2,
        c: r3,
      },
    );
    expectSubscriptions(ticks.subscriptions).toBe('^-------------!');
  });
});

test('the end of the ticks is not the end of the readings', () => {
  marbles(({ cold, expectObservable }) => {
    const ticks = cold<number>('-|');
    expectObservable(cold('---a|', { a: r1 }).pipe(orderByTime({}, undefined, ticks))).toBe('---a|', {
      a: r1,
    });
  });
});

test('readings in order pass by reference', () => {
  const given = readings([1, 1, null, 2]);
  outputsOf(orderByTime(), given).forEach((output, i) => expect(output).toBe(given[i]));
});

test('bad options throw when composed', () => {
  expect(() => orderByTime({ maxDelayMs: NaN })).toThrow('maxDelayMs: NaN is not valid');
});
