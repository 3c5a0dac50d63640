import { trackPredictJerk } from './track.ts';
import type { Track } from './track.ts';

/**
 * One step back of the smoother of Rauch, Tung and Striebel (1965): what is known of the state `dtS` before `later`,
 * a smoothed state, where `track` is what the filter knew then, `a` and `q` the noise on acceleration and jerk on the way.
 *
 *     P- = F P F' + Q   G = P F' inv(P-)   x <- x + G (x_later - x-)
 *     P <- (I - G F) P (I - G F)' + G Q G' + G P_later G'
 *
 * which equals the textbook's P + G (P_later - P-) G' without its difference: nine columns with weights that are >= 0, of
 * which the factors are found by Gram and Schmidt's method. Rates are counted in 1/dt meanwhile, so that all is of one size.
 */
export function trackSmooth(track: Track, dtS: number, a: number, q: number, later: Track): Track {
  if (dtS === 0) return later;
  const t = dtS;
  const tt = t * t;
  const now = scaled(track, t);
  const end = scaled(later, t);
  const ahead = { ...now };
  const qa = a * tt * t;
  const qj = q * tt * tt * t;
  trackPredictJerk(ahead, 1, qj, qa);

  // The columns of F L.
  const { p, c, d } = now;
  const u = [1 + now.g + now.h / 2, now.g + now.h, now.h] as const;
  const v = [1 + now.k / 2, 1 + now.k, now.k] as const;
  const w = [0.5, 1, 1] as const;
  const bu = solved(ahead, u, p);
  const bv = solved(ahead, v, c);
  const bw = solved(ahead, w, d);
  // G = L [bu bv bw]', a row each.
  const gain: readonly Row[] = [
    bu,
    [now.g * bu[0] + bv[0], now.g * bu[1] + bv[1], now.g * bu[2] + bv[2]],
    [
      now.h * bu[0] + now.k * bv[0] + bw[0],
      now.h * bu[1] + now.k * bv[1] + bw[1],
      now.h * bu[2] + now.k * bv[2] + bw[2],
    ],
  ];
  const through = (x: Row): Row => [along(gain[0], x), along(gain[1], x), along(gain[2], x)];
  const less = (own: Row, x: Row): Row => {
    const taken = through(x);
    return [own[0] - taken[0], own[1] - taken[1], own[2] - taken[2]];
  };
  const step = through([end.x0 - ahead.x0, end.x1 - ahead.x1, end.x2 - ahead.x2]);
  const result = factored([
    [p, less([1, now.g, now.h], u)],
    [c, less([0, 1, now.k], v)],
    [d, less([0, 0, 1], w)],
    [qa / 3, through([1, 1.5, 0])],
    [qa / 4, through([0, 1, 0])],
    [qj / 20, through([1, 2.5, 10 / 3])],
    [qj / 48, through([0, 1, 4])],
    [qj / 9, through([0, 0, 1])],
    [end.p, through([1, end.g, end.h])],
    [end.c, through([0, 1, end.k])],
    [end.d, through([0, 0, 1])],
  ]);
  result.x0 = now.x0 + step[0];
  result.x1 = now.x1 + step[1];
  result.x2 = now.x2 + step[2];
  return scaled(result, 1 / t);
}

type Row = readonly [number, number, number];

const along = (row: Row | undefined, x: Row): number =>
  row === undefined ? 0 : row[0] * x[0] + row[1] * x[1] + row[2] * x[2];

/** The same track with time counted in units of t seconds. */
const scaled = ({ x0, x1, x2, p, g, c, h, k, d }: Track, t: number): Track => ({
  x0,
  x1: x1 * t,
  x2: x2 * t * t,
  p,
  g: g * t,
  c: c * t * t,
  h: h * t * t,
  k: k * t,
  d: d * t * t * t * t,
});

/** weight * inv(L D L') x; a state of no variance at all takes no correction. */
function solved({ p, g, c, h, k, d }: Track, x: Row, weight: number): Row {
  const y1 = x[1] - g * x[0];
  const y2 = x[2] - h * x[0] - k * y1;
  const z2 = d > 0 ? (weight * y2) / d : 0;
  const z1 = (weight * y1) / c - k * z2;
  return [(weight * x[0]) / p - g * z1 - h * z2, z1, z2];
}

/** The factors of the sum of weight * column * column'. */
function factored(columns: readonly (readonly [number, Row])[]): Track {
  let p = 0;
  let p01 = 0;
  let p02 = 0;
  for (const [weight, x] of columns) {
    p += weight * x[0] * x[0];
    p01 += weight * x[0] * x[1];
    p02 += weight * x[0] * x[2];
  }
  const g = p01 / p;
  const h = p02 / p;
  let c = 0;
  let c12 = 0;
  for (const [weight, x] of columns) {
    const x1 = x[1] - g * x[0];
    c += weight * x1 * x1;
    c12 += weight * x1 * (x[2] - h * x[0]);
  }
  const k = c12 / c;
  let d = 0;
  for (const [weight, x] of columns) {
    const x2 = x[2] - h * x[0] - k * (x[1] - g * x[0]);
    d += weight * x2 * x2;
  }
  return { x0: 0, x1: 0, x2: 0, p, g, c, h, k, d };
}
