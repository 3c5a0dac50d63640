import {
  DataChangeNotification,
  ModifySubscriptionRequest,
  PublishRequest,
  RepublishRequest,
  StatusChangeNotification,
} from 'node-opcua';
import type {
  DataValue,
  NotificationMessage,
  PublishResponse,
  RepublishResponse,
  TransferSubscriptionsResponse,
} from 'node-opcua';
import { hasOverflow, qualityOf } from './decode.ts';
import { nodeProblem } from './intake.ts';
import { REQUEST_TIMEOUT_MS } from './link.ts';
import type { Link } from './link.ts';
import type { MappedNode } from './nodes.ts';
import type { Outage } from './outage.ts';
import { isRaw, nextSequence } from './remnant.ts';
import type { Remnant } from './remnant.ts';
import { MAX_NOTIFICATIONS } from './subscription.ts';

export interface RecoverOwner {
  readonly link: Link;
  readonly outage: Outage;
  /** Resolves when values may be emitted; calls `meanwhile` now and then until that. */
  unpaused(meanwhile: () => Promise<void>): Promise<void>;
  /** `lost`: the server had to discard values before this one. */
  value(node: MappedNode, dataValue: DataValue, lost: boolean): void;
}

/** What came of a remnant. */
export interface Recovered {
  readonly values: number;
  /** False where notifications were missing. */
  readonly whole: boolean;
  /** Nodes of which everything was fetched. */
  readonly complete: ReadonlySet<MappedNode>;
}

/** Publish responses without a word of more to come, before which the queue is taken to be empty. */
const FULL_ROUNDS = 2;

/**
 * Fetches what the server still holds of a subscription whose connection was lost: the notifications that were sent
 * but did not arrive (Republish), then those that were queued since (Publish). Afterwards the subscription and its session
 * are deleted.
 *
 * The old session is continued on the new connection, which servers grant to the one who knows its secret. Where the
 * server has given it up, the subscription may have outlived it; then it is transferred to a session of its own.
 *
 * @throws Error if the server does not have it any more, or if the connection is lost again; what came is counted
 * in `lastSequence`, so that another attempt goes on there.
 */
export async function recover(remnant: Remnant, owner: RecoverOwner): Promise<Recovered> {
  const { link, outage } = owner;
  await claim(remnant, owner);
  const complete = new Set(remnant.nodes.values());
  let values = 0;
  let whole = remnant.sound;
  const deliver = (message: NotificationMessage): void => {
    for (const data of message.notificationData ?? []) {
      if (data instanceof StatusChangeNotification && qualityOf(data.status) !== 'Good') {
        throw new Error(`subscription ${data.status.name}`);
      }
      if (!(data instanceof DataChangeNotification)) continue;
      for (const { clientHandle, value } of data.monitoredItems ?? []) {
        const node = remnant.nodes.get(clientHandle);
        if (node === undefined) continue;
        const lost = hasOverflow(value.statusCode);
        if (lost || nodeProblem(value) !== null) complete.delete(node);
        values += 1;
        owner.value(node, value, lost);
      }
    }
    remnant.lastSequence = message.sequenceNumber;
  };

  // Sent, but lost on the way.
  const republishUpTo = async (end: number | null): Promise<void> => {
    for (;;) {
      const wanted = nextSequence(remnant.lastSequence);
      if (wanted === end) return;
      await owner.unpaused(() => keepSilent(remnant, outage));
      const message = await republish(remnant, wanted, outage);
      if (message !== null) {
        deliver(message);
        continue;
      }
      if (end !== null) whole = false;
      return;
    }
  };
  await republishUpTo(null);
  await prepare(remnant, outage);
  for (let rounds = 0; rounds < FULL_ROUNDS;) {
    await owner.unpaused(() => keepSilent(remnant, outage));
    const response = await publish(remnant, outage);
    if (response.subscriptionId !== remnant.subscriptionId) continue;
    const message = response.notificationMessage;
    if (isNotice(message)) continue;
    await republishUpTo(message.sequenceNumber);
    // A keep-alive: nothing is queued.
    if ((message.notificationData ?? []).length === 0) break;
    deliver(message);
    if (!response.moreNotifications) rounds += 1;
  }
  await link.discard(remnant.session);
  return { values, whole, complete: whole ? complete : new Set() };
}

/** That the subscription was transferred; meant for the session that had it before, but some servers send it on. */
const isNotice = ({ notificationData: data }: NotificationMessage): boolean =>
  data?.length === 1 && data[0] instanceof StatusChangeNotification && qualityOf(data[0].status) === 'Good';

async function claim(remnant: Remnant, { link, outage }: RecoverOwner): Promise<void> {
  try {
    await link.reactivate(remnant.session);
    return;
  } catch (error) {
    if (outage.reason !== null) throw error;
  }
  const session = await link.another();
  const { subscriptionId } = remnant;
  try {
    if (!isRaw(session)) throw new Error('no raw services');
    const request = { subscriptionIds: [subscriptionId], sendInitialValues: false };
    const answer = promised<TransferSubscriptionsResponse>((callback) => {
      session.transferSubscriptions(request, callback);
    });
    const { results } = await outage.guard(answer, REQUEST_TIMEOUT_MS, 'transfer the subscription');
    const status = results?.[0]?.statusCode;
    if (status?.isGood() !== true) throw new Error(`transfer refused: ${status?.name ?? 'no answer'}`);
    remnant.session = session;
  } catch (error) {
    await link.discard(session);
    throw error;
  }
}

/** Publishing may have been off; and with few keep-alives in between, an empty queue shows soon. */
async function prepare(remnant: Remnant, outage: Outage): Promise<void> {
  const { session, subscriptionId, publishingIntervalMs, lifetimeCount } = remnant;
  const request = new ModifySubscriptionRequest({
    subscriptionId,
    requestedPublishingInterval: publishingIntervalMs,
    requestedLifetimeCount: lifetimeCount,
    requestedMaxKeepAliveCount: 1,
    maxNotificationsPerPublish: MAX_NOTIFICATIONS,
    priority: 0,
  });
  // A server that does not change it only takes longer.
  const modified = session.modifySubscription(request).catch(() => undefined);
  await outage.guard(modified, REQUEST_TIMEOUT_MS, 'modify subscription');
  const on = session.setPublishingMode(true, subscriptionId);
  await outage.guard(on, REQUEST_TIMEOUT_MS, 'resume publishing');
}

/** Keeps session and subscription alive, without values. */
async function keepSilent({ session, subscriptionId }: Remnant, outage: Outage): Promise<void> {
  const off = session.setPublishingMode(false, subscriptionId);
  await outage.guard(off, REQUEST_TIMEOUT_MS, 'stop publishing');
}

/** null: the server does not have it (any more). */
async function republish(
  { session, subscriptionId }: Remnant,
  retransmitSequenceNumber: number,
  outage: Outage,
): Promise<NotificationMessage | null> {
  const request = new RepublishRequest({ subscriptionId, retransmitSequenceNumber });
  try {
    const answer = promised<RepublishResponse>((callback) => {
      session.republish(request, callback);
    });
    return (await outage.guard(answer, REQUEST_TIMEOUT_MS, 'republish')).notificationMessage;
  } catch (error) {
    if (error instanceof Error && error.message.includes('BadMessageNotAvailable')) return null;
    throw error;
  }
}

function publish(remnant: Remnant, outage: Outage): Promise<PublishResponse> {
  const { session, subscriptionId, lastSequence, publishingIntervalMs } = remnant;
  const request = new PublishRequest({
    subscriptionAcknowledgements:
      lastSequence === 0 ? [] : [{ subscriptionId, sequenceNumber: lastSequence }],
  });
  const answer = promised<PublishResponse>((callback) => {
    session.publish(request, callback);
  });
  return outage.guard(answer, REQUEST_TIMEOUT_MS + 10 * publishingIntervalMs, 'publish');
}

/** These calls are declared with callbacks only; an answer that is none of Good comes with an error. */
function promised<T>(call: (callback: (error: Error | null, response?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error !== null || response === undefined) reject(error ?? new Error('no answer'));
      else resolve(response);
    });
  });
}
