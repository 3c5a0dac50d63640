import type { DataValue } from 'node-opcua';
import type { MappedNode } from './nodes.ts';

/** Passes a value on, with the time of its arrival; `backfilled` as in `Received`. */
export type Emit = (node: MappedNode, dataValue: DataValue, arrivedAt: number, backfilled: boolean) => void;

/** Holds live values back for the moment that it takes to fetch what came before them. */
export interface Handover {
  readonly holding: boolean;
  live(node: MappedNode, dataValue: DataValue, arrivedAt: number): void;
  /** A value from before; behind what is live once nothing is held any more. */
  earlier(node: MappedNode, dataValue: DataValue, arrivedAt: number): void;
  /** Lets go of what is held, and holds nothing from now on. */
  readonly release: () => void;
}

/** Holds at most `capacity` values; one more releases them. */
export function createHandover(capacity: number, emit: Emit): Handover {
  let held: Parameters<Handover['live']>[] | null = [];
  const release = (): void => {
    const values = held;
    held = null;
    for (const [node, dataValue, arrivedAt] of values ?? []) emit(node, dataValue, arrivedAt, false);
  };
  return {
    get holding() {
      return held !== null;
    },
    live(...value) {
      if (held !== null && held.length >= capacity) release();
      if (held === null) emit(...value, false);
      else held.push(value);
    },
    earlier: (node, dataValue, arrivedAt) => {
      emit(node, dataValue, arrivedAt, held === null);
    },
    release,
  };
}
