import { EigenvalueDecomposition, Matrix, inverse } from 'ml-matrix';
import { inside } from './layout.ts';
import type { Layout } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { rolesOf } from './roles.ts';
import { at } from './squareRoot.ts';
import type { Integrate, Read } from './unscented.ts';

/** What measurements leave of the uncertainty of one state, parameter or input, as a part of what was there before. */
export interface Supported {
  readonly name: string;
  readonly kind: 'state' | 'parameter' | 'input' | 'considered';
  /** 0: known exactly; 1: as uncertain as before, or for a state of no use to it; a state's may be larger. */
  readonly remaining: number;
  /** The estimated parameter or input that its uncertainty goes with, where there is one. */
  readonly mistakenFor: string | null;
}

export interface Observability {
  readonly all: readonly Supported[];
  /** Without those that measurements cannot support. */
  readonly refused: readonly Supported[];
  /** Quantities that have no sensor and whose measurement would support all, alone. */
  readonly wouldHelp: readonly string[];
}

/** At most so much of the uncertainty may remain. */
const MOST_REMAINING = 0.5;
const SAMPLES = 64;
/** Steps of the differences, as a part of the standard deviations. */
const STEP = 0.01;
/** The horizon, in time constants of the slowest mode, and its bounds. */
const TIME_CONSTANTS = 10;
const SHORTEST_S = 600;
const LONGEST_S = 86_400;
/** A sensor that is not there is taken to be so good, against what is known of its quantity without it. */
const LIKELY_ACCURACY = 0.1;
/** From here on two estimates move as one. */
const MISTAKEN_FROM = 0.5;

interface Sensitivities {
  /** By quantity: SAMPLES rows of n, a standard deviation of each variable at the start on the quantity. */
  readonly quantities: ReadonlyMap<string, readonly (readonly number[])[]>;
  /** The same on the variables at the end, as a part of their own standard deviation. */
  readonly atEnd: Matrix;
}

/**
 * Whether the measured quantities can support the estimates: the states' and parameters' posterior covariance, from the
 * sensitivities of all measurements along the model's trajectory, stacked and scaled by what is known before:
 *
 *     O   rows (dy_i(t_k) / dz_j) sd_j / sigma_i           C = (I + O' O)^-1
 *     parameter or input j: sqrt(C_jj)                     state j: sqrt((F C F')_jj), F = dz(end) / dz, scaled
 *
 * The trajectory is the one that the model settles on, with inputs held: what can be told apart only while something is
 * moving is lost in a quiet night. No disturbances are assumed, so what fails here fails in the plant.
 *
 * @param variances quantity -> variance of its sensor, in the quantity's inner unit.
 */
export function observability(
  model: ProcessModel,
  layout: Layout,
  initialStdDev: readonly number[],
  variances: ReadonlyMap<string, number>,
  integrate: Integrate,
): Observability {
  const roles = rolesOf(model, layout);
  const reads = new Map<string, Read>();
  for (const [name, role] of roles) if (role.kind === 'compared') reads.set(name, role.read);
  const sensitivities = sense(model, layout, initialStdDev, reads, integrate);
  const given = [...variances].flatMap(([name, variance]) =>
    rowsOf(sensitivities, name, Math.sqrt(variance)),
  );
  const all = judge(model, layout, given, sensitivities.atEnd);
  const refused = refusedOf(all);
  if (refused.length === 0) return { all, refused, wouldHelp: [] };
  const wouldHelp = [...reads.keys()].filter((name) => {
    if (variances.has(name)) return false;
    const more = rowsOf(sensitivities, name, LIKELY_ACCURACY * spreadOf(sensitivities, name));
    return refusedOf(judge(model, layout, [...given, ...more], sensitivities.atEnd)).length === 0;
  });
  return { all, refused, wouldHelp };
}

/** Where parameters cannot be told, states are uncertain with them: those are then not the cause. */
function refusedOf(all: readonly Supported[]): Supported[] {
  const refused = all.filter(
    ({ kind, remaining }) => kind !== 'considered' && !(remaining <= MOST_REMAINING),
  );
  const others = refused.filter(({ kind }) => kind !== 'state');
  return others.length > 0 ? others : refused;
}

function judge(
  model: ProcessModel,
  layout: Layout,
  rows: readonly (readonly number[])[],
  atEnd: Matrix,
): Supported[] {
  const { n, states, estimated } = layout;
  const O = rows.length === 0 ? Matrix.zeros(1, n) : new Matrix(rows.map((row) => [...row]));
  const C = inverse(Matrix.eye(n).add(O.transpose().mmul(O)));
  const end = atEnd.mmul(C).mmul(atEnd.transpose());
  const cross = atEnd.mmul(C);
  const names = [...model.states, ...estimated].map(({ name }) => name);
  return names.map((name, j) => {
    const isState = j < states;
    const variance = Math.max(0, isState ? end.get(j, j) : C.get(j, j));
    let mistakenFor: string | null = null;
    let most = MISTAKEN_FROM;
    for (let k = states; k < n; k++) {
      const common = Math.abs(isState ? cross.get(j, k) : C.get(j, k)) / Math.sqrt(variance * C.get(k, k));
      if (k === j || !(common > most)) continue;
      most = common;
      mistakenFor = names[k] ?? null;
    }
    const other = estimated[j - states];
    const kind = other === undefined ? 'state' : other.considered ? 'considered' : other.kind;
    return { name, kind, remaining: Math.sqrt(variance), mistakenFor };
  });
}

const rowsOf = ({ quantities }: Sensitivities, name: string, stdDev: number): number[][] =>
  stdDev > 0 ? (quantities.get(name) ?? []).map((row) => row.map((value) => value / stdDev)) : [];

/** What is known of a quantity before it is measured: the largest standard deviation along the trajectory. */
const spreadOf = ({ quantities }: Sensitivities, name: string): number =>
  Math.max(0, ...(quantities.get(name) ?? []).map((row) => Math.hypot(...row)));

function sense(
  model: ProcessModel,
  layout: Layout,
  initialStdDev: readonly number[],
  reads: ReadonlyMap<string, Read>,
  integrate: Integrate,
): Sensitivities {
  const { n, states } = layout;
  const stdDev = [...initialStdDev, ...layout.estimated.map((each) => inside(each).stdDev)];
  const u = model.inputs.map(({ initial }) => initial);
  const horizonS = horizonOf(model, layout, u);
  const settled = layout.point();
  layout.unpack(layout.initial, u, settled);
  integrate(settled.x, settled.u, settled.p, horizonS);
  const z0 = [...settled.x, ...layout.initial.slice(states)];

  /** The measured quantities and, at the end, the states, from a start that is off in one variable. */
  const play = (j: number, offset: number): { readonly y: Map<string, number[]>; readonly end: number[] } => {
    const z = z0.map((value, i) => (i === j ? value + offset : value));
    const point = layout.point();
    layout.unpack(z, u, point);
    const y = new Map([...reads.keys()].map((name): [string, number[]] => [name, []]));
    for (let k = 0; k < SAMPLES; k++) {
      for (const [name, read] of reads) y.get(name)?.push(read(point.x, point.u, point.p));
      integrate(point.x, point.u, point.p, horizonS / SAMPLES);
    }
    return { y, end: [...point.x, ...z.slice(states)] };
  };

  const quantities = new Map(
    [...reads.keys()].map((name): [string, number[][]] => [name, Array.from({ length: SAMPLES }, () => [])]),
  );
  const atEnd = Matrix.zeros(n, n);
  for (let j = 0; j < n; j++) {
    const sd = at(stdDev, j);
    const [up, down] = [play(j, STEP * sd), play(j, -STEP * sd)];
    for (const [name, rows] of quantities) {
      rows.forEach((row, k) => row.push(slope(up.y.get(name)?.[k], down.y.get(name)?.[k])));
    }
    for (let i = 0; i < n; i++) atEnd.set(i, j, slope(up.end[i], down.end[i]) / at(stdDev, i));
  }
  return { quantities, atEnd };
}

/** Of a whole standard deviation; 0 where the model has no number to offer. */
function slope(up = NaN, down = NaN): number {
  const value = (up - down) / (2 * STEP);
  return Number.isFinite(value) ? value : 0;
}

/** Long enough for the slowest mode at the model's own start to show. */
function horizonOf(model: ProcessModel, layout: Layout, u: readonly number[]): number {
  const n = layout.states;
  const point = layout.point();
  layout.unpack(layout.initial, u, point);
  const { x } = point;
  const J = Matrix.zeros(n, n);
  const [up, down] = [new Float64Array(n), new Float64Array(n)];
  model.states.forEach(({ scale }, j) => {
    const value = at(x, j);
    const h = 1e-4 * scale;
    x[j] = value + h;
    model.derivatives(x, point.u, point.p, up);
    x[j] = value - h;
    model.derivatives(x, point.u, point.p, down);
    x[j] = value;
    for (let i = 0; i < n; i++) {
      const rate = (at(up, i) - at(down, i)) / (2 * h);
      J.set(i, j, Number.isFinite(rate) ? rate : 0);
    }
  });
  const rates = new EigenvalueDecomposition(J).realEigenvalues
    .map(Math.abs)
    .filter((rate) => rate > 1 / LONGEST_S);
  const slowest = rates.length === 0 ? SHORTEST_S : TIME_CONSTANTS / Math.min(...rates);
  return Math.min(Math.max(slowest, SHORTEST_S), LONGEST_S);
}

/** Why estimates are refused, with what can be done; null where none is. `measured` are the quantities with a sensor. */
export function refusal(
  model: ProcessModel,
  measured: readonly string[],
  found: Observability,
): string | null {
  if (found.refused.length === 0) return null;
  const parts = found.refused.map(({ name, kind, remaining, mistakenFor }) => {
    const left = `${Math.round(100 * remaining)} % of its uncertainty remains, expected at most ${100 * MOST_REMAINING} %`;
    const together =
      mistakenFor === null
        ? ''
        : kind === 'state'
          ? `, and that of ${mistakenFor} with it`
          : `; it looks like ${mistakenFor}`;
    return `the ${kind} ${name} cannot be estimated (${left}${together})`;
  });
  const help =
    found.wouldHelp.length > 0
      ? `a sensor of ${found.wouldHelp.join(' or ')} would help`
      : `no single sensor of ${model.type} would help`;
  const causes = found.refused.flatMap(({ name, kind, mistakenFor }) =>
    kind === 'state' ? (mistakenFor ?? []) : name,
  );
  const fewer =
    causes.length === 0 ? '' : `; or estimate fewer: leave out ${[...new Set(causes)].join(' or ')}`;
  return `with the sensors there are (${measured.join(', ')}), ${parts.join(' and ')}; ${help}${fewer}`;
}
