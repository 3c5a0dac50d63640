import { integerBetween, numberAtLeast } from '../options.ts';
import type { OnDrop } from '../types.ts';

export interface WindowOptions {
  /** Length, in milliseconds. Integer >= 1. */
  readonly sizeMs: number;
  /** A window starts every so often, in milliseconds. Integer >= 1. Default sizeMs: tumbling; less: sliding. */
  readonly everyMs?: number;
  /** Shifts the windows against the epoch, in milliseconds. Integer. Default 0. */
  readonly offsetMs?: number;
  /** How far behind the newest source time a reading may still change an emitted window. >= 0. Default 0. */
  readonly latenessMs?: number;
  /** Without a reading for so long by the clock, the windows go on with the clock. >= 0. Default 10 000. */
  readonly idleTimeoutMs?: number;
  /** Latest readings kept one by one, among which a reading out of order is placed exactly. Integer >= 1. Default 1000. */
  readonly maxSamples?: number;
  /** Told of each reading that came too late for all of its windows. */
  readonly onDrop?: OnDrop;
}

export interface ResolvedWindowOptions extends Required<Omit<WindowOptions, 'onDrop'>> {
  /** Windows are made of panes of this length: the greatest common divisor of sizeMs and everyMs. */
  readonly paneMs: number;
}

const MAX_PANES = 10_000;
/** Thirty years and more: what is longer is a slip of the pen. */
const MAX_MS = 1e12;

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveWindowOptions(options: WindowOptions): ResolvedWindowOptions {
  const sizeMs = integerBetween('sizeMs', options.sizeMs, 1, MAX_MS);
  const everyMs = integerBetween('everyMs', options.everyMs ?? sizeMs, 1, MAX_MS);
  const paneMs = greatestCommonDivisor(sizeMs, everyMs);
  if (sizeMs / paneMs > MAX_PANES) {
    throw new RangeError(
      `everyMs: ${everyMs} is not valid with sizeMs ${sizeMs}, expected a greatest common divisor >= sizeMs / ${MAX_PANES} (it is ${paneMs})`,
    );
  }
  return {
    sizeMs,
    everyMs,
    paneMs,
    offsetMs: integerBetween('offsetMs', options.offsetMs ?? 0, -MAX_MS, MAX_MS),
    latenessMs: numberAtLeast('latenessMs', options.latenessMs ?? 0, 0),
    idleTimeoutMs: numberAtLeast('idleTimeoutMs', options.idleTimeoutMs ?? 10_000, 0),
    maxSamples: integerBetween('maxSamples', options.maxSamples ?? 1000, 1),
  };
}

/** End of the first window that ends after `time`. */
export function firstEndAfter(time: number, { sizeMs, everyMs, offsetMs }: ResolvedWindowOptions): number {
  return alignedAtOrBefore(time - sizeMs, everyMs, offsetMs) + everyMs + sizeMs;
}

/** Start of the pane that holds `time`. */
export const paneStart = (time: number, options: ResolvedWindowOptions): number =>
  alignedAtOrBefore(time, options.paneMs, options.offsetMs);

/** The largest offsetMs + k everyMs that is not after `time`. */
export function alignedAtOrBefore(time: number, everyMs: number, offsetMs: number): number {
  const aligned = Math.floor((time - offsetMs) / everyMs) * everyMs + offsetMs;
  // The division may have rounded a fraction of a millisecond up.
  return aligned > time ? aligned - everyMs : aligned;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
