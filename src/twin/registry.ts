import { pathToFileURL } from 'node:url';
import { ConfigError } from '../../config/problems.ts';
import type { Problem } from '../../config/problems.ts';
import type { Config, ModelConfig } from '../../config/types.ts';
import type { TwinModel, TwinOptions } from '../../operators/steps/twin.ts';
import { batchReactor } from './batchReactor.ts';
import { guarded, problemOf, survivesJson } from './guard.ts';
import type { OnModelFault } from './guard.ts';
import { LiveTwin, twinOptions } from './liveTwin.ts';
import { cstr } from './process/cstr.ts';
import { diagnosis } from './process/diagnosis.ts';
import { estimatedTwin } from './process/estimatedTwin.ts';
import { resolveEstimation } from './process/estimationOptions.ts';
import type { EstimatedTwin } from './process/estimatedTwin.ts';
import type { Companion } from './process/companion.ts';
import type { ProcessModel } from './process/model.ts';
import { runawayWarning } from './process/runaway.ts';
import { unsupported } from './process/supported.ts';

/** A model whose state only the model itself knows. */
export type AnyTwinModel = TwinModel<unknown>;

const BUILT_IN: Readonly<Record<string, (parameters: Readonly<Record<string, unknown>>) => AnyTwinModel>> = {
  batchReactor: (parameters) => batchReactor(numbers(parameters)),
};

const PROCESS_MODELS: Readonly<
  Record<string, (parameters: Readonly<Record<string, unknown>>) => ProcessModel>
> = {
  cstr: (parameters) => cstr(numbers(parameters)),
};

interface Loaded {
  readonly model: AnyTwinModel;
  /** The same without its guard, where it is a process model with a filter. */
  readonly estimated: EstimatedTwin | null;
}

/**
 * The model that a configuration names: a built-in one, or the default export of a module of the user's own, a function
 * from parameters to a TwinModel or a ProcessModel. One of the user's own starts anew where it fails in mid-stream, and `onFault` is told.
 *
 * @throws Error that names the module or the parameter and says what was expected.
 */
export async function loadModel(
  config: ModelConfig,
  onFault: OnModelFault = () => undefined,
): Promise<AnyTwinModel> {
  return (await load(config, onFault)).model;
}

async function load(config: ModelConfig, onFault: OnModelFault): Promise<Loaded> {
  const { type, parameters, estimation } = config;
  const process = Object.hasOwn(PROCESS_MODELS, type) ? PROCESS_MODELS[type]?.(parameters) : undefined;
  if (process !== undefined) {
    const estimated = estimatedTwin(process, estimation, undefined, companionsOf(process, config));
    return { model: estimated, estimated };
  }
  const builtIn = Object.hasOwn(BUILT_IN, type) ? BUILT_IN[type]?.(parameters) : undefined;
  if (builtIn !== undefined) return { model: withoutFilter(builtIn, config), estimated: null };
  const module: unknown = await import(pathToFileURL(config.type).href);
  const create = isRecord(module) ? module['default'] : undefined;
  if (typeof create !== 'function') {
    throw new Error(
      `${config.type}: expected a default export that is a function from parameters to a model`,
    );
  }
  const made: unknown = await (create as (parameters: unknown) => unknown)(config.parameters);
  const estimated = isProcessModel(made)
    ? estimatedTwin(made, estimation, undefined, companionsOf(made, config))
    : null;
  const model = estimated ?? made;
  if (!isModel(model)) throw new Error(`${config.type}: ${missingFrom(model)}`);
  rehearse(config.type, model);
  return { model: guarded(estimated ?? withoutFilter(model, config), onFault), estimated };
}

/** What goes along with the twin of a process model, as far as the configuration wants it. */
function companionsOf(process: ProcessModel, { estimation, runaway }: ModelConfig): readonly Companion[] {
  const wanted = estimation?.diagnosis;
  return [
    ...(runaway === undefined ? [] : [runawayWarning(process, estimation, runaway)]),
    ...(wanted === undefined
      ? []
      : [diagnosis(process, resolveEstimation(process, estimation ?? {}), wanted)]),
  ];
}

function withoutFilter(model: AnyTwinModel, { estimation, runaway }: ModelConfig): AnyTwinModel {
  if (runaway !== undefined) throw new Error(`${model.type} has no filter that could take the key runaway`);
  if (estimation === undefined) return model;
  throw new Error(`${model.type} has no filter that could take the keys estimate and filter`);
}

const PROCESS_LISTS = ['states', 'inputs', 'parameters'] as const;

const isProcessModel = (value: unknown): value is ProcessModel =>
  isRecord(value) &&
  typeof value['type'] === 'string' &&
  typeof value['derivatives'] === 'function' &&
  PROCESS_LISTS.every((name) => Array.isArray(value[name])) &&
  isRecord(value['measured']) &&
  isRecord(value['outputs']);

const FUNCTIONS = ['initial', 'parameters', 'advance', 'correct', 'read'] as const;
const TABLES = ['quantities', 'outputs'] as const;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isModel = (value: unknown): value is AnyTwinModel =>
  isRecord(value) &&
  typeof value['type'] === 'string' &&
  FUNCTIONS.every((name) => typeof value[name] === 'function') &&
  TABLES.every((name) => isRecord(value[name]));

function missingFrom(value: unknown): string {
  if (!isRecord(value)) return `expected the default export to return a model, got ${String(value)}`;
  const missing = [
    ...(typeof value['type'] === 'string' ? [] : ['type (a string)']),
    ...FUNCTIONS.filter((name) => typeof value[name] !== 'function').map((name) => `${name} (a function)`),
    ...TABLES.filter((name) => !isRecord(value[name])).map((name) => `${name} (name -> unit)`),
  ];
  return `the model lacks ${missing.join(', ')}`;
}

/** Runs a model once on its own initial state, so that a faulty one is refused at the start and not in mid-stream. */
function rehearse(type: string, model: AnyTwinModel): void {
  const state = model.initial();
  model.advance(state, 1);
  const problem = problemOf(model, state);
  if (problem !== null) {
    throw new Error(`${type}: ${problem} one second after the start, expected a finite number`);
  }
  if (!isRecord(state) || !survivesJson(state)) {
    throw new Error(`${type}: the state does not survive a JSON round trip, expected a plain object`);
  }
}

function numbers(parameters: Readonly<Record<string, unknown>>): Record<string, number | null> {
  const checked: Record<string, number | null> = {};
  for (const [key, value] of Object.entries(parameters)) {
    if (typeof value !== 'number' && value !== null) {
      throw new RangeError(`${key}: ${JSON.stringify(value)} is not valid, expected a number`);
    }
    checked[key] = value;
  }
  return checked;
}

/**
 * The twins of all assets that have a model, by asset, in the order of the configuration.
 *
 * @throws ConfigError that names the asset where its model cannot be loaded or does not fit the asset's sensors.
 */
export async function openTwins(
  { assets, twin }: Pick<Config, 'assets' | 'twin'>,
  onFault: (asset: string, problem: string) => void = () => undefined,
): Promise<Map<string, LiveTwin>> {
  const twins = new Map<string, LiveTwin>();
  // Plants have many reactors that are alike, and it takes some milliseconds each.
  const known = new Map<string, string | null>();
  for (const [id, asset] of Object.entries(assets)) {
    if (asset.model === null) continue;
    try {
      const { model, estimated } = await load(asset.model, (problem) => onFault(id, problem));
      const variances = estimated?.estimation.measurementVariance;
      const options = twinOptions(id, asset, model, asset.model.sensors, twin, variances);
      if (estimated !== null) refuseUnsupported(asset.model, estimated, options, known);
      twins.set(id, new LiveTwin(model, options, estimated));
    } catch (error) {
      throw new ConfigError([modelProblem(id, asset.model, error)], { cause: error });
    }
  }
  return twins;
}

function refuseUnsupported(
  model: ModelConfig,
  estimated: EstimatedTwin,
  options: TwinOptions,
  known: Map<string, string | null>,
): void {
  const roles = Object.values(options.sensors);
  const sensors = Object.fromEntries(roles.map((role) => [role.quantity, role.measurementVariance ?? 0]));
  const key = JSON.stringify([model, sensors]);
  const problem = known.has(key) ? known.get(key) : unsupported(estimated, sensors);
  known.set(key, problem ?? null);
  if (typeof problem === 'string') throw new Error(problem);
}

/** A message that begins with a parameter's name, as those of the option checks do, is a problem of that parameter. */
function modelProblem(asset: string, { parameters }: ModelConfig, error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  const [, name = '', problem = ''] = /^(\w+): (.*)$/s.exec(message) ?? [];
  const key = `assets.${asset}.model`;
  return Object.hasOwn(parameters, name)
    ? { file: 'configuration', key: `${key}.${name}`, problem }
    : { file: 'configuration', key, problem: message };
}
