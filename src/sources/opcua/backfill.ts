import type { ClientSession, DataValue } from 'node-opcua';
import type { OpcuaHistoryConfig } from '../../../config/types.ts';
import { timeOf } from './decode.ts';
import type { Gap, GapBook } from './gaps.ts';
import { nodesWithHistory, readPage, releasePage } from './history.ts';
import type { Page, PageRequest } from './history.ts';
import type { Limits } from './intake.ts';
import type { MappedNode } from './nodes.ts';
import { lull } from './outage.ts';
import type { Outage } from './outage.ts';

export interface BackfillOwner {
  readonly session: ClientSession;
  readonly outage: Outage;
  readonly limits: Limits;
  readonly config: OpcuaHistoryConfig;
  readonly gaps: GapBook;
  /** Nodes whose history the server refused for good, by key; outlives the connection. */
  readonly refused: Set<string>;
  /** Of the last value that was passed on. */
  position(): number;
  unpaused(): Promise<void>;
  /** Live values still wait for these. */
  isFirst(): boolean;
  value(node: MappedNode, dataValue: DataValue): void;
  /** Something about the node's history that a person can mend. */
  readonly problem: (node: MappedNode, problem: string | null) => void;
  /** Values between these times are lost, as the archive could not be read. */
  readonly gaveUp: (gap: Gap, reason: string) => void;
}

const WORKERS = 4;
/** So many values of a node are fetched before its first live value; more come alongside. */
const FIRST_VALUES = 2000;
const MAX_TRIES = 3;
const RETRY_MS = 5000;
/** Pages without a value, yet with more to come, before the server is not believed. */
const MAX_EMPTY_PAGES = 20;

/** Statuses after which there is no point in asking again. */
const UNSUPPORTED =
  /BadHistoryOperation(Unsupported|Invalid)|BadServiceUnsupported|BadNotSupported|BadNotImplemented|BadNotReadable/;
const DENIED = /BadUserAccessDenied|BadNoHistoryPermission/;

/** Fills the gaps that are due from the server's archive, those of a node one after the other, oldest first. */
export async function fillGaps(owner: BackfillOwner): Promise<void> {
  const { gaps, outage, refused } = owner;
  const now = performance.now();
  const due = gaps.open.filter(({ notBefore }) => notBefore <= now);
  if (due.length === 0) return;
  const nodes = [...new Set(due.map(({ node }) => node))];
  const candidates = nodes.filter(({ key }) => !refused.has(key));
  await owner.unpaused();
  const able = await nodesWithHistory(owner.session, outage, candidates, owner.limits);
  const queue = nodes.filter((node) => able.has(node));
  for (const gap of due) if (!able.has(gap.node)) gaps.close(gap, owner.position());
  const work = async (): Promise<void> => {
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      for (const gap of due) if (gap.node === node && !(await fillGap(gap, owner))) break;
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, queue.length) }, work));
}

/** Whether the gap is done with. */
async function fillGap(gap: Gap, owner: BackfillOwner): Promise<boolean> {
  const { session, outage, config, gaps } = owner;
  let continuation: Buffer | null = null;
  const start = gap.from;
  let count = 0;
  let emptyPages = 0;
  let reached = false;
  do {
    await owner.unpaused();
    const isFirst = owner.isFirst();
    const request: PageRequest = {
      nodeId: gap.node.nodeId,
      from: start,
      to: gap.to,
      size: config.pageSize,
      continuation,
    };
    if (isFirst && count >= FIRST_VALUES) {
      await releasePage(session, outage, request);
      return false;
    }
    const page: Page = await readPage(session, outage, request).catch((error: unknown) => {
      if (outage.reason !== null) throw error;
      return { status: String(error), good: false, values: [], continuation: null };
    });
    if (!page.good) return failed(gap, page.status, owner);
    owner.problem(gap.node, null);
    for (const value of page.values) {
      const time = timeOf(value);
      if (time === null || time < start) continue;
      if (time >= gap.to) {
        reached = true;
        continue;
      }
      gap.from = Math.max(gap.from, time);
      owner.value(gap.node, value);
    }
    count += page.values.length;
    emptyPages = page.values.length === 0 ? emptyPages + 1 : 0;
    if (emptyPages > MAX_EMPTY_PAGES) return failed(gap, 'no end of empty pages', owner);
    continuation = page.continuation;
    if (!owner.isFirst()) await paced(page.values.length, owner);
  } while (continuation !== null);

  // An archive may be a moment behind what is live.
  if (!reached && ++gap.tries < MAX_TRIES) {
    gap.notBefore = performance.now() + RETRY_MS;
    return false;
  }
  gaps.close(gap, owner.position());
  return true;
}

function failed(gap: Gap, status: string, owner: BackfillOwner): boolean {
  const { gaps, refused, problem, gaveUp } = owner;
  const unsupported = UNSUPPORTED.test(status);
  const denied = DENIED.test(status);
  if (unsupported) refused.add(gap.node.key);
  if (denied) problem(gap.node, `history: ${status}`);
  gap.tries += 1;
  if (!unsupported && !denied && gap.tries < MAX_TRIES) {
    gap.notBefore = performance.now() + RETRY_MS * gap.tries;
    return false;
  }
  gaps.close(gap, owner.position());
  if (!unsupported) gaveUp(gap, status);
  return true;
}

async function paced(values: number, { config, outage }: BackfillOwner): Promise<void> {
  const dueAt = performance.now() + (values / config.maxRatePerS) * 1000 * WORKERS;
  for (let left = dueAt - performance.now(); left > 0; left = dueAt - performance.now()) {
    await lull(outage, Math.min(left, 500));
  }
}
