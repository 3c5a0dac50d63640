import { PLANT_SENSORS } from './plant.ts';
import type { Plant, PlantSample } from './plant.ts';

/** A plant as its servers see it, whatever the physics. Time is given to it. */
export interface PlantFeed {
  readonly assets: readonly string[];
  /** `setValue`: the sensor's set value is known, too. */
  readonly sensors: readonly { readonly sensor: string; readonly setValue: boolean }[];
  /** Goes on to a time, epoch milliseconds, and returns what the sensors gave since the last one. */
  advance(toEpochMs: number): readonly PlantSample[];
  /** Set values of an asset now, by sensor. */
  setValues(asset: string): Readonly<Record<string, number>>;
  /** The true state of an asset now, as plain data with a `timestamp`, epoch milliseconds. */
  truth(asset: string): { readonly timestamp: number };
}

/** The batch plant: each advance measures every sensor once. */
export const batchFeed = (plant: Plant): PlantFeed => ({
  assets: plant.assets,
  sensors: PLANT_SENSORS.map(({ sensor }) => ({ sensor, setValue: true })),
  advance(toEpochMs) {
    plant.step(toEpochMs);
    return plant.measure();
  },
  setValues(asset) {
    const { setpoints } = plant.truth(asset);
    return Object.fromEntries(PLANT_SENSORS.map(({ sensor, of }) => [sensor, setpoints[of]]));
  },
  truth: (asset) => plant.truth(asset),
});

/** A sensor's name in the OPC UA server: `FlowRate` for `flow_rate`. */
export const browseNameOf = (sensor: string): string =>
  sensor.replaceAll(/(?:^|_)(.)/g, (_all, letter: string) => letter.toUpperCase());
