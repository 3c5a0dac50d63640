import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rangeStep, resolveRangeOptions } from '../../../operators/steps/range.ts';

const temperature = resolveRangeOptions({ min: -50, max: 400 });

describe('rangeStep', () => {
  test.each([
    [-50, undefined],
    [400, undefined],
    [85, undefined],
    [500, 'Out of range: 500 degC (allowed: -50 to 400 degC)'],
    [-50.001, 'Out of range: -50.001 degC (allowed: -50 to 400 degC)'],
    [400.0000000001, 'Out of range: 400.0000000001 degC (allowed: -50 to 400 degC)'],
  ])('%d degC: %s', (value, message) => {
    const expected = message === undefined ? undefined : { check: 'range', message };
    expect(rangeStep(value, 'degC', temperature)).toEqual(expected);
  });

  test('leaves the unit out where there is none', () => {
    expect(rangeStep(15, '', { min: 0, max: 14 })?.message).toBe('Out of range: 15 (allowed: 0 to 14)');
  });

  test('has a verdict exactly outside the limits', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(double, double, double, (a, b, value) => {
        fc.pre(a !== b);
        const [min, max] = a < b ? [a, b] : [b, a];
        const issue = rangeStep(value, 'K', resolveRangeOptions({ min, max }));
        expect(issue !== undefined).toBe(value < min || value > max);
      }),
    );
  });
});

test.each([
  [{ min: NaN, max: 1 }, /^min: NaN is not valid/],
  [{ min: 0, max: NaN }, /^max: NaN is not valid, expected a number > 0/],
  [{ min: 5, max: 5 }, /^max: 5 is not valid, expected a number > 5/],
  [{ min: 5, max: 4 }, /^max: 4/],
  [{ min: -Infinity, max: 4 }, /^min: -Infinity/],
])('refuses %j', (options, message) => {
  expect(() => resolveRangeOptions(options)).toThrow(RangeError);
  expect(() => resolveRangeOptions(options)).toThrow(message);
});
