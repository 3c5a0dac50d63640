import { choice, number, orNull, text, texts, whole } from '../../../config/formats.ts';
import { isName, nameProblem } from '../../../config/names.ts';
import { ConfigError, Report } from '../../../config/problems.ts';
import type { Problem } from '../../../config/problems.ts';
import { readConfigFile } from '../../../config/readFile.ts';
import { group, listOf, mapOf } from '../../../config/spec.ts';
import type { Leaf, Spec } from '../../../config/spec.ts';
import { DEFAULT_ORIGIN, nodeOf } from '../../../config/tree.ts';
import type { Node, Origin } from '../../../config/tree.ts';
import { eventSpec } from './eventSpec.ts';
import { KNOBS, QUANTITY_NAMES } from './scenario.ts';
import type { Knob, Quantity, Scenario, SensorSettings } from './scenario.ts';
import { checkScenario } from './checkScenario.ts';
import {
  knobDisturbances,
  knobSpread,
  knobStart,
  mapped,
  processParameters,
  seconds,
} from './scenarioFields.ts';

/** Seborg et al., example 2.5, with a clean wall, full cooling and no losses. */
const START: Readonly<Record<Knob, number>> = {
  setpointDegC: 52,
  flowRateLPerMin: 100,
  feedTemperatureDegC: 76.85,
  feedConcentrationMolPerL: 1,
  coolantInletTemperatureDegC: 26.85,
  coolantFlow: 1,
  heatTransfer: 1,
  reactionRate: 1,
  heatLossPerS: 0,
};

/** Noise of ordinary instruments, by what they measure; the others have none. */
const STD_DEV: Readonly<Partial<Record<Quantity, number>>> = {
  temperature: 0.3,
  coolant_temperature: 0.3,
  coolant_inlet_temperature: 0.3,
  feed_temperature: 0.3,
  flow_rate: 0.5,
  coolant_flow_rate: 1,
  feed_concentration: 0.01,
  concentration: 0.01,
};

const DEFAULT_SENSORS = { temperature: {}, coolant_temperature: {}, flow_rate: {}, feed_temperature: {} };

const isQuantity = (name: string): name is Quantity => QUANTITY_NAMES.some((known) => known === name);

const QUANTITIES_CHOICE = choice('', 'temperature', QUANTITY_NAMES);

/** The same without a default. */
const required = <T>(leaf: Leaf<T>): Spec<T> => ({
  doc: leaf.doc,
  read(node, place, report) {
    if (node === undefined) report.problem(place.key, place.origin, `missing, expected ${leaf.expected}`);
    return leaf.read(node, place, report);
  },
  leaves: () => [],
});

function sensorSpec(name: string): Spec<SensorSettings> {
  const known = isQuantity(name) ? name : undefined;
  const fields = group('', {
    measures: known === undefined ? required(QUANTITIES_CHOICE) : choice('', known, QUANTITY_NAMES),
    every: seconds(1, { above: 0 }),
    jitter: seconds(0),
    stdDev: orNull(number('', 0, { min: 0 })),
    coloured: group('', { stdDev: number('', 0, { min: 0 }), timeConstant: seconds(60, { above: 0 }) }),
    bias: number('', 0),
    resolution: number('', 0.001, { min: 0 }),
    min: number('', -1e9),
    max: number('', 1e9),
    dropout: number('', 0, { min: 0, max: 1 }),
  });
  return mapped(fields, (given): SensorSettings => {
    const { measures, every, jitter, stdDev, coloured, bias, resolution, min, max, dropout } = given;
    return {
      measures,
      everyS: every,
      jitterS: jitter,
      stdDev: stdDev ?? STD_DEV[measures] ?? 0,
      colouredStdDev: coloured.stdDev,
      colouredTimeConstantS: coloured.timeConstant,
      bias,
      resolution,
      min,
      max,
      dropout,
    };
  });
}

const MAX_REACTORS = 10_000;

const scenarioSpec = group('', {
  name: text('', ''),
  seed: whole('', 1, { min: 0, max: 0xffff_ffff }),
  duration: seconds(3600, { above: 0 }),
  step: seconds(1, { above: 0, max: 60 }),
  startAt: text('', '2026-01-01T00:00:00Z', {
    expected: 'a time like 2026-01-01T00:00:00Z',
    test: (time) => /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(time) && Number.isFinite(Date.parse(time)),
  }),
  reactors: orNull(whole('', 1, { min: 1, max: MAX_REACTORS })),
  assets: texts('', ['R101'], { expected: 'a list of at least one asset, all different', test: isName }),
  spread: knobSpread,
  process: group('', {
    parameters: processParameters,
    start: knobStart(START),
    initialTemperatureDegC: orNull(
      number('', 0, { min: KNOBS.setpointDegC.min, max: KNOBS.setpointDegC.max }),
    ),
    initialConcentrationMolPerL: orNull(number('', 0, { min: 0 })),
    ambientDegC: number('', 20),
    heatTransferPerK: number('', 0, { min: -0.1, max: 0.1 }),
  }),
  control: group('', {
    manipulates: choice('', 'coolantTemperature', ['coolantTemperature', 'coolantFlow', 'nothing']),
    sensor: text('', ''),
    gain: orNull(number('', 0, { min: 0 })),
    integral: seconds(null, { above: 0 }),
    min: orNull(number('', 0)),
    max: orNull(number('', 0)),
    actuator: seconds(5),
  }),
  disturbances: knobDisturbances,
  sensors: mapOf('', 'sensor', sensorSpec, nameProblem),
  events: listOf('', eventSpec, []),
});

type Given = typeof scenarioSpec extends Spec<infer T> ? T : never;

/** Where none are given: tuned for the reactor of the textbook at 60 degC. */
const CONTROL = {
  coolantTemperature: { gain: 4, integralS: 60, min: 5, max: 95 },
  coolantFlow: { gain: 0.04, integralS: 120, min: 0, max: 1 },
  nothing: { gain: 0, integralS: 60, min: 0, max: 1 },
} as const;

function resolve(given: Given): Scenario {
  const { duration, step, startAt, reactors, assets, control, ...rest } = given;
  const usual = CONTROL[control.manipulates];
  return {
    ...rest,
    durationS: duration,
    stepS: step,
    startAt: Date.parse(startAt),
    assets: reactors === null ? assets : Array.from({ length: reactors }, (_, i) => `R${101 + i}`),
    control: {
      manipulates: control.manipulates,
      sensor: control.sensor,
      gain: control.gain ?? usual.gain,
      integralS: control.integral ?? usual.integralS,
      min: control.min ?? usual.min,
      max: control.max ?? usual.max,
      actuatorS: control.actuator,
    },
  };
}

function read(root: Node | undefined): Scenario {
  const origin = root?.origin ?? DEFAULT_ORIGIN;
  const report = new Report();
  const scenario = resolve(scenarioSpec.read(withSensors(root), { key: '', origin }, report));
  if (report.problems.length > 0) throw new ConfigError(report.problems);
  return checkedScenario(scenario, origin);
}

/**
 * The same scenario, if all in it fits together.
 *
 * @throws ConfigError that names every problem, with its key.
 */
export function checkedScenario(scenario: Scenario, origin: Origin = DEFAULT_ORIGIN): Scenario {
  const report = new Report();
  checkScenario(scenario, (key, problem) => report.problem(key, origin, problem));
  if (report.problems.length > 0) throw new ConfigError(report.problems);
  return scenario;
}

/** Where no sensors are named, the usual ones. */
function withSensors(root: Node | undefined): Node | undefined {
  if (root !== undefined && root.kind !== 'map') return root;
  if (root?.entries.has('sensors') === true) return root;
  const origin = root?.origin ?? DEFAULT_ORIGIN;
  const sensors = nodeOf(DEFAULT_SENSORS, DEFAULT_ORIGIN);
  return { kind: 'map', entries: new Map([...(root?.entries ?? []), ['sensors', sensors]]), origin };
}

/**
 * A scenario from plain data, in the form that docs/plant.md describes.
 *
 * @throws ConfigError that names every problem, with its key.
 */
export const parseScenario = (data: unknown): Scenario => read(nodeOf(data, DEFAULT_ORIGIN));

/**
 * A scenario from a YAML or JSON file.
 *
 * @throws ConfigError that names every problem, with file, line and key.
 */
export function loadScenario(file: string): Scenario {
  const problems: Problem[] = [];
  const root = readConfigFile(file, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return read(root);
}
