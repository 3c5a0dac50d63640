import type { LiveEvent } from './live.ts';
import { eventJson } from './records.ts';

/**
 * The last `capacity` events, numbered from 0. An event is made into text when the first client wants it, and
 * then once for all clients, so that without clients a push is one store into an array.
 */
export class EventRing {
  readonly capacity: number;
  /** Number of the next event. */
  head = 0;
  readonly #boot: string;
  readonly #events: (LiveEvent | undefined)[];
  readonly #texts: (string | undefined)[];

  /** `boot`: hexadecimal mark of this start, part of every id, so that ids of an earlier start are recognised. */
  constructor(capacity: number, boot: string) {
    this.capacity = capacity;
    this.#boot = boot;
    this.#events = new Array<LiveEvent | undefined>(capacity).fill(undefined);
    this.#texts = new Array<string | undefined>(capacity).fill(undefined);
  }

  /** Number of the oldest event still held. */
  get tail(): number {
    return Math.max(0, this.head - this.capacity);
  }

  push(event: LiveEvent): void {
    const slot = this.head % this.capacity;
    this.#events[slot] = event;
    this.#texts[slot] = undefined;
    this.head += 1;
  }

  /** undefined outside [tail, head). */
  event(seq: number): LiveEvent | undefined {
    return seq >= this.tail && seq < this.head ? this.#events[seq % this.capacity] : undefined;
  }

  /** The event as a message of the stream. */
  text(seq: number): string {
    const slot = seq % this.capacity;
    const known = this.#texts[slot];
    if (known !== undefined) return known;
    const event = this.event(seq);
    const text = event === undefined ? '' : this.message(seq, event);
    this.#texts[slot] = text;
    return text;
  }

  message(seq: number, event: LiveEvent): string {
    return `id: ${this.#boot}-${seq}\nevent: ${event.type}\ndata: ${eventJson(event)}\n\n`;
  }

  /**
   * Where a client goes on.
   * @returns the number of the first event that it lacks, and why events before that are missing, if they are:
   * `restart` = its id is of an earlier start, `expired` = what followed its id is no longer held.
   */
  resume(lastEventId: string | undefined): {
    readonly seq: number;
    readonly gap: 'restart' | 'expired' | null;
  } {
    if (lastEventId === undefined || lastEventId === '') return { seq: this.head, gap: null };
    const match = /^([0-9a-f]{1,32})-(\d{1,15})$/.exec(lastEventId);
    const next = Number(match?.[2]) + 1;
    if (match?.[1] !== this.#boot || next > this.head) return { seq: this.tail, gap: 'restart' };
    if (next < this.tail) return { seq: this.tail, gap: 'expired' };
    return { seq: next, gap: null };
  }
}
