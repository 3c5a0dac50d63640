import { integrator } from '../../twin/process/integrator.ts';
import type { PlantSample } from '../plant.ts';
import { createControl } from './control.ts';
import { createKnobs } from './knobs.ts';
import type { KnobValues } from './knobs.ts';
import { createPlantModel } from './plantModel.ts';
import { createSensor } from './sensor.ts';
import { isOn, KNOB_NAMES } from './scenario.ts';
import type { PlantEvent, Quantity, Scenario } from './scenario.ts';
import { steadyAt } from './steady.ts';

/** The true state of one reactor at one instant of the grid. Inputs hold from then until the next instant. */
export interface ProcessTruth {
  readonly asset: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** In the units of QUANTITIES. */
  readonly values: Readonly<Record<Quantity, number>>;
  /** The model's states, inputs and parameters in its own order and units. */
  readonly states: readonly number[];
  readonly inputs: readonly number[];
  readonly parameters: readonly number[];
  /** What the scenario does to this reactor now, e.g. `sensor temperature bias`. */
  readonly events: readonly string[];
}

export interface ProcessReactor {
  readonly asset: string;
  /** At the instant that it stands at. */
  truth(): ProcessTruth;
  /** Goes on to the next instant of the grid, the first time to 0, and returns what the sensors gave on the way, by time. */
  next(): PlantSample[];
}

/** Far below what any sensor sees, and twice as fast as the tightest. */
const TOLERANCE = 1e-7;

/** @throws RangeError if the scenario's parameters are not those of the model; Error if the physics cannot go on. */
export function createProcessReactor(scenario: Scenario, asset: string): ProcessReactor {
  const { control: loop, process, startAt, stepS } = scenario;
  const plant = createPlantModel(process);
  const { model } = plant;
  const solver = integrator(model, { relativeTolerance: TOLERANCE });
  const knobs = createKnobs(scenario, asset);
  const now: KnobValues = { ...process.start };
  const x = new Float64Array(model.states.length);
  const u = new Float64Array(model.inputs.length);
  const p = new Float64Array(model.parameters.length);
  const labels = labelsOf(scenario.events, asset);

  let tick = 0;
  knobs.at(0, now);
  const startDegC = process.initialTemperatureDegC ?? now.setpointDegC;
  const steady = steadyAt(plant, now, startDegC, loop.manipulates);
  const startMolPerL = process.initialConcentrationMolPerL ?? steady.concentrationMolPerL;
  plant.write(startDegC, startMolPerL, steady.coolantDegC, x);
  const control = createControl(scenario, asset, steady.output);
  let seenDegC = startDegC;
  let inletDegC = now.coolantInletTemperatureDegC;

  /** Control, actuator and inputs at an instant, from the state there. */
  const settle = (atS: number): void => {
    const temperatureDegC = plant.temperatureOf(x);
    if (loop.sensor === '') seenDegC = temperatureDegC;
    if (loop.manipulates !== 'nothing') control.step(atS, now.setpointDegC, seenDegC);
    inletDegC =
      loop.manipulates === 'coolantTemperature' ? control.position : now.coolantInletTemperatureDegC;
    const valve = loop.manipulates === 'coolantFlow' ? Math.max(0, control.position) : 1;
    plant.parameters(now, temperatureDegC, p);
    plant.inputs(now, inletDegC, valve * now.coolantFlow, u);
  };

  /** Of the instant that the reactor stands at. */
  const read: Readonly<Record<Quantity, () => number>> = {
    temperature: () => plant.temperatureOf(x),
    concentration: () => plant.concentrationOf(x),
    conversion: () => conversionOf(plant.concentrationOf(x), now.feedConcentrationMolPerL),
    flow_rate: () => now.flowRateLPerMin,
    feed_concentration: () => now.feedConcentrationMolPerL,
    feed_temperature: () => now.feedTemperatureDegC,
    coolant_temperature: () => plant.coolantOf(x),
    coolant_flow_rate: () => plant.coolantFlowLPerMin(u),
    coolant_inlet_temperature: () => inletDegC,
    setpoint: () => now.setpointDegC,
    controller_output: () => control.output,
    heat_transfer: () => plant.wall(p),
    reaction_rate_factor: () => now.reactionRate,
  };

  settle(0);
  const sensors = Object.entries(scenario.sensors).map(([name, settings]) => {
    const value = read[settings.measures];
    return { sensor: createSensor(scenario, asset, name, settings), value, old: value(), fresh: value() };
  });

  const measure = (atS: number, beforeS: number): PlantSample[] => {
    const samples: PlantSample[] = [];
    for (const each of sensors) {
      const { sensor } = each;
      each.old = each.fresh;
      each.fresh = each.value();
      while (sensor.dueS <= atS) {
        const share = atS === beforeS ? 1 : Math.max(0, (sensor.dueS - beforeS) / (atS - beforeS));
        const sample = sensor.sample(between(sensor.settings.measures, each.old, each.fresh, share));
        if (sample === null) continue;
        samples.push(sample);
        if (sensor.name === loop.sensor && sample.value !== null && sample.quality !== 'Bad')
          seenDegC = sample.value;
      }
    }
    if (samples.some((sample, i) => i > 0 && sample.timestamp < (samples[i - 1]?.timestamp ?? 0))) {
      samples.sort((one, other) => one.timestamp - other.timestamp);
    }
    return samples;
  };

  let started = false;
  const next = (): PlantSample[] => {
    if (!started) {
      started = true;
      return measure(0, 0);
    }
    const beforeS = tick * stepS;
    const { status } = solver.advance(x, u, p, stepS);
    if (status !== 'done') throw new Error(`${asset}: the physics ended after ${beforeS} s: ${status}`);
    tick += 1;
    const atS = tick * stepS;
    knobs.at(atS, now);
    settle(atS);
    return measure(atS, beforeS);
  };

  const truth = (): ProcessTruth => ({
    asset,
    timestamp: startAt + Math.round(tick * stepS * 1000),
    values: {
      temperature: read.temperature(),
      concentration: read.concentration(),
      conversion: read.conversion(),
      flow_rate: read.flow_rate(),
      feed_concentration: read.feed_concentration(),
      feed_temperature: read.feed_temperature(),
      coolant_temperature: read.coolant_temperature(),
      coolant_flow_rate: read.coolant_flow_rate(),
      coolant_inlet_temperature: read.coolant_inlet_temperature(),
      setpoint: read.setpoint(),
      controller_output: read.controller_output(),
      heat_transfer: read.heat_transfer(),
      reaction_rate_factor: read.reaction_rate_factor(),
    },
    states: plain(x),
    inputs: plain(u),
    parameters: plain(p),
    events: active(labels, tick * stepS),
  });

  return { asset, truth, next };
}

const MOVING: ReadonlySet<Quantity> = new Set([
  'temperature',
  'concentration',
  'conversion',
  'coolant_temperature',
]);

/** States move smoothly between two instants, all else holds until the next. */
function between(quantity: Quantity, old: number, fresh: number, share: number): number {
  if (share === 1) return fresh;
  return MOVING.has(quantity) ? old + share * (fresh - old) : old;
}

function conversionOf(concentration: number, feed: number): number {
  return feed === 0 ? 0 : Math.max(0, Math.min(1, 1 - concentration / feed));
}

/** Faster than Array.from, by far. */
function plain(values: Float64Array): number[] {
  const result: number[] = [];
  for (const value of values) result.push(value);
  return result;
}

type Labels = readonly (readonly [PlantEvent, string])[];

function labelsOf(events: readonly PlantEvent[], asset: string): Labels {
  return events
    .filter((event) => event.assets === null || event.assets.includes(asset))
    .map((event) => [event, labelOf(event)]);
}

function labelOf(event: PlantEvent): string {
  if (event.kind === 'sensor') return `sensor ${event.sensor} ${event.fault}`;
  if (event.kind === 'actuator') return `actuator ${event.fault}`;
  const moved = KNOB_NAMES.filter((knob) => [event.set, event.scale, event.add].some((map) => knob in map));
  return `process ${moved.join(' ')}`;
}

const NONE: readonly string[] = [];

function active(labels: Labels, atS: number): readonly string[] {
  let on: string[] | null = null;
  for (const [event, label] of labels) if (isOn(event, atS)) (on ??= []).push(label);
  return on ?? NONE;
}
