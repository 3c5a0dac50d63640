import { expect, test } from 'vitest';
import { estimateState } from '../operators/estimateState.ts';
import { estimateInitialState } from '../operators/steps/estimate.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

operatorContract(
  'estimateState',
  (cell) => estimateState({ measurementVariance: 0.25 }, cell),
  [...readings([null, 85, 85.4, null, 86.1, 85.9]), reading(500, { timestamp: 7000, quality: 'Bad' })],
  estimateInitialState,
);

test('gives every reading its estimate and predicts over what is missing', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b, c] = [reading(85), reading(86, { timestamp: 1000 }), reading(null, { timestamp: 2000 })];
    // By hand: P = I; predict over 1 s gives P = [2.01, 1; 1, 1.01], S = 2.51.
    const p00 = (2.01 * 0.5) / 2.51;
    const p01 = 0.5 / 2.51;
    const p11 = 1.01 - 1 / 2.51;
    const close = (figure: number): unknown => expect.closeTo(figure, 12);
    const first = {
      value: 85,
      ratePerS: 0,
      stdDev: 1,
      covariance: [1, 0, 0, 1],
      innovation: null,
      nis: null,
    };
    const second = {
      value: close(85 + 2.01 / 2.51),
      ratePerS: close(1 / 2.51),
      stdDev: close(Math.sqrt(p00)),
      covariance: [close(p00), close(p01), close(p01), close(p11)],
      innovation: 1,
      nis: close(1 / 2.51),
    };
    const ahead = { p00: p00 + 2 * p01 + p11 + 0.01, p01: p01 + p11, p11: p11 + 0.01 };
    const third = {
      value: close(85 + 2.01 / 2.51 + 1 / 2.51),
      ratePerS: close(1 / 2.51),
      stdDev: close(Math.sqrt(ahead.p00)),
      covariance: [close(ahead.p00), close(ahead.p01), close(ahead.p01), close(ahead.p11)],
      innovation: null,
      nis: null,
    };
    expectObservable(cold('a-b-c|', { a, b, c }).pipe(estimateState())).toBe('a-b-c|', {
      a: { ...a, estimate: first },
      b: { ...b, estimate: second },
      c: { ...c, estimate: third },
    });
  });
});

test('has no estimate before the first value', () => {
  expect(outputsOf(estimateState(), readings([null, 3])).map(({ estimate }) => estimate?.value)).toEqual([
    undefined,
    3,
  ]);
});

test('refuses bad options when composed', () => {
  expect(() => estimateState({ measurementVariance: -1 })).toThrow(/measurementVariance: -1/);
});
