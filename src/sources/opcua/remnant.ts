import type {
  ClientSession,
  ClientSessionPublishService,
  ClientSessionRawSubscriptionService,
} from 'node-opcua';
import type { MappedNode } from './nodes.ts';

/** A subscription that the server may still have after its connection was lost, with what it has not told us yet. */
export interface Remnant {
  /** The session that owns it on the server; another one once it was transferred. */
  session: RawSession;
  readonly subscriptionId: number;
  /** Node of each monitored item, by client handle. */
  readonly nodes: Map<number, MappedNode>;
  /** Sequence number of the last notification that arrived; 0 before the first. */
  lastSequence: number;
  readonly publishingIntervalMs: number;
  readonly lifetimeCount: number;
  /** Number of its connection in the gap book. */
  connection: number;
  /** False where the server missed values itself, so that fetching all that it holds fills no gap. */
  sound: boolean;
}

/** A session with the services below node-opcua's subscriptions, and with what sends its Publish requests. */
export type RawSession = ClientSession &
  ClientSessionRawSubscriptionService &
  ClientSessionPublishService & {
    getPublishEngine(): { suspend(suspended: boolean): void };
    setPublishingMode(enabled: boolean, subscriptionId: number): Promise<unknown>;
  };

/** node-opcua's sessions have them all, but it does not declare them. */
export function isRaw(session: ClientSession): session is RawSession {
  return RAW.every((name) => typeof Reflect.get(session, name) === 'function');
}

const RAW = [
  'getPublishEngine',
  'modifySubscription',
  'publish',
  'republish',
  'setPublishingMode',
  'transferSubscriptions',
];

/** The sequence number after this one; 0 is none (OPC UA Part 4, 7.6). */
export const nextSequence = (sequence: number): number => (sequence >= 0xffff_ffff ? 1 : sequence + 1);
