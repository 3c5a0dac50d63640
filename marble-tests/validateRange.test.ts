import { expect, test } from 'vitest';
import { validateRange } from '../operators/validateRange.ts';
import { withIssue } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

const temperature = { min: -50, max: 400 };

operatorContract('validateRange', () => validateRange(temperature), readings([85, 500, null, -51, 400]));

test('marks what is outside as Bad and passes the limits', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b, c] = [reading(85), reading(500), reading(400)];
    const B = withIssue(b, 'Bad', {
      check: 'range',
      message: 'Out of range: 500 degC (allowed: -50 to 400 degC)',
    });
    expectObservable(cold('--a--b--c--|', { a, b, c }).pipe(validateRange(temperature))).toBe(
      '--a--B--c--|',
      {
        a,
        B,
        c,
      },
    );
  });
});

test('passes inside, Bad and missing readings by reference', () => {
  const inputs = [reading(85), reading(500, { quality: 'Bad' }), reading(null)];
  const outputs = outputsOf(validateRange(temperature), inputs);
  outputs.forEach((output, index) => expect(output).toBe(inputs[index]));
});

test('refuses bad options when composed', () => {
  expect(() => validateRange({ min: 1, max: 0 })).toThrow(RangeError);
});
