import { existsSync } from 'node:fs';
import { anomaly } from './anomaly.ts';
import { text } from './formats.ts';
import { ESTIMATION_KEYS, estimationLeaves, readEstimation } from './modelEstimation.ts';
import { readRunaway, runawayLeaves } from './modelRunaway.ts';
import { nameProblem } from './names.ts';
import { shown, shownKey, suggestion } from './problems.ts';
import type { Report } from './problems.ts';
import { assetSensorSpec } from './sensors.ts';
import { group, mapOf, optional, resolveFrom } from './spec.ts';
import type { Place, Spec } from './spec.ts';
import { plainOf, record } from './tree.ts';
import type { MapNode, Node } from './tree.ts';
import type { AssetConfig, ModelConfig } from './types.ts';

/** Models that the service brings along; anything that starts with `.` or `/` is a module of the user's own. */
export const BUILT_IN_MODELS: readonly string[] = ['batchReactor', 'cstr'];

const modelType = text(
  'A built-in model, or the path of a module of your own (relative to this file).',
  undefined,
  {
    expected: `one of ${BUILT_IN_MODELS.join(', ')}, or the path of a module that starts with "." or "/"`,
    test: (type) => BUILT_IN_MODELS.includes(type) || /^[./]/.test(type),
    finish: (type, origin) => (/^[./]/.test(type) ? resolveFrom(origin, type) : type),
  },
);

const modelSensors = mapOf(
  "Sensors by the model's quantity.",
  'quantity',
  () =>
    text("The asset's sensor that measures this quantity; default: the sensor of the same name.", undefined, {
      expected: 'the name of a sensor',
      test: (name) => nameProblem(name) === undefined,
    }),
  () => undefined,
);

/** `{ type, sensors, estimate, filter, <parameters> }` */
const model: Spec<ModelConfig> = {
  doc: 'Model behind the twin; null = no twin.',
  leaves: (key) => [
    ...modelType.leaves(`${key}.type`),
    ...modelSensors.leaves(`${key}.sensors`),
    ...estimationLeaves(key),
    ...runawayLeaves(key),
  ],
  read(node, place, report) {
    if (node?.kind !== 'map') {
      const value = node === undefined ? 'nothing' : shown(plainOf(node));
      report.problem(place.key, place.origin, `${value} is not valid, expected a map with type`);
      return { type: '', sensors: {}, parameters: {} };
    }
    const at = (key: string): Place => ({ key: `${place.key}.${key}`, origin: node.origin });
    const typeNode = node.entries.get('type');
    const type = modelType.read(typeNode, at('type'), report);
    if (/^[./]/.test(type) && typeNode !== undefined && !existsSync(type)) {
      report.problem(at('type').key, typeNode.origin, `${shown(type)}: no such file`);
    }
    const sensors = modelSensors.read(node.entries.get('sensors'), at('sensors'), report);
    const estimation = readEstimation(node.entries, at, report);
    const runaway = readRunaway(node.entries.get('runaway'), at('runaway'), report);
    const parameters = [...node.entries].filter(([key]) => !OWN_KEYS.includes(key));
    const read = parameters.map(([key, child]): [string, unknown] => [
      key,
      parameter(child, at(shownKey(key)), report),
    ]);
    return {
      type,
      sensors,
      ...(estimation && { estimation }),
      ...(runaway && { runaway }),
      parameters: record(read),
    };
  },
};

const OWN_KEYS: readonly string[] = ['type', 'sensors', ...ESTIMATION_KEYS, 'runaway'];

/** The model checks its own parameters; here they need only be data that a checkpoint can hold. */
function parameter(node: Node, place: Place, report: Report): unknown {
  if (place.key.endsWith('.parameters')) {
    report.problem(place.key, node.origin, 'unknown key; parameters of a model stand beside its type');
  }
  const value = plainOf(node);
  if (hasNonFinite(node))
    report.problem(place.key, node.origin, `${shown(value)} is not valid, expected finite numbers`);
  else report.value(place.key, value, node.origin, false);
  return value;
}

function hasNonFinite(node: Node): boolean {
  if (node.kind === 'scalar') return typeof node.value === 'number' && !Number.isFinite(node.value);
  return (node.kind === 'list' ? node.items : [...node.entries.values()]).some(hasNonFinite);
}

/** Assets, with sensors on top of `types`, the nodes of sensorTypes. */
export function assetsSpec(types: MapNode | undefined): Spec<Readonly<Record<string, AssetConfig>>> {
  return mapOf('Equipment by its id.', 'asset', () => assetSpec(types), nameProblem);
}

const assetSpec = (types: MapNode | undefined): Spec<AssetConfig> =>
  group(
    'A piece of equipment.',
    {
      model: optional(model),
      anomaly: optional(anomaly),
      sensors: mapOf('Sensors of the asset.', 'sensor', (name) => assetSensorSpec(name, types), nameProblem),
    },
    {
      check(asset, complain) {
        const names = Object.keys(asset.sensors);
        for (const [quantity, sensor] of Object.entries(asset.model?.sensors ?? {})) {
          if (names.length === 0 || names.includes(sensor)) continue;
          const hint = suggestion(sensor, names) || `, expected one of ${names.join(', ')}`;
          complain('model', `sensors.${quantity}: the asset has no sensor "${sensor}"${hint}`);
        }
        for (const sensor of asset.anomaly?.sensors ?? []) {
          if (names.length === 0 || names.includes(sensor)) continue;
          const hint = suggestion(sensor, names) || `, expected one of ${names.join(', ')}`;
          complain('anomaly', `sensors: the asset has no sensor "${sensor}"${hint}`);
        }
      },
    },
  );
