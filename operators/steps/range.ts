import { numberAbove, numberAtLeast } from '../options.ts';
import type { Issue } from '../types.ts';

/** Physical limits of the quantity, in the reading's unit. */
export interface RangeOptions {
  /** Smallest possible value; itself still valid. Finite. */
  readonly min: number;
  /** Largest possible value; itself still valid. Finite, > min. */
  readonly max: number;
}

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveRangeOptions(options: RangeOptions): Required<RangeOptions> {
  const min = numberAtLeast('min', options.min, -Number.MAX_VALUE);
  return { min, max: numberAbove('max', options.max, min) };
}

/** Judges one finite value, in `unit`; the issue, or undefined. O(1), no state. */
export function rangeStep(value: number, unit: string, options: Required<RangeOptions>): Issue | undefined {
  const { min, max } = options;
  if (value >= min && value <= max) return undefined;
  const suffix = unit === '' ? '' : ` ${unit}`;
  return { check: 'range', message: `Out of range: ${value}${suffix} (allowed: ${min} to ${max}${suffix})` };
}
