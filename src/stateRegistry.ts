import { stateCell } from '../operators/stateCell.ts';
import type { StateCell } from '../operators/stateCell.ts';

/**
 * Keeps the states of all operators by name, so that they can be written out together and put back after a restart.
 *
 * A name is `asset/sensor/operator` or `asset/updateTwin`. States are plain data, mutated in place by their operators.
 */
export class StateRegistry {
  readonly #states = new Map<string, unknown>();
  readonly #restored: Map<string, unknown>;

  /** @param snapshot what an earlier registry's `snapshot()` gave, after a JSON round trip. */
  constructor(snapshot: Readonly<Record<string, unknown>> = {}) {
    this.#restored = new Map(Object.entries(snapshot));
  }

  /** The cell of one operator. A restored state that no longer has the operator's shape is replaced by a fresh one. */
  cell<S>(name: string, create: () => S): StateCell<S> {
    return stateCell(() => {
      const fresh = create();
      const restored = this.#restored.get(name);
      this.#restored.delete(name);
      const state = hasShapeOf(restored, fresh) ? restored : fresh;
      this.#states.set(name, state);
      return state;
    });
  }

  /** The sensors that have a restored state which nobody has opened yet, in the order in which they first came. */
  restoredSensors(): { readonly asset: string; readonly sensor: string }[] {
    const sensors = new Map<string, { asset: string; sensor: string }>();
    for (const name of this.#restored.keys()) {
      const [asset, sensor, operator] = name.split('/');
      if (asset === undefined || sensor === undefined || operator === undefined) continue;
      sensors.set(`${asset}/${sensor}`, { asset, sensor });
    }
    return [...sensors.values()];
  }

  /**
   * Every state by name, restored ones that nobody has opened yet included. The states are the live ones: serialise
   * before the next reading.
   */
  snapshot(): Record<string, unknown> {
    return Object.fromEntries([...this.#restored, ...this.#states]);
  }
}

/** The same keys at the top level; deeper differences are the operator's own business. */
function hasShapeOf<S>(value: unknown, template: S): value is S {
  if (typeof value !== 'object' || value === null || typeof template !== 'object' || template === null)
    return false;
  if (Array.isArray(value) !== Array.isArray(template)) return false;
  const keys = Object.keys(template);
  return keys.length === Object.keys(value).length && keys.every((key) => Object.hasOwn(value, key));
}
