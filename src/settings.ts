import { sensorConfigFor } from '../config/sensors.ts';
import type { Config, SensorConfig } from '../config/types.ts';
import type { OrderOptions } from '../operators/steps/order.ts';
import type { SmoothOptions } from '../operators/steps/smooth.ts';
import type { OnDrop } from '../operators/types.ts';

type WithOnDrop<T> = T extends object ? T & { readonly onDrop: OnDrop } : T;

/** What the service adds to a sensor's configuration of `orderByTime`. */
export type OrderContext = Pick<OrderOptions, 'isKnown' | 'stepBackMaxPace'> & { readonly onDrop: OnDrop };

/** Options of smoothState, with the filters of the sensor's estimate. */
type SmoothSettings = Required<Pick<SmoothOptions, 'lagMs' | 'mode'>> & SmoothOptions;

/** A sensor's configuration as its operators take it: frozen, and the same object for all sensors set alike. */
export interface Settings extends Omit<SensorConfig, 'order' | 'smooth' | 'windows'> {
  readonly order: (Exclude<SensorConfig['order'], false> & OrderContext) | false;
  readonly smooth: SmoothSettings | false;
  readonly windows: readonly WithOnDrop<SensorConfig['windows'][number]>[];
}

export function sharedSettings(
  config: Config,
  context: OrderContext,
): (asset: string, sensor: string) => Settings {
  const known = new Map<string, Settings>();
  return (asset, sensor) => {
    const own = sensorConfigFor(config, asset, sensor);
    const text = JSON.stringify(own);
    const shared = known.get(text) ?? frozen(own, context);
    known.set(text, shared);
    return shared;
  };
}

function frozen(own: SensorConfig, context: OrderContext): Settings {
  const { onDrop } = context;
  const copy = structuredClone(own);
  for (const part of Object.values(copy)) if (typeof part === 'object') Object.freeze(part);
  return Object.freeze({
    ...copy,
    order: copy.order && Object.freeze({ ...copy.order, ...context }),
    smooth: smoothSettings(copy),
    windows: copy.windows.map((window) => Object.freeze({ ...window, onDrop })),
  });
}

/** The reference's filter is not made to be smoothed: in its place come adaptive ones, with the same noise of the sensor. */
function smoothSettings({ smooth, kalman }: SensorConfig): SmoothSettings | false {
  if (!smooth || !kalman) return false;
  const mode = kalman.mode === 'constantVelocity' ? 'adaptive' : kalman.mode;
  return Object.freeze({ ...kalman, ...smooth, mode });
}
