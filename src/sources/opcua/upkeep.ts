import type { DataValue } from 'node-opcua';
import { nodeProblem, readValues } from './intake.ts';
import { addItems } from './items.ts';
import { REQUEST_TIMEOUT_MS } from './link.ts';
import type { MappedNode } from './nodes.ts';
import { every } from './outage.ts';
import type { Outage } from './outage.ts';
import type { Monitor, Watched } from './subscription.ts';

/** Looks after broken nodes: those that can be read again get a new monitored item. */
export function retryBrokenNodes(monitor: Monitor, nodes: readonly Watched[], periodMs: number): void {
  repeat(monitor.outage, periodMs, async () => {
    const broken = nodes.filter((watched) => watched.broken);
    const values = await read(monitor, broken);
    const back = broken.filter((watched) => {
      const dataValue = values.get(watched.node);
      return dataValue !== undefined && nodeProblem(dataValue) === null;
    });
    if (back.length === 0) return;
    await dropItems(monitor, back);
    for (const watched of back) watched.last = null;
    await addItems(monitor, back);
  });
}

/** The item of a node that vanished stays with the server, dead, even when the node comes back. */
async function dropItems({ outage }: Monitor, nodes: readonly Watched[]): Promise<void> {
  for (const { item } of nodes) {
    if (item === null) continue;
    // A server that has dropped it itself answers that it does not know it.
    const removal = item.terminate().catch(() => undefined);
    await outage.guard(removal, REQUEST_TIMEOUT_MS, 'delete monitored item');
  }
}

/**
 * Finds subscriptions that are alive but stuck: keep-alives come, yet a node reads differently from what was notified
 * last, and still does so one round later. Ends the connection, so that everything is subscribed to anew; a node that is
 * stuck again after that is broken, so that it does not take the others down for ever.
 */
export function auditSilentNodes(monitor: Monitor, nodes: readonly Watched[]): void {
  const { outage, config, sink, stuck } = monitor;
  let suspects = new Map<Watched, number>();
  repeat(outage, config.watchdogMs, async () => {
    if (monitor.paused) {
      suspects.clear();
      return;
    }
    const now = performance.now();
    const silent = nodes.filter((watched) => {
      return (
        watched.item !== null &&
        !watched.broken &&
        now - watched.notifiedAt > patience(watched, config.watchdogMs)
      );
    });
    const values = await read(monitor, silent);
    const found = new Map<Watched, number>();
    for (const watched of silent) {
      const dataValue = values.get(watched.node);
      if (dataValue === undefined || nodeProblem(dataValue) !== null) continue;
      if (sameValue(watched.last, dataValue)) continue;
      // The same silence in two rounds: the notification is not just under way.
      if (suspects.get(watched) !== watched.notifiedAt) {
        found.set(watched, watched.notifiedAt);
      } else if (stuck.has(watched.node.key)) {
        watched.broken = true;
        sink.problem(watched.node, 'changes without a notification');
      } else {
        stuck.add(watched.node.key);
        outage.end(`subscription stuck: ${watched.node.nodeId} changes without a notification`);
        return;
      }
    }
    suspects = found;
  });
}

/** A server may sample more slowly than it was asked to. */
const patience = ({ item }: Watched, watchdogMs: number): number =>
  Math.max(watchdogMs, 3 * (item?.monitoringParameters.samplingInterval ?? 0));

function sameValue(last: DataValue | null, now: DataValue): boolean {
  if (last === null) return false;
  if (last.statusCode.value !== now.statusCode.value) return false;
  return String(last.value.value) === String(now.value.value);
}

async function read(
  { session, outage, limits }: Monitor,
  nodes: readonly Watched[],
): Promise<ReadonlyMap<MappedNode, DataValue>> {
  if (nodes.length === 0) return new Map();
  const mapped = nodes.map(({ node }) => node);
  return new Map(await readValues(session, outage, mapped, limits));
}

/** Repeats an action, one run at a time; a failure of it ends the connection. */
function repeat(outage: Outage, periodMs: number, action: () => Promise<void>): void {
  let busy = false;
  every(outage, periodMs, () => {
    if (busy) return;
    busy = true;
    action()
      .catch((error: unknown) => {
        outage.end(error instanceof Error ? error.message : String(error));
      })
      .finally(() => {
        busy = false;
      });
  });
}
