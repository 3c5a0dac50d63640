/**
 * Kalman filter (Kalman 1960) for a value and its rate, written out for two states and one measurement.
 *
 *     x = [value, rate]   F = [[1, dt], [0, 1]]   H = [1, 0]   P covariance   Q process noise   R measurement variance
 *     y = z - H x         S = H P H' + R          K = P H' / S
 *
 * The determinant D of P is carried along. With it the update is free of subtractions, so no variance can come out
 * negative whatever the spacing of the readings:
 *
 *     predict: D+ = D + q00 P11 + q11 P00 + q00 q11 - 2 q01 P01 - q01^2   (P after F P F', before Q; det F = 1)
 *     update:  P00+ = P00 R/S   P01+ = P01 R/S   P11+ = (D + P11 R)/S   D+ = D R/S
 *
 * These equal the textbook's P - K S K' for H = [1, 0].
 */
export interface KalmanState {
  /** Value, in the reading's unit. */
  x0: number;
  /** Rate, unit per second. */
  x1: number;
  p00: number;
  p01: number;
  p11: number;
  /** Determinant of P. */
  det: number;
}

/** What an update learned from its measurement. */
export interface Innovation {
  /** z - H x before the update. */
  readonly y: number;
  /** Variance of y. */
  readonly s: number;
}

/** A filter at x = [value, 0] with P = diag(variance). */
export const kalmanState = (value: number, variance: readonly [number, number]): KalmanState => ({
  x0: value,
  x1: 0,
  p00: variance[0],
  p01: 0,
  p11: variance[1],
  det: variance[0] * variance[1],
});

/** Moves the state dtS seconds ahead; Q = [[q00, q01], [q01, q11]] is the noise of that whole step. */
export function kalmanPredict(state: KalmanState, dtS: number, q00: number, q01: number, q11: number): void {
  const p00 = state.p00 + dtS * (2 * state.p01 + dtS * state.p11);
  const p01 = state.p01 + dtS * state.p11;
  const p11 = state.p11;
  state.x0 += dtS * state.x1;
  state.det += q00 * p11 + q11 * p00 + (q00 * q11 - q01 * q01) - 2 * q01 * p01;
  state.p00 = p00 + q00;
  state.p01 = p01 + q01;
  state.p11 = p11 + q11;
}

/** Takes in a measurement z of variance r > 0; returns y and S. */
export function kalmanUpdate(state: KalmanState, z: number, r: number): Innovation {
  const y = z - state.x0;
  const s = state.p00 + r;
  const shrink = r / s;
  state.x0 += (state.p00 / s) * y;
  state.x1 += (state.p01 / s) * y;
  state.p11 = (state.det + state.p11 * r) / s;
  state.p00 *= shrink;
  state.p01 *= shrink;
  state.det *= shrink;
  return { y, s };
}
