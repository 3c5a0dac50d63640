import type { Quality } from '../../../operators/types.ts';
import { createRandom, hash } from '../random.ts';
import type { Random } from '../random.ts';
import type { PlantSample } from '../plant.ts';
import { isOn, QUANTITIES, strength } from './scenario.ts';
import type { Scenario, SensorEvent, SensorSettings } from './scenario.ts';

/** One sensor of one reactor: when it samples, and what it makes of the truth. */
export interface Sensor {
  readonly name: string;
  readonly settings: SensorSettings;
  /** Time of the next sample, seconds after the start, to a millisecond. */
  readonly dueS: number;
  /** The sample that is due, from the true value then; null where none comes. */
  sample(truth: number): PlantSample | null;
}

interface FaultState {
  readonly event: SensorEvent;
  /** Of its own, so that a fault leaves the noise of everything else as it was. */
  readonly random: Random;
  held: number | null;
}

/** A sample later than this part of the interval might overtake the next one. */
const MAX_JITTER = 0.25;

export function createSensor(
  scenario: Scenario,
  asset: string,
  name: string,
  settings: SensorSettings,
): Sensor {
  const { seed, startAt } = scenario;
  const stream = (what: string): Random => createRandom(hash(`${asset}/${name}/${what}`, seed));
  const noise = stream('noise');
  const colouredNoise = stream('coloured');
  const clock = stream('clock');
  const losses = stream('losses');
  const faults = scenario.events.flatMap((event, i): FaultState[] =>
    event.kind === 'sensor' &&
    event.sensor === name &&
    (event.assets === null || event.assets.includes(asset))
      ? [{ event, random: stream(`fault ${i}`), held: null }]
      : [],
  );
  const unit = QUANTITIES[settings.measures];
  let count = 0;
  let coloured = settings.colouredStdDev * colouredNoise.normal();
  let lastS = 0;

  const timeOf = (index: number): number => {
    const limit = MAX_JITTER * settings.everyS;
    const jitter =
      settings.jitterS === 0 ? 0 : Math.max(-limit, Math.min(limit, settings.jitterS * clock.normal()));
    return Math.max(0, Math.round((index * settings.everyS + jitter) * 1000) / 1000);
  };
  let dueS = timeOf(0);

  /** AR(1), exact over any distance between samples. */
  const correlated = (atS: number): number => {
    if (settings.colouredStdDev === 0) return 0;
    const kept = Math.exp(-(atS - lastS) / settings.colouredTimeConstantS);
    coloured =
      kept * coloured + settings.colouredStdDev * Math.sqrt(1 - kept * kept) * colouredNoise.normal();
    return coloured;
  };

  const sample = (truth: number): PlantSample | null => {
    const atS = dueS;
    const error = settings.bias + settings.stdDev * noise.normal() + correlated(atS);
    const lost = settings.dropout > 0 && losses.uniform() < settings.dropout;
    lastS = atS;
    count += 1;
    dueS = timeOf(count);
    const { value, quality, silent } = disturbed(faults, truth, error, atS, settings);
    if (lost || silent) return null;
    return { asset, sensor: name, value, unit, quality, timestamp: startAt + Math.round(atS * 1000) };
  };
  return {
    name,
    settings,
    sample,
    get dueS() {
      return dueS;
    },
  };
}

interface Shown {
  readonly value: number | null;
  readonly quality: Quality;
  readonly silent: boolean;
}

/** Faults in the order in which a signal meets them: element, noise, converter, transmission. */
function disturbed(
  faults: readonly FaultState[],
  truth: number,
  error: number,
  atS: number,
  settings: SensorSettings,
): Shown {
  let value = truth;
  let more = error;
  let step = settings.resolution;
  for (const { event, random } of faults) {
    if (!isOn(event, atS)) continue;
    const weight = strength(event, atS);
    if (event.fault === 'scale') value *= 1 + weight * (event.size - 1);
    else if (event.fault === 'bias') more += weight * event.size;
    else if (event.fault === 'drift') more += event.size * (atS - event.at);
    else if (event.fault === 'noise') more += weight * event.size * random.normal();
    else if (event.fault === 'spike') more += random.uniform() < weight * event.probability ? event.size : 0;
    else if (event.fault === 'quantised') step = Math.max(step, event.size);
  }
  value += more;
  if (step > 0) value = quantised(value, step);
  value = Math.max(settings.min, Math.min(settings.max, value));
  let quality: Quality = 'Good';
  let missing = false;
  let silent = false;
  for (const state of faults) {
    const { event, random } = state;
    if (!isOn(event, atS)) continue;
    const weight = strength(event, atS);
    if (event.fault === 'stuck') value = state.held ??= value;
    else if (event.fault === 'bad') quality = 'Bad';
    else if (event.fault === 'dropout') missing ||= random.uniform() < weight * event.probability;
    else if (event.fault === 'silent') silent ||= random.uniform() < weight * event.probability;
  }
  return { value: missing ? null : value, quality, silent };
}

/** Multiples of the step, without the tail of binary digits that a product would have where 1 / step is whole. */
function quantised(value: number, step: number): number {
  const perUnit = Math.round(1 / step);
  return perUnit >= 1 && Math.abs(perUnit * step - 1) < 1e-9
    ? Math.round(value * perUnit) / perUnit
    : Math.round(value / step) * step;
}
