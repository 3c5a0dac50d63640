import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { convertValue, normaliseUnit } from '../../../operators/steps/unit.ts';

describe('convertValue', () => {
  test.each<[number, string, number, string]>([
    [100, 'degC', 212, 'degF'],
    [-40, 'degC', -40, 'degF'],
    [212, 'degF', 100, 'degC'],
    [0, 'degC', 273.15, 'K'],
    [32, 'degF', 273.15, 'K'],
    [373.15, 'K', 100, 'degC'],
    [1, 'MPa', 10, 'bar'],
    [25, 'bar', 2.5, 'MPa'],
    [2.5, 'MPa', 2500, 'kPa'],
    [1, 'atm', 101_325, 'Pa'],
    [1, 'psi', 6894.757293168361, 'Pa'],
    [1, 'bar', 14.503773773020923, 'psi'],
    [1013.25, 'mbar', 1, 'atm'],
    [120, 'L/min', 2, 'L/s'],
    [120, 'L/min', 7.2, 'm3/h'],
    [7.2, 'm3/h', 120, 'L/min'],
    [1, 'm3/s', 60_000, 'L/min'],
    [3600, 'L/h', 1, 'L/s'],
    [1, 'gal/min', 3.785411784, 'L/min'],
    [1.5, 'kg', 1500, 'g'],
    [3600, 'kg/h', 1, 'kg/s'],
    [2, 'h', 7200, 's'],
    [0.42, '1', 42, '%'],
    [42, '%', 0.42, '1'],
    [1.5, 'kW', 1500, 'W'],
    [7, 'pH', 7, 'ph'],
    [1500, 'rpm', 1500, '1/min'],
    [4, 'mA', 0.004, 'A'],
    [5, 'furlong', 5, 'furlong'],
  ])('%d %s = %d %s', (value, from, expected, to) => {
    const converted = convertValue(value, from, to) ?? NaN;
    expect(Math.abs(converted - expected)).toBeLessThanOrEqual(Math.abs(expected) * 3e-16);
  });

  test.each([
    ['degC', 'bar'],
    ['kg', 'kg/s'],
    ['furlong', 'm3/h'],
    ['m3/h', 'furlong'],
    ['', 'degC'],
    ['V', 'A'],
    ['__proto__', 'degC'],
    ['constructor', 'toString'],
  ])('%s cannot become %s', (from, to) => {
    expect(convertValue(1, from, to)).toBeUndefined();
  });

  test('there and back again loses at most rounding', () => {
    const units = [
      ['degC', 'degF', 'K'],
      ['Pa', 'kPa', 'MPa', 'bar', 'mbar', 'psi', 'atm'],
      ['L/min', 'L/s', 'L/h', 'm3/h', 'm3/s', 'gal/min'],
      ['kg/s', 'kg/h', 't/h'],
    ];
    const pair = fc
      .constantFrom(...units)
      .chain((group) => fc.tuple(fc.constantFrom(...group), fc.constantFrom(...group)));
    fc.assert(
      fc.property(pair, fc.double({ min: -1e6, max: 1e6, noNaN: true }), ([from, to], value) => {
        const there = convertValue(value, from, to) ?? NaN;
        const back = convertValue(there, to, from) ?? NaN;
        expect(Math.abs(back - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-15 + 3e-13);
      }),
    );
  });
});

describe('normaliseUnit', () => {
  test.each([
    ['°C', 'degC'],
    ['C', 'degC'],
    ['Cel', 'degC'],
    ['Celsius', 'degC'],
    ['CELSIUS', 'degC'],
    [' deg C ', 'degC'],
    ['°F', 'degF'],
    ['Kelvin', 'K'],
    ['l/min', 'L/min'],
    ['L / min', 'L/min'],
    ['m³/h', 'm3/h'],
    ['m^3/h', 'm3/h'],
    ['gpm', 'gal/min'],
    ['hPa', 'mbar'],
    ['percent', '%'],
    ['ph', 'pH'],
    ['degC', 'degC'],
    ['mPa', undefined],
    ['mpa', undefined],
    ['k', undefined],
    ['', undefined],
    ['furlong', undefined],
  ])('%s is %s', (unit, expected) => {
    expect(normaliseUnit(unit)).toBe(expected);
  });
});
