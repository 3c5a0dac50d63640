import { describe, expect, test } from 'vitest';
import { estimateState } from '../operators/estimateState.ts';
import { estimateInitialState } from '../operators/steps/estimate.ts';
import type { EstimateOptions } from '../operators/steps/estimate.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

operatorContract(
  'estimateState',
  (cell) => estimateState({ measurementVariance: 0.25 }, cell),
  [...readings([null, 85, 85.4, null, 86.1, 85.9]), reading(500, { timestamp: 7000, quality: 'Bad' })],
  estimateInitialState,
);

for (const mode of ['whiteAcceleration', 'adaptive'] as const) {
  // A gap, a spike, a shift that is believed, and one that is not yet.
  const values = [null, 85, 85.4, null, 86.1, 85.9, 140, 86, 95.2, 95.4, 94.9, 95.1, 70];
  operatorContract(
    `estimateState, ${mode}`,
    (cell) => estimateState({ mode, measurementVariance: 0.25, noiseCount: 20 }, cell),
    [
      ...readings(values),
      reading(500, { timestamp: 13_000, quality: 'Bad' }),
      reading(95, { timestamp: 14_000 }),
    ],
    () => estimateInitialState(mode),
  );
}

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

describe('a reading far off, in the other modes', () => {
  const settled = Array.from({ length: 60 }, (_, i) => 85 + 0.3 * Math.sin(i * 2.4));
  const valuesOf = (tail: readonly number[], options: EstimateOptions): number[] =>
    outputsOf(
      estimateState({ mode: 'adaptive', measurementVariance: 0.25, ...options }),
      readings([...settled, ...tail]),
    )
      .slice(60)
      .map(({ estimate }) => Math.round(estimate?.value ?? NaN));

  test.each([
    // Marbles of whole degrees: what is reported while the new level waits for the third reading that agrees.
    ['hold', [95, 95, 95, 95], [85, 85, 95, 95]],
    ['follow', [95, 95, 95, 95], [95, 95, 95, 95]],
    ['likelier', [95, 95, 95, 95], [95, 95, 95, 95]],
    ['hold', [120, 85, 85], [85, 85, 85]],
    ['follow', [120, 85, 85], [120, 85, 85]],
    ['likelier', [120, 85, 120, 85], [120, 85, 85, 85]],
    ['hold', [120, 50, 120, 85], [85, 85, 85, 85]],
  ] as const)('%s: %j gives %j', (unconfirmed, tail, expected) => {
    expect(valuesOf(tail, { unconfirmed })).toEqual(expected);
  });

  test('has its innovation and NIS against the old level', () => {
    const [spike] = outputsOf(
      estimateState({ mode: 'adaptive', measurementVariance: 0.25 }),
      readings([...settled, 120]),
    ).slice(60);
    expect(spike?.estimate?.innovation).toBeCloseTo(35, 0);
    expect(spike?.estimate?.nis).toBeGreaterThan(1000);
  });

  test('comes out at once, in its turn', () => {
    marbles(({ cold, expectObservable }) => {
      const inputs = {
        a: reading(85),
        b: reading(120, { timestamp: 1000 }),
        c: reading(85, { timestamp: 2000 }),
      };
      const value = (figure: number): unknown =>
        expect.objectContaining({
          estimate: expect.objectContaining({ value: expect.closeTo(figure, 0) as unknown }) as unknown,
        });
      expectObservable(
        cold('-a-b-c-|', inputs).pipe(
          estimateState({ mode: 'whiteAcceleration', measurementVariance: 0.25, unconfirmed: 'hold' }),
        ),
      ).toBe('-a-b-c-|', { a: value(85), b: value(85), c: value(85) });
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
