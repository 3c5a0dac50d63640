/** A held input is as uncertain as its measurement for so long; what it does in a longer silence nobody knows. */
const LONGEST_HOLD_S = 60;

/**
 * Error of a held input over a step of dtS seconds, independent from one step to the next: the error of a measurement lasts until
 * the next, so over a step it weighs as many independent ones as steps fit in.
 *
 * @param ageS since its last measurement, at the end of the step.
 */
export function heldStdDev(variance: number, intervalS: number, ageS: number, dtS: number): number {
  const heldS = Math.min(Math.max(intervalS, ageS), LONGEST_HOLD_S);
  return Math.sqrt((variance * heldS) / dtS);
}
