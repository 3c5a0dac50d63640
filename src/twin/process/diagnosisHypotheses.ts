import { unitEffect } from './diagnosisFaults.ts';
import type { Fault } from './diagnosisFaults.ts';
import type { Rerun, Step } from './diagnosisRun.ts';
import { startsOf } from './diagnosisWindow.ts';
import type { Segment } from './diagnosisWindow.ts';
import { at } from './squareRoot.ts';

/** A fault with what the measurements say of its size and onset. */
export interface Hypothesis {
  readonly fault: Fault;
  /** In the fault's unit; of a positive estimate its logarithm. */
  readonly size: number;
  readonly stdDev: number;
  /** Block with which it begins. */
  readonly onset: number;
  /** Log likelihood ratio against no fault. */
  readonly evidence: number;
}

/** Onsets tried are so many blocks apart, before the best one is looked at closely. */
const COARSE = 8;
/** Hypotheses that are run through the model itself. */
const MOST_RUNS = 4;
/** A size that is off by less than this, in standard deviations, needs no second run. */
const NEAR = 0.5;

/** What another shape of the same fault has to gain: as a part, and in all. */
const BETTER_SHARE = 0.05;
const BETTER = 3;

/** What a fault of size 1 makes of the innovations, normalised, in their order. */
export type Signature = (effect: number, innovation: number) => void;

/**
 * Error of z that a fault of size 1 causes, followed through the filter that knows nothing of it (Willsky and Jones 1976):
 *
 *     eps- = F eps+ + what the process does otherwise - what the filter is told too much        G = h eps- + what the sensor adds
 *     eps+ = eps- - K G
 *
 * so that the innovations are e = size G + noise, and the size is estimated by weighted least squares.
 */
export function follow(
  steps: readonly Step[],
  n: number,
  fault: Fault,
  place: number,
  onset: number,
  onsetS: number,
  each: Signature,
): void {
  let error = new Float64Array(n);
  let moved = new Float64Array(n);
  const { on, index } = fault;
  for (let block = onset; block < steps.length; block++) {
    const step = steps[block];
    if (step === undefined) return;
    const { atS, dtS, f, u } = step;
    const sinceS = atS - onsetS;
    const beforeS = sinceS - dtS;
    if (on === 'estimated') {
      const before = beforeS > 0 ? unitEffect(fault, beforeS, 0) : 0;
      error[index] = at(error, index) + unitEffect(fault, sinceS, 0) - before;
    }
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += at(f, i * n + j) * at(error, j);
      moved[i] = sum;
    }
    const b = step.b[place];
    if (b) {
      const share = Math.min(1, sinceS / dtS);
      const effect = share * unitEffect(fault, sinceS, on === 'told' ? at(u, index) : 0);
      const signed = on === 'told' ? -effect : effect;
      for (let i = 0; i < n; i++) moved[i] = at(moved, i) + signed * at(b, i);
    }
    [error, moved] = [moved, error];
    for (const { quantity, value, e, s, k, h } of step.found) {
      let effect = on === 'compared' && index === quantity ? unitEffect(fault, sinceS, value) : 0;
      for (let i = 0; i < n; i++) effect += at(h, i) * at(error, i);
      for (let i = 0; i < n; i++) error[i] = at(error, i) - at(k, i) * effect;
      const root = Math.sqrt(s);
      each(effect / root, e / root);
    }
  }
}

/** The size that explains the innovations best, and how much better than none. */
function fit(
  steps: readonly Step[],
  n: number,
  fault: Fault,
  place: number,
  onset: number,
  starts: readonly number[],
): Hypothesis {
  let common = 0;
  let power = 0;
  follow(steps, n, fault, place, onset, at(starts, onset), (effect, innovation) => {
    common += effect * innovation;
    power += effect * effect;
  });
  if (!(power > 1e-12 && Number.isFinite(common / power))) {
    return { fault, size: 0, stdDev: Infinity, onset, evidence: 0 };
  }
  return {
    fault,
    size: common / power,
    stdDev: 1 / Math.sqrt(power),
    onset,
    evidence: (common * common) / (2 * power),
  };
}

/** The best hypotheses, the likeliest first, one for each sensor and each parameter. */
export function compareFaults(
  rerun: Rerun,
  n: number,
  segments: readonly Segment[],
  faults: readonly Fault[],
): { readonly found: Hypothesis[]; readonly alike: (one: Hypothesis, other: Hypothesis) => number } {
  const steps = rerun.run(segments, faults);
  const starts = startsOf(segments.flatMap(({ blocks }) => blocks));
  const search = (fault: Fault): Hypothesis => {
    const place = faults.indexOf(fault);
    let likeliest = fit(steps, n, fault, place, 0, starts);
    const look = (onset: number): void => {
      // The last block alone says nothing of a fault.
      if (onset <= 0 || onset >= steps.length - 1) return;
      const hypothesis = fit(steps, n, fault, place, onset, starts);
      if (hypothesis.evidence > likeliest.evidence && plausible(hypothesis)) likeliest = hypothesis;
    };
    for (let onset = COARSE; onset < steps.length; onset += COARSE) look(onset);
    for (let apart = COARSE >> 1; apart >= 1; apart >>= 1) {
      const around = likeliest.onset;
      look(around - apart);
      look(around + apart);
    }
    return likeliest;
  };
  // The simplest shape first, of all; the others only where it says something.
  const simple = (fault: Fault): boolean => fault.shape === 'bias' || fault.shape === 'change';
  const ranked = faults
    .filter(simple)
    .map(search)
    .filter(plausible)
    .sort((one, other) => other.evidence - one.evidence)
    .slice(0, MOST_RUNS);
  const best = ranked.map((first) => {
    const shapes = faults.filter(
      ({ which, kind, shape }) =>
        which === first.fault.which && kind === first.fault.kind && shape !== first.fault.shape,
    );
    let likeliest = first;
    for (const other of shapes.map(search)) {
      const enough = (1 + BETTER_SHARE) * likeliest.evidence + BETTER;
      if (other.evidence > enough && plausible(other)) likeliest = other;
    }
    return likeliest;
  });
  const found = best
    .map((each) => confirmed(rerun, n, segments, faults.indexOf(each.fault), steps, each, starts))
    .sort((one, other) => other.evidence - one.evidence);
  return { found, alike: (one, other) => alike(steps, n, faults, one, other, starts) };
}

/** The same by the model itself, as far as it bends. */
function confirmed(
  rerun: Rerun,
  n: number,
  segments: readonly Segment[],
  place: number,
  steps: readonly Step[],
  hypothesis: Hypothesis,
  starts: readonly number[],
): Hypothesis {
  const { fault, onset, size, stdDev } = hypothesis;
  const first = tried(rerun, segments, steps, hypothesis);
  // What is left, seen with the effects of a small fault.
  const left = steps.map((step, i) => ({
    ...step,
    found: step.found.map((each, j) => ({ ...each, e: first.innovations[i]?.[j] ?? NaN })),
  }));
  const more = fit(left, n, fault, place, onset, starts);
  const better = { ...hypothesis, size: size + more.size };
  if (!(Math.abs(more.size) > NEAR * stdDev) || !plausible(better)) return first.hypothesis;
  const second = tried(rerun, segments, steps, better);
  return second.hypothesis.evidence > first.hypothesis.evidence ? second.hypothesis : first.hypothesis;
}

function tried(
  rerun: Rerun,
  segments: readonly Segment[],
  steps: readonly Step[],
  hypothesis: Hypothesis,
): { readonly hypothesis: Hypothesis; readonly innovations: readonly number[][] } {
  const innovations = rerun.replay(segments, steps, hypothesis);
  const { fault, size, onset } = hypothesis;
  let evidence = 0;
  steps.forEach(({ found }, block) => {
    found.forEach(({ quantity, e, s }, i) => {
      const other = innovations[block]?.[i] ?? NaN;
      evidence += (e * e - other * other) / (2 * s);
      // The density is that of what was measured, not of what it is repaired to.
      const scaled = fault.shape === 'scale' && fault.on === 'compared' && fault.index === quantity;
      if (scaled && block >= onset) evidence -= Math.log(1 + size);
    });
  });
  return { hypothesis: { ...hypothesis, evidence: finite(evidence) }, innovations };
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

/** Nothing is less than nothing, and nothing grows tenfold. */
function plausible({ fault, size }: Hypothesis): boolean {
  if (fault.shape === 'scale') return size > -0.9 && size < 9;
  if (fault.kind === 'processFault' && fault.on !== 'estimated' && fault.shape === 'change') return size > -1;
  return Number.isFinite(size);
}

/** Cosine between what two faults make of the innovations: at 1 or -1 no measurement of these sensors tells them apart. */
function alike(
  steps: readonly Step[],
  n: number,
  faults: readonly Fault[],
  one: Hypothesis,
  other: Hypothesis,
  starts: readonly number[],
): number {
  const onset = Math.min(one.onset, other.onset);
  const signature = (of: Hypothesis): number[] => {
    const effects: number[] = [];
    for (let block = onset; block < of.onset; block++) {
      for (let i = 0; i < (steps[block]?.found.length ?? 0); i++) effects.push(0);
    }
    const place = faults.indexOf(of.fault);
    follow(steps, n, of.fault, place, of.onset, at(starts, of.onset), (effect) => effects.push(effect));
    return effects;
  };
  const [a, b] = [signature(one), signature(other)];
  let [common, first, second] = [0, 0, 0];
  a.forEach((value, i) => {
    common += value * at(b, i);
    first += value * value;
    second += at(b, i) ** 2;
  });
  const size = Math.sqrt(first * second);
  return size > 0 ? common / size : 0;
}
