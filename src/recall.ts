import type { Reading } from '../operators/types.ts';
import { isTick } from './processor.ts';
import type { Entry, Input } from './processor.ts';
import { isDeadLetter } from './sources/source.ts';
import type { Store } from './store/store.ts';

/**
 * Remembers for the operators what they have forgotten: whether a reading older than all that they know of was taken in
 * before. The answer is in the store or among what is not committed yet, and it has to be fetched before it is given.
 */
export class Recall {
  readonly #store: Pick<Store, 'recall'>;
  readonly #isDamage: (error: unknown) => boolean;
  readonly #answers = new Map<string, boolean>();
  #uncommitted: Entry[] = [];

  /** @param isDamage whether an error of the store means that asking again will not help. */
  constructor(store: Pick<Store, 'recall'>, isDamage: (error: unknown) => boolean = () => false) {
    this.#store = store;
    this.#isDamage = isDamage;
  }

  /** null: not fetched yet. */
  readonly isKnown = (reading: Reading): boolean | null => {
    const key = keyOf(reading);
    const answer = this.#answers.get(key) ?? null;
    // Being told that it is new, the operator takes it in: a second one like it is not new any more.
    if (answer === false) this.#answers.set(key, true);
    return answer;
  };

  /** Fetches the answers for these inputs, in place of those of before. */
  async fetch(inputs: readonly Input[]): Promise<void> {
    const readings = inputs.filter(isReading);
    // First these, then the store: what is committed in between is found in either.
    const pending = this.#pending(new Set(readings.map(({ timestamp }) => timestamp)));
    const stored = await this.#stored(readings);
    this.#answers.clear();
    for (const [i, reading] of readings.entries()) {
      const key = keyOf(reading);
      this.#answers.set(key, stored[i] === true || pending.has(key));
    }
  }

  forget(): void {
    if (this.#answers.size > 0) this.#answers.clear();
  }

  processed(entry: Entry): void {
    this.#uncommitted.push(entry);
  }

  /** The first so many of what was processed are in the store. */
  committed(count: number): void {
    if (count >= this.#uncommitted.length) this.#uncommitted = [];
    else this.#uncommitted.splice(0, count);
  }

  /** Where the rows that would tell are damaged, nobody will ever know: better twice than never. */
  async #stored(readings: readonly Reading[]): Promise<readonly boolean[]> {
    try {
      return await this.#store.recall(readings);
    } catch (error) {
      if (!this.#isDamage(error)) throw error;
      return readings.map(() => false);
    }
  }

  #pending(timestamps: ReadonlySet<number>): Set<string> {
    const keys = new Set<string>();
    for (const { input } of this.#uncommitted) {
      if (isReading(input) && timestamps.has(input.timestamp)) keys.add(keyOf(input));
    }
    return keys;
  }
}

const isReading = (input: Input): input is Reading => !isTick(input) && !isDeadLetter(input);

const keyOf = ({ asset, sensor, timestamp, value, received }: Reading): string =>
  `${asset}/${sensor}/${timestamp}/${received === null ? value : received.value}`;
