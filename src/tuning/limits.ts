/** Proposals for the checks with a limit of their own: range, spike, rate and stuck value. */
import { rateState, rateStep, resolveRateOptions } from '../../operators/steps/rate.ts';
import { resolveSpikeOptions, spikeState, spikeStep } from '../../operators/steps/spike.ts';
import type { SpikeOptions } from '../../operators/steps/spike.ts';
import { flagsOf, tolerable } from './flags.ts';
import type { Examined } from './flags.ts';
import { quantileOfSorted, sorted } from './robust.ts';
import { roundedUp } from './round.ts';
import { durationText, shown } from './setting.ts';
import type { Setting } from './setting.ts';
import { flagNote } from './windows.ts';

/** What the difference of two readings of a standing process stays within: six standard deviations. */
const NOISE_CHANGE = 6 * Math.SQRT2;
const PHYSICS = 'physics knows better';

/** Half of the recorded span on either side. `present`: the range in force so far, false = none. */
export function proposeRange(
  min: number,
  max: number,
  clean: { readonly min: number; readonly max: number },
  present: { readonly min: number; readonly max: number } | false,
): Setting {
  const recorded = `recorded ${shown(min)} to ${shown(max)}`;
  const spiky = clean.min > min || clean.max < max;
  const without = spiky ? `, without spikes ${shown(clean.min)} to ${shown(clean.max)}` : '';
  if (present !== false && min >= present.min && max <= present.max)
    return { key: 'range', value: { ...present }, note: `as configured; ${recorded}${without}` };
  const beyond =
    present === false ? '' : `; beyond the ${shown(present.min)} to ${shown(present.max)} that were set`;
  const margin = roundedUp(
    Math.max((clean.max - clean.min) / 2, 1e-3 * Math.max(Math.abs(min), Math.abs(max))),
  );
  const places = 10 ** Math.floor(Math.log10(margin) - 1);
  return {
    key: 'range',
    value: {
      min: Number((Math.floor((min - margin) / places) * places).toPrecision(12)),
      max: Number((Math.ceil((max + margin) / places) * places).toPrecision(12)),
    },
    note: `${recorded}${without}${beyond}, and a margin: ${PHYSICS}`,
  };
}

/** Changes from one reading to the next, without those from or to a spike. */
function eachChange(
  { runs, spikes }: Examined,
  visit: (change: number, from: number, seconds: number) => void,
): void {
  runs.forEach(({ times, values }, k) => {
    const skipped = spikes[k];
    for (let i = 1; i < times.length; i++) {
      if (skipped?.has(i) === true || skipped?.has(i - 1) === true) continue;
      const from = values[i - 1] ?? 0;
      visit((values[i] ?? 0) - from, from, ((times[i] ?? 0) - (times[i - 1] ?? 0)) / 1000);
    }
  });
}

/** A relative limit beyond this says nothing: values pass near zero. */
const LARGEST_RELATIVE = 0.5;

export function proposeSpike(
  examined: Examined,
  range: { readonly min: number; readonly max: number },
): Setting {
  const changes: number[] = [];
  const relative: number[] = [];
  const sizes: number[] = [];
  const signs = new Set<number>();
  eachChange(examined, (change, from) => {
    signs.add(Math.sign(from));
    changes.push(Math.abs(change));
    sizes.push(Math.abs(from));
    relative.push(from === 0 ? Infinity : Math.abs(change / from));
  });
  const noise = NOISE_CHANGE * Math.max(examined.stdDev, (examined.resolution ?? 0) / Math.sqrt(12));
  const smallest = quantileOfSorted(sorted(sizes), 0.01);
  const asRelative = Math.max(1.5 * quantileOfSorted(sorted(relative), 0.999), noise / smallest);
  const isRelative = asRelative <= LARGEST_RELATIVE && signs.size === 1;
  let limit = isRelative ? asRelative : Math.max(1.5 * quantileOfSorted(sorted(changes), 0.999), noise);
  for (let tries = 0; ; tries++) {
    const options = isRelative
      ? { maxRelativeChange: roundedUp(limit) }
      : // Within the range no value is large enough for the relative check, which has no switch of its own.
        { maxAbsoluteChange: roundedUp(limit), nearZero: Math.max(Math.abs(range.min), Math.abs(range.max)) };
    const flags = spikeFlags(examined, options);
    if (tries === 10 || flags.others <= tolerable(examined.count)) {
      const why = isRelative ? '' : 'absolute, as values pass near zero; ';
      return { key: 'spike', value: options, note: `${why}${flagNote(flags, examined)}` };
    }
    limit *= 1.5;
  }
}

function spikeFlags(examined: Examined, options: SpikeOptions): ReturnType<typeof flagsOf> {
  const resolved = resolveSpikeOptions(options);
  return flagsOf(examined, spikeState, (state, value) => spikeStep(state, value, resolved));
}

/** Intervals over which a rate is taken at most. */
const MAX_INTERVALS = 30;

/** @param rates the filter's own rates over the recording, unit/s. */
export function proposeRate(examined: Examined, rates: readonly number[]): Setting {
  const { stdDev, intervalMs, resolution } = examined;
  const noise = NOISE_CHANGE * Math.max(stdDev, (resolution ?? 0) / Math.sqrt(12));
  const fastest = (sign: number): number =>
    quantileOfSorted(sorted(rates.map((rate) => Math.max(0, sign * rate))), 0.999);
  const [rise, fall] = [fastest(1), fastest(-1)];
  const both = Math.max(rise, fall);
  if (!(both > 0) || !Number.isFinite(both))
    return { key: 'rate', value: undefined, note: 'nothing proposed: no rate was seen' };
  // So long that the process moves by as much as the noise.
  const neededMs = Math.min((1000 * noise) / both, MAX_INTERVALS * intervalMs);
  const minIntervalMs = neededMs <= intervalMs ? 0 : Math.ceil(roundedUp(neededMs));
  const seconds = Math.max(minIntervalMs, intervalMs) / 1000;
  let [maxRise, maxFall] = [rise, fall].map((rate) => Math.max(2 * rate, both / 2, rate + noise / seconds));
  for (let tries = 0; ; tries++) {
    const options = {
      maxRisePerS: roundedUp(maxRise ?? 1),
      maxFallPerS: roundedUp(maxFall ?? 1),
      ...(minIntervalMs > 0 && { minIntervalMs }),
    };
    const resolved = resolveRateOptions(options);
    const flags = flagsOf(examined, rateState, (state, value, time) =>
      rateStep(state, value, time, resolved),
    );
    if (tries === 10 || flags.others <= tolerable(examined.count)) {
      const note = `fastest +${shown(rise)} and -${shown(fall)} per s; ${flagNote(flags, examined)}; ${PHYSICS}`;
      return { key: 'rate', value: options, note };
    }
    maxRise = (maxRise ?? 1) * 1.5;
    maxFall = (maxFall ?? 1) * 1.5;
  }
}

/** Readings without a change before there is a verdict, as the check has it. */
const STUCK_COUNT = 10;

export function proposeStuck(unchangedMs: number, intervalMs: number, durationMs: number): Setting {
  const longest = `longest without a change: ${durationText(unchangedMs)}`;
  if (unchangedMs > durationMs / 10)
    return {
      key: 'stuck',
      value: undefined,
      note: `nothing proposed: ${longest}, a large part of the recording`,
    };
  const maxDurationMs = Math.ceil(roundedUp(Math.max(3 * unchangedMs, 2 * STUCK_COUNT * intervalMs)));
  return { key: 'stuck', value: { maxDurationMs }, note: `${longest}; flags 0 %` };
}
