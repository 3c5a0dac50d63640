import {
  AttributeIds,
  HistoryData,
  HistoryReadRequest,
  ReadRawModifiedDetails,
  TimestampsToReturn,
} from 'node-opcua';
import type { ClientSession, DataValue } from 'node-opcua';
import { chunks } from './intake.ts';
import type { Limits } from './intake.ts';
import { REQUEST_TIMEOUT_MS } from './link.ts';
import type { MappedNode } from './nodes.ts';
import type { Outage } from './outage.ts';

/** Times in epoch milliseconds, the end included; oldest first. */
export interface PageRequest {
  readonly nodeId: string;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  /** From the page before; null for the first. */
  readonly continuation: Buffer | null;
}

export interface Page {
  /** Name of the status code. */
  readonly status: string;
  readonly good: boolean;
  readonly values: readonly DataValue[];
  /** Where it goes on; null at the end. */
  readonly continuation: Buffer | null;
}

/** Reads raw values of one node from the server's archive. @throws Error without an answer. */
export async function readPage(session: ClientSession, outage: Outage, page: PageRequest): Promise<Page> {
  const response = await outage.guard(
    session.historyRead(request(page, false)),
    REQUEST_TIMEOUT_MS,
    'read history',
  );
  const result = response.results?.[0];
  if (result === undefined) throw new Error('read history: no result');
  const { historyData, continuationPoint, statusCode } = result;
  return {
    status: statusCode.name,
    good: !statusCode.isBad(),
    values: historyData instanceof HistoryData ? (historyData.dataValues ?? []) : [],
    continuation: present(continuationPoint),
  };
}

/** Absent in an answer means null, whatever node-opcua declares. */
const present = (bytes: Buffer | null): Buffer | null =>
  bytes === null || bytes.length === 0 ? null : bytes;

/** Lets the server forget a continuation point that is not needed any more. */
export async function releasePage(session: ClientSession, outage: Outage, page: PageRequest): Promise<void> {
  const released = session.historyRead(request(page, true)).catch(() => undefined);
  await outage.guard(released, REQUEST_TIMEOUT_MS, 'release history');
}

function request(page: PageRequest, releaseContinuationPoints: boolean): HistoryReadRequest {
  const { nodeId, from, to, size, continuation } = page;
  return new HistoryReadRequest({
    historyReadDetails: new ReadRawModifiedDetails({
      isReadModified: false,
      startTime: new Date(Math.floor(from)),
      endTime: new Date(Math.ceil(to)),
      numValuesPerNode: size,
      returnBounds: false,
    }),
    nodesToRead: [continuation === null ? { nodeId } : { nodeId, continuationPoint: continuation }],
    releaseContinuationPoints,
    timestampsToReturn: TimestampsToReturn.Source,
  });
}

/** Bit HistoryRead of an access level (OPC UA Part 3, 8.57). */
const HISTORY_READ = 4;

/** Those of the nodes whose access level says that they have a history which we may read. */
export async function nodesWithHistory(
  session: ClientSession,
  outage: Outage,
  nodes: readonly MappedNode[],
  limits: Limits,
): Promise<ReadonlySet<MappedNode>> {
  const found = new Set<MappedNode>();
  for (const part of chunks(nodes, limits.nodesPerRead)) {
    const levels = await outage.guard(
      session.read(part.map(({ nodeId }) => ({ nodeId, attributeId: AttributeIds.UserAccessLevel }))),
      REQUEST_TIMEOUT_MS,
      'read access levels',
    );
    part.forEach((node, index) => {
      const level: unknown = levels[index]?.value.value;
      if (typeof level === 'number' && (level & HISTORY_READ) !== 0) found.add(node);
    });
  }
  return found;
}
