import { integerBetween } from '../options.ts';
import { BoundQueue, resolveQueueOptions } from './buffer.ts';
import type { QueueState } from './buffer.ts';

/** @throws RangeError that names the option, its value and what was expected. */
export const resolveMaxKeys = (maxKeys = 10_000): number => integerBetween('maxKeys', maxKeys, 1);

/** The latest item a key since the last release, in order of the keys' first arrival. O(1) an item. */
export class LatestByKey<T extends object | string> {
  readonly #queue: BoundQueue<T>;
  readonly #emit: (item: T) => void;

  /** `emit` gets what is released, and the oldest item early where a key more than maxKeys comes. */
  constructor(state: QueueState<T>, key: (item: T) => string, maxKeys: number, emit: (item: T) => void) {
    const options = resolveQueueOptions<T>({ capacity: maxKeys, overflow: 'latest', key });
    this.#emit = emit;
    this.#queue = new BoundQueue(state, options, (reason, item) => {
      if (reason === 'overflow') emit(item);
    });
  }

  put(item: T): void {
    this.#queue.offer(item, 0);
  }

  release(): void {
    for (const item of this.#queue.take(Infinity)) this.#emit(item);
  }
}
