import { Observable } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { Reading } from '../operators/types.ts';
import { Inlet } from './inlet.ts';

/** The readings of one sensor. To be subscribed to once, at once. */
export interface SensorStream {
  readonly asset: string;
  readonly sensor: string;
  readonly readings: Observable<Reading>;
}

/**
 * One Observable a sensor, like rxjs's groupBy but keyed by asset and sensor: two look-ups by strings that the decoder
 * shares between readings, instead of a joined key built for every reading; and no Subject a sensor, as each stream has
 * one subscriber.
 *
 *     source           --a--b--a--|      a R101/temperature, b R101/pressure
 *     groupBySensor()
 *     result           --A--B-----|      A, B streams
 *     A                --a-----a--|
 *
 * The streams of `known` sensors, which an earlier run has seen, open at once and in that order: what works by the clock
 * in them goes on before their next reading.
 */
export function groupBySensor(
  known: readonly { readonly asset: string; readonly sensor: string }[] = [],
): OperatorFunction<Reading, SensorStream> {
  return (source) =>
    new Observable((subscriber) => {
      const assets = new Map<string, Map<string, Inlet<Reading>>>();
      const open = (asset: string, sensor: string): Inlet<Reading> => {
        const inlet = new Inlet<Reading>();
        const sensors = assets.get(asset) ?? new Map<string, Inlet<Reading>>();
        assets.set(asset, sensors.set(sensor, inlet));
        subscriber.next({ asset, sensor, readings: inlet.items });
        return inlet;
      };
      const each = (act: (inlet: Inlet<Reading>) => void): void => {
        for (const sensors of assets.values()) for (const inlet of sensors.values()) act(inlet);
      };
      for (const { asset, sensor } of known) open(asset, sensor);
      subscriber.add(
        source.subscribe({
          next: (reading) => {
            const inlet =
              assets.get(reading.asset)?.get(reading.sensor) ?? open(reading.asset, reading.sensor);
            inlet.next(reading);
          },
          error: (error: unknown) => {
            each((inlet) => inlet.error(error));
            subscriber.error(error);
          },
          complete: () => {
            each((inlet) => inlet.complete());
            subscriber.complete();
          },
        }),
      );
    });
}
