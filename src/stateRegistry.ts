import { stateCell } from '../operators/stateCell.ts';
import type { StateCell } from '../operators/stateCell.ts';

/** Where a state belongs: to an operator of a sensor, or, without a sensor, of the asset as a whole. */
export interface StateName {
  readonly asset: string;
  readonly sensor?: string;
  readonly operator: string;
}

/** The options that shape a state. One written under other values of them is of no use. */
export type StateShape = Readonly<Record<string, string | number | null>>;

export interface SavedState {
  readonly name: StateName;
  readonly shape: StateShape;
  readonly state: unknown;
}

/** Told of each restored state that cannot be used, and why. */
export type OnReset = (name: StateName, reason: string) => void;

interface Entry extends SavedState {
  opened: boolean;
}

/**
 * Keeps the states of all operators by name, so that they can be written out, an asset at a time, and put back after a
 * restart. States are plain data, mutated in place by their operators.
 */
export class StateRegistry {
  readonly #assets = new Map<string, Map<string, Entry>>();
  readonly #onReset: OnReset;

  /** @param restored what an earlier registry's `saved` gave, serialised and back; the order of each asset's is kept. */
  constructor(restored: Iterable<SavedState> = [], onReset: OnReset = () => undefined) {
    this.#onReset = onReset;
    for (const { name, shape, state } of restored) this.#set({ name, shape, state, opened: false });
  }

  /**
   * The cell of one operator. A restored state of another shape is replaced by a fresh one.
   *
   * @param shape the options that a state depends on, so that it is of no use once one of them has changed.
   */
  cell<S>(name: StateName, shape: StateShape, create: () => S): StateCell<S> {
    return stateCell(() => {
      const fresh = create();
      const restored = this.#assets.get(name.asset)?.get(keyOf(name));
      const reason = restored === undefined ? null : misfit(restored, shape, fresh);
      if (restored !== undefined && reason !== null) this.#onReset(name, reason);
      const state = restored !== undefined && fits(restored.state, fresh, reason) ? restored.state : fresh;
      this.#set({ name, shape, state, opened: true });
      return state;
    });
  }

  /** A state that was restored and that nobody has opened yet, as it was written; undefined where there is none. */
  unopened(name: StateName): unknown {
    const entry = this.#assets.get(name.asset)?.get(keyOf(name));
    return entry === undefined || entry.opened ? undefined : entry.state;
  }

  /** The state as it is now, to look at only; undefined where there is none. */
  state(name: StateName): unknown {
    return this.#assets.get(name.asset)?.get(keyOf(name))?.state;
  }

  /** All sensors that have a state, in the order in which they first came; restored ones first. */
  sensors(): { readonly asset: string; readonly sensor: string }[] {
    const sensors = new Map<string, { asset: string; sensor: string }>();
    for (const [asset, entries] of this.#assets) {
      for (const { name } of entries.values()) {
        if (name.sensor !== undefined) sensors.set(`${asset}/${name.sensor}`, { asset, sensor: name.sensor });
      }
    }
    return [...sensors.values()];
  }

  /** Those that have a state, restored or not. */
  assets(): string[] {
    return [...this.#assets.keys()];
  }

  /**
   * The states of one asset. They are the live ones: serialise before the next reading.
   */
  saved(asset: string): readonly SavedState[] {
    return [...(this.#assets.get(asset)?.values() ?? [])].map(({ name, shape, state }) => ({
      name,
      shape,
      state,
    }));
  }

  /** To be called when every operator has opened its cell: forgets the states that no operator has asked for. */
  dropUnopened(): void {
    for (const [asset, entries] of this.#assets) {
      for (const [key, { name, opened }] of entries) {
        if (opened) continue;
        entries.delete(key);
        this.#onReset(name, 'no longer configured');
      }
      if (entries.size === 0) this.#assets.delete(asset);
    }
  }

  #set(entry: Entry): void {
    const { asset } = entry.name;
    const entries = this.#assets.get(asset) ?? new Map<string, Entry>();
    this.#assets.set(asset, entries.set(keyOf(entry.name), entry));
  }
}

const keyOf = ({ sensor, operator }: StateName): string =>
  sensor === undefined ? operator : `${sensor}/${operator}`;

/** Why a restored state cannot be used; null where it can. */
function misfit({ shape: was, state }: SavedState, shape: StateShape, fresh: unknown): string | null {
  const changed = [...new Set([...Object.keys(was), ...Object.keys(shape)])].filter(
    (key) => was[key] !== shape[key],
  );
  if (changed.length > 0)
    return changed.map((key) => `${key} was ${shown(was[key])}, is ${shown(shape[key])}`).join('; ');
  return fits(state, fresh, null) ? null : 'it was written by a version that keeps other things';
}

const shown = (value: string | number | null | undefined): string =>
  value === undefined ? 'not there' : typeof value === 'string' ? `"${value}"` : String(value);

/** The same keys at the top level; deeper differences are the operator's own business. */
function fits<S>(value: unknown, template: S, misfitting: string | null): value is S {
  if (misfitting !== null) return false;
  if (typeof value !== 'object' || value === null || typeof template !== 'object' || template === null)
    return false;
  if (Array.isArray(value) !== Array.isArray(template)) return false;
  const keys = Object.keys(template);
  return keys.length === Object.keys(value).length && keys.every((key) => Object.hasOwn(value, key));
}
