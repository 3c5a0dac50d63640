import { sensorConfigFor } from '../config/sensors.ts';
import type { Config, SensorConfig } from '../config/types.ts';
import type { OnDrop, Reading } from '../operators/types.ts';

type WithOnDrop<T> = T extends object ? T & { readonly onDrop: OnDrop } : T;
type IsKnown = (reading: Reading) => boolean | null;

/** A sensor's configuration as its operators take it: frozen, and the same object for all sensors set alike. */
export interface Settings extends Omit<SensorConfig, 'order' | 'windows'> {
  readonly order: (WithOnDrop<SensorConfig['order']> & { readonly isKnown?: IsKnown }) | false;
  readonly windows: readonly WithOnDrop<SensorConfig['windows'][number]>[];
}

export function sharedSettings(
  config: Config,
  onDrop: OnDrop,
  isKnown?: IsKnown,
): (asset: string, sensor: string) => Settings {
  const known = new Map<string, Settings>();
  return (asset, sensor) => {
    const own = sensorConfigFor(config, asset, sensor);
    const text = JSON.stringify(own);
    const shared = known.get(text) ?? frozen(own, onDrop, isKnown);
    known.set(text, shared);
    return shared;
  };
}

function frozen(own: SensorConfig, onDrop: OnDrop, isKnown: IsKnown | undefined): Settings {
  const copy = structuredClone(own);
  for (const part of Object.values(copy)) if (typeof part === 'object') Object.freeze(part);
  return Object.freeze({
    ...copy,
    order: copy.order && Object.freeze({ ...copy.order, onDrop, ...(isKnown && { isKnown }) }),
    windows: copy.windows.map((window) => Object.freeze({ ...window, onDrop })),
  });
}
