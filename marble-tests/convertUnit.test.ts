import { expect, test } from 'vitest';
import { convertUnit } from '../operators/convertUnit.ts';
import { withIssue } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading } from './readings.ts';

const inUnit = (value: number | null, unit: string) => reading(value, { unit });

operatorContract('convertUnit', () => convertUnit('degC'), [
  inUnit(85, 'degC'),
  inUnit(185, 'degF'),
  inUnit(358.15, 'K'),
  inUnit(85, ''),
  inUnit(85, 'bar'),
  inUnit(null, 'degF'),
]);

test('converts, fills in the unit, and marks what cannot be converted', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b, c] = [inUnit(185, 'degF'), inUnit(85, ''), inUnit(85, 'bar')];
    const C = withIssue(c, 'Bad', { check: 'unit', message: 'Cannot convert from bar to degC' });
    const result = cold('--a--b--c--|', { a, b, c }).pipe(convertUnit('degC'));
    expectObservable(result).toBe('--A--B--C--|', { A: inUnit(85, 'degC'), B: inUnit(85, 'degC'), C });
  });
});

test.each([
  ['the unit itself', 'degC', inUnit(85, 'degC'), inUnit(85, 'degC')],
  ['another name of it', 'degC', inUnit(85, '°C'), inUnit(85, 'degC')],
  ['the target as it is spelled', '°C', inUnit(185, 'degF'), inUnit(85, '°C')],
  ['a missing value', 'degC', inUnit(null, 'degF'), inUnit(null, 'degC')],
  ['no target', '', inUnit(85, 'furlong'), inUnit(85, 'furlong')],
  ['a unit of the plant', 'drum', inUnit(3, 'drum'), inUnit(3, 'drum')],
  ['a reading without a unit', 'drum', inUnit(3, ''), inUnit(3, 'drum')],
])('%s', (_, target, input, expected) => {
  expect(outputsOf(convertUnit(target), [input])).toEqual([expected]);
});

test.each([
  ['degC', 'furlong', 85, 'Cannot convert from furlong to degC'],
  ['drum', 'degC', 85, 'Cannot convert from degC to drum'],
  ['Pa', 'MPa', 1e305, 'Cannot convert 1e+305 from MPa to Pa: the result is not finite'],
])('to %s from %s: Bad, with value and unit as they came', (target, unit, value, message) => {
  const [output] = outputsOf(convertUnit(target), [inUnit(value, unit)]);
  expect(output).toMatchObject({ value, unit, quality: 'Bad', issues: [{ check: 'unit', message }] });
});

test('takes each reading by its own unit', () => {
  const inputs = [
    inUnit(1, 'bar'),
    inUnit(1, 'MPa'),
    inUnit(1, 'furlong'),
    inUnit(1, 'bar'),
    inUnit(7, 'kPa'),
  ];
  expect(outputsOf(convertUnit('kPa'), inputs).map(({ value }) => value)).toEqual([100, 1000, 1, 100, 7]);
});

test('passes readings in the unit by reference, and leaves what was received alone', () => {
  const same = inUnit(85, 'degC');
  expect(outputsOf(convertUnit('degC'), [same])[0]).toBe(same);
  const received = {
    row: 1,
    source: 'plc',
    position: 1,
    arrivedAt: 0,
    value: 185,
    unit: 'degF',
    quality: 'Good' as const,
  };
  expect(outputsOf(convertUnit('degC'), [reading(185, { unit: 'degF', received })])[0]?.received).toBe(
    received,
  );
});

test('refuses a blank target when composed', () => {
  expect(() => convertUnit(' ')).toThrow(RangeError);
});
