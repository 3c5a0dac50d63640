import { EventRing } from './eventRing.ts';
import type { LiveEvent } from './live.ts';
import { conflationKey, wants } from './streamFilter.ts';
import type { StreamFilter } from './streamFilter.ts';

/** Where a client's messages go. `write` returns false when it can take no more for now. */
export interface StreamSink {
  write(chunk: Buffer): boolean;
  end(): void;
}

export interface HubOptions {
  /** Hexadecimal mark of this start, part of every event id. */
  readonly boot: string;
  /** Events held for clients that resume or lag. */
  readonly capacity?: number;
  /** Shortest time between two rounds of sending. */
  readonly flushMs?: number;
  /** Longest time that one round may take from the event loop. */
  readonly budgetMs?: number;
  readonly heartbeatMs?: number;
}

interface Client {
  readonly sink: StreamSink;
  readonly filter: StreamFilter;
  /** Number of the first event that it has not been sent. */
  cursor: number;
  blocked: boolean;
  /** It is being sent the latest of each key instead of every event. */
  conflated: boolean;
}

export interface StreamClient {
  /** The sink can take more. */
  drained(): void;
  remove(): void;
}

interface Latest {
  readonly seq: number;
  readonly event: LiveEvent;
  text: string | undefined;
}

/** A message is at most about this long, so that a blocked client holds no more than one of them. */
const MAX_CHUNK_CHARS = 128 * 1024;
const HEARTBEAT = Buffer.from(': heartbeat\n\n');

/**
 * Sends live events to many clients without ever holding up who pushes them.
 *
 * The clients share one ring of events, each with a cursor of its own, so a client has no queue that could grow.
 * Events about to leave the ring go into `latest`, one entry a key; a client that is so far behind gets the
 * entries that are newer than its cursor, and then goes on from the ring: it is conflated. Sending runs in rounds
 * with a time budget, and clients not served in one round come first in the next.
 *
 * Memory: the ring, one entry a sensor, window size and asset, and one chunk a client.
 */
export class StreamHub {
  readonly #ring: EventRing;
  readonly #flushMs: number;
  readonly #budgetMs: number;
  readonly #clients = new Set<Client>();
  /** Latest event a key among those numbered below `#absorbed`, in the order of their numbers. */
  readonly #latest = new Map<string, Latest>();
  #absorbed = 0;
  #round: NodeJS.Timeout | undefined;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(options: HubOptions) {
    this.#ring = new EventRing(options.capacity ?? 10_000, options.boot);
    this.#flushMs = options.flushMs ?? 20;
    this.#budgetMs = options.budgetMs ?? 8;
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? 15_000).unref();
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Entries kept for clients that lag. */
  get conflatedKeys(): number {
    return this.#latest.size;
  }

  push(event: LiveEvent): void {
    if (this.#clients.size > 0) {
      const { head, capacity } = this.#ring;
      if (head - this.#absorbed >= capacity) this.#absorb(head - (capacity >> 1));
      this.#schedule();
    }
    this.#ring.push(event);
  }

  /** `lastEventId`: id of the last event that the client has seen, as it says. */
  add(sink: StreamSink, filter: StreamFilter, lastEventId?: string): StreamClient {
    if (this.#clients.size === 0) this.#absorbed = this.#ring.tail;
    const { seq, gap } = this.#ring.resume(lastEventId);
    const client: Client = { sink, filter, cursor: seq, blocked: false, conflated: false };
    this.#clients.add(client);
    const greeting = `retry: 2000\n\n${gap === null ? '' : gapMessage(gap)}`;
    client.blocked = !sink.write(Buffer.from(greeting));
    this.#schedule();
    return {
      drained: () => {
        client.blocked = false;
        if (client.cursor < this.#ring.head) this.#schedule();
      },
      remove: () => this.#remove(client),
    };
  }

  close(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#round);
    for (const client of this.#clients) client.sink.end();
    this.#clients.clear();
    this.#latest.clear();
  }

  #remove(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#latest.clear();
  }

  #beat(): void {
    for (const client of this.#clients) {
      if (!client.blocked) client.blocked = !client.sink.write(HEARTBEAT);
    }
  }

  #schedule(): void {
    this.#round ??= setTimeout(() => {
      this.#round = undefined;
      this.#sendRound();
    }, this.#flushMs);
  }

  /** Clients with the same cursor and filter get the same bytes, made once. */
  #sendRound(): void {
    const deadline = performance.now() + this.#budgetMs;
    const made = new Map<string, { readonly chunk: Buffer | null; readonly next: number }>();
    for (const client of [...this.#clients]) {
      while (!client.blocked && client.cursor < this.#ring.head) {
        if (client.cursor < this.#ring.tail) this.#sendLatest(client);
        else this.#sendFromRing(client, made);
        if (performance.now() >= deadline) {
          this.#toBack(client);
          this.#schedule();
          return;
        }
      }
      this.#toBack(client);
    }
  }

  /** Behind those that have not been served yet. */
  #toBack(client: Client): void {
    if (this.#clients.delete(client)) this.#clients.add(client);
  }

  #sendFromRing(
    client: Client,
    made: Map<string, { readonly chunk: Buffer | null; readonly next: number }>,
  ): void {
    client.conflated = false;
    const key = `${client.cursor} ${client.filter.key}`;
    let part = made.get(key);
    if (part === undefined) {
      part = this.#ringPart(client);
      made.set(key, part);
    }
    client.cursor = part.next;
    if (part.chunk !== null) client.blocked = !client.sink.write(part.chunk);
  }

  #ringPart({ cursor, filter }: Client): { readonly chunk: Buffer | null; readonly next: number } {
    let text = '';
    let seq = cursor;
    for (; seq < this.#ring.head && text.length < MAX_CHUNK_CHARS; seq++) {
      const event = this.#ring.event(seq);
      if (event !== undefined && wants(filter, event)) text += this.#ring.text(seq);
    }
    return { chunk: text === '' ? null : Buffer.from(text), next: seq };
  }

  #sendLatest(client: Client): void {
    let text = client.conflated ? '' : gapMessage('conflated');
    client.conflated = true;
    let next = this.#absorbed;
    for (const entry of this.#latest.values()) {
      if (entry.seq < client.cursor || !wants(client.filter, entry.event)) continue;
      entry.text ??= this.#ring.message(entry.seq, entry.event);
      text += entry.text;
      if (text.length >= MAX_CHUNK_CHARS) {
        next = entry.seq + 1;
        break;
      }
    }
    client.cursor = next;
    if (text !== '') client.blocked = !client.sink.write(Buffer.from(text));
  }

  /** Takes the events numbered below `end` into `latest`, before the ring overwrites them. */
  #absorb(end: number): void {
    for (let seq = this.#absorbed; seq < end; seq++) {
      const event = this.#ring.event(seq);
      if (event === undefined) continue;
      const key = conflationKey(event);
      // Deleted first, so that the map stays in the order of the numbers.
      this.#latest.delete(key);
      this.#latest.set(key, { seq, event, text: undefined });
    }
    this.#absorbed = end;
  }
}

/** Says that events are missing here, and why: `restart`, `expired` or `conflated` (only the latest follow). */
const gapMessage = (reason: string): string =>
  `event: gap\ndata: ${JSON.stringify({ type: 'gap', reason })}\n\n`;
