import { expect, test } from 'vitest';
import { learnReference } from '../../../operators/steps/driftReference.ts';

test('is mean and sample standard deviation', () => {
  expect(learnReference([84, 85, 86, 85], 0)).toEqual({ mean: 85, stdDev: Math.sqrt(2 / 3) });
});

test('leaves out what stands far off', () => {
  const values = Array.from({ length: 100 }, (_, i) => 85 + ((i * 37) % 100) / 50 - 0.99);
  const clean = learnReference(values, 0);
  expect(clean?.mean).toBeCloseTo(85, 10);
  expect(clean?.stdDev).toBeCloseTo(0.58, 2);
  expect(learnReference([...values, 1e6, -40, 1e150], 0)).toEqual(clean);
});

test('a quantised value has the spread of all values, at rest that of the floor, or none', () => {
  const steps = Array.from({ length: 10 }, (_, i) => (i === 0 ? 86 : 85));
  expect(learnReference(steps, 0)?.stdDev).toBeCloseTo(0.3162, 4);
  expect(learnReference(steps, 0.5)?.stdDev).toBe(0.5);
  expect(learnReference([85, 85, 85], 0.1)).toEqual({ mean: 85, stdDev: 0.1 });
  expect(learnReference([85, 85, 85], 0)).toBeNull();
});

test('the largest values that are learned from give finite figures', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 1e150 : -1e150));
  const reference = learnReference(values, 0);
  expect(reference?.mean).toBe(0);
  expect(reference?.stdDev).toBeCloseTo(1e150, -148);
});
