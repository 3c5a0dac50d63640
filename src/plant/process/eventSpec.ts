import { choice, number, orNull, text, texts } from '../../../config/formats.ts';
import { isName } from '../../../config/names.ts';
import { group } from '../../../config/spec.ts';
import type { Complain, Spec, ValueOf } from '../../../config/spec.ts';
import { ACTUATOR_FAULTS, SENSOR_FAULTS } from './scenario.ts';
import type { EventTime, PlantEvent, SensorFault } from './scenario.ts';
import { knobDifferences, knobFactors, knobValues, mapped, seconds } from './scenarioFields.ts';

/** Faults that say nothing without a size. */
const SIZED: readonly SensorFault[] = ['bias', 'drift', 'scale', 'noise', 'spike', 'quantised'];

const fields = {
  at: seconds<number>(undefined),
  for: seconds<null>(null, { above: 0 }),
  ramp: seconds(0),
  shape: choice('', 'linear', ['linear', 'exponential']),
  assets: texts('', [], { expected: 'a list of assets of the plant', test: isName }),
  set: knobValues,
  scale: knobFactors,
  add: knobDifferences,
  sensor: text('', ''),
  fault: choice('', '', ['', ...SENSOR_FAULTS]),
  size: orNull(number('', 0)),
  probability: orNull(number('', 0, { above: 0, max: 1 })),
  actuator: choice('', '', ['', ...ACTUATOR_FAULTS]),
  min: number('', -1e9),
  max: number('', 1e9),
} as const;

type Given = ValueOf<typeof fields>;

function check(given: Given, complain: Complain): void {
  const moves = [given.set, given.scale, given.add].some((map) => Object.keys(map).length > 0);
  const kinds = [moves, given.sensor !== '', given.actuator !== ''].filter(Boolean).length;
  if (kinds !== 1) {
    complain('at', 'expected exactly one of set/scale/add, sensor with fault, and actuator');
    return;
  }
  if (given.sensor !== '') {
    if (given.fault === '') complain('fault', `missing, expected one of ${SENSOR_FAULTS.join(', ')}`);
    const sized = SIZED.some((fault) => fault === given.fault);
    if (sized && given.size === null)
      complain('size', `missing, expected a number for the fault ${given.fault}`);
    if (given.fault === 'quantised' && (given.size ?? 1) <= 0) complain('size', 'expected a number > 0');
  } else if (given.fault !== '') complain('fault', 'given without the sensor that it is about');
  if (given.actuator === 'offset' && given.size === null) complain('size', 'missing, expected a number');
  if (given.min > given.max) complain('min', `${given.min} is above max, ${given.max}`);
}

function resolve(given: Given): PlantEvent {
  const { at, ramp, shape, assets, set, scale, add, sensor, size, min, max } = given;
  const time: EventTime = { at, for: given.for, ramp, shape, assets: assets.length === 0 ? null : assets };
  if (given.actuator !== '') return { ...time, kind: 'actuator', fault: given.actuator, size, min, max };
  if (sensor === '' || given.fault === '') return { ...time, kind: 'process', set, scale, add };
  // A spike at every reading would be a bias; a dropout is all of it unless it says how much.
  const probability = given.probability ?? (given.fault === 'spike' ? 0.02 : 1);
  return { ...time, kind: 'sensor', sensor, fault: given.fault, size: size ?? 0, probability };
}

/** One entry of `events`: what happens when, to what. */
export const eventSpec: Spec<PlantEvent> = mapped(group('', fields, { check }), resolve);
