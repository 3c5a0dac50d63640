import { NEVER, Observable, of, throwError } from 'rxjs';
import { expect, test } from 'vitest';
import { clockTicks } from '../operators/clockTicks.ts';
import { imputeMissing } from '../operators/imputeMissing.ts';
import { missingState } from '../operators/steps/missing.ts';
import type { Reading } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

operatorContract(
  'imputeMissing',
  (cell) => imputeMissing({ expectedIntervalMs: 1000, method: 'predict' }, cell),
  [...readings([null, 85, 86, null, null, 87]), ...readings([88, 89, null], 1000, 9000)],
  missingState,
);

const imputed = (value: number, timestamp: number, basis: string): Reading =>
  reading(value, {
    timestamp,
    quality: 'Uncertain',
    imputed: true,
    issues: [{ check: 'missing', message: `Missing value: replaced by ${value} (${basis})` }],
  });

test('replaces a missing value by the mean of the last two', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b, n, c] = readings([85, 86, null, 87]);
    const source = cold('--a--b--n--c--|', { a: a!, b: b!, n: n!, c: c! });
    expectObservable(source.pipe(imputeMissing())).toBe('--a--b--N--c--|', {
      a,
      b,
      N: imputed(85.5, 2000, 'meanOfLastTwo of 85, 86'),
      c,
    });
  });
});

test('fills a gap when the next reading shows it', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b, , d] = readings([1, 2, 3, 4]);
    const source = cold('-a-b----d------|', { a: a!, b: b!, d: d! });
    expectObservable(source.pipe(imputeMissing({ expectedIntervalMs: 1000, method: 'linear' }))).toBe(
      '-a-b----(Cd)---|',
      { a, b, C: imputed(3, 2000, 'linear through 1, 2, 1 s ahead'), d },
    );
  });
});

test('fills a gap by the clock, each point once, and ends with the source', () => {
  marbles(({ cold, expectObservable }) => {
    const a = reading(85);
    const source = cold('a 4999ms |', { a });
    const fill = imputeMissing({ expectedIntervalMs: 1000, maxGapCount: 2 }, undefined, clockTicks(400));
    const basis = 'meanOfLastTwo of 85';
    expectObservable(source.pipe(fill)).toBe('a 1599ms B 1199ms C 2199ms |', {
      a,
      B: imputed(85, 1000, basis),
      C: imputed(85, 2000, basis),
    });
  });
});

test('subscribes to the source first, then to the ticks, and lets go of both', () => {
  const order: string[] = [];
  const logged = <T>(name: string): Observable<T> =>
    new Observable<T>(() => {
      order.push(`${name} subscribed`);
      return () => order.push(`${name} released`);
    });
  const fill = imputeMissing({ expectedIntervalMs: 1000 }, undefined, logged<number>('ticks'));
  logged<Reading>('source').pipe(fill).subscribe().unsubscribe();
  expect(order.slice(0, 2)).toEqual(['source subscribed', 'ticks subscribed']);
  expect(order.slice(2).sort()).toEqual(['source released', 'ticks released']);
});

test('an error of the clock is an error of the result', () => {
  const lost = new Error('clock lost');
  const seen: unknown[] = [];
  NEVER.pipe(
    imputeMissing(
      {},
      undefined,
      throwError(() => lost),
    ),
  ).subscribe({ error: (error) => seen.push(error) });
  expect(seen).toEqual([lost]);
});

test('passes readings with a value by reference', () => {
  const inputs = [reading(85), reading(500, { quality: 'Bad', timestamp: 1000 })];
  const outputs = outputsOf(imputeMissing({ expectedIntervalMs: 1000 }, undefined, of(0)), inputs);
  outputs.forEach((output, index) => expect(output).toBe(inputs[index]));
});

test('refuses bad options when composed', () => {
  expect(() => imputeMissing({ maxGapCount: 0 })).toThrow(RangeError);
});
