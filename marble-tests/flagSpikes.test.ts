import { expect, test } from 'vitest';
import { flagSpikes } from '../operators/flagSpikes.ts';
import { spikeState } from '../operators/steps/spike.ts';
import { withIssue } from '../operators/types.ts';
import { validateRange } from '../operators/validateRange.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading, readings } from './readings.ts';

operatorContract(
  'flagSpikes',
  (cell) => flagSpikes({ confirmCount: 2 }, cell),
  readings([85, 120, 121, 122, null, 50, 86]),
  spikeState,
);

test('marks the jump and nothing else', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b, c] = [reading(85), reading(120), reading(86)];
    const B = withIssue(b, 'Uncertain', {
      check: 'spike',
      message: 'Rapid change detected: 41.2% (allowed: 20.0%)',
    });
    expectObservable(cold('--a--b--c--|', { a, b, c }).pipe(flagSpikes())).toBe('--a--B--c--|', {
      a,
      b: B,
      c,
      B,
    });
  });
});

test('after 85 degC, 500 is Bad by range and not judged again, and 120 is a rapid change from 85', () => {
  marbles(({ cold, expectObservable }) => {
    const [a, b, c] = [reading(85), reading(500), reading(120)];
    const B = withIssue(b, 'Bad', {
      check: 'range',
      message: 'Out of range: 500 degC (allowed: -50 to 400 degC)',
    });
    const C = withIssue(c, 'Uncertain', {
      check: 'spike',
      message: 'Rapid change detected: 41.2% (allowed: 20.0%)',
    });
    const cleaned = cold('-a-b-c-|', { a, b, c }).pipe(validateRange({ min: -50, max: 400 }), flagSpikes());
    expectObservable(cleaned).toBe('-a-B-C-|', { a, B, C });
  });
});

test('passes unharmed readings by reference', () => {
  const inputs = readings([85, 86, null, 87]);
  const outputs = outputsOf(flagSpikes(), inputs);
  outputs.forEach((output, index) => expect(output).toBe(inputs[index]));
});

test('refuses bad options when composed', () => {
  expect(() => flagSpikes({ maxRelativeChange: 0 })).toThrow(RangeError);
});
