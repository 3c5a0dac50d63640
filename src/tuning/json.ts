import type { SensorTuning } from './tune.ts';

/** The same as the YAML, for programs: an object with `sensors`, each with its evidence, proposal and notes. */
export function tuningJson(tunings: readonly SensorTuning[], inputs: readonly string[]): string {
  return `${JSON.stringify({ inputs, sensors: tunings.map(sensor) }, null, 2)}\n`;
}

function sensor({ record, reason, evidence, settings, hints, warnings }: SensorTuning): object {
  const { asset, sensor: name, unit, counts, first, last, min, max } = record;
  const about = { asset, sensor: name, unit, reason };
  const recorded = {
    counts,
    ...(counts.readings > 0 && Number.isFinite(first) && { first: iso(first), last: iso(last) }),
    ...(counts.usable > 0 && { min, max }),
  };
  if (evidence === null) return { ...about, recorded };
  const { filter, timing, held, resolution, spikes, present } = evidence;
  const { judgement, scores, stdDev, fitted, isBelowResolution } = filter;
  const { scores: _, ...judged } = judgement;
  return {
    ...about,
    recorded: { ...recorded, ...timing, held, resolution, spikes },
    filter: { noiseStdDev: stdDev, isBelowResolution, fitted, scores, judged, present },
    proposal: Object.fromEntries(
      settings.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value]])),
    ),
    notes: Object.fromEntries(settings.map(({ key, note }) => [key, note])),
    hints,
    warnings,
  };
}

const iso = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms));
