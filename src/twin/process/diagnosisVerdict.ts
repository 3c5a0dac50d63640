import type { Hypothesis } from './diagnosisHypotheses.ts';
import type { ResolvedDiagnosis } from './diagnosisOptions.ts';
import type { Averaged } from './diagnosisWindow.ts';
import type { Layout } from './layout.ts';
import { at } from './squareRoot.ts';

/** Whose fault it is that plant and model part. Plain data. */
export interface Verdict {
  readonly kind: 'sensorFault' | 'processFault' | 'undecided';
  /** The sensor's quantity, or the parameter or input; several, joined by `or`, where these cannot be told apart. */
  readonly which: string;
  readonly fault: 'bias' | 'drift' | 'scale' | 'stuck' | 'change' | null;
  /** In `unit`: what the sensor is off, or the relative change; 0 where a sensor is stuck. */
  readonly size: number;
  readonly unit: string;
  readonly stdDev: number;
  /** Log likelihood ratio against a plant that is as the model says, less the penalty for what was fitted. */
  readonly evidence: number;
  /** In words. */
  readonly cause: string;
  /** Seconds since the diagnosis began. */
  readonly atS: number;
}

/** Both size and onset are fitted. */
const FITTED = 2;
/** From here on what two faults do looks the same. */
const ALIKE = 0.9;
/** A stuck sensor's noise is taken to be so much less than a sound one's. */
const STUCK_SHARE = 100;

/**
 * The verdict on hypotheses, the likeliest first; null without any.
 *
 * @param count of blocks, `beginS` the first one's begin and `starts` theirs after it.
 */
export function decide(
  found: readonly Hypothesis[],
  alike: (one: Hypothesis, other: Hypothesis) => number,
  count: number,
  beginS: number,
  starts: readonly number[],
  layout: Layout,
  { evidence: wanted, margin }: ResolvedDiagnosis,
): Verdict | null {
  const [best] = found;
  if (best === undefined) return null;
  const penalty = (FITTED / 2) * Math.log(Math.max(1, count));
  const evidence = best.evidence - penalty;
  const atS = beginS + at(starts, best.onset);
  const nobody = { which: '', fault: null, size: 0, unit: '', stdDev: 0, evidence, atS } as const;
  if (evidence < wanted) {
    const cause = 'plant and model part; no single fault explains it';
    return { kind: 'undecided', ...nobody, cause };
  }
  const near = found.filter((each) => best.evidence - each.evidence < margin);
  const rivals = near.filter(({ fault }) => fault.kind !== best.fault.kind);
  const [rival] = rivals;
  const names = (of: readonly Hypothesis[]): string => of.map(({ fault }) => fault.which).join(' or ');
  const { size, stdDev, unit, text } = sized(best, layout);
  if (rival !== undefined) {
    const cosine = alike(best, rival);
    const why =
      Math.abs(cosine) > ALIKE
        ? `to these sensors both look the same (${Math.abs(cosine).toFixed(2)})`
        : 'the evidence is not enough yet';
    const both = near.map((each) => `${each.fault.which} ${sized(each, layout).text}`).join(' or ');
    return {
      kind: 'undecided',
      ...{ which: names(near), fault: null, size: 0, unit: '', stdDev: 0, evidence, atS },
      cause: `undecided: ${both}; ${why}`,
    };
  }
  const which = names(near);
  const fault = best.fault.shape;
  return {
    kind: best.fault.kind,
    which,
    fault,
    size,
    unit,
    stdDev,
    evidence,
    cause: `${which}: ${text}`,
    atS,
  };
}

/** A sensor whose last values are all the same: its noise has gone. */
export function stuckVerdict(which: string, blocks: readonly (Averaged | null)[], atS: number): Verdict {
  const count = blocks.reduce((sum, block) => sum + Math.max(0, (block?.count ?? 0) - 1), 0);
  const evidence = (count / 2) * Math.log(STUCK_SHARE);
  return {
    ...{ kind: 'sensorFault', which, fault: 'stuck', size: 0, unit: '', stdDev: 0, evidence, atS },
    cause: `${which}: stuck`,
  };
}

interface Sized {
  readonly size: number;
  readonly stdDev: number;
  readonly unit: string;
  readonly text: string;
}

function sized({ fault, size, stdDev }: Hypothesis, layout: Layout): Sized {
  const { shape, unit, on, index } = fault;
  const log = on === 'estimated' && layout.estimated[index - layout.states]?.log === true;
  const value = log ? Math.expm1(size) : size;
  const spread = log ? Math.exp(size) * stdDev : stdDev;
  const sign = value < 0 ? '-' : '+';
  const relative = unit === '1' || unit === '1/h';
  const number = relative ? 100 * Math.abs(value) : Math.abs(value);
  const shown = `${sign}${Number(number.toPrecision(3))} ${relative ? unit.replace('1', '%') : unit}`;
  return { size: value, stdDev: spread, unit, text: `${shape} ${shown}` };
}
