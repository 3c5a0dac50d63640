import type { Plain } from '../../../operators/steps/twin.ts';
import type { Companion } from './companion.ts';
import { estimatedTwin } from './estimatedTwin.ts';
import type { EstimatedState, EstimatedTwin } from './estimatedTwin.ts';
import type { EstimationOptions } from './estimationOptions.ts';
import { hybridModel, normalised } from './hybridModel.ts';
import { resolveHybrid } from './hybridOptions.ts';
import type { HybridOptions } from './hybridOptions.ts';
import { Ahead, isFinitePending, zeros } from './hybridPending.ts';
import type { Pending } from './hybridPending.ts';
import { judge, newReferee } from './hybridReferee.ts';
import type { Referee } from './hybridReferee.ts';
import { Layout } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { RecursiveLeastSquares } from './recursiveLeastSquares.ts';
import type { LeastSquares } from './recursiveLeastSquares.ts';
import { rolesOf } from './roles.ts';
import { at } from './squareRoot.ts';

export interface HybridState {
  /** What the rest depends on. */
  shape: string;
  /** The twin with the correction in its model. */
  twin: EstimatedState;
  learned: LeastSquares;
  /** By feature; gathered before the first prediction. */
  centre: number[];
  /** By feature: the region in which it was learned, less the centre, in scales. */
  low: number[];
  high: number[];
  /** Time under way, and since the corrected twin was lost. */
  ageS: number;
  soundS: number;
  sinceOriginS: number;
  pending: Pending[];
  referee: Referee;
}

/** A twin of a process model with its state. */
export interface TwinWithState {
  readonly twin: EstimatedTwin;
  readonly state: EstimatedState;
}

/** A learned correction, and what predicts with it. */
export interface Hybrid extends Companion<HybridState> {
  /**
   * What to predict with where the correction is in force, else null: a twin of its own with the coefficients of now, and a
   * copy of its state. `state` is that of the twin that the correction goes along with.
   */
  corrected(state: EstimatedState): TwinWithState | null;
}

/** Predictions begun in a horizon. */
const ORIGINS = 4;
/** In horizons: until the filter is taken to have settled. */
const WARM_UP = 5;
/** In horizons: until the correction is taken to have learned what is new. */
const LEARNING = 1;
/** Least width of the region learned, in scales to each side. */
const MARGIN = 0.1;

/**
 * A correction of the model's balances, learned online from what the model foretold a horizon before.
 *
 * A second filter runs with the correction; the twin itself stays as it is without. Four times a horizon both begin a
 * prediction. When it is due, its error is regressed on what each coefficient did to it on the way, and a referee compares
 * physics alone with the correction: only where that is better is it in force.
 *
 * @throws RangeError that names the option, its value and what was expected.
 */
export function hybrid(
  model: ProcessModel,
  estimation: EstimationOptions | undefined,
  given: HybridOptions,
): Hybrid {
  const options = resolveHybrid(model, given);
  const { horizonS, corrected, forgettingS } = options;
  const spacingS = horizonS / ORIGINS;
  const warmUpS = WARM_UP * horizonS;
  const process = hybridModel(model, corrected, options.reach);
  const twin = estimatedTwin(process, estimation);
  const { confirmCount, gateNis } = twin.estimation;
  const layout = new Layout(model, twin.estimation.estimated);
  const roles = [...rolesOf(process, layout)];
  const point = layout.point();
  const ahead = new Ahead(model, process, layout);
  const terms = corrected.flatMap((each) => each.terms);
  const n = terms.length;
  const squares = new RecursiveLeastSquares(n, options);
  const slope = new Float64Array(n);
  const shape = corrected.map((each) => `${each.name} ${each.limitPerS} ${names(each.terms)}`).join('; ');

  const initial = (): HybridState => ({
    // Of another shape than any: it begins with what the twin knows by then.
    shape: '',
    twin: twin.initial(),
    learned: squares.initial(),
    centre: zeros(n),
    low: zeros(n).fill(-MARGIN),
    high: zeros(n).fill(MARGIN),
    ...{ ageS: 0, soundS: 0, sinceOriginS: 0 },
    pending: [],
    referee: newReferee(),
  });

  const use = (own: HybridState): void => process.use({ ...own, theta: own.learned.theta });

  const restart = (own: HybridState, of: EstimatedState): void => {
    const { companions: _, ...bare } = of;
    own.twin = { ...structuredClone(bare), companions: {} };
    own.learned = squares.initial();
    own.pending = [];
    own.referee = newReferee();
  };

  const fit = (own: HybridState, of: EstimatedState): void => {
    if (own.shape === shape) return;
    Object.assign(own, initial(), { shape });
    restart(own, of);
  };

  const settle = (own: HybridState, of: EstimatedState, due: Pending): void => {
    let lambda = Math.exp(-spacingS / forgettingS);
    const followed = { physics: 0, hybrid: 0 };
    const held = { physics: 0, hybrid: 0 };
    for (let q = 0; q < roles.length; q++) {
      const count = at(due.count, q);
      if (count === 0) continue;
      const variance = at(due.variance, q) / count;
      const error = at(due.hybridError, q) / count;
      let target = error;
      for (let k = 0; k < n; k++) {
        slope[k] = at(due.slope[q] ?? [], k) / count;
        target += at(slope, k) * at(due.theta, k);
      }
      // Where errors are large all the time, they are no outliers.
      const usual = variance * Math.max(1, own.referee.followed.hybrid[1]);
      squares.learn(own.learned, slope, target, 1 / variance, lambda, usual);
      // Time passes once, however many quantities there are.
      lambda = 1;
      const squared = (sums: readonly number[]): number => (at(sums, q) / count) ** 2 / variance;
      followed.physics += squared(due.physicsError);
      followed.hybrid += squared(due.hybridError);
      held.physics += squared(due.physicsHeldError);
      held.hybrid += squared(due.hybridHeldError);
    }
    if (lambda === 1 && judge(own.referee, followed, held, options)) restart(own, of);
  };

  /** Goes on from where the region was towards where the plant is; what is not visited is forgotten. */
  const explore = (own: HybridState, of: EstimatedState, dtS: number): void => {
    layout.unpack(of.belief.z, of.u, point);
    const share = 1 - Math.exp(-dtS / (LEARNING * horizonS));
    const forgotten = 1 - Math.exp(-dtS / forgettingS);
    const settling = own.ageS <= warmUpS;
    for (let k = 0; k < n; k++) {
      const term = terms[k];
      if (term === undefined || term.constant) continue;
      const centre = at(own.centre, k);
      const value = normalised(term, centre, point.x, point.u, point.p);
      if (!Number.isFinite(value)) continue;
      if (settling) {
        own.centre[k] = centre + Math.min(1, dtS / own.ageS) * value * term.scale;
        continue;
      }
      const low = at(own.low, k);
      const high = at(own.high, k);
      own.low[k] = low + (value - MARGIN - low) * (value - MARGIN < low ? share : forgotten);
      own.high[k] = high + (value + MARGIN - high) * (value + MARGIN > high ? share : forgotten);
    }
  };

  const reasonOf = (own: HybridState): string | null => {
    if (own.ageS <= warmUpS) return 'warming up';
    if (own.soundS < horizonS) return 'the filter was lost';
    if (own.referee.comparisons < options.minComparisons) return 'too few comparisons';
    return own.referee.active ? null : 'not better than physics alone';
  };

  return {
    name: 'hybrid',
    initial,
    told(own, of) {
      fit(own, of);
      own.twin.u = of.u.slice();
      own.twin.uVariance = of.uVariance.slice();
      own.twin.uIntervalS = of.uIntervalS.slice();
      own.twin.uAgeS = of.uAgeS.slice();
    },
    advanced(own, of, dtS) {
      if (own.shape !== shape) {
        // Begins where the twin has got to.
        fit(own, of);
        return;
      }
      own.ageS += dtS;
      own.soundS += dtS;
      use(own);
      twin.advance(own.twin, dtS);
      explore(own, of, dtS);
      if (dtS > horizonS / 2) {
        // Nobody knows what the inputs did meanwhile.
        own.pending = [];
        own.soundS = 0;
      }
      for (const each of own.pending) ahead.advance(each, own, of.u, dtS);
      while (own.pending[0] !== undefined && own.pending[0].ageS > horizonS + spacingS / 2) {
        const [due] = own.pending.splice(0, 1);
        if (due !== undefined && isFinitePending(due)) settle(own, of, due);
      }
      own.sinceOriginS += dtS;
      if (own.sinceOriginS < spacingS || own.ageS <= warmUpS) return;
      own.sinceOriginS = 0;
      const coefficients = { ...own, theta: own.learned.theta };
      own.pending.push(
        ahead.begin(of.belief.z, own.twin.belief.z, coefficients, of.u, horizonS, roles.length),
      );
    },
    compared(own, of, { quantity, value, measurementVariance, believed }) {
      fit(own, of);
      const q = roles.findIndex(([name]) => name === quantity);
      const role = roles[q]?.[1];
      if (role?.kind !== 'compared') return;
      const rejected = at(own.twin.rejected, role.quantity);
      const taken = at(own.twin.taken, role.quantity);
      use(own);
      twin.correct(own.twin, quantity, value, measurementVariance);
      const plausible = gateNis === null || taken === 0 || (own.twin.nis[role.quantity] ?? 0) <= gateNis;
      if (!plausible && rejected + 1 >= confirmCount) own.soundS = 0;
      // What neither of the two believes, and is not yet confirmed, is an outlier.
      if (!believed && !plausible && own.soundS > 0) return;
      for (const each of own.pending) {
        if (each.ageS < horizonS - spacingS / 2) break;
        ahead.compare(each, q, role.read, of.u, value, measurementVariance);
      }
    },
    corrected(state) {
      const own = state.companions['hybrid'];
      if (!isHybrid(own) || own.shape !== shape) return null;
      if (reasonOf(own) !== null) return null;
      const { learned, centre, low, high, twin: of } = structuredClone(own);
      const frozen = hybridModel(model, corrected, options.reach);
      frozen.use({ theta: learned.theta, centre, low, high });
      return { twin: estimatedTwin(frozen, estimation), state: of };
    },
    says(own, of): Plain {
      fit(own, of);
      use(own);
      layout.unpack(own.twin.belief.z, own.twin.u, point);
      const { comparisons, followed } = own.referee;
      const reason = reasonOf(own);
      return {
        active: reason === null,
        reason,
        horizonS,
        comparisons,
        // Share of the mean square error of physics alone that the correction takes away.
        explained: followed.physics[0] > 0 ? 1 - followed.hybrid[0] / followed.physics[0] : null,
        corrections: Object.fromEntries(
          corrected.map((each, k) => [
            each.name,
            {
              value: process.correction(k, point.x, point.u, point.p),
              unit: each.unit,
              limit: each.limitPerS,
              features: each.terms.map((term, i) => ({
                feature: term.name,
                coefficient: (each.limitPerS * at(own.learned.theta, each.from + i)) / term.scale,
                centre: term.constant ? null : at(own.centre, each.from + i),
              })),
            },
          ]),
        ),
      };
    },
  };
}

const names = (terms: readonly { readonly name: string }[]): string =>
  terms.map(({ name }) => name).join(', ');

const isHybrid = (own: object | undefined): own is HybridState =>
  own !== undefined && 'learned' in own && 'shape' in own;
