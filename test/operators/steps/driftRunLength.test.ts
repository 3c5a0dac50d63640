import { describe, expect, test } from 'vitest';
import {
  cusumRunLength,
  cusumThreshold,
  ewmaRunLength,
  ewmaThreshold,
  normalBelow,
} from '../../../operators/steps/driftRunLength.ts';

/** |a / b - 1| */
const off = (a: number, b: number): number => Math.abs(a / b - 1);

describe('the average run length', () => {
  test.each([
    // k, h, shift, ARL as published (Montgomery, chapter 9; Hawkins, 1993)
    [0.5, 4, 0, 168],
    [0.5, 5, 0, 465],
    [0.5, 4, 1, 8.38],
    [0.5, 5, 1, 10.4],
    [0.5, 4, 2, 3.34],
    [0.5, 5, 0.5, 38],
    [0.25, 8.01, 0, 370],
    [1, 2.52, 0, 370],
  ])('of a CUSUM with k %d and h %d at a shift of %d is %d', (slack, threshold, shift, expected) => {
    expect(off(cusumRunLength(slack, threshold, shift), expected)).toBeLessThan(slack > 0.5 ? 0.08 : 0.05);
    expect(cusumRunLength(slack, threshold, -shift)).toBeCloseTo(cusumRunLength(slack, threshold, shift), 6);
  });

  test.each([
    // lambda, L, shift, ARL as published (Lucas and Saccucci, 1990)
    [0.4, 3.054, 0, 500],
    [0.25, 2.998, 0, 500],
    [0.1, 2.814, 0, 500],
    [0.05, 2.615, 0, 500],
    [0.4, 3.054, 1, 14.3],
    [0.1, 2.814, 1, 10.3],
    [0.05, 2.615, 0.5, 28.7],
    [0.1, 2.814, 2, 4.36],
    [1, 3, 0, 370.4],
  ])('of an EWMA with lambda %d and L %d at a shift of %d is %d', (smoothing, threshold, shift, expected) => {
    expect(off(ewmaRunLength(smoothing, threshold, shift), expected)).toBeLessThan(0.05);
  });

  test.each([10, 100, 1e4, 1e6, 1e9])('a threshold for %d readings gives them', (readings) => {
    expect(off(cusumRunLength(0.5, cusumThreshold(0.5, readings)), readings)).toBeLessThan(0.001);
    expect(off(ewmaRunLength(0.1, ewmaThreshold(0.1, readings)), readings)).toBeLessThan(0.001);
  });

  test('rare false alarms need a threshold in proportion to their logarithm', () => {
    expect(cusumThreshold(0.5, 1e5)).toBeCloseTo(10.35, 2);
    expect(ewmaThreshold(0.1, 1e5)).toBeCloseTo(4.34, 2);
  });
});

test.each([
  [0, 0.5],
  [1.96, 0.9750021048517795],
  [-1, 0.15865525393145707],
  [-4.9999, 2.8680028100460327e-7],
  [-5.0001, 2.8650293708976293e-7],
  [-6, 9.865876450376946e-10],
  [40, 1],
  [-40, 0],
])('the normal distribution function at %d is %d', (z, expected) => {
  expect(Math.abs(normalBelow(z) - expected)).toBeLessThan(1e-13);
});
