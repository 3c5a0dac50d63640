import type { Plain } from '../../../operators/steps/twin.ts';
import type { Companion, Comparison } from './companion.ts';
import { faultsOf } from './diagnosisFaults.ts';
import { compareFaults } from './diagnosisHypotheses.ts';
import type { DiagnosisOptions } from './diagnosisOptions.ts';
import { resolveDiagnosis } from './diagnosisOptions.ts';
import { Rerun } from './diagnosisRun.ts';
import { addInnovation, judge, statistics, thresholdOf } from './diagnosisStatistics.ts';
import type { Judged, QuantityStatistics } from './diagnosisStatistics.ts';
import { decide, stuckVerdict } from './diagnosisVerdict.ts';
import type { Verdict } from './diagnosisVerdict.ts';
import {
  blocksOf,
  closeBlock,
  history,
  measured,
  SEGMENT_BLOCKS,
  startsOf,
  stuckFrom,
} from './diagnosisWindow.ts';
import type { Averaged, History } from './diagnosisWindow.ts';
import type { EstimatedState } from './estimatedTwin.ts';
import type { ResolvedEstimation } from './estimationOptions.ts';
import { integrator } from './integrator.ts';
import { Layout } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { rolesOf } from './roles.ts';
import { at } from './squareRoot.ts';
import type { Integrate } from './unscented.ts';

/** What a diagnosis keeps. Times are seconds since it began. */
export interface DiagnosisState {
  nowS: number;
  quantities: Record<string, QuantityStatistics>;
  history: History;
  /** Since when plant and model have parted; null while they agree. */
  partedS: number | null;
  /** Since when they agree again, while the verdict is held; null otherwise. */
  quietS: number | null;
  comparedS: number | null;
  verdict: Verdict | null;
}

export interface Diagnosis extends Companion<DiagnosisState> {
  /** The threshold of the averages, in standard deviations. */
  readonly threshold: number;
}

/** They agree again below this part of the threshold. */
const CLEAR = 0.5;
/** So much more of the past is kept once plant and model have parted. */
const LONGER = 1.5;

/**
 * Watches the innovations of a twin; where plant and model part, tells by the likelihood of the last measurements whether
 * a sensor or the process has changed.
 *
 * @throws RangeError that names the option, its value and what was expected.
 */
export function diagnosis(
  model: ProcessModel,
  estimation: ResolvedEstimation,
  options: DiagnosisOptions = {},
  integrate: Integrate = roughly(model),
): Diagnosis {
  const resolved = resolveDiagnosis(options);
  const layout = new Layout(model, estimation.estimated);
  const roles = rolesOf(model, layout);
  const faults = faultsOf(model, layout, roles, resolved.parameters);
  const names = Object.keys(model.measured);
  const reads = names.map((name) => {
    const role = roles.get(name);
    return role?.kind === 'compared' ? role.read : null;
  });
  const rerun = new Rerun(model, layout, estimation.noise, integrate, reads);
  const threshold = thresholdOf(reads.filter((read) => read !== null).length, resolved);
  const [windowS, blockS] = [resolved.windowMs / 1000, resolved.blockMs / 1000];
  const most = Math.round(resolved.historyMs / resolved.blockMs / SEGMENT_BLOCKS);

  const end = (own: DiagnosisState, twin: EstimatedState): void => {
    const { history: past } = own;
    const { segments } = past;
    const closed = closeBlock(past);
    const last = segments.at(-1);
    if (last !== undefined) last.blocks.push(closed);
    // The end of what was before a fault must not be lost while there is no verdict on it.
    const limit = own.partedS === null ? most : Math.round(LONGER * most);
    if (last !== undefined && last.blocks.length < SEGMENT_BLOCKS) return;
    if (own.partedS === null) while (segments.length > limit - 1) segments.shift();
    else if (segments.length >= limit) return;
    const { z, s } = twin.belief;
    segments.push({ atS: own.nowS, z: [...z], s: [...s], u: [...twin.u], blocks: [] });
  };

  const stuck = (own: DiagnosisState): Verdict | null => {
    const { segments } = own.history;
    const blocks = segments.flatMap((segment) => segment.blocks);
    const starts = startsOf(blocks);
    const sensors: (readonly [string, (Averaged | null)[]])[] = names.map((name, quantity) => {
      const role = roles.get(name);
      const index = role?.kind === 'told' ? role.index : quantity;
      return [name, blocks.map(({ y, u }) => (role?.kind === 'told' ? u : y)[index] ?? null)];
    });
    for (const [name, list] of sensors) {
      const from = stuckFrom(list);
      if (from === null) continue;
      return stuckVerdict(name, list.slice(from), (segments[0]?.atS ?? 0) + at(starts, from));
    }
    return null;
  };

  const compare = (own: DiagnosisState): void => {
    own.comparedS = own.nowS;
    const { segments } = own.history;
    const full = segments.filter(({ blocks }) => blocks.length > 0);
    const held = stuck(own);
    if (held !== null) {
      own.verdict = held;
      return;
    }
    const { found, alike } = compareFaults(rerun, layout.n, full, present(own, faults));
    const starts = startsOf(full.flatMap(({ blocks }) => blocks));
    const count = full.reduce((sum, { blocks }) => sum + blocks.length, 0);
    const fresh = decide(found, alike, count, full[0]?.atS ?? 0, starts, layout, resolved);
    if (
      fresh !== null &&
      (fresh.kind !== 'undecided' || own.verdict === null || own.verdict.kind === 'undecided')
    )
      own.verdict = fresh;
  };

  /** Of sensors that have said something. */
  const present = (own: DiagnosisState, all: typeof faults): typeof faults =>
    all.filter(({ kind, on, index }) => {
      if (kind === 'processFault') return true;
      return own.history.segments.some(({ blocks }) =>
        blocks.some(({ y, u }) => ((on === 'told' ? u : y)[index] ?? null) !== null),
      );
    });

  const judgeAll = (own: DiagnosisState): number => {
    if (own.nowS < windowS) return 0;
    let beyond = 0;
    for (const each of Object.values(own.quantities)) {
      beyond = Math.max(beyond, judge(each.short, resolved).beyond, judge(each.long, resolved).beyond);
    }
    return beyond;
  };

  const follow = (own: DiagnosisState): void => {
    const beyond = judgeAll(own);
    if (own.partedS === null) {
      if (beyond <= threshold) return;
      own.partedS = own.nowS;
      own.comparedS = null;
    } else if (beyond < CLEAR * threshold) {
      own.quietS ??= own.nowS;
      if (own.nowS - own.quietS >= resolved.holdMs / 1000) {
        // What they agree on now is the new beginning.
        Object.assign(own, { partedS: null, quietS: null, verdict: null });
        own.history = history(names.length, model.inputs.length);
      }
      return;
    } else if (beyond > threshold) own.quietS = null;
  };

  const due = (own: DiagnosisState): boolean =>
    own.partedS !== null &&
    (own.comparedS === null || own.nowS - own.comparedS >= resolved.everyMs / 1000) &&
    blocksOf(own.history) >= 2 &&
    (own.history.segments.at(-1)?.blocks.length ?? 0) < SEGMENT_BLOCKS;

  return {
    name: 'diagnosis',
    threshold,
    initial: () => ({
      nowS: 0,
      quantities: {},
      history: history(names.length, model.inputs.length),
      ...{ partedS: null, quietS: null, comparedS: null, verdict: null },
    }),
    advanced(own, twin, dtS) {
      own.nowS += dtS;
      own.history.blockS += dtS;
      if (own.history.segments.length > 0 && own.history.blockS < blockS) return;
      end(own, twin);
      follow(own);
      if (due(own)) compare(own);
    },
    compared(own, twin, comparison: Comparison) {
      const { quantity, value, residual, variance, measurementVariance, believed } = comparison;
      const of = (own.quantities[quantity] ??= statistics());
      if (!Number.isFinite(residual) || !(variance > 0)) return;
      // A filter that finds itself lost believes in a jump at once, so that the averages hardly see it.
      const rejected = at(twin.rejected, names.indexOf(quantity)) + 1;
      if (!believed && rejected >= estimation.confirmCount && own.nowS >= windowS) own.partedS ??= own.nowS;
      addInnovation(of, own.nowS, residual / Math.sqrt(variance), windowS);
      measured(own.history.y[names.indexOf(quantity)], value, measurementVariance, believed);
    },
    told(own, twin, input) {
      measured(own.history.u[input], at(twin.u, input), at(twin.uVariance, input), true);
    },
    says(own): Plain {
      const ago = (since: number): number => own.nowS - since;
      const shown = ({ bias, nis, autocorrelation }: Judged): Plain => ({ bias, nis, autocorrelation });
      const { verdict, partedS } = own;
      return {
        status: partedS === null ? 'agree' : 'part',
        forS: partedS === null ? null : ago(partedS),
        quantities: Object.fromEntries(
          Object.entries(own.quantities).map(([name, each]) => [name, shown(judge(each.long, resolved))]),
        ),
        verdict: verdict === null ? null : shownVerdict(verdict, ago(verdict.atS)),
      };
    },
    parted(own) {
      const { verdict, partedS } = own;
      if (partedS === null) return null;
      const sinceS = verdict === null || verdict.kind === 'undecided' ? partedS : verdict.atS;
      return { cause: verdict === null ? 'plant and model part' : verdict.cause, forS: own.nowS - sinceS };
    },
  };
}

function shownVerdict({ atS: _, ...verdict }: Verdict, forS: number): Plain {
  return { ...verdict, forS };
}

/** Accurate enough for differences of a hundredth of a scale, and a third cheaper than the filter's. */
function roughly(model: ProcessModel): Integrate {
  const by = integrator(model, { relativeTolerance: 1e-5 });
  return (x, u, p, dtS) => void by.advance(x, u, p, dtS);
}
