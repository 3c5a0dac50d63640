/** Where a value was written. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'env'; readonly variable: string };

export const DEFAULT_ORIGIN: Origin = { kind: 'default' };

/** A configuration value that still knows where it was written. Maps are Maps: no key can reach a prototype. */
export type Node = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly origin: Origin;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly origin: Origin;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Node>;
  readonly origin: Origin;
}

/** `file:line`, `env NAME` or `default`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${origin.file}:${origin.line}`;
    case 'env':
      return `env ${origin.variable}`;
  }
}

/** A node of plain data, as if it stood at `origin`. */
export function nodeOf(value: unknown, origin: Origin): Node {
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item: unknown) => nodeOf(item, origin)), origin };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, child]): [string, Node] => [key, nodeOf(child, origin)]);
    return { kind: 'map', entries: new Map(entries), origin };
  }
  const scalar =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  return { kind: 'scalar', value: scalar, origin };
}

/** Plain data of a node; maps become objects without a prototype. */
export function plainOf(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plainOf);
    case 'map':
      return record([...node.entries].map(([key, child]) => [key, plainOf(child)]));
  }
}

/** An object without a prototype, so that looking up `constructor` finds nothing that nobody put there. */
export function record<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const result = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) result[key] = value;
  return result;
}

/** `over` on top of `base`: maps merge key by key, everything else replaces. */
export function merge(base: Node | undefined, over: Node | undefined): Node | undefined {
  if (base === undefined || over === undefined) return over ?? base;
  // `true` switches a check on and so keeps the settings that are there.
  if (base.kind === 'map' && over.kind === 'scalar' && over.value === true) return base;
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const [key, child] of over.entries) {
    const merged = merge(base.entries.get(key), child);
    if (merged !== undefined) entries.set(key, merged);
    if (child.kind === 'scalar') entries.delete(otherForm(key));
  }
  return { kind: 'map', entries, origin: over.origin };
}

/** A secret is given as such or by its file: the later of `password` and `passwordFile` replaces the other. */
const otherForm = (key: string): string => (key.endsWith('File') ? key.slice(0, -4) : `${key}File`);

/** A copy of `root` with `value` at `path`; maps on the way are made where there are none. */
export function withValue(root: Node | undefined, path: readonly string[], value: Node): Node {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  const entries = new Map(root?.kind === 'map' ? root.entries : []);
  entries.set(head, withValue(entries.get(head), rest, value));
  if (rest.length === 0) entries.delete(otherForm(head));
  return { kind: 'map', entries, origin: root?.kind === 'map' ? root.origin : value.origin };
}
