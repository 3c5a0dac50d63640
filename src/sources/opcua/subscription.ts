import type {
  ClientMonitoredItemBase,
  ClientSession,
  ClientSubscription,
  DataValue,
  NotificationMessage,
  StatusCode,
} from 'node-opcua';
import type { OpcuaSourceConfig } from '../../../config/types.ts';
import { chunks, readLimits } from './intake.ts';
import type { Intake, Limits, Sink } from './intake.ts';
import { addItems } from './items.ts';
import { REQUEST_TIMEOUT_MS } from './link.ts';
import type { MappedNode } from './nodes.ts';
import type { Outage } from './outage.ts';
import { isRaw } from './remnant.ts';
import type { Remnant } from './remnant.ts';
import { auditSilentNodes, retryBrokenNodes } from './upkeep.ts';

/** Notifications in one message. */
export const MAX_NOTIFICATIONS = 1000;

/** One node under subscription. */
export interface Watched {
  readonly node: MappedNode;
  /** null while the server refuses it. */
  item: ClientMonitoredItemBase | null;
  broken: boolean;
  /** What the server notified last, and when on the process's clock. */
  last: DataValue | null;
  notifiedAt: number;
}

export interface Monitor {
  readonly session: ClientSession;
  readonly subscription: ClientSubscription;
  readonly config: OpcuaSourceConfig;
  readonly outage: Outage;
  readonly sink: Sink;
  readonly limits: Limits;
  /** What remains of it when the connection is lost. */
  readonly remnant: Remnant;
  /** Nodes for which the connection was built anew already, as they were stuck; outlives the connection. */
  readonly stuck: Set<string>;
  paused: boolean;
}

/**
 * Subscribes to the nodes. Nodes that the server refuses, or that vanish later, are reported as problems and tried
 * again every `retryMs`; the others are not touched by that.
 */
export async function startSubscription(
  session: ClientSession,
  config: OpcuaSourceConfig,
  nodes: readonly MappedNode[],
  outage: Outage,
  sink: Sink,
  paused: boolean,
  retryMs: number,
  stuck: Set<string>,
): Promise<Intake> {
  const limits = await readLimits(session, outage);
  const subscription = await createSubscription(session, config, outage, paused);
  if (!isRaw(session)) throw new Error('this version of node-opcua has no raw subscription services');
  const remnant: Remnant = {
    session,
    subscriptionId: subscription.subscriptionId,
    nodes: new Map(),
    lastSequence: 0,
    publishingIntervalMs: subscription.publishingInterval,
    lifetimeCount: subscription.lifetimeCount,
    connection: 0,
    sound: true,
  };
  subscription.on('raw_notification', () => {
    sink.alive();
  });
  subscription.on('received_notifications', ({ sequenceNumber }: NotificationMessage) => {
    remnant.lastSequence = sequenceNumber;
  });
  const monitor: Monitor = { session, subscription, config, outage, sink, limits, remnant, stuck, paused };
  const watched = nodes.map((node): Watched => {
    return { node, item: null, broken: false, last: null, notifiedAt: performance.now() };
  });
  for (const part of chunks(watched, limits.itemsPerCall)) await addItems(monitor, part);
  retryBrokenNodes(monitor, watched, retryMs);
  auditSilentNodes(monitor, watched);

  const keepAliveMs = subscription.publishingInterval * subscription.maxKeepAliveCount;
  return {
    // A server may grant only a slower keep-alive than was asked for.
    maxSilenceMs: Math.max(config.watchdogMs, 2.5 * keepAliveMs),
    setPaused: publishingSwitch(monitor),
    remnant: () => {
      // node-opcua would publish again as soon as the session is continued, and take notifications out of turn.
      session.getPublishEngine().suspend(true);
      return remnant;
    },
  };
}

async function createSubscription(
  session: ClientSession,
  config: OpcuaSourceConfig,
  outage: Outage,
  paused: boolean,
): Promise<ClientSubscription> {
  const { publishingIntervalMs, watchdogMs, sessionTimeoutMs } = config;
  // Three keep-alives within the watchdog's time and the session's, of which a server may grant less than asked for; it
  // gives the subscription up after the session's time without us.
  const keepAliveCount = Math.max(
    1,
    Math.floor(Math.min(watchdogMs, session.timeout) / 3 / publishingIntervalMs),
  );
  const lifetimeCount = Math.max(3 * keepAliveCount, Math.ceil(sessionTimeoutMs / publishingIntervalMs));
  const subscription = await outage.guard(
    session.createSubscription2({
      requestedPublishingInterval: publishingIntervalMs,
      requestedMaxKeepAliveCount: keepAliveCount,
      requestedLifetimeCount: lifetimeCount,
      // What arrives after a pause was asked for is held in memory, so it comes in small messages.
      maxNotificationsPerPublish: MAX_NOTIFICATIONS,
      publishingEnabled: !paused,
      priority: 0,
    }),
    REQUEST_TIMEOUT_MS,
    'create subscription',
  );
  subscription.on('terminated', () => {
    outage.end('subscription terminated');
  });
  subscription.on('error', (error: Error) => {
    outage.end(`subscription: ${error.message}`);
  });
  subscription.on('internal_error', (error: Error) => {
    outage.end(`subscription: ${error.message}`);
  });
  subscription.on('status_changed', (status: StatusCode) => {
    outage.end(`subscription status: ${status.name}`);
  });
  return subscription;
}

/** Tells the server to publish or not, one request at a time, until it does what was asked for last. */
function publishingSwitch(monitor: Monitor): (paused: boolean) => void {
  const { subscription, outage } = monitor;
  let actual = monitor.paused;
  let busy = false;
  const settle = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      while (actual !== monitor.paused) {
        const paused = monitor.paused;
        const what = paused ? 'stop publishing' : 'resume publishing';
        const status = await outage.guard(subscription.setPublishingMode(!paused), REQUEST_TIMEOUT_MS, what);
        if (status.isNotGood()) throw new Error(`${what}: ${status.name}`);
        actual = paused;
      }
    } catch (error) {
      outage.end(error instanceof Error ? error.message : String(error));
    } finally {
      busy = false;
    }
  };
  return (paused) => {
    monitor.paused = paused;
    if (outage.reason === null) void settle();
  };
}
