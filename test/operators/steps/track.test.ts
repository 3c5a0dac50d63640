import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kalmanPredict, kalmanState, kalmanUpdate } from '../../../operators/steps/kalman.ts';
import {
  trackAt,
  trackCovariance,
  trackMixture,
  trackMixtureJerk,
  trackPredict,
  trackPredictJerk,
  trackUpdate,
} from '../../../operators/steps/track.ts';
import type { Track } from '../../../operators/steps/track.ts';
import { covarianceOf, jerkNoise, motion, trackWith } from './trackMatrix.ts';

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
        const track = trackAt(10, 0, 2, 0.5, 0);
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
    const a: Track = { ...trackAt(1, 0.5, 2, 0.1, 0), g: 0.25 };
    const b: Track = { ...trackAt(4, -1, 1, 0.3, 0), g: -0.5 };
    // By hand: shares 0.25 and 0.75; the means differ by [3, -1.5], which adds 3/16 of [9, -4.5; -4.5, 2.25].
    const p00 = 0.25 * 2 + 0.75 * 1 + (3 / 16) * 9;
    const p01 = 0.25 * 0.5 + 0.75 * -0.5 + (3 / 16) * -4.5;
    const p11 = 0.25 * (0.1 + 0.125) + 0.75 * (0.3 + 0.25) + (3 / 16) * 2.25;
    close(figures(trackMixture([a, b], [1, 3])), [3.25, -0.625, p00, p01, p01, p11], 1e-14);
  });
});

describe('trackPredictJerk', () => {
  const figure = fc.double({ min: -1, max: 1, noNaN: true });
  const variance = fc.double({ min: 0.01, max: 3, noNaN: true });

  it('equals F P F + Q', () => {
    fc.assert(
      fc.property(
        fc.tuple(variance, variance, variance),
        fc.tuple(figure, figure, figure),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        fc.constantFrom(0, 0.3),
        ([p, c, d], [g, h, k], dt, a) => {
          const track = trackWith([3, 0.2, -0.05], { p, g, c, h, k, d });
          const F = motion(dt);
          const expected = F.mmul(covarianceOf(track))
            .mmul(F.transpose())
            .add(jerkNoise(dt, 0.02, a));
          trackPredictJerk(track, dt, 0.02, a);
          close(
            [track.x0, track.x1, track.x2],
            [3 + dt * 0.2 - (dt * dt * 0.05) / 2, 0.2 - dt * 0.05, -0.05],
            1e-12,
          );
          close(covarianceOf(track).to1DArray(), expected.to1DArray(), 1e-12);
        },
      ),
    );
  });

  it('is the form without acceleration where there is none', () => {
    const [track, plain] = [trackAt(1, 2, 0.5, 0.1, 0), trackAt(1, 2, 0.5, 0.1, 0)];
    trackPredictJerk(track, 3, 0, 0.04);
    trackPredict(plain, 3, 0.04);
    close(figures(track), figures(plain), 1e-13);
    expect([track.x2, track.h, track.k, track.d]).toEqual([0, 0, 0, 0]);
  });
});

describe('trackMixtureJerk', () => {
  it('has the mean and the covariance of the mixture, with an acceleration nothing is known of', () => {
    const a = trackAt(1, 0.5, 2, 0.1, 0);
    const b = trackWith([4, -1, 0.4], { p: 1, g: -0.5, c: 0.3, h: 0.2, k: -0.1, d: 0.05 });
    const mixed = trackMixtureJerk([a, b], [1, 3], 0.6);
    close([mixed.x0, mixed.x1, mixed.x2], [3.25, -0.625, 0.3], 1e-14);
    const known = covarianceOf({ ...a, d: 0.6 });
    // The means differ by [3, -1.5, 0.4]; shares 1/4 and 3/4.
    const apart = [3, -1.5, 0.4].map((u) => [3, -1.5, 0.4].map((v) => (3 / 16) * u * v)).flat();
    const expected = covarianceOf(b).mul(0.75).add(known.mul(0.25)).to1DArray();
    close(
      covarianceOf(mixed).to1DArray(),
      expected.map((each, i) => each + (apart[i] ?? NaN)),
      1e-14,
    );
    const plain = trackMixture([a, b], [1, 3]);
    close(figures(mixed), figures(plain), 1e-14);
  });
});
