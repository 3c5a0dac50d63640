import { convertValue } from '../../operators/steps/unit.ts';
import type { Reading } from '../../operators/types.ts';
import { BlockSample } from './blocks.ts';
import { Intervals } from './intervals.ts';
import type { Run } from './runs.ts';

/** Blocks held of all sensors together: some 130 MB. */
const ROOM = 8192;
const MOST_ROOM = 128;
const LEAST_ROOM = 4;
/** More sensors than this do not fit. */
export const MAX_SENSORS = ROOM / LEAST_ROOM;
/** After so many readings in a row before the latest, the source has set its clock back. */
const SET_BACK_COUNT = 5;

/** What a recording says of one sensor. Counts are of all of its readings; `runs` are what of them is held. */
export interface SensorRecord {
  readonly asset: string;
  readonly sensor: string;
  /** As recorded, or the one that is asked for; '' = none. */
  readonly unit: string;
  readonly counts: Readonly<Counts>;
  /** Source times, epoch ms. */
  readonly first: number;
  readonly last: number;
  /** Of usable values. */
  readonly min: number;
  readonly max: number;
  readonly intervals: Intervals;
  /** Longest time without a change of the value, ms. */
  readonly unchangedMs: number;
  /** How far behind the latest a late reading is at most, ms. */
  readonly latestMs: number;
  readonly runs: readonly Run[];
}

export interface Counts {
  readings: number;
  /** Without a value. */
  missing: number;
  bad: number;
  uncertain: number;
  /** In a unit that cannot be converted. */
  otherUnit: number;
  /** Before the latest source time: out of order. */
  late: number;
  /** At the time of the one before. */
  repeated: number;
  usable: number;
}

class Sensor {
  readonly counts: Counts = {
    ...{ readings: 0, missing: 0, bad: 0, uncertain: 0 },
    ...{ otherUnit: 0, late: 0, repeated: 0, usable: 0 },
  };
  readonly intervals = new Intervals();
  readonly sample = new BlockSample();
  readonly asset: string;
  readonly sensor: string;
  unit: string;
  first = Infinity;
  last = -Infinity;
  min = Infinity;
  max = -Infinity;
  unchangedMs = 0;
  latestMs = 0;
  #latest: number | null = null;
  #lateInRow = 0;
  #value: number | null = null;
  #since = 0;

  constructor({ asset, sensor }: Reading, unit: string) {
    this.asset = asset;
    this.sensor = sensor;
    this.unit = unit;
  }

  cut(room: number): void {
    this.#latest = null;
    this.#value = null;
    this.sample.cut(room);
  }

  take({ timestamp, value, unit, quality }: Reading, room: number): void {
    const { counts } = this;
    counts.readings += 1;
    if (!this.#inOrder(timestamp, room)) return;
    if (this.unit === '') this.unit = unit;
    if (value === null) {
      counts.missing += 1;
      return;
    }
    if (quality === 'Bad') {
      counts.bad += 1;
      return;
    }
    const converted = unit === this.unit || unit === '' ? value : convertValue(value, unit, this.unit);
    if (converted === undefined) {
      counts.otherUnit += 1;
      return;
    }
    if (quality === 'Uncertain') counts.uncertain += 1;
    counts.usable += 1;
    this.min = Math.min(this.min, converted);
    this.max = Math.max(this.max, converted);
    if (converted !== this.#value) this.#since = timestamp;
    this.#value = converted;
    this.unchangedMs = Math.max(this.unchangedMs, timestamp - this.#since);
    this.sample.push(timestamp, converted, room);
  }

  #inOrder(timestamp: number, room: number): boolean {
    this.first = Math.min(this.first, timestamp);
    this.last = Math.max(this.last, timestamp);
    const latest = this.#latest;
    if (latest !== null && timestamp < latest) {
      this.#lateInRow += 1;
      if (this.#lateInRow < SET_BACK_COUNT) {
        this.counts.late += 1;
        this.latestMs = Math.max(this.latestMs, latest - timestamp);
        return false;
      }
      this.cut(room);
    }
    this.#lateInRow = 0;
    if (latest === timestamp) {
      this.counts.repeated += 1;
      return false;
    }
    if (this.#latest !== null) this.intervals.add(timestamp - this.#latest);
    this.#latest = timestamp;
    return true;
  }
}

/** Takes in a recording of any length, in bounded memory. */
export class Recorder {
  readonly #sensors = new Map<string, Sensor>();
  readonly #unitOf: (asset: string, sensor: string) => string;

  /** @param unitOf the unit that a sensor's values are to be in; '' = as recorded. */
  constructor(unitOf: (asset: string, sensor: string) => string) {
    this.#unitOf = unitOf;
  }

  get size(): number {
    return this.#sensors.size;
  }

  take(reading: Reading): void {
    const key = `${reading.asset}/${reading.sensor}`;
    let sensor = this.#sensors.get(key);
    if (sensor === undefined) {
      sensor = new Sensor(reading, this.#unitOf(reading.asset, reading.sensor));
      this.#sensors.set(key, sensor);
    }
    sensor.take(reading, this.#room);
  }

  /** What comes next does not go on from what came before: another file. */
  cut(): void {
    for (const sensor of this.#sensors.values()) sensor.cut(this.#room);
  }

  /** One by one, so that their sample can be given up one by one. */
  *records(): Generator<SensorRecord> {
    const room = this.#room;
    for (const each of this.#sensors.values()) {
      const { asset, sensor, unit, counts, first, last, min, max, intervals, unchangedMs, latestMs } = each;
      const runs = each.sample.runs(room);
      yield { asset, sensor, unit, counts, first, last, min, max, intervals, unchangedMs, latestMs, runs };
    }
  }

  get #room(): number {
    return Math.max(LEAST_ROOM, Math.min(MOST_ROOM, Math.floor(ROOM / Math.max(1, this.#sensors.size))));
  }
}
