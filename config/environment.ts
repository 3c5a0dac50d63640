import { suggestion } from './problems.ts';
import type { Problem } from './problems.ts';
import { fixedSpec } from './schema.ts';
import { SOURCE_TYPES } from './sources.ts';
import { readSecret } from './spec.ts';
import type { Leaf } from './spec.ts';
import { nodeOf, withValue } from './tree.ts';
import type { Node, Origin } from './tree.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'RXTWIN_';

const upper = (text: string): string => text.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();

/** `RXTWIN_API_MAX_ROWS` for `api.maxRows`. */
export const variableOf = (key: string): string =>
  PREFIX +
  key
    .split('.')
    .map(upper)
    .join('_')
    .replaceAll(/[^A-Z0-9]/g, '_');

/** Where a variable's value goes. */
interface Target {
  readonly key: string;
  readonly leaf: Leaf<unknown>;
  place(root: Node | undefined, value: Node): Node;
}

function fixedTargets(): [string, Target][] {
  return fixedSpec
    .leaves('')
    .map(({ key, leaf }) => [
      variableOf(key),
      { key, leaf, place: (root, value) => withValue(root, key.split('.'), value) },
    ]);
}

/** Sources have no place of their own in the environment until a file lists them: they are found by their id. */
function sourceTargets(root: Node | undefined, problems: Problem[], env: Environment): Map<string, Target> {
  const targets = new Map<string, Target>();
  const list = root?.kind === 'map' ? root.entries.get('sources') : undefined;
  (list?.kind === 'list' ? list.items : []).forEach((source, index) => {
    if (source.kind !== 'map') return;
    const [id, type] = [source.entries.get('id'), source.entries.get('type')];
    if (id?.kind !== 'scalar' || typeof id.value !== 'string' || type?.kind !== 'scalar') return;
    const spec = Object.entries(SOURCE_TYPES).find(([name]) => name === type.value)?.[1];
    for (const { key, leaf } of spec?.leaves('') ?? []) {
      if (key === 'id' || key === 'type' || key.includes('<')) continue;
      const variable = variableOf(`sources.${id.value}.${key}`);
      const used = env[variable] || env[`${variable}_FILE`];
      if (targets.has(variable) && used) {
        const problem = `stands for two sources, whose ids differ only in signs or case`;
        problems.push({ file: `env ${variable}`, key: `sources[${index}].id`, problem });
      }
      targets.set(variable, {
        key: `sources[${index}].${key}`,
        leaf,
        place: (tree, value) => withSourceValue(tree, index, key.split('.'), value),
      });
    }
  });
  return targets;
}

function withSourceValue(root: Node | undefined, index: number, path: readonly string[], value: Node): Node {
  const list = root?.kind === 'map' ? root.entries.get('sources') : undefined;
  if (list?.kind !== 'list') return root ?? value;
  const items = list.items.map((item, i) => (i === index ? withValue(item, path, value) : item));
  return withValue(root, ['sources'], { ...list, items });
}

/** The tree with what the environment says on top. An empty variable counts as not set. */
export function withEnvironment(
  root: Node | undefined,
  env: Environment,
  problems: Problem[],
  warnings: string[],
): Node | undefined {
  const targets = new Map([...fixedTargets(), ...sourceTargets(root, problems, env)]);
  let tree = root;
  for (const [variable, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!variable.startsWith(PREFIX) || text === undefined || text === '') continue;
    const origin: Origin = { kind: 'env', variable };
    const target = targets.get(variable);
    if (target !== undefined) {
      tree = target.place(tree, nodeOf(target.leaf.parse(text), origin));
      continue;
    }
    const secret = variable.endsWith('_FILE') ? targets.get(variable.slice(0, -'_FILE'.length)) : undefined;
    if (secret?.leaf.sensitive === true) {
      const problem = fileProblem(variable, env);
      const read = problem === undefined ? readSecret(text) : { problem };
      if ('problem' in read)
        problems.push({ file: `env ${variable}`, key: secret.key, problem: read.problem });
      else tree = secret.place(tree, nodeOf(read.secret, origin));
      continue;
    }
    unknownVariable(variable, text, [...targets.keys()], problems, warnings);
  }
  return tree;
}

function fileProblem(variable: string, env: Environment): string | undefined {
  const direct = variable.slice(0, -'_FILE'.length);
  return env[direct] ? `given together with ${direct}, expected only one of them` : undefined;
}

/** Other software may have variables of this prefix, such as Kubernetes for a service of that name; slips do not. */
function unknownVariable(
  variable: string,
  text: string,
  known: readonly string[],
  problems: Problem[],
  warnings: string[],
): void {
  if (/_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/.test(variable)) return;
  if (/^(tcp|udp|sctp):\/\//.test(text)) return;
  const hint = suggestion(variable, known);
  if (hint !== '' || variable.startsWith(`${PREFIX}SOURCES_`)) {
    problems.push({ file: `env ${variable}`, key: '', problem: `no such setting${hint}` });
  } else {
    warnings.push(`env ${variable}: no such setting, ignored`);
  }
}
