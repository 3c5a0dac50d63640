import type { Observable } from 'rxjs';
import type { Reading } from '../../operators/types.ts';

/** Why an input could not become a reading. A closed set, because it labels a metric. */
export type DeadLetterReason =
  | 'malformed' // neither JSON of the documented form nor a number
  | 'oversized'
  | 'notFinite'
  | 'badTimestamp'
  | 'futureTimestamp'
  | 'badUnit'
  | 'badQuality'
  | 'badTopic' // the topic does not name an asset and a sensor
  | 'unknownAsset'
  | 'tooManySensors'
  | 'badValue'; // a value of a type that is no number

/** Input that could not become a reading, kept with its reason. */
export interface DeadLetter {
  readonly source: string;
  readonly position: number;
  readonly arrivedAt: number;
  readonly reason: DeadLetterReason;
  /** What exactly was wrong: key, value (shortened) and what was expected. */
  readonly detail: string;
  /** Topic, node id or file and line. */
  readonly origin: string;
  /** The beginning of the input as text, at most 1024 characters. */
  readonly payload: string;
  /** As in `Received`. */
  readonly delivery?: number;
}

export type SourceEvent = Reading | DeadLetter;

export const isDeadLetter = (event: object): event is DeadLetter => 'reason' in event;

export interface SourceStatus {
  readonly connected: boolean;
  /** One line for people: what it is connected to, or why it is not. Never a secret. */
  readonly detail: string;
  readonly reconnects: number;
  /** Parts that do not work while the rest does, e.g. one bad OPC UA node: name -> problem. */
  readonly problems: Readonly<Record<string, string>>;
  /** Inputs that came again, were known by their name and not passed on; absent where inputs have no names. */
  readonly redelivered?: number;
}

/**
 * Where readings come from. Connects when `events` is subscribed to, disconnects when that is unsubscribed from.
 *
 * Positions only grow. `commit(n)` says that everything up to n is durable or deliberately dropped. An input that
 * became several readings gives its own position to the last of them and the position before to the others.
 * After `pause()` a source emits nothing more than what it already holds in hand, until `resume()`.
 * `events` errors only if the source is lost for good, and completes only if there is no more to come.
 */
export interface Source {
  readonly id: string;
  readonly type: string;
  /** How many inputs may be unacknowledged before the sender stops; Infinity where nothing is acknowledged. */
  readonly window: number;
  readonly events: Observable<SourceEvent>;
  commit(position: number): void;
  /**
   * What the source needs to know after a restart besides its position; stored in one transaction with the inputs that
   * came before it was asked for. Absent: nothing.
   */
  note?(): string;
  pause(): void;
  resume(): void;
  status(): SourceStatus;
  /** Stops taking input but keeps the connection, so that what is owed can still be acknowledged. */
  stop(): Promise<void>;
  /** Disconnects cleanly. */
  close(): Promise<void>;
}

/** A committed input by what its transport called it. */
export interface Delivered {
  readonly position: number;
  readonly delivery: number;
}

/** What a source needs besides its configuration. */
export interface SourceContext {
  /** Clock, epoch milliseconds. */
  now(): number;
  /** Position to go on after; 0 for a new source. */
  readonly lastPosition: number;
  /**
   * The deliveries of this source that were committed last, oldest first: whatever of them the sender has not heard of
   * comes again and is to be acknowledged, not passed on.
   */
  readonly delivered: readonly Delivered[];
  /** The note of the last commit; absent where there is none. */
  readonly note?: string;
  /** Source time of the newest stored reading of a sensor, epoch milliseconds; null where there is none. */
  newest(asset: string, sensor: string): Promise<number | null>;
  readonly log: { info(detail: object, message: string): void; warn(detail: object, message: string): void };
}
