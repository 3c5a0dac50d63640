import type { Observable } from 'rxjs';
import { stage } from '../operators/stage.ts';
import type { Sink, Stage, Timed } from '../operators/stage.ts';
import type { Reading } from '../operators/types.ts';

export interface SensorName {
  readonly asset: string;
  readonly sensor: string;
}

/**
 * Runs the readings of each sensor through a stage of its own: rxjs's `groupBy` and `mergeMap` in one, keyed by asset and
 * sensor.
 *
 *     source                        --a--b--a--|    a R101/temperature, b R101/pressure
 *     groupBySensor(stageOf)
 *     result                        --A--B--A--|    A what the stage of R101/temperature makes of a
 *
 * A reading costs two look-ups by strings that the decoder shares between readings, and a plain call: no joined key is
 * built for it, and no Subject, Observable or subscription a sensor lies on its way.
 *
 * @param stageOf the stage of a sensor, opened with its first reading.
 * @param ticks drives all of them, in the order in which they were opened.
 * @param from `known` are sensors that an earlier run has seen: opened at once, in this order, so that what works by
 *   the clock in them goes on before their next reading. Assets take no ticks while they are in `asleep`.
 */
export function groupBySensor<R>(
  stageOf: (name: SensorName) => Stage<Reading, R>,
  ticks: Observable<number>,
  {
    known = [],
    asleep,
  }: { readonly known?: readonly SensorName[]; readonly asleep?: ReadonlySet<string> } = {},
): Stage<Reading, R> {
  return stage((down, timed) => {
    const groups = new Groups(stageOf, down, asleep ?? new Set());
    for (const name of known) groups.open(name);
    timed.push(groups);
    return groups;
  }, ticks);
}

class Groups<R> implements Sink<Reading>, Timed {
  readonly #stageOf: (name: SensorName) => Stage<Reading, R>;
  readonly #down: Sink<R>;
  readonly #inlets = new Map<string, Map<string, Sink<Reading>>>();
  readonly #asleep: ReadonlySet<string>;
  readonly #timed: { readonly asset: string; readonly timed: Timed }[] = [];

  constructor(stageOf: (name: SensorName) => Stage<Reading, R>, down: Sink<R>, asleep: ReadonlySet<string>) {
    this.#stageOf = stageOf;
    this.#down = down;
    this.#asleep = asleep;
  }

  open({ asset, sensor }: SensorName): Sink<Reading> {
    const timed: Timed[] = [];
    const inlet = this.#stageOf({ asset, sensor }).open(this.#down, timed);
    for (const each of timed.reverse()) this.#timed.push({ asset, timed: each });
    const sensors = this.#inlets.get(asset) ?? new Map<string, Sink<Reading>>();
    this.#inlets.set(asset, sensors.set(sensor, inlet));
    return inlet;
  }

  next(reading: Reading): void {
    const inlet = this.#inlets.get(reading.asset)?.get(reading.sensor) ?? this.open(reading);
    inlet.next(reading);
  }

  tick(now: number): void {
    for (const { asset, timed } of this.#timed) if (!this.#asleep.has(asset)) timed.tick(now);
  }

  flush(): void {
    for (const { timed } of this.#timed) timed.flush();
  }
}
