import { expect, test } from 'vitest';
import { flagStuck } from '../operators/flagStuck.ts';
import { stuckState } from '../operators/steps/stuck.ts';
import { withIssue } from '../operators/types.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

operatorContract(
  'flagStuck',
  (cell) => flagStuck({ maxDurationMs: 2000, minCount: 3, tolerance: 0.1 }, cell),
  readings([85, 85.05, 85, null, 85.1, 86, 86, 86, 86]),
  stuckState,
);

test('marks a value that has stood still for too long, until it moves', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b, c, d] = readings([85, 85, 85, 86]);
    const C = withIssue(c!, 'Uncertain', {
      check: 'stuck',
      message: 'Stuck at 85 for 2 s and 3 readings (allowed: 2 s, tolerance: 0)',
    });
    const result = cold('-a-b-c-d-|', { a: a!, b: b!, c: c!, d: d! }).pipe(
      flagStuck({ maxDurationMs: 2000, minCount: 3 }),
    );
    expectObservable(result).toBe('-a-b-C-d-|', { a, b, C, d });
  });
});

test('Bad and missing readings pass by reference and do not end the run', () => {
  const inputs = [
    reading(85),
    reading(90, { timestamp: 1000, quality: 'Bad' }),
    reading(null, { timestamp: 2000 }),
    reading(85, { timestamp: 3000 }),
    reading(85, { timestamp: 4000 }),
  ];
  const outputs = outputsOf(flagStuck({ maxDurationMs: 4000, minCount: 3 }), inputs);
  outputs.slice(0, 4).forEach((output, index) => expect(output).toBe(inputs[index]));
  expect(outputs[4]?.issues[0]?.message).toMatch(/^Stuck at 85 for 4 s and 3 readings/);
});

test('refuses bad options when composed', () => {
  expect(() => flagStuck({ maxDurationMs: -1 })).toThrow(RangeError);
});
