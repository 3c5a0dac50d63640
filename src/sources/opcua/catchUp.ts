import type { ClientSession, DataValue } from 'node-opcua';
import { fillGaps } from './backfill.ts';
import type { BackfillOwner } from './backfill.ts';
import type { ConnectionOwner } from './connection.ts';
import { timeOf } from './decode.ts';
import type { Handover } from './handover.ts';
import { readLimits } from './intake.ts';
import type { Link } from './link.ts';
import type { MappedNode } from './nodes.ts';
import { every, lull } from './outage.ts';
import type { Outage } from './outage.ts';
import { recover } from './recover.ts';
import type { Remnant } from './remnant.ts';

/** Live values wait no longer than this for what came before them. */
const HOLD_MS = 2000;
/** How long the first live value of each node is waited for, beside three publishing intervals. */
const FIRST_VALUE_MS = 200;
const KEEP_SILENT_MS = 5000;
const LULL_MS = 50;
/** How often new gaps are looked for. */
const GAPS_MS = 500;

/**
 * Fetches what was missed before this connection: first what the server still holds of earlier subscriptions, then what
 * is missing after that from its archive. Live values wait for it at most `HOLD_MS`; what takes longer comes
 * alongside. Goes on filling gaps that turn up later for as long as the connection lasts.
 */
export async function catchUp(
  link: Link,
  session: ClientSession,
  outage: Outage,
  handover: Handover,
  owner: ConnectionOwner,
): Promise<void> {
  const { config, gaps, remnants } = owner;
  const unpaused = async (meanwhile = (): Promise<void> => Promise.resolve()): Promise<void> => {
    let silentAt = -Infinity;
    while (owner.isPaused()) {
      if (performance.now() - silentAt > KEEP_SILENT_MS) {
        await meanwhile();
        silentAt = performance.now();
      }
      await lull(outage, LULL_MS);
    }
  };
  const emit = (node: MappedNode, dataValue: DataValue): void => {
    handover.earlier(node, dataValue, owner.now());
  };

  const deadline = setTimeout(handover.release, HOLD_MS);
  outage.onEnd(() => {
    clearTimeout(deadline);
  });
  for (const remnant of [...remnants]) {
    await fetchRemnant(remnant, link, outage, unpaused, emit, owner);
    // It may have made room for others meanwhile.
    const at = remnants.indexOf(remnant);
    if (at >= 0) remnants.splice(at, 1);
  }
  if (!config.history.enabled) {
    handover.release();
    return;
  }
  const patientUntil = performance.now() + 3 * config.publishingIntervalMs + FIRST_VALUE_MS;
  while (handover.holding && gaps.awaited > 0 && performance.now() < patientUntil) await lull(outage, 10);
  const backfill: BackfillOwner = {
    session,
    outage,
    limits: await readLimits(session, outage),
    config: config.history,
    gaps,
    refused: owner.refused,
    position: owner.position,
    unpaused,
    isFirst: () => handover.holding,
    value: emit,
    problem: owner.historyProblem,
    gaveUp: owner.gaveUp,
  };
  try {
    await fillGaps(backfill);
  } catch (error) {
    // A server that answers a question about its history with an error still has live values to give.
    if (outage.reason !== null) throw error;
  }
  handover.release();

  let busy = false;
  every(outage, GAPS_MS, () => {
    if (busy) return;
    busy = true;
    fillGaps(backfill)
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  });
}

async function fetchRemnant(
  remnant: Remnant,
  link: Link,
  outage: Outage,
  unpaused: (meanwhile?: () => Promise<void>) => Promise<void>,
  emit: (node: MappedNode, dataValue: DataValue) => void,
  { gaps, recovered, position }: ConnectionOwner,
): Promise<void> {
  const before = gaps.snapshot();
  const upTo = new Map<MappedNode, number>();
  const value = (node: MappedNode, dataValue: DataValue, lost: boolean): void => {
    const time = timeOf(dataValue);
    if (time !== null) {
      gaps.recovered(node, time, lost);
      upTo.set(node, Math.max(time, upTo.get(node) ?? time));
    }
    emit(node, dataValue);
  };
  try {
    const { values, whole, complete } = await recover(remnant, { link, outage, unpaused, value });
    gaps.fetched(complete, remnant.connection, position());
    if (!whole) gaps.suspect(upTo, before);
    recovered(values, null);
  } catch (error) {
    if (outage.reason !== null) throw error;
    gaps.suspect(upTo, before);
    recovered(0, error instanceof Error ? error.message : String(error));
  }
}
