import type { MappedNode } from './nodes.ts';

/** Source times of a node between which values may be missing, epoch milliseconds. */
export interface Gap {
  readonly node: MappedNode;
  /** Filled up to here; values at this very time may be there already. */
  from: number;
  /** A live value has this time. */
  readonly to: number;
  /** Connection in which it was noticed, counted from 1. */
  readonly connection: number;
  /** Attempts so far that failed, or after which the archive had not yet come up to `to`. */
  tries: number;
  /** Not to be read before this time on the process's clock. */
  notBefore: number;
  /** What `from` was when it was noticed. */
  readonly start: number;
}

/** A gap as it is written down for the next process: the node's key, and from when to when. */
export type SavedGap = readonly [key: string, from: number, to: number];

/**
 * What is known of each node's values: the newest, and where some may be missing.
 *
 * A gap is noticed when live values begin anew (a new connection, a node that is back): it lies between the newest
 * value before and the first value then. A node that did not change meanwhile therefore has none.
 */
export interface GapBook {
  /** The newest committed source time of a node, from before this process; null where there is none. */
  known(key: string, newest: number | null): void;
  /** Values of these nodes may be missing from now until their next live one. */
  interrupt(nodes: Iterable<MappedNode>): void;
  /** A live value arrived; `lost`: the server says that it had to discard values before it. */
  live(node: MappedNode, time: number, lost: boolean): void;
  /** A value that the server had kept for us, of a series that goes on from the newest. */
  recovered(node: MappedNode, time: number, lost: boolean): void;
  /** Nodes of which values are known, and whose first live value is still to come. */
  readonly awaited: number;
  /** The newest source time of each node by now. */
  snapshot(): ReadonlyMap<string, number>;
  /** What was recovered of each node since that snapshot, up to these times, may have holes. */
  suspect(upTo: ReadonlyMap<MappedNode, number>, since: ReadonlyMap<string, number>): void;
  /** Gaps to fill, those of a node oldest first. */
  readonly open: readonly Gap[];
  /** The gap is filled, or nobody can fill it. `position`: of the last value that came of it. */
  close(gap: Gap, position: number): void;
  /** Everything up to this position is durable. */
  committed(position: number): void;
  /** Gaps whose values are not all durable yet: what the next process has to begin with. The same list until it changes. */
  readonly unfinished: readonly SavedGap[];
  /** Such gaps of the process before. */
  restore(saved: Iterable<SavedGap>, nodes: readonly MappedNode[]): void;
  /** Everything since that connection was fetched of these nodes. */
  fetched(nodes: ReadonlySet<MappedNode>, sinceConnection: number, position: number): void;
  /** Begins another connection; gives its number. */
  connection(): number;
}

/**
 * `maxAgeMs`: gaps further back than this, counted from their end, stay; 0: none is noted, as there is no history to fill
 * them from.
 */
export function createGapBook(maxAgeMs: number): GapBook {
  const newest = new Map<string, number>();
  const awaited = new Set<MappedNode>();
  let open: Gap[] = [];
  let closing: { readonly gap: Gap; readonly position: number }[] = [];
  let unfinished: readonly SavedGap[] | null = [];
  let connection = 0;
  const advance = (key: string, time: number): void => {
    newest.set(key, Math.max(time, newest.get(key) ?? time));
  };
  const note = (node: MappedNode, after: number | undefined, to: number): void => {
    if (after === undefined || to <= after || maxAgeMs === 0) return;
    const from = Math.max(after, to - maxAgeMs);
    if (open.some((gap) => gap.node === node && gap.from <= from && gap.to >= to)) return;
    open.push({ node, from, to, connection, tries: 0, notBefore: 0, start: from });
    unfinished = null;
  };
  const close = (gaps: readonly Gap[], position: number): void => {
    closing.push(...gaps.map((gap) => ({ gap, position })));
    open = open.filter((gap) => !gaps.includes(gap));
  };
  return {
    known(key, time) {
      if (time !== null) advance(key, time);
    },
    interrupt(nodes) {
      for (const node of nodes) awaited.add(node);
    },
    live(node, time, lost) {
      if (awaited.delete(node) || lost) note(node, newest.get(node.key), time);
      advance(node.key, time);
    },
    recovered(node, time, lost) {
      if (lost) note(node, newest.get(node.key), time);
      advance(node.key, time);
    },
    get awaited() {
      let count = 0;
      for (const { key } of awaited) if (newest.has(key)) count += 1;
      return count;
    },
    snapshot: () => new Map(newest),
    suspect(upTo, since) {
      for (const [node, time] of upTo) note(node, since.get(node.key), time);
    },
    get open() {
      return open;
    },
    close(gap, position) {
      close([gap], position);
    },
    fetched(nodes, sinceConnection, position) {
      const done = open.filter((gap) => gap.connection > sinceConnection && nodes.has(gap.node));
      close(done, position);
    },
    committed(position) {
      const left = closing.filter((each) => each.position > position);
      if (left.length === closing.length) return;
      closing = left;
      unfinished = null;
    },
    get unfinished() {
      unfinished ??= [...closing.map(({ gap }) => gap), ...open].map(({ node, start, to }): SavedGap => [
        node.key,
        start,
        to,
      ]);
      return unfinished;
    },
    restore(saved, nodes) {
      const byKey = new Map(nodes.map((node) => [node.key, node]));
      for (const [key, from, to] of saved) {
        const node = byKey.get(key);
        if (node === undefined || maxAgeMs === 0) continue;
        open.push({ node, from, to, connection: 0, tries: 0, notBefore: 0, start: from });
      }
      unfinished = null;
    },
    connection: () => ++connection,
  };
}
