import convict from 'convict';
import { crossCheck } from './crossChecks.ts';
import { withEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import { ConfigError, Report } from './problems.ts';
import type { Problem, Provenance } from './problems.ts';
import { readConfigFile } from './readFile.ts';
import { convictSchema, KNOWN_TYPE_NAMES, rootSpec } from './schema.ts';
import type { FixedConfig } from './schema.ts';
import { DEFAULT_ORIGIN, merge, nodeOf, record, withValue } from './tree.ts';
import type { Node } from './tree.ts';
import type { Config } from './types.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Every effective value with where it came from, secrets masked. */
  readonly sources: readonly Provenance[];
  /** What looks odd but is no error, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the files, later ones over earlier ones (maps merge key by key, lists replace), and the environment over both.
 *
 * @throws ConfigError with all problems at once.
 */
export function loadConfig(files: readonly string[], env: Environment): LoadedConfig {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  let root: Node | undefined;
  for (const file of files) root = merge(root, readConfigFile(file, problems));
  // What stands in a file that cannot be read is not known, so nothing more can be said of the rest.
  if (problems.length > 0) throw new ConfigError(problems);

  root = withEnvironment(root, env, problems, warnings);
  const report = new Report();
  const typeNode = root?.kind === 'map' ? root.entries.get('sensorTypes') : undefined;
  const types = typeNode?.kind === 'map' ? typeNode : undefined;
  const place = { key: '', origin: root?.origin ?? DEFAULT_ORIGIN };
  const read = rootSpec(types).read(withKnownTypes(root), place, report);
  const { assets, sensorTypes, sources, plant, ...fixed } = read;
  const config: Config = {
    ...fixedBy(fixed, report.count + problems.length === 0),
    assets,
    sensorTypes,
    sources: sources.filter((source) => source !== null),
    plant,
  };
  if (report.count === 0) crossCheck(config, root, report);
  problems.push(...report.problems);
  if (problems.length > 0) throw new ConfigError(problems.sort(byPlace));
  return { config, sources: report.provenance, warnings };
}

/** By file and line, the environment last. */
function byPlace(a: Problem, b: Problem): number {
  const [fileA, lineA] = splitLine(a.file);
  const [fileB, lineB] = splitLine(b.file);
  const [envA, envB] = [fileA.startsWith('env '), fileB.startsWith('env ')];
  if (envA !== envB) return envA ? 1 : -1;
  if (fileA !== fileB) return fileA < fileB ? -1 : 1;
  return lineA - lineB;
}

function splitLine(file: string): [string, number] {
  const match = /^(.*):(\d+)$/s.exec(file);
  return match === null ? [file, 0] : [match[1] ?? file, Number(match[2])];
}

/** The known types are in force even where no file mentions them. */
function withKnownTypes(root: Node | undefined): Node | undefined {
  const types = root?.kind === 'map' ? root.entries.get('sensorTypes') : undefined;
  if (types !== undefined && types.kind !== 'map' && !(types.kind === 'scalar' && types.value === null))
    return root;
  const known = nodeOf(record(KNOWN_TYPE_NAMES.map((name) => [name, {}])), DEFAULT_ORIGIN);
  const merged = types?.kind === 'map' ? merge(known, types) : known;
  return merged === undefined ? root : withValue(root, ['sensorTypes'], merged);
}

/** convict holds the fixed keys and has the last word on them. The environment is already in, with its origin. */
function fixedBy(values: FixedConfig, valid: boolean): FixedConfig {
  if (!valid) return values;
  const instance = convict(convictSchema, { env: {}, args: [] });
  return instance.load(values).validate({ allowed: 'strict' }).getProperties();
}
