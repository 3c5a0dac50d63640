import { Matrix } from 'ml-matrix';
import { trackAt } from '../../../operators/steps/track.ts';
import type { Track } from '../../../operators/steps/track.ts';

/** The textbook's matrices, to which the factored forms are compared. */
export const motion = (dt: number): Matrix =>
  new Matrix([
    [1, dt, (dt * dt) / 2],
    [0, 1, dt],
    [0, 0, 1],
  ]);

/** Q of white noise on the jerk (q) and on the acceleration (a). */
export const jerkNoise = (dt: number, q: number, a = 0): Matrix =>
  new Matrix([
    [(q * dt ** 5) / 20 + (a * dt ** 3) / 3, (q * dt ** 4) / 8 + (a * dt ** 2) / 2, (q * dt ** 3) / 6],
    [(q * dt ** 4) / 8 + (a * dt ** 2) / 2, (q * dt ** 3) / 3 + a * dt, (q * dt ** 2) / 2],
    [(q * dt ** 3) / 6, (q * dt ** 2) / 2, q * dt],
  ]);

export function covarianceOf({ p, g, c, h, k, d }: Track): Matrix {
  const L = new Matrix([
    [1, 0, 0],
    [g, 1, 0],
    [h, k, 1],
  ]);
  return L.mmul(Matrix.diag([p, c, d])).mmul(L.transpose());
}

export const trackWith = (
  [x0, x1, x2]: readonly [number, number, number],
  factors: Omit<Track, 'x0' | 'x1' | 'x2'>,
): Track => ({ ...trackAt(x0, x1, 1, 1, 1), x2, ...factors });
