import type { ResolvedHybrid } from './hybridOptions.ts';

/** Mean squares of the errors ahead, in variances of what was measured: a slow and a quick mean. Plain data. */
export interface Duel {
  physics: [slow: number, quick: number];
  hybrid: [slow: number, quick: number];
}

export interface Referee {
  /** Foretold with the inputs as they were measured meanwhile. */
  followed: Duel;
  /** Foretold with the inputs held. */
  held: Duel;
  comparisons: number;
  active: boolean;
}

/** Squared errors of the same measurements, as foretold by physics alone and with the correction. */
export interface Verdict {
  readonly physics: number;
  readonly hybrid: number;
}

const newDuel = (): Duel => ({ physics: [0, 0], hybrid: [0, 0] });
export const newReferee = (): Referee => ({
  followed: newDuel(),
  held: newDuel(),
  comparisons: 0,
  active: false,
});

/** Memory of the slow and of the quick mean, in comparisons, of which there are four to a horizon. */
const SLOW = 60;
const QUICK = 12;
/** What a loop does with the inputs meanwhile weighs more than the model there: little says nothing. */
const HELD_OFF_ABOVE = 1.1;
/** So many times the error of physics alone is not a correction that needs more data: it starts anew. */
const HOPELESS = 4;

/**
 * Takes in how physics alone and with the correction have foretold the same measurements.
 *
 * The correction comes on where it is clearly better with the inputs followed and no worse with the inputs held, and goes off
 * where it no longer is.
 *
 * @returns whether the correction is past hope.
 */
export function judge(
  own: Referee,
  followed: Verdict,
  held: Verdict,
  { minComparisons, onBelow, offAbove }: Pick<ResolvedHybrid, 'minComparisons' | 'onBelow' | 'offAbove'>,
): boolean {
  if (![followed, held].every(({ physics, hybrid }) => Number.isFinite(physics + hybrid))) return false;
  own.comparisons += 1;
  const [slow, quick] = take(own.followed, followed, own.comparisons);
  const [slowHeld] = take(own.held, held, own.comparisons);
  const worst = Math.max(slow, quick);
  const enough = own.comparisons >= minComparisons;
  own.active = own.active
    ? worst < offAbove && slowHeld < HELD_OFF_ABOVE
    : enough && worst < onBelow && slowHeld < 1;
  return enough && Math.min(slow, quick) > HOPELESS;
}

/** @returns shares of the error of physics alone that are left. */
function take({ physics, hybrid }: Duel, verdict: Verdict, comparisons: number): [number, number] {
  // As long as there are fewer than a mean remembers, all count alike.
  const slow = 1 / Math.min(SLOW, comparisons);
  const quick = 1 / Math.min(QUICK, comparisons);
  for (const [mean, value] of [
    [physics, verdict.physics],
    [hybrid, verdict.hybrid],
  ] as const) {
    mean[0] += slow * (value - mean[0]);
    mean[1] += quick * (value - mean[1]);
  }
  const left = (with_: number, alone: number): number => (alone > 0 ? with_ / alone : 1);
  return [left(hybrid[0], physics[0]), left(hybrid[1], physics[1])];
}
