/**
 * Value and rate with their covariance, in a form that keeps it positive definite whatever the spacing of readings.
 *
 *     x = [x0, x1]   P = [[p, g p], [g p, c + g^2 p]]
 *
 * p is the variance of the value, g the regression of the rate on the value, c the variance of the rate once the value is
 * known; det P = p c. Every formula below adds squares with positive weights, so that p and c cannot come out negative.
 */
export interface Track {
  /** Value, in the reading's unit. */
  x0: number;
  /** Rate, unit per second. */
  x1: number;
  p: number;
  g: number;
  c: number;
}

/**
 * Moves the track dtS > 0 seconds ahead, with white noise on the acceleration of intensity q > 0 (unit^2/s^3):
 * Q = q [[dt^3/3, dt^2/2], [dt^2/2, dt]] (Bar-Shalom, Li and Kirubarajan 2001, section 6.2.2).
 */
export function trackPredict(track: Track, dtS: number, q: number): void {
  const { p, g, c } = track;
  track.x0 += dtS * track.x1;
  const stretch = 1 + dtS * g;
  const p00 = p * stretch * stretch + dtS * dtS * c;
  const p01 = p * g * stretch + dtS * c;
  const q00 = (q * dtS * dtS * dtS) / 3;
  track.p = p00 + q00;
  track.g = (p01 + (q * dtS * dtS) / 2) / track.p;
  const ofState = p01 / p00 - track.g;
  // q00 (1.5/dt - g)^2, which holds for any dt.
  const ofNoise = 1.5 - dtS * track.g;
  track.c = (p * c) / p00 + p00 * ofState * ofState + q * dtS * (0.25 + (ofNoise * ofNoise) / 3);
}

/** Takes in an innovation y of variance s = p + r: g and c stay as they are. */
export function trackUpdate(track: Track, y: number, s: number, r: number): void {
  const gain = track.p / s;
  track.x0 += gain * y;
  track.x1 += track.g * gain * y;
  track.p = gain * r;
}

/** For an index that cannot be. */
const NOWHERE: Track = { x0: 0, x1: 0, p: 0, g: 0, c: 0 };

/** Mean and covariance of a mixture of tracks; the weights are >= 0, and one of them at least is above. */
export function trackMixture(tracks: readonly Track[], weights: readonly number[]): Track {
  // From the first one: tracks that agree have that very mean, however large it is.
  const { x0: from0, x1: from1 } = tracks[0] ?? NOWHERE;
  let total = 0;
  let x0 = 0;
  let x1 = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = weights[i] ?? 0;
    total += weight;
    x0 += weight * (track.x0 - from0);
    x1 += weight * (track.x1 - from1);
  }
  x0 = from0 + x0 / total;
  x1 = from1 + x1 / total;
  let p = 0;
  let p01 = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = (weights[i] ?? 0) / total;
    const d0 = track.x0 - x0;
    p += weight * (track.p + d0 * d0);
    p01 += weight * (track.p * track.g + d0 * (track.x1 - x1));
  }
  const g = p01 / p;
  let c = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = (weights[i] ?? 0) / total;
    const dg = track.g - g;
    const d1 = track.x1 - x1 - g * (track.x0 - x0);
    c += weight * (track.c + track.p * dg * dg + d1 * d1);
  }
  return { x0, x1, p, g, c };
}

/** P row by row: [p00, p01, p10, p11]. */
export function trackCovariance({ p, g, c }: Track): [number, number, number, number] {
  const p01 = g * p;
  return [p, p01, p01, c + g * p01];
}

export const trackIsFinite = ({ x0, x1, p, g, c }: Track): boolean =>
  Number.isFinite(x0 + x1) && p > 0 && c > 0 && Number.isFinite(p + c + g * g * p);

/**
 * One step back of the smoother of Rauch, Tung and Striebel (1965): what is known of the state `dtS` before `later`,
 * a smoothed state, where `track` is what the filter knew then and q the acceleration noise of the way between.
 *
 *     M = F P F'   P- = M + Q   B = M inv(P-)   Z = inv(inv(M) + inv(Q))
 *     x <- inv(F) (x- + B (x_later - x-))       P <- inv(F) (Z + B P_later B') inv(F)'
 *
 * which equals the textbook's P + G (P_later - P-) G' without its differences.
 */
export function trackSmooth(track: Track, dtS: number, q: number, later: Track): Track {
  if (dtS === 0) return later;
  const { p, g, c } = track;
  const stretch = 1 + dtS * g;
  const mp = p * stretch * stretch + dtS * dtS * c;
  const mg = (p * g * stretch + dtS * c) / mp;
  const mc = (p * c) / mp;
  const ahead = { ...track };
  trackPredict(ahead, dtS, q);

  const between = (ahead.g - mg) / ahead.c;
  const b01 = -mp * between;
  const b00 = mp / ahead.p - b01 * ahead.g;
  const b11 = mc / ahead.c + mg * b01;
  const b10 = (mp * mg) / ahead.p - b11 * ahead.g;
  const d0 = later.x0 - ahead.x0;
  const d1 = later.x1 - ahead.x1;
  const x1 = ahead.x1 + b10 * d0 + b11 * d1;
  const x0 = ahead.x0 + b00 * d0 + b01 * d1 - dtS * x1;

  const qp = (q * dtS * dtS * dtS) / 3;
  const qc = (q * dtS) / 4;
  const qg = 1.5 / dtS;
  const zc = 1 / (1 / mc + 1 / qc);
  const zg = (mg / mc + qg / qc) * zc;
  const zp = 1 / (1 / mp + 1 / qp + ((mg - qg) * (mg - qg)) / (mc + qc));

  const u1 = b10 + b11 * later.g;
  const u0 = b00 + b01 * later.g - dtS * u1;
  const v0 = b01 - dtS * b11;
  const w0 = 1 - dtS * zg;
  const back = zp * w0 * w0 + zc * dtS * dtS + later.p * u0 * u0 + later.c * v0 * v0;
  const cross = zp * w0 * zg - zc * dtS + later.p * u0 * u1 + later.c * v0 * b11;
  const slope = cross / back;
  const [rz, rc, ru, rv] = [zg - slope * w0, 1 + slope * dtS, u1 - slope * u0, b11 - slope * v0];
  return {
    x0,
    x1,
    p: back,
    g: slope,
    c: zp * rz * rz + zc * rc * rc + later.p * ru * ru + later.c * rv * rv,
  };
}
