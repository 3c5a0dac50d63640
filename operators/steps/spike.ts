import { integerBetween, numberAbove, numberAtLeast } from '../options.ts';
import type { Issue } from '../types.ts';

export interface SpikeOptions {
  /** Largest credible change relative to the last accepted value; 0.2 = 20 %. > 0. Default 0.2. */
  readonly maxRelativeChange?: number;
  /** Largest credible absolute change, in the reading's unit; judges where values pass near zero. > 0. Default: off. */
  readonly maxAbsoluteChange?: number | null;
  /** The relative change has no verdict where the last accepted value is no larger than this. >= 0. Default 1e-6. */
  readonly nearZero?: number;
  /** Rejected values in a row after which the new level is believed. Integer >= 1. Default 5. */
  readonly confirmCount?: number;
}

/** `reference`: the last accepted value, null before the first. `rejected`: rejected values in a row. */
export interface SpikeState {
  reference: number | null;
  rejected: number;
}

export const spikeState = (): SpikeState => ({ reference: null, rejected: 0 });

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveSpikeOptions(options: SpikeOptions): Required<SpikeOptions> {
  const maxAbsoluteChange = options.maxAbsoluteChange ?? null;
  return {
    maxRelativeChange: numberAbove('maxRelativeChange', options.maxRelativeChange ?? 0.2, 0),
    maxAbsoluteChange:
      maxAbsoluteChange === null ? null : numberAbove('maxAbsoluteChange', maxAbsoluteChange, 0),
    nearZero: numberAtLeast('nearZero', options.nearZero ?? 1e-6, 0),
    confirmCount: integerBetween('confirmCount', options.confirmCount ?? 5, 1),
  };
}

/** Advances the state by one finite value; the issue, or undefined. O(1). */
export function spikeStep(
  state: SpikeState,
  value: number,
  options: Required<SpikeOptions>,
): Issue | undefined {
  const reference = state.reference;
  if (reference === null) {
    state.reference = value + 0; // -0 becomes 0, because JSON does not know it
    return undefined;
  }
  const issue = judge(reference, value, options);
  if (issue === undefined) {
    state.reference = value + 0;
    state.rejected = 0;
    return undefined;
  }
  state.rejected += 1;
  if (state.rejected >= options.confirmCount) {
    state.reference = value + 0;
    state.rejected = 0;
  }
  return issue;
}

function judge(reference: number, value: number, options: Required<SpikeOptions>): Issue | undefined {
  const change = Math.abs(value - reference);
  const scale = Math.abs(reference);
  if (scale > options.nearZero && change > options.maxRelativeChange * scale) {
    const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)}%`;
    const message = `Rapid change detected: ${percent(change / scale)} (allowed: ${percent(options.maxRelativeChange)})`;
    return { check: 'spike', message };
  }
  if (options.maxAbsoluteChange !== null && change > options.maxAbsoluteChange) {
    return {
      check: 'spike',
      message: `Rapid change detected: ${change} (allowed: ${options.maxAbsoluteChange})`,
    };
  }
  return undefined;
}
