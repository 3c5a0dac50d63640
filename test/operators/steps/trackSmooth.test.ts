import fc from 'fast-check';
import { Matrix, inverse } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import {
  trackAt,
  trackCovariance,
  trackIsFinite,
  trackPredict,
  trackPredictJerk,
  trackUpdate,
} from '../../../operators/steps/track.ts';
import type { Track } from '../../../operators/steps/track.ts';
import { trackSmooth } from '../../../operators/steps/trackSmooth.ts';
import { covarianceOf, jerkNoise, motion, trackWith } from './trackMatrix.ts';

function near(actual: Matrix, expected: Matrix, tolerance: number): void {
  const scale = Math.max(1, ...expected.to1DArray().map(Math.abs));
  expect(Matrix.sub(actual, expected).abs().max() / scale).toBeLessThanOrEqual(tolerance);
}

const stateOf = ({ x0, x1, x2 }: Track): Matrix => Matrix.columnVector([x0, x1, x2]);

describe('trackSmooth', () => {
  const figure = fc.double({ min: -1, max: 1, noNaN: true });
  const variance = fc.double({ min: 0.05, max: 2, noNaN: true });

  it('equals the textbook form with its differences', () => {
    fc.assert(
      fc.property(
        fc.tuple(variance, variance, variance),
        fc.tuple(figure, figure, figure),
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        fc.constantFrom(0, 0.2),
        ([p, c, d], [g, h, k], dt, a) => {
          const q = 0.05;
          const track = trackWith([3, 0.2, 0.1], { p, g, c, h, k, d });
          const ahead = { ...track };
          trackPredictJerk(ahead, dt, q, a);
          // Some later knowledge: two measurements after that.
          const later = { ...ahead };
          trackUpdate(later, 0.7, later.p + 0.25, 0.25);
          const F = motion(dt);
          const P = covarianceOf(track);
          const before = F.mmul(P)
            .mmul(F.transpose())
            .add(jerkNoise(dt, q, a));
          const G = P.mmul(F.transpose()).mmul(inverse(before));
          const smoothed = trackSmooth(track, dt, a, q, later);
          const x = Matrix.add(stateOf(track), G.mmul(Matrix.sub(stateOf(later), stateOf(ahead))));
          near(stateOf(smoothed), x, 1e-9);
          const expected = Matrix.add(P, G.mmul(Matrix.sub(covarianceOf(later), before)).mmul(G.transpose()));
          near(covarianceOf(smoothed), expected, 1e-8);
        },
      ),
    );
  });

  it('leaves a track without acceleration without one', () => {
    const track = trackAt(3, 0.2, 0.4, 0.02, 0);
    const later = { ...track };
    trackPredict(later, 0.7, 0.05);
    trackUpdate(later, 0.5, later.p + 0.25, 0.25);
    const { x2, h, k, d } = trackSmooth(track, 0.7, 0.05, 0, later);
    expect([x2, h, k, d]).toEqual([0, 0, 0, 0]);
  });

  it.each([
    ['with acceleration', 1],
    ['without', 0],
  ])('stays positive definite at any spacing, forth and back, %s', (_, share) => {
    const spacing = fc.double({ min: -3, max: 5, noNaN: true }).map((log) => 10 ** log);
    const level = fc.double({ min: -10, max: 2, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(spacing, level, fc.boolean()), { minLength: 1, maxLength: 60 }),
        (steps) => {
          const track = trackAt(0, 0, 1, 1, share);
          const passed: { track: Track; dt: number; q: number }[] = [];
          const check = (each: Track): void => {
            expect(trackIsFinite(each)).toBe(true);
            const [p00, p01, , p11] = trackCovariance(each);
            expect(Math.sqrt(p00) * Math.sqrt(p11) * (1 + 1e-12)).toBeGreaterThanOrEqual(Math.abs(p01));
            expect(each.d).toBeGreaterThanOrEqual(0);
          };
          for (const [dt, exponent, measured] of steps) {
            const q = 10 ** exponent;
            passed.push({ track: { ...track }, dt, q });
            trackPredictJerk(track, dt, q * share, q);
            if (measured) trackUpdate(track, 1, track.p + 0.25, 0.25);
            check(track);
          }
          let later = track;
          for (const { track: before, dt, q } of passed.reverse()) {
            later = trackSmooth(before, dt, q, q * share, later);
            check(later);
          }
        },
      ),
    );
  });
});
