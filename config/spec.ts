import { dirname, resolve } from 'node:path';
import { shown, shownKey, suggestion } from './problems.ts';
import type { Report } from './problems.ts';
import { readText } from './readFile.ts';
import { DEFAULT_ORIGIN, nodeOf, plainOf, record } from './tree.ts';
import type { MapNode, Node, Origin } from './tree.ts';

/** Where a value belongs: its key, and the origin of what it stands in, for problems with values that are missing. */
export interface Place {
  readonly key: string;
  readonly origin: Origin;
}

/**
 * A description of one part of the configuration. Validation, defaults, the environment and the documentation all
 * come from it. `read` never throws: it reports every problem and then returns something of the right type.
 */
export interface Spec<T> {
  readonly doc: string;
  read(node: Node | undefined, place: Place, report: Report): T;
  /** The leaves below, as documented: `assets.<asset>.model.type`. */
  leaves(key: string): readonly DescribedLeaf[];
}

export interface DescribedLeaf {
  readonly key: string;
  readonly leaf: Leaf<unknown>;
}

/** One setting. Also a convict schema object. */
export interface Leaf<T> extends Spec<T> {
  readonly default: T;
  readonly required: boolean;
  /** What is allowed, to follow the word "expected". */
  readonly expected: string;
  readonly unit: string;
  readonly sensitive: boolean;
  /** Throws for a value that is not allowed. */
  readonly format: (value: unknown) => void;
  /** Value of an environment variable's text, checked by `read` afterwards. */
  parse(text: string): unknown;
}

export type Fields = { readonly [key: string]: Spec<unknown> | Fields };

export type ValueOf<S> =
  S extends Spec<infer T> ? T : S extends Fields ? { readonly [K in keyof S]: ValueOf<S[K]> } : never;

const isSpec = (field: Spec<unknown> | Fields): field is Spec<unknown> => typeof field['read'] === 'function';

const isLeaf = (spec: Spec<unknown>): spec is Leaf<unknown> => 'sensitive' in spec;

const keyIn = (parent: string, key: string): string => (parent === '' ? key : `${parent}.${key}`);

/** Reports a problem with one key of a group, at the place where its value was written. */
export type Complain = (key: string, problem: string) => void;

export interface GroupOptions<T> {
  /** Checks between keys; runs only when each key by itself is right. */
  readonly check?: (value: T, complain: Complain) => void;
  /** Keys that are allowed besides and read elsewhere. */
  readonly also?: readonly string[];
}

export interface Group<T> extends Spec<T> {
  readonly fields: Fields;
}

/** A map with known keys. */
export function group<const F extends Fields>(
  doc: string,
  fields: F,
  options: GroupOptions<ValueOf<F>> = {},
): Group<ValueOf<F>> {
  const specs = new Map(
    Object.entries(fields).map(([key, field]) => [key, isSpec(field) ? field : group('', field)]),
  );
  const secrets = [...specs].filter(([, spec]) => isLeaf(spec) && spec.sensitive).map(([key]) => key);
  const fileKeys = secrets.map((key) => `${key}File`);
  const known = [...specs.keys(), ...fileKeys, ...(options.also ?? [])];

  return {
    doc,
    fields,
    read(node, place, report) {
      const map = asMap(node, place, report, `a map with the keys ${[...specs.keys()].join(', ')}`);
      const here: Place = { key: place.key, origin: map.origin };
      const before = report.count;
      for (const [key, child] of map.entries) {
        if (known.includes(key)) continue;
        const problem = `unknown key${suggestion(key, known) || `, expected one of ${known.join(', ')}`}`;
        report.problem(keyIn(place.key, shownKey(key)), child.origin, problem);
      }
      const given = new Map(map.entries);
      for (const key of secrets) given.set(key, secretFromFile(key, map, here, report) ?? NOTHING);
      const values = record(
        [...specs].map(([key, spec]): [string, unknown] => {
          const child = given.get(key);
          const at = { key: keyIn(place.key, key), origin: map.origin };
          return [key, spec.read(child === NOTHING ? undefined : child, at, report)];
        }),
      );
      // Each key was read by its own spec, so this is the type that `fields` says.
      const value = { ...values } as ValueOf<F>;
      if (report.count === before) {
        options.check?.(value, (key, problem) => {
          const origin = map.entries.get(key)?.origin ?? map.origin;
          report.problem(keyIn(place.key, key), origin, problem);
        });
      }
      return value;
    },
    leaves: (key) => [...specs].flatMap(([name, spec]) => spec.leaves(keyIn(key, name))),
  };
}

const NOTHING: Node = { kind: 'scalar', value: null, origin: DEFAULT_ORIGIN };

/** The map that a node is; an absent or empty (null) one has no entries, and anything else is a problem. */
function asMap(node: Node | undefined, place: Place, report: Report, expected: string): MapNode {
  if (node?.kind === 'map') return node;
  const origin = node?.origin ?? place.origin;
  if (node !== undefined && !(node.kind === 'scalar' && node.value === null)) {
    report.problem(place.key, origin, `${shown(plainOf(node))} is not valid, expected ${expected}`);
  }
  return { kind: 'map', entries: new Map(), origin };
}

/** The secret `key` of a group, which may be given by the file that holds it. */
function secretFromFile(key: string, map: MapNode, place: Place, report: Report): Node | undefined {
  const direct = map.entries.get(key);
  const byFile = map.entries.get(`${key}File`);
  if (byFile === undefined) return direct;
  const fileKey = keyIn(place.key, `${key}File`);
  if (direct !== undefined) {
    report.problem(fileKey, byFile.origin, `given together with ${key}, expected only one of them`);
    return direct;
  }
  if (byFile.kind !== 'scalar' || typeof byFile.value !== 'string' || byFile.value === '') {
    report.problem(
      fileKey,
      byFile.origin,
      `${shown(plainOf(byFile))} is not valid, expected the path of a file`,
    );
    return undefined;
  }
  const text = readSecret(resolveFrom(byFile.origin, byFile.value));
  if ('problem' in text) report.problem(fileKey, byFile.origin, `${shown(byFile.value)}: ${text.problem}`);
  return 'problem' in text ? undefined : nodeOf(text.secret, byFile.origin);
}

/** A secret's file without the line end that editors add. */
export function readSecret(file: string): { readonly secret: string } | { readonly problem: string } {
  try {
    return { secret: readText(file).replace(/\r?\n$/, '') };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'not readable' };
  }
}

/** Paths of what the service reads are relative to the file that names them. */
export const resolveFrom = (origin: Origin, path: string): string =>
  origin.kind === 'file' ? resolve(dirname(origin.file), path) : resolve(path);

/** A map with free keys. `item` may depend on the key. */
export function mapOf<T>(
  doc: string,
  placeholder: string,
  item: (key: string) => Spec<T>,
  keyProblem: (key: string) => string | undefined,
): Spec<Readonly<Record<string, T>>> {
  return {
    doc,
    read(node, place, report) {
      const map = asMap(node, place, report, 'a map');
      return record(
        [...map.entries].map(([name, child]): [string, T] => {
          const key = keyIn(place.key, shownKey(name));
          const problem = keyProblem(name);
          if (problem !== undefined) report.problem(key, child.origin, problem);
          return [name, item(name).read(child, { key, origin: child.origin }, report)];
        }),
      );
    },
    leaves: (key) => item(placeholder).leaves(keyIn(key, `<${placeholder}>`)),
  };
}

/** A list; `fallback` when it is absent. */
export function listOf<T>(doc: string, item: Spec<T>, fallback: readonly unknown[]): Spec<readonly T[]> {
  return {
    doc,
    read(node, place, report) {
      const list = node === undefined || isNull(node) ? nodeOf(fallback, DEFAULT_ORIGIN) : node;
      if (list.kind !== 'list') {
        report.problem(place.key, list.origin, `${shown(plainOf(list))} is not valid, expected a list`);
        return [];
      }
      if (list.items.length === 0) report.value(place.key, [], list.origin, false);
      return list.items.map((child, i) =>
        item.read(child, { key: `${place.key}[${i}]`, origin: child.origin }, report),
      );
    },
    leaves: (key) => item.leaves(`${key}[]`),
  };
}

const isNull = (node: Node): boolean => node.kind === 'scalar' && node.value === null;

/** null (the default) or a group. */
export function optional<T>(spec: Spec<T>): Spec<T | null> {
  return {
    doc: spec.doc,
    read(node, place, report) {
      if (node !== undefined && !isNull(node)) return spec.read(node, place, report);
      report.value(place.key, null, node?.origin ?? DEFAULT_ORIGIN, false);
      return null;
    },
    leaves: (key) => spec.leaves(key),
  };
}

/** A check: `false` is off, `true` or a map is on. `emptyIs` says what a map without keys means. */
export function switchable<T>(
  spec: Spec<T>,
  options: { readonly byDefault: 'on' | 'off'; readonly emptyIs?: 'on' | 'off' },
): Spec<T | false> {
  return {
    doc: spec.doc,
    read(node, place, report) {
      const absent = node === undefined || isNull(node);
      const empty = node?.kind === 'map' && node.entries.size === 0 && options.emptyIs === 'off';
      const flag = node?.kind === 'scalar' ? node.value : undefined;
      if (flag === false || empty || (absent && options.byDefault === 'off')) {
        report.value(place.key, false, node?.origin ?? DEFAULT_ORIGIN, false);
        return false;
      }
      const map: Node | undefined =
        flag === true && node !== undefined ? { kind: 'map', entries: new Map(), origin: node.origin } : node;
      if (flag !== undefined && flag !== null && typeof flag !== 'boolean') {
        const expected = `false, true or a map with the keys ${spec
          .leaves('')
          .map((l) => l.key)
          .join(', ')}`;
        report.problem(
          place.key,
          node?.origin ?? place.origin,
          `${shown(flag)} is not valid, expected ${expected}`,
        );
        return false;
      }
      return spec.read(map, place, report);
    },
    leaves: (key) => spec.leaves(key),
  };
}
