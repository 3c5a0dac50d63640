import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  acceptValue,
  emptyHistory,
  enoughHistory,
  imputedValue,
} from '../../../operators/steps/imputation.ts';
import type { History, ImputationMethod } from '../../../operators/steps/imputation.ts';

/** [seconds, value] pairs in one unit. */
type Points = readonly (readonly [number, number])[];

function historyOf(points: Points): History {
  const history = emptyHistory();
  for (const [second, value] of points) acceptValue(history, value, second * 1000, 'degC');
  return history;
}

const options: { expectedIntervalMs: number | null; maxGapCount: number } = {
  expectedIntervalMs: null,
  maxGapCount: 10,
};
const impute = (method: ImputationMethod, points: Points, second: number, limits = options) =>
  imputedValue(historyOf(points), method, second * 1000, limits);

describe('imputedValue', () => {
  test('predict smooths noise: Holt with weights 0.5 and 0.3', () => {
    // Level 10, 12 gives trend 2; then 13: expected 14, level 13.5, trend 2 + 0.3 * (1.5 - 2) = 1.85.
    const points: Points = [
      [0, 10],
      [1, 12],
      [2, 13],
    ];
    expect(impute('predict', points, 3).value).toBeCloseTo(13.5 + 1.85, 12);
  });

  test('predict follows a ramp whatever the spacing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 30 }), (gaps) => {
        let second = 0;
        const points = gaps.map((gap): [number, number] => [(second += gap), 20 + 3 * second]);
        expect(impute('predict', points, second + 1).value).toBeCloseTo(20 + 3 * (second + 1), 8);
        expect(impute('linear', points, second + 1).value).toBeCloseTo(20 + 3 * (second + 1), 8);
      }),
    );
  });

  test.each(['linear', 'predict'] as const)(
    '%s is followed for maxGapCount spacings and then held',
    (method) => {
      const points: Points = [
        [0, 0],
        [1, 1],
      ];
      const limits = { expectedIntervalMs: null, maxGapCount: 5 };
      expect([3, 6, 7, 1e6].map((second) => impute(method, points, second, limits).value)).toEqual([
        3, 6, 6, 6,
      ]);
      const everyTwo = { expectedIntervalMs: 2000, maxGapCount: 5 };
      expect(impute(method, points, 1e6, everyTwo).value).toBe(11);
    },
  );

  test.each<[string, ImputationMethod, Points, number]>([
    [
      'a repeated time',
      'linear',
      [
        [1, 5],
        [1, 9],
      ],
      9,
    ],
    [
      'a backward time',
      'linear',
      [
        [5, 5],
        [1, 9],
      ],
      9,
    ],
    [
      'a backward time',
      'predict',
      [
        [5, 5],
        [1, 9],
      ],
      9,
    ],
    [
      'a time before the last value',
      'linear',
      [
        [0, 5],
        [4, 9],
      ],
      9,
    ],
    [
      'a slope beyond the doubles',
      'linear',
      [
        [0, -1e308],
        [1, 1e308],
      ],
      1e308,
    ],
    [
      'a slope beyond the doubles',
      'predict',
      [
        [0, -1e308],
        [1, 1e308],
      ],
      1e308,
    ],
  ])('%s: %s falls back on the last value', (_, method, points, expected) => {
    expect(impute(method, points, 2).value).toBe(expected);
  });

  test('says what it did', () => {
    const points: Points = [
      [0, 85],
      [1, 86],
    ];
    expect(impute('meanOfLastTwo', points, 2)).toEqual({ value: 85.5, basis: 'meanOfLastTwo of 85, 86' });
    expect(impute('previous', points, 2)).toEqual({ value: 86, basis: 'previous of 86' });
    expect(impute('linear', points, 3).basis).toBe('linear through 85, 86, 2 s ahead');
    expect(impute('predict', points, 3).basis).toBe('predict from 86 at 1 per second, 2 s ahead');
  });

  test('is finite and its history plain JSON, whatever was accepted', () => {
    const point = fc.tuple(
      fc.integer({ min: -1000, max: 1000 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const method = fc.constantFrom<ImputationMethod[]>('meanOfLastTwo', 'previous', 'linear', 'predict');
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 2, maxLength: 20 }),
        method,
        fc.integer(),
        (points, chosen, second) => {
          const history = historyOf(points);
          expect(JSON.parse(JSON.stringify(history))).toStrictEqual(history);
          expect(imputedValue(history, chosen, second, options).value).toSatisfy(Number.isFinite);
        },
      ),
    );
  });
});

test.each<[ImputationMethod, number[]]>([
  ['meanOfLastTwo', [1, 2, 3]],
  ['previous', [1, 2, 3]],
  ['linear', [2, 3]],
  ['predict', [2, 3]],
  ['none', []],
])('%s is enough with %j values', (method, expected) => {
  const all: Points = [
    [0, 1],
    [1, 2],
    [2, 3],
  ];
  const enough = [0, 1, 2, 3].filter((n) => enoughHistory(historyOf(all.slice(0, n)), method, 'degC'));
  expect(enough).toEqual(expected);
  expect(enoughHistory(historyOf(all), method, 'K')).toBe(false);
});
