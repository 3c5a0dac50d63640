import { Matrix, inverse } from 'ml-matrix';

/**
 * Kalman filter for any number of states n and measurements m.
 *
 * Shapes: x n*1, P n*n, F n*n, Q n*n, z m*1, H m*n, R m*m, y m*1, S m*m, K n*m.
 */
export interface MatrixKalmanState {
  x: Matrix;
  P: Matrix;
}

/** y = z - H x, its covariance S and the normalised innovation squared y' S^-1 y. */
export interface MatrixInnovation {
  readonly y: Matrix;
  readonly S: Matrix;
  readonly nis: number;
}

/** x = F x, P = F P F' + Q. */
export function matrixPredict(state: MatrixKalmanState, F: Matrix, Q: Matrix): void {
  state.x = F.mmul(state.x);
  state.P = symmetric(F.mmul(state.P).mmul(F.transpose()).add(Q));
}

/**
 * Takes in z. The covariance is updated in Joseph's form, (I - KH) P (I - KH)' + K R K', which stays positive
 * semi-definite under rounding (Bucy and Joseph 1968).
 *
 * @throws Error where S is singular.
 */
export function matrixUpdate(state: MatrixKalmanState, z: Matrix, H: Matrix, R: Matrix): MatrixInnovation {
  const Ht = H.transpose();
  const y = Matrix.sub(z, H.mmul(state.x));
  const S = H.mmul(state.P).mmul(Ht).add(R);
  const Si = inverse(S);
  const K = state.P.mmul(Ht).mmul(Si);
  const IKH = Matrix.eye(state.x.rows).sub(K.mmul(H));
  state.x = Matrix.add(state.x, K.mmul(y));
  state.P = symmetric(IKH.mmul(state.P).mmul(IKH.transpose()).add(K.mmul(R).mmul(K.transpose())));
  return { y, S, nis: y.transpose().mmul(Si).mmul(y).get(0, 0) };
}

const symmetric = (P: Matrix): Matrix => Matrix.add(P, P.transpose()).mul(0.5);
