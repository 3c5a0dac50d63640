import { Observable, Subject } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { Reading } from '../operators/types.ts';

/** The readings of one sensor. */
export interface SensorStream {
  readonly asset: string;
  readonly sensor: string;
  readonly readings: Observable<Reading>;
}

/**
 * One Observable a sensor, like rxjs's groupBy but keyed by asset and sensor: two look-ups by strings that the decoder
 * shares between readings, instead of a joined key built for every reading.
 *
 *     source           --a--b--a--|      a R101/temperature, b R101/pressure
 *     groupBySensor()
 *     result           --A--B-----|      A, B streams
 *     A                --a-----a--|
 */
export function groupBySensor(): OperatorFunction<Reading, SensorStream> {
  return (source) =>
    new Observable((subscriber) => {
      const assets = new Map<string, Map<string, Subject<Reading>>>();
      const each = (act: (readings: Subject<Reading>) => void): void => {
        for (const sensors of assets.values()) for (const readings of sensors.values()) act(readings);
      };
      const open = (asset: string, sensor: string): Subject<Reading> => {
        const readings = new Subject<Reading>();
        const sensors = assets.get(asset) ?? new Map<string, Subject<Reading>>();
        assets.set(asset, sensors.set(sensor, readings));
        subscriber.next({ asset, sensor, readings: readings.asObservable() });
        return readings;
      };
      subscriber.add(
        source.subscribe({
          next: (reading) => {
            const readings =
              assets.get(reading.asset)?.get(reading.sensor) ?? open(reading.asset, reading.sensor);
            readings.next(reading);
          },
          error: (error: unknown) => {
            each((readings) => readings.error(error));
            subscriber.error(error);
          },
          complete: () => {
            each((readings) => readings.complete());
            subscriber.complete();
          },
        }),
      );
    });
}
