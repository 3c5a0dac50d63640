import { convertValue } from '../operators/steps/unit.ts';
import { MAX_COUNT, drift, hampel, rate, samplesFitWindow } from './checks.ts';
import { kalman, smooth } from './estimation.ts';
import { choice, duration, number, orNull, text, whole } from './formats.ts';
import { suggestion, Report } from './problems.ts';
import { group, listOf, switchable } from './spec.ts';
import type { Complain, Spec } from './spec.ts';
import { DEFAULT_ORIGIN, merge, nodeOf, withValue } from './tree.ts';
import type { MapNode, Node } from './tree.ts';
import type { Config, SensorConfig, WindowConfig } from './types.ts';

/** Units and physical ranges of the sensor types that every configuration knows. */
export const KNOWN_SENSOR_TYPES: ReadonlyMap<string, { unit: string; range: { min: number; max: number } }> =
  new Map([
    ['temperature', { unit: 'degC', range: { min: -50, max: 400 } }],
    ['pressure', { unit: 'MPa', range: { min: 0, max: 10 } }],
    ['flow_rate', { unit: 'L/min', range: { min: 0, max: 500 } }],
    ['ph', { unit: '', range: { min: 0, max: 14 } }],
  ]);

/** Thirty years and more: what is longer is a slip of the pen. */
const MAX_WINDOW_MS = 1e12;
/** Windows are made of panes as long as the greatest common divisor of sizeMs and everyMs. */
const MAX_PANES = 10_000;

const range = group(
  'Physically possible values; a reading outside is Bad.',
  {
    min: number('Smallest possible value, in `unit`.', undefined),
    max: number('Largest possible value, in `unit`.', undefined),
  },
  {
    check({ min, max }, complain) {
      if (min >= max) complain('min', `${min} is not valid, expected less than max (${max})`);
    },
  },
);

const outlier = group(
  'Z-score against the values before; a reading beyond the threshold is Uncertain.',
  {
    windowSize: whole('Values that the score is computed from.', 100, { min: 2, max: MAX_COUNT }),
    minSamples: whole('No verdict before so many values.', 10, { min: 2, max: MAX_COUNT }),
    threshold: number('Largest credible distance from the mean, in standard deviations.', 3, { above: 0 }),
    minStdDev: number('Below this standard deviation the signal is constant: no verdict.', 1e-6, { min: 0 }),
    confirmCount: whole('Outliers in a row after which the new level is believed.', 5, { min: 1 }),
  },
  { check: samplesFitWindow },
);

const spike = group('A jump from the last accepted value; beyond the limit it is Uncertain.', {
  maxRelativeChange: number('Largest credible relative change; 0.2 = 20 %.', 0.2, { above: 0 }),
  maxAbsoluteChange: orNull(
    number('Largest credible change in `unit`, for values that pass near zero; null = off.', 0, { above: 0 }),
  ),
  nearZero: number('No relative verdict where the last accepted value is no larger than this.', 1e-6, {
    min: 0,
  }),
  confirmCount: whole('Spikes in a row after which the new level is believed.', 5, { min: 1 }),
});

const stuck = group(
  'A value that does not move: Uncertain. Off by default; `stuck: {}` leaves it off, any key or `true` switches it on.',
  {
    maxDurationMs: duration('How long a value may stay the same.', 60_000, 1),
    minCount: whole('Readings without a change before there is a verdict.', 10, { min: 2 }),
    tolerance: number('Changes up to this, in `unit`, count as none.', 0, { min: 0 }),
  },
);

const order = group('Puts readings in order of source time and recognises duplicates.', {
  maxDelayMs: duration('How long a reading waits for older ones, in source time; 0 = nothing waits.', 0),
  maxReadings: whole('Readings held at most.', 100, { min: 1, max: MAX_COUNT }),
  rememberCount: whole('Latest readings among which a duplicate is recognised.', 100, {
    min: 0,
    max: MAX_COUNT,
  }),
});

const missing = group('Fills missing values, marked as imputed.', {
  method: choice('How a missing value is made up.', 'meanOfLastTwo', [
    'meanOfLastTwo',
    'previous',
    'linear',
    'predict',
    'none',
  ]),
  expectedIntervalMs: orNull(
    duration(
      'Time between readings; gaps over 1.5 times this are filled; null = only readings without a value are.',
      0,
      1,
    ),
  ),
  maxGapCount: whole('Values made up in a row at most.', 10, { min: 1, max: MAX_COUNT }),
});

const windowFields = group(
  'Aggregates over event time.',
  {
    sizeMs: whole('Length of a window.', undefined, { min: 1, max: MAX_WINDOW_MS, unit: 'ms' }),
    everyMs: orNull(
      whole('Distance from one window to the next; null = sizeMs.', 0, {
        min: 1,
        max: MAX_WINDOW_MS,
        unit: 'ms',
      }),
    ),
    offsetMs: duration('Shift of the windows against the epoch.', 0),
    latenessMs: duration('How late a reading may come and still change its window.', 0),
    idleTimeoutMs: duration('Without a reading for so long, the windows go on with the clock.', 10_000, 1),
  },
  {
    check({ sizeMs, everyMs, offsetMs }, complain) {
      const every = everyMs ?? sizeMs;
      if (every > sizeMs) complain('everyMs', `${every} is not valid, expected at most sizeMs (${sizeMs})`);
      if (sizeMs / greatestCommonDivisor(sizeMs, every) > MAX_PANES) {
        const divisor = Math.ceil(sizeMs / MAX_PANES);
        complain(
          'everyMs',
          `${every} is not valid, expected a common divisor with sizeMs (${sizeMs}) of at least ${divisor}`,
        );
      }
      if (offsetMs >= every)
        complain('offsetMs', `${offsetMs} is not valid, expected less than everyMs (${every})`);
    },
  },
);

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

const window: Spec<WindowConfig> = {
  ...windowFields,
  read(node, place, report) {
    const value = windowFields.read(node, place, report);
    return { ...value, everyMs: value.everyMs ?? value.sizeMs };
  },
};

const windows: Spec<readonly WindowConfig[]> = listOf('Aggregates over event time.', window, [
  { sizeMs: 1000 },
]);

/** Settings of one sensor. */
const sensorFields = group(
  'Settings of a sensor or of all sensors of a type.',
  {
    unit: text('Readings are converted to this unit; empty = as they come.', ''),
    range: switchable(range, { byDefault: 'off' }),
    rate: switchable(rate, { byDefault: 'off' }),
    outlier: switchable(outlier, { byDefault: 'on' }),
    spike: switchable(spike, { byDefault: 'on' }),
    hampel: switchable(hampel, { byDefault: 'off' }),
    stuck: switchable(stuck, { byDefault: 'off', emptyIs: 'off' }),
    drift: switchable(drift, { byDefault: 'off' }),
    order: switchable(order, { byDefault: 'on' }),
    missing: switchable(missing, { byDefault: 'on' }),
    kalman: switchable(kalman, { byDefault: 'on' }),
    smooth: switchable(smooth, { byDefault: 'off' }),
    windows,
    staleAfterMs: duration('A sensor without a reading for so long is stale.', 10_000, 1),
  },
  { also: ['type'], check: checkSensor },
);

function checkSensor({ kalman, smooth, windows }: SensorConfig, complain: Complain): void {
  if (smooth && !kalman)
    complain('smooth', 'needs the settings of kalman, which is off; expected kalman: true, or smooth: false');
  const seen = new Set<string>();
  for (const { sizeMs, everyMs, offsetMs } of windows) {
    const window = `sizeMs ${sizeMs}, everyMs ${everyMs}, offsetMs ${offsetMs}`;
    if (seen.has(window)) complain('windows', `the same window (${window}) is given twice`);
    seen.add(window);
  }
}

/** Settings under `sensorTypes.<type>`, on top of what is known of the type. */
export function sensorTypeSpec(type: string): Spec<SensorConfig> {
  return {
    doc: sensorFields.doc,
    leaves: (key) => sensorFields.leaves(key),
    read(node, place, report) {
      refuseType(node, place.key, report);
      return sensorFields.read(typeNode(type, node, place.key, report), place, report);
    },
  };
}

function refuseType(node: Node | undefined, key: string, report: Report): void {
  const given = node?.kind === 'map' ? node.entries.get('type') : undefined;
  if (given === undefined) return;
  report.problem(`${key}.type`, given.origin, 'unknown key; a type is chosen by the sensor of an asset');
}

/** What is known of the type, with its entry under sensorTypes on top. */
function typeNode(type: string, entry: Node | undefined, key: string, report: Report): Node | undefined {
  const known = KNOWN_SENSOR_TYPES.get(type);
  return layer(known === undefined ? undefined : nodeOf(known, DEFAULT_ORIGIN), entry, key, report);
}

/** `over` on top of `base`. A range of the base is converted where `over` asks for another unit without a range of its own. */
function layer(
  base: Node | undefined,
  over: Node | undefined,
  key: string,
  report: Report,
): Node | undefined {
  if (over === undefined || (over.kind === 'scalar' && over.value === null)) return base ?? over;
  const unit = over.kind === 'map' ? over.entries.get('unit') : undefined;
  const from = unitOf(base);
  const to = unitOf(over);
  const range = base?.kind === 'map' ? base.entries.get('range') : undefined;
  // A quantity without a unit, such as ph, has the same figures under any name that is given to it.
  if (!from || to === undefined || from === to || range?.kind !== 'map' || hasOwnRange(over)) {
    return merge(base, over);
  }
  let converted = base;
  for (const [end, node] of range.entries) {
    if (node.kind !== 'scalar' || typeof node.value !== 'number') continue;
    const value = convertValue(node.value, from, to);
    if (value === undefined) {
      const problem = `missing: the one there is in ${from}, which cannot be converted to "${to}"; expected min and max, or false`;
      report.problem(`${key}.range`, unit?.origin ?? over.origin, problem);
      break;
    }
    // Without the last digits, in which 223.15 comes out as 223.14999999999998.
    const rounded = Number(value.toPrecision(12));
    converted = withValue(converted, ['range', end], { ...node, value: rounded });
  }
  return merge(converted, over);
}

function unitOf(node: Node | undefined): string | undefined {
  const unit = node?.kind === 'map' ? node.entries.get('unit') : undefined;
  return unit?.kind === 'scalar' && typeof unit.value === 'string' ? unit.value : undefined;
}

function hasOwnRange(node: Node): boolean {
  const range = node.kind === 'map' ? node.entries.get('range') : undefined;
  if (range?.kind === 'map') return range.entries.has('min') && range.entries.has('max');
  return range?.kind === 'scalar' && range.value === false;
}

/** Settings of an asset's sensor: those of its type, with its own on top. `types` are the nodes of sensorTypes. */
export function assetSensorSpec(name: string, types: MapNode | undefined): Spec<SensorConfig> {
  const typeNames = [...new Set([...KNOWN_SENSOR_TYPES.keys(), ...(types?.entries.keys() ?? [])])];
  return {
    doc: sensorFields.doc,
    leaves: (key) => typeLeaf.leaves(`${key}.type`),
    read(node, place, report) {
      const given = node?.kind === 'map' ? node.entries.get('type') : undefined;
      const at = { key: `${place.key}.type`, origin: place.origin };
      const type = (given !== undefined && typeLeaf.read(given, at, report)) || name;
      if (given !== undefined && type !== name && !typeNames.includes(type)) {
        const hint = suggestion(type, typeNames) || `, expected one of ${typeNames.join(', ')}`;
        report.problem(at.key, given.origin, `no such sensor type${hint}`);
      }
      const base = typeNode(type, types?.entries.get(type), place.key, report);
      return sensorFields.read(layer(base, node, place.key, report), place, report);
    },
  };
}

const typeLeaf = text('Name under sensorTypes whose settings apply; default: the name of the sensor.', '');

/** The settings of a sensor, listed or not: its own, else those of its name under sensorTypes, else the generic ones. */
export function sensorConfigFor(
  config: Pick<Config, 'assets' | 'sensorTypes'>,
  asset: string,
  sensor: string,
): SensorConfig {
  const sensors = own(config.assets, asset)?.sensors;
  return (sensors && own(sensors, sensor)) ?? own(config.sensorTypes, sensor) ?? GENERIC;
}

/** Settings of a sensor of which nothing is known: no unit, no range. */
const GENERIC: SensorConfig = sensorFields.read(undefined, { key: '', origin: DEFAULT_ORIGIN }, new Report());

const own = <T>(map: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(map, key) ? map[key] : undefined;
