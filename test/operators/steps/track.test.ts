import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kalmanPredict, kalmanState, kalmanUpdate } from '../../../operators/steps/kalman.ts';
import {
  trackCovariance,
  trackMixture,
  trackPredict,
  trackSmooth,
  trackUpdate,
} from '../../../operators/steps/track.ts';
import type { Track } from '../../../operators/steps/track.ts';

const figures = (track: Track): number[] => [track.x0, track.x1, ...trackCovariance(track)];

const close = (actual: readonly number[], expected: readonly number[], tolerance: number): void => {
  const scale = Math.max(1, ...expected.map(Math.abs));
  expect(actual.length).toBe(expected.length);
  actual.forEach((figure, i) =>
    expect(Math.abs(figure - (expected[i] ?? NaN)) / scale).toBeLessThanOrEqual(tolerance),
  );
};

describe('trackPredict and trackUpdate', () => {
  const step = fc.tuple(
    fc.double({ min: 1e-2, max: 100, noNaN: true }),
    fc.option(fc.double({ min: -1e3, max: 1e3, noNaN: true })),
  );

  it('agree with the form that carries the determinant', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (sequence) => {
        const track: Track = { x0: 10, x1: 0, p: 2, g: 0, c: 0.5 };
        const expected = kalmanState(10, [2, 0.5]);
        const q = 0.03;
        for (const [dt, z] of sequence) {
          trackPredict(track, dt, q);
          kalmanPredict(expected, dt, (q * dt ** 3) / 3, (q * dt ** 2) / 2, q * dt);
          if (z === null) continue;
          trackUpdate(track, z - track.x0, track.p + 0.25, 0.25);
          kalmanUpdate(expected, z, 0.25);
        }
        const { x0, x1, p00, p01, p11 } = expected;
        const scale = Math.max(1, ...sequence.map(([, z]) => Math.abs(z ?? 0)));
        close(figures(track), [x0, x1, p00, p01, p01, p11], 1e-9 * scale);
      }),
    );
  });
});

describe('trackMixture', () => {
  it('has the mean and the covariance of the mixture', () => {
    const a: Track = { x0: 1, x1: 0.5, p: 2, g: 0.25, c: 0.1 };
    const b: Track = { x0: 4, x1: -1, p: 1, g: -0.5, c: 0.3 };
    // By hand: shares 0.25 and 0.75; the means differ by [3, -1.5], which adds 3/16 of [9, -4.5; -4.5, 2.25].
    const p00 = 0.25 * 2 + 0.75 * 1 + (3 / 16) * 9;
    const p01 = 0.25 * 0.5 + 0.75 * -0.5 + (3 / 16) * -4.5;
    const p11 = 0.25 * (0.1 + 0.125) + 0.75 * (0.3 + 0.25) + (3 / 16) * 2.25;
    close(figures(trackMixture([a, b], [1, 3])), [3.25, -0.625, p00, p01, p01, p11], 1e-14);
  });
});

describe('trackSmooth', () => {
  it('equals the textbook form with its differences', () => {
    const track: Track = { x0: 3, x1: 0.2, p: 0.4, g: 0.5, c: 0.02 };
    const [dt, q] = [0.7, 0.05];
    const ahead = { ...track };
    trackPredict(ahead, dt, q);
    const later: Track = { x0: ahead.x0 + 0.5, x1: ahead.x1 - 0.1, p: 0.1, g: 0.3, c: 0.01 };
    const [p00, p01, , p11] = trackCovariance(track);
    const [m00, m01, , m11] = trackCovariance(ahead);
    const [l00, l01, , l11] = trackCovariance(later);
    // G = P F' inv(P-)
    const det = m00 * m11 - m01 * m01;
    const [a, b, c, d] = [p00 + dt * p01, p01, p01 + dt * p11, p11];
    const [g00, g01] = [(a * m11 - b * m01) / det, (b * m00 - a * m01) / det];
    const [g10, g11] = [(c * m11 - d * m01) / det, (d * m00 - c * m01) / det];
    const [e00, e01, e11] = [l00 - m00, l01 - m01, l11 - m11];
    const quadratic = (u0: number, u1: number, v0: number, v1: number): number =>
      u0 * v0 * e00 + (u0 * v1 + u1 * v0) * e01 + u1 * v1 * e11;
    const s01 = p01 + quadratic(g00, g01, g10, g11);
    const expected = [
      3 + g00 * 0.5 + g01 * -0.1,
      0.2 + g10 * 0.5 + g11 * -0.1,
      p00 + quadratic(g00, g01, g00, g01),
      s01,
      s01,
      p11 + quadratic(g10, g11, g10, g11),
    ];
    close(figures(trackSmooth(track, dt, q, later)), expected, 1e-12);
  });

  it('stays positive definite at any spacing, forth and back', () => {
    const spacing = fc.double({ min: 1e-3, max: 1e5, noNaN: true });
    const level = fc.double({ min: -10, max: 2, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(spacing, level, fc.boolean()), { minLength: 1, maxLength: 60 }),
        (steps) => {
          const track: Track = { x0: 0, x1: 0, p: 1, g: 0, c: 1 };
          const passed: { track: Track; dt: number; q: number }[] = [];
          const check = ({ p, c, ...rest }: Track): void => {
            expect(p).toBeGreaterThan(0);
            expect(c).toBeGreaterThan(0);
            const [p00, p01, , p11] = trackCovariance({ p, c, ...rest });
            expect(Math.sqrt(p00) * Math.sqrt(p11)).toBeGreaterThanOrEqual(Math.abs(p01));
          };
          for (const [dt, exponent, measured] of steps) {
            const q = 10 ** exponent;
            passed.push({ track: { ...track }, dt, q });
            trackPredict(track, dt, q);
            if (measured) trackUpdate(track, 1, track.p + 0.25, 0.25);
            check(track);
          }
          let later = track;
          for (const { track: before, dt, q } of passed.reverse()) {
            later = trackSmooth(before, dt, q, later);
            check(later);
          }
        },
      ),
    );
  });
});
