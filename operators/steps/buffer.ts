import { integerBetween, numberAtLeast, oneOf } from '../options.ts';

const OVERFLOWS = ['pause', 'dropOldest', 'dropNewest', 'latest'] as const;

/** What a full buffer does; see boundBuffer. */
export type Overflow = (typeof OVERFLOWS)[number];

export interface QueueOptions<T> {
  /** Items held at most; with `pause`, as many again may wait for room. Integer >= 1. Default 1000. */
  readonly capacity?: number;
  /** Default `pause`. */
  readonly overflow?: Overflow;
  /** `pause`: how long an item waits for room before it is dropped, in milliseconds. >= 0. Default 1000. */
  readonly putTimeoutMs?: number;
  /** `latest`: what a newer item replaces the waiting one by. */
  readonly key?: (item: T) => string;
  /** Items for which it is false always get in and are never dropped. Default: all may be dropped. */
  readonly droppable?: (item: T) => boolean;
}

/** Why an item left the queue other than by take; `replaced`: a newer one of the same key took its place. */
export type QueueDrop = 'overflow' | 'putTimeout' | 'replaced';

/** `items` from `head` on are in the queue, oldest first; the first `capacity` of them have room, the others wait. */
export interface QueueState<T> {
  items: T[];
  head: number;
  /** `pause` only: when each of `items` was offered, by the scheduler, milliseconds. */
  offeredAt: number[];
}

export const queueState = <T>(): QueueState<T> => ({ items: [], head: 0, offeredAt: [] });

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveQueueOptions<T>(options: QueueOptions<T>): Required<QueueOptions<T>> {
  const overflow = oneOf('overflow', options.overflow ?? 'pause', OVERFLOWS);
  if (overflow === 'latest' && options.key === undefined) {
    throw new RangeError('key: undefined is not valid, expected a function where overflow is latest');
  }
  return {
    capacity: integerBetween('capacity', options.capacity ?? 1000, 1),
    overflow,
    putTimeoutMs: numberAtLeast('putTimeoutMs', options.putTimeoutMs ?? 1000, 0),
    key: options.key ?? (() => ''),
    droppable: options.droppable ?? (() => true),
  };
}

/**
 * A bounded first-in first-out queue over a plain state. Every item offered leaves it once: by take or by drop.
 * Offer and take are O(1) an item, amortised; only where items that may not be dropped stand in the way is it O(n).
 */
export class BoundQueue<T extends object | string> {
  readonly #state: QueueState<T>;
  readonly #options: Required<QueueOptions<T>>;
  readonly #drop: (reason: QueueDrop, item: T) => void;
  /** `latest`: key -> how many items entered before it; derived from the state. */
  readonly #places = new Map<string, number>();
  /** Items that have left, so that a place is an index plus this. */
  #left = 0;

  constructor(
    state: QueueState<T>,
    options: Required<QueueOptions<T>>,
    drop: (reason: QueueDrop, item: T) => void,
  ) {
    this.#state = state;
    this.#options = options;
    this.#drop = drop;
    this.#index();
  }

  get size(): number {
    return this.#state.items.length - this.#state.head;
  }

  get full(): boolean {
    return this.size >= this.#options.capacity;
  }

  /** Takes an item in, or drops it or another; `now` is the scheduler's clock, milliseconds. */
  offer(item: T, now: number): void {
    const { capacity, overflow, droppable } = this.#options;
    if (overflow === 'latest' && droppable(item) && this.#replace(item)) return;
    if (this.full && !this.#makeRoom(capacity) && droppable(item)) {
      this.#drop('overflow', item);
      return;
    }
    if (overflow === 'latest' && droppable(item))
      this.#places.set(this.#options.key(item), this.#left + this.size);
    this.#state.items.push(item);
    if (overflow === 'pause') this.#state.offeredAt.push(now);
  }

  /** The oldest items, at most `count`; waiting ones move up. */
  take(count: number): T[] {
    const state = this.#state;
    const size = this.size;
    if (count >= size) {
      const all = state.head === 0 ? state.items : state.items.slice(state.head);
      state.items = [];
      state.offeredAt = [];
      state.head = 0;
      this.#left += size;
      this.#places.clear();
      return all;
    }
    const taken = state.items.slice(state.head, state.head + count);
    for (const item of taken) this.#leave(item);
    return taken;
  }

  /** When the next waiting item runs out of time, by the scheduler's clock; null where none can. */
  deadline(): number | null {
    const at = this.#nextWaiting(this.#state.head + this.#options.capacity);
    return at === null ? null : (this.#state.offeredAt[at] ?? 0) + this.#options.putTimeoutMs;
  }

  /** Drops what has waited for room for putTimeoutMs. */
  expire(now: number): void {
    const { items, offeredAt, head } = this.#state;
    let at = this.#nextWaiting(head + this.#options.capacity);
    while (at !== null && (offeredAt[at] ?? 0) + this.#options.putTimeoutMs <= now) {
      offeredAt.splice(at, 1);
      for (const item of items.splice(at, 1)) this.#drop('putTimeout', item);
      at = this.#nextWaiting(at);
    }
  }

  /** @returns whether an item that may be dropped gets in, now that the queue is full. */
  #makeRoom(capacity: number): boolean {
    const { overflow } = this.#options;
    if (overflow === 'pause') return this.size < 2 * capacity;
    return overflow !== 'dropNewest' && this.#dropOldest();
  }

  #nextWaiting(from: number): number | null {
    const { items } = this.#state;
    if (this.#options.overflow !== 'pause') return null;
    for (let i = from; i < items.length; i += 1) {
      const item = items[i];
      if (item !== undefined && this.#options.droppable(item)) return i;
    }
    return null;
  }

  #replace(item: T): boolean {
    const { items, head } = this.#state;
    const place = this.#places.get(this.#options.key(item));
    if (place === undefined) return false;
    for (const old of items.splice(head + place - this.#left, 1, item)) this.#drop('replaced', old);
    return true;
  }

  #dropOldest(): boolean {
    const { items, head } = this.#state;
    for (let at = head; at < items.length; at += 1) {
      const item = items[at];
      if (item === undefined || !this.#options.droppable(item)) continue;
      if (at === head) {
        this.#leave(item);
      } else {
        items.splice(at, 1);
        this.#index();
      }
      this.#drop('overflow', item);
      return true;
    }
    return false;
  }

  /** Lets the oldest item, which is `item`, go. */
  #leave(item: T): void {
    const state = this.#state;
    state.head += 1;
    this.#left += 1;
    if (this.#places.size > 0 && this.#options.droppable(item)) this.#places.delete(this.#options.key(item));
    // What has left is cut off once it is half of the list, which keeps the cost an item constant.
    if (state.head >= 32 && 2 * state.head >= state.items.length) {
      state.items.splice(0, state.head);
      state.offeredAt.splice(0, state.head);
      state.head = 0;
    }
  }

  #index(): void {
    const { items, head } = this.#state;
    const { overflow, key, droppable } = this.#options;
    this.#places.clear();
    if (overflow !== 'latest') return;
    for (let i = head; i < items.length; i += 1) {
      const item = items[i];
      if (item !== undefined && droppable(item)) this.#places.set(key(item), this.#left + i - head);
    }
  }
}
