/**
 * Value, rate and acceleration with their covariance, in a form that keeps it positive definite whatever the spacing of
 * readings: P = L diag(p, c, d) L'.
 *
 *     x = [x0, x1, x2]   L = [[1, 0, 0], [g, 1, 0], [h, k, 1]]
 *
 * p is the variance of the value, c that of the rate once the value is known, d that of the acceleration once both are;
 * det P = p c d. Every formula below adds squares with positive weights, so that none of them can come out negative.
 *
 * A track that knows of no acceleration has x2 = h = k = d = 0.
 */
export interface Track {
  /** Value, in the reading's unit. */
  x0: number;
  /** Rate, unit per second. */
  x1: number;
  /** Acceleration, unit/s^2. */
  x2: number;
  p: number;
  g: number;
  c: number;
  h: number;
  k: number;
  d: number;
}

/** A track at [x0, x1, 0] with P = diag(p, c, d). */
export const trackAt = (x0: number, x1: number, p: number, c: number, d: number): Track => ({
  x0,
  x1,
  x2: 0,
  p,
  g: 0,
  c,
  h: 0,
  k: 0,
  d,
});

/**
 * Moves a track without acceleration dtS > 0 seconds ahead, with white noise on the acceleration of intensity q > 0
 * (unit^2/s^3): Q = q [[dt^3/3, dt^2/2], [dt^2/2, dt]] (Bar-Shalom, Li and Kirubarajan 2001, section 6.2.2).
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

/**
 * The same with a known acceleration and white noise on its change (jerk) of intensity q > 0, unit^2/s^5 (Bar-Shalom, Li and
 * Kirubarajan 2001, section 6.2.3), beside the noise on the acceleration itself, `a` >= 0, unit^2/s^3.
 */
export function trackPredictJerk(track: Track, dtS: number, q: number, a = 0): void {
  const { p, c, d } = track;
  const t = dtS;
  const half = (t * t) / 2;
  track.x0 += t * track.x1 + half * track.x2;
  track.x1 += t * track.x2;
  // Columns of F L, weighted p, c and d; the third is [half, t, 1].
  const u0 = 1 + t * track.g + half * track.h;
  const u1 = track.g + t * track.h;
  const u2 = track.h;
  const v0 = t + half * track.k;
  const v1 = 1 + t * track.k;
  const v2 = track.k;
  // Q in the same form: regressions 2.5/t, 10/3/t^2 and 4/t for the jerk, 1.5/t for the acceleration.
  const j0 = (q * t * t * t * t * t) / 20;
  const a0 = (a * t * t * t) / 3;
  const p0 = p * u0;
  const c0 = c * v0;
  const d0 = d * half;
  const j1 = 2.5 / t;
  const j2 = 10 / (3 * t * t);
  const a1 = 1.5 / t;

  const np = p0 * u0 + c0 * v0 + d0 * half + j0 + a0;
  const ng = (p0 * u1 + c0 * v1 + d0 * t + j0 * j1 + a0 * a1) / np;
  const nh = (p0 * u2 + c0 * v2 + d0 + j0 * j2) / np;
  // What is left of each column's second and third row.
  const ru = u1 - ng * u0;
  const rv = v1 - ng * v0;
  const rd = t - ng * half;
  const rj = j1 - ng;
  const ra = a1 - ng;
  const su = u2 - nh * u0;
  const sv = v2 - nh * v0;
  const sd = 1 - nh * half;
  const sj = j2 - nh;
  const jc = (q * t * t * t) / 48;
  const ac = (a * t) / 4;
  const pu = p * ru;
  const cv = c * rv;
  const dd = d * rd;
  const jj = j0 * rj;
  const aa = a0 * ra;
  const nc = pu * ru + cv * rv + dd * rd + jj * rj + aa * ra + jc + ac;
  const nk = (pu * su + cv * sv + dd * sd + jj * sj - aa * nh + (jc * 4) / t) / nc;
  const wu = su - nk * ru;
  const wv = sv - nk * rv;
  const wd = sd - nk * rd;
  const wj = sj - nk * rj;
  const wa = nh + nk * ra;
  const wc = 4 / t - nk;
  track.p = np;
  track.g = ng;
  track.h = nh;
  track.c = nc;
  track.k = nk;
  track.d =
    p * wu * wu +
    c * wv * wv +
    d * wd * wd +
    j0 * wj * wj +
    a0 * wa * wa +
    jc * wc * wc +
    ac * nk * nk +
    (q * t) / 9;
}

/** Takes in an innovation y of variance s = p + r: all but x and p stays as it is. */
export function trackUpdate(track: Track, y: number, s: number, r: number): void {
  const gain = track.p / s;
  const step = gain * y;
  track.x0 += step;
  track.x1 += track.g * step;
  track.x2 += track.h * step;
  track.p = gain * r;
}

/** For an index that cannot be. */
const NOWHERE: Track = trackAt(0, 0, 0, 0, 0);

/**
 * Mean and covariance of value and rate of a mixture of tracks, whose acceleration it forgets; the weights are >= 0, and
 * one of them at least is above.
 */
export function trackMixture(
  tracks: readonly Track[],
  weights: readonly number[],
  into: Track = trackAt(0, 0, 0, 0, 0),
): Track {
  const part = 1 / mixMeans(tracks, weights, into);
  const { x0, x1 } = into;
  let p = 0;
  let p01 = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = (weights[i] ?? 0) * part;
    const d0 = track.x0 - x0;
    p += weight * (track.p + d0 * d0);
    p01 += weight * (track.p * track.g + d0 * (track.x1 - x1));
  }
  const g = p01 / p;
  let c = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = (weights[i] ?? 0) * part;
    const dg = track.g - g;
    const d1 = track.x1 - x1 - g * (track.x0 - x0);
    c += weight * (track.c + track.p * dg * dg + d1 * d1);
  }
  into.x2 = 0;
  into.p = p;
  into.g = g;
  into.c = c;
  into.h = 0;
  into.k = 0;
  into.d = 0;
  return into;
}

/** The same with the acceleration, which for tracks that know of none is 0 with the variance `unknown`. */
export function trackMixtureJerk(
  tracks: readonly Track[],
  weights: readonly number[],
  unknown: number,
  into: Track = trackAt(0, 0, 0, 0, 0),
): Track {
  const part = 1 / mixMeans(tracks, weights, into);
  const { x0, x1, x2 } = into;
  let p = 0;
  let p01 = 0;
  let p02 = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = (weights[i] ?? 0) * part;
    const d0 = track.x0 - x0;
    p += weight * (track.p + d0 * d0);
    p01 += weight * (track.p * track.g + d0 * (track.x1 - x1));
    p02 += weight * (track.p * track.h + d0 * (track.x2 - x2));
  }
  const g = p01 / p;
  const h = p02 / p;
  let c = 0;
  let c12 = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = (weights[i] ?? 0) * part;
    const d0 = track.x0 - x0;
    const dg = track.g - g;
    const d1 = track.x1 - x1 - g * d0;
    c += weight * (track.c + track.p * dg * dg + d1 * d1);
    c12 += weight * (track.c * track.k + track.p * dg * (track.h - h) + d1 * (track.x2 - x2 - h * d0));
  }
  const k = c12 / c;
  let d = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = (weights[i] ?? 0) * part;
    const d0 = track.x0 - x0;
    const d1 = track.x1 - x1 - g * d0;
    const dh = track.h - h - k * (track.g - g);
    const dk = track.k - k;
    const d2 = track.x2 - x2 - h * d0 - k * d1;
    const own = track.d > 0 ? track.d : unknown;
    d += weight * (own + track.c * dk * dk + track.p * dh * dh + d2 * d2);
  }
  into.p = p;
  into.g = g;
  into.c = c;
  into.h = h;
  into.k = k;
  into.d = d;
  return into;
}

/** From the first one: tracks that agree have that very mean, however large it is. Returns the weights' sum. */
function mixMeans(tracks: readonly Track[], weights: readonly number[], into: Track): number {
  const { x0: from0, x1: from1, x2: from2 } = tracks[0] ?? NOWHERE;
  let total = 0;
  let x0 = 0;
  let x1 = 0;
  let x2 = 0;
  for (let i = 0; i < tracks.length; i++) {
    const track = tracks[i] ?? NOWHERE;
    const weight = weights[i] ?? 0;
    total += weight;
    x0 += weight * (track.x0 - from0);
    x1 += weight * (track.x1 - from1);
    x2 += weight * (track.x2 - from2);
  }
  const part = 1 / total;
  into.x0 = from0 + x0 * part;
  into.x1 = from1 + x1 * part;
  into.x2 = from2 + x2 * part;
  return total;
}

/** P of value and rate row by row: [p00, p01, p10, p11]. */
export function trackCovariance({ p, g, c }: Track): [number, number, number, number] {
  const p01 = g * p;
  return [p, p01, p01, c + g * p01];
}

export const trackIsFinite = ({ x0, x1, p, g, c }: Track): boolean =>
  Number.isFinite(x0 + x1) && p > 0 && c > 0 && Number.isFinite(p + c + g * g * p);
