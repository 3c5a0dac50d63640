import {
  ClientMonitoredItemGroup,
  DataChangeFilter,
  DataChangeTrigger,
  TimestampsToReturn,
} from 'node-opcua';
import type { ClientMonitoredItemBase, DataValue } from 'node-opcua';
import { nodeProblem, valueOf } from './intake.ts';
import { REQUEST_TIMEOUT_MS } from './link.ts';
import type { Monitor, Watched } from './subscription.ts';

/**
 * Monitors the nodes with one request. A node that the server refuses is marked broken and reported.
 *
 * With the trigger `statusValueTimestamp` the server also reports a value that stayed the same but was measured anew.
 * Servers that know no such filter fall back on their default, new values and statuses.
 */
export async function addItems(monitor: Monitor, nodes: readonly Watched[]): Promise<void> {
  const withFilter = monitor.config.trigger === 'statusValueTimestamp';
  const refused = await createItems(monitor, nodes, withFilter);
  const unfiltered = withFilter ? refused.filter((refusal) => refusal.status.includes('Filter')) : [];
  const again = unfiltered.map(({ watched }) => watched);
  const lasting = refused.filter((refusal) => !unfiltered.includes(refusal));
  if (again.length > 0) lasting.push(...(await createItems(monitor, again, false)));
  for (const { watched, status } of lasting) {
    watched.broken = true;
    watched.item = null;
    monitor.sink.problem(watched.node, status);
  }
}

interface Refusal {
  readonly watched: Watched;
  readonly status: string;
}

async function createItems(
  monitor: Monitor,
  nodes: readonly Watched[],
  withFilter: boolean,
): Promise<Refusal[]> {
  const { subscription, config, outage, sink, remnant } = monitor;
  const group = ClientMonitoredItemGroup.create(
    subscription,
    nodes.map(({ node }) => valueOf(node)),
    {
      samplingInterval: config.samplingIntervalMs,
      queueSize: config.queueSize,
      discardOldest: true,
      filter: withFilter ? new DataChangeFilter({ trigger: DataChangeTrigger.StatusValueTimestamp }) : null,
    },
    TimestampsToReturn.Both,
  );
  group.on('changed', (_item: ClientMonitoredItemBase, dataValue: DataValue, index: number) => {
    const watched = nodes[index];
    // Also after the connection has ended: the server will not send it again.
    if (watched !== undefined) notify(monitor, watched, dataValue);
  });
  const created = new Promise<void>((resolve, reject) => {
    group.on('initialized', resolve);
    group.on('err', (message: string) => {
      reject(new Error(message));
    });
  });
  await outage.guard(created, REQUEST_TIMEOUT_MS, 'create monitored items');

  const refused: Refusal[] = [];
  nodes.forEach((watched, index) => {
    const item = group.monitoredItems[index];
    if (item?.statusCode.isGood() === true) {
      watched.item = item;
      remnant.nodes.set(item.monitoringParameters.clientHandle, watched.node);
      watched.broken = false;
      watched.notifiedAt = performance.now();
      sink.problem(watched.node, null);
    } else {
      refused.push({ watched, status: item?.statusCode.name ?? 'no answer' });
    }
  });
  return refused;
}

function notify({ sink, stuck }: Monitor, watched: Watched, dataValue: DataValue): void {
  const problem = nodeProblem(dataValue);
  if (problem !== null || watched.broken) sink.problem(watched.node, problem);
  watched.broken = problem !== null;
  // More than the first value, which every new item gets: notifications do come.
  if (watched.last !== null && stuck.size > 0) stuck.delete(watched.node.key);
  watched.last = dataValue;
  watched.notifiedAt = performance.now();
  sink.value(watched.node, dataValue);
}
