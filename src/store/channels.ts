/**
 * What repeats in every row of a sensor: asset, sensor, unit, and the unit and source that it was received with.
 * `receivedUnit` and `source` are null for what was not received (windows, filled gaps).
 */
export interface Channel {
  readonly id: number;
  readonly asset: string;
  readonly sensor: string;
  readonly unit: string;
  readonly receivedUnit: string | null;
  readonly source: string | null;
}

/**
 * The dictionary of channels. Rows hold its numbers instead of five texts, which makes a row cheaper to append
 * and a query cheaper to filter. New channels are written in the transaction of the first row that uses them.
 */
export class Channels {
  readonly #byId = new Map<number, Channel>();
  readonly #bySensor = new Map<string, Map<string, Channel[]>>();
  #nextId = 0;
  /** Given out, but not yet part of a successful commit. */
  #fresh: Channel[] = [];

  restore(channels: Iterable<Channel>): void {
    for (const channel of channels) {
      this.#of(channel.asset, channel.sensor).push(channel);
      this.#byId.set(channel.id, channel);
      this.#nextId = Math.max(this.#nextId, channel.id + 1);
    }
  }

  id(
    asset: string,
    sensor: string,
    unit: string,
    receivedUnit: string | null,
    source: string | null,
  ): number {
    const known = this.#of(asset, sensor);
    for (const channel of known) {
      if (channel.source === source && channel.unit === unit && channel.receivedUnit === receivedUnit)
        return channel.id;
    }
    const channel = { id: this.#nextId++, asset, sensor, unit, receivedUnit, source };
    known.push(channel);
    this.#byId.set(channel.id, channel);
    this.#fresh.push(channel);
    return channel.id;
  }

  /** @throws Error for a number that was never given out: the file is damaged. */
  get(id: number): Channel {
    const channel = this.#byId.get(id);
    if (channel === undefined) throw new Error(`channel ${id} of a stored row does not exist`);
    return channel;
  }

  /** All channels of a sensor. */
  of(asset: string, sensor: string): readonly Channel[] {
    return this.#bySensor.get(asset)?.get(sensor) ?? [];
  }

  get fresh(): readonly Channel[] {
    return this.#fresh;
  }

  committed(): void {
    if (this.#fresh.length > 0) this.#fresh = [];
  }

  #of(asset: string, sensor: string): Channel[] {
    let sensors = this.#bySensor.get(asset);
    if (sensors === undefined) this.#bySensor.set(asset, (sensors = new Map<string, Channel[]>()));
    let channels = sensors.get(sensor);
    if (channels === undefined) sensors.set(sensor, (channels = []));
    return channels;
  }
}
