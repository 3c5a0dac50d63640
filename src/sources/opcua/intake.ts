import { AttributeIds, VariableIds, resolveNodeId } from 'node-opcua';
import type { ClientSession, DataValue, ReadValueIdOptions } from 'node-opcua';
import { REQUEST_TIMEOUT_MS } from './link.ts';
import type { MappedNode } from './nodes.ts';
import type { Outage } from './outage.ts';
import type { Remnant } from './remnant.ts';

/** What a running intake tells the source. */
export interface Sink {
  value(node: MappedNode, dataValue: DataValue): void;
  /** null: the node works (again). */
  problem(node: MappedNode, problem: string | null): void;
  /** A sign of life from the server. */
  alive(): void;
}

/** Values coming in over one session, by subscription or by polling. */
export interface Intake {
  /** A longer silence than this means that the connection is dead. */
  readonly maxSilenceMs: number;
  /** While paused, values stay in the server's queue. */
  setPaused(paused: boolean): void;
  /** Once the connection has ended: what the server may still hold of it; null where it holds nothing. */
  remnant(): Remnant | null;
}

export interface Limits {
  readonly nodesPerRead: number;
  readonly itemsPerCall: number;
}

/** Where a server states no limit. */
const DEFAULT_LIMIT = 1000;

/** The server's operation limits; servers that state none are taken at 1000. */
export async function readLimits(session: ClientSession, outage: Outage): Promise<Limits> {
  const ids = [
    VariableIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    VariableIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
  ];
  const nodes = ids.map((id) => ({ nodeId: resolveNodeId(id), attributeId: AttributeIds.Value }));
  const [read, items] = await outage.guard(session.read(nodes), REQUEST_TIMEOUT_MS, 'read the limits');
  return { nodesPerRead: limit(read), itemsPerCall: limit(items) };
}

function limit(dataValue: DataValue | undefined): number {
  const value: unknown = dataValue?.value.value;
  return typeof value === 'number' && value >= 1 ? Math.min(value, DEFAULT_LIMIT) : DEFAULT_LIMIT;
}

/** Reads the values of many nodes, in as many requests as the server's limit asks for; in the order of `nodes`. */
export async function readValues(
  session: ClientSession,
  outage: Outage,
  nodes: readonly MappedNode[],
  limits: Limits,
): Promise<readonly (readonly [MappedNode, DataValue])[]> {
  const results: (readonly [MappedNode, DataValue])[] = [];
  for (const part of chunks(nodes, limits.nodesPerRead)) {
    const dataValues = await outage.guard(session.read(part.map(valueOf)), REQUEST_TIMEOUT_MS, 'read');
    part.forEach((node, index) => {
      const dataValue = dataValues[index];
      if (dataValue !== undefined) results.push([node, dataValue]);
    });
  }
  return results;
}

export const valueOf = (node: MappedNode): ReadValueIdOptions => ({
  nodeId: node.nodeId,
  attributeId: AttributeIds.Value,
});

export function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** Statuses that speak of the node itself and not of its value. */
const NODE_PROBLEMS = new Set([
  'BadNodeIdUnknown',
  'BadNodeIdInvalid',
  'BadAttributeIdInvalid',
  'BadNotReadable',
  'BadUserAccessDenied',
]);

/** The problem that a status states of its node, or null if it is about the value. */
export const nodeProblem = (dataValue: DataValue): string | null =>
  NODE_PROBLEMS.has(dataValue.statusCode.name) ? dataValue.statusCode.name : null;
