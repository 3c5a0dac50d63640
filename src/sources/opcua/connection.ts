import type { OpcuaSourceConfig } from '../../../config/types.ts';
import type { FutureLimit } from '../futureLimit.ts';
import { catchUp } from './catchUp.ts';
import { hasOverflow, timeOf } from './decode.ts';
import type { Gap, GapBook } from './gaps.ts';
import { createHandover } from './handover.ts';
import type { Emit } from './handover.ts';
import { nodeProblem } from './intake.ts';
import type { Intake, Sink } from './intake.ts';
import { createLink } from './link.ts';
import type { Link } from './link.ts';
import type { MappedNode } from './nodes.ts';
import { every } from './outage.ts';
import type { Outage } from './outage.ts';
import { startPolling } from './polling.ts';
import type { Remnant } from './remnant.ts';
import { startSubscription } from './subscription.ts';

/** Reason of an outage that is wanted. */
export const CLOSED = 'closed';

/** What a connection is for. */
export interface ConnectionOwner {
  readonly config: OpcuaSourceConfig;
  readonly nodes: readonly MappedNode[];
  /** How often nodes that do not work are tried again. */
  readonly retryNodesMs: number;
  /** Nodes found stuck on earlier connections. */
  readonly stuck: Set<string>;
  /** Subscriptions of earlier connections that the server may still have, oldest first. */
  readonly remnants: Remnant[];
  readonly gaps: GapBook;
  /** Nodes whose history the server refused for good, by key. */
  readonly refused: Set<string>;
  /** Clock, epoch milliseconds. */
  now(): number;
  /** Of the last value that was passed on. */
  readonly position: () => number;
  readonly isTooFarAhead: FutureLimit;
  isPaused(): boolean;
  readonly value: Emit;
  readonly problem: Sink['problem'];
  /** The server had to discard values of the node before this one. */
  overflow(node: MappedNode): void;
  readonly historyProblem: (node: MappedNode, problem: string | null) => void;
  readonly gaveUp: (gap: Gap, reason: string) => void;
  /** What the server held of an earlier connection has come; or why it could not be fetched. */
  readonly recovered: (values: number, reason: string | null) => void;
  /** `release` lets go of live values that wait for earlier ones. */
  onOpen(intake: Intake, release: () => void): void;
}

/** More live values do not wait for what came before them. */
const HOLD_CAPACITY = 5000;
const MAX_REMNANTS = 3;

/**
 * Opens session and intake, and resolves when they have ended and everything is closed again. Failures and the
 * watchdog end `outage` with their reason; so may the caller. Unless the end was wanted, the subscription stays with the
 * server, so that the next connection can fetch what it holds by then.
 */
export async function holdConnection(outage: Outage, owner: ConnectionOwner): Promise<void> {
  const { config, nodes, gaps, remnants } = owner;
  const handover = createHandover(HOLD_CAPACITY, owner.value);
  let link: Link | null = null;
  let intake: Intake | null = null;
  const connection = gaps.connection();
  try {
    link = createLink(config, outage);
    const session = await link.open();
    let aliveAt = owner.now();
    const sink: Sink = {
      value: (node, dataValue) => {
        const now = owner.now();
        const lost = hasOverflow(dataValue.statusCode);
        if (lost) owner.overflow(node);
        const time = timeOf(dataValue);
        const believed = time !== null && !owner.isTooFarAhead(time, now) && nodeProblem(dataValue) === null;
        if (believed && config.history.enabled) gaps.live(node, time, lost);
        handover.live(node, dataValue, now);
      },
      problem: (node, problem) => {
        if (problem !== null) gaps.interrupt([node]);
        owner.problem(node, problem);
      },
      alive: () => {
        aliveAt = owner.now();
      },
    };
    gaps.interrupt(nodes);
    const start = config.mode === 'polling' ? startPolling : startSubscription;
    intake = await start(
      session,
      config,
      nodes,
      outage,
      sink,
      owner.isPaused(),
      owner.retryNodesMs,
      owner.stuck,
    );
    const { maxSilenceMs } = intake;
    // It may have changed while the intake was starting.
    intake.setPaused(owner.isPaused());
    every(outage, Math.max(50, maxSilenceMs / 4), () => {
      const silentMs = owner.now() - aliveAt;
      // The clock was set back.
      if (silentMs < 0) aliveAt = owner.now();
      if (silentMs > maxSilenceMs) outage.end(`nothing heard for ${silentMs} ms`);
    });
    if (outage.reason === null) owner.onOpen(intake, handover.release);
    catchUp(link, session, outage, handover, owner).catch((error: unknown) => {
      outage.end(error instanceof Error ? error.message : String(error));
    });
    await outage.ended;
  } catch (error) {
    outage.end(error instanceof Error ? error.message : String(error));
  } finally {
    const wanted = outage.reason === CLOSED;
    const remnant = wanted ? null : (intake?.remnant() ?? null);
    if (remnant !== null) {
      remnant.connection = connection;
      // What sticks is not in the server's queue either.
      remnant.sound = !(outage.reason ?? '').startsWith('subscription stuck');
      remnants.push(remnant);
      if (remnants.length > MAX_REMNANTS) remnants.shift();
    }
    handover.release();
    await link?.close(new Set(wanted ? [] : remnants.map(({ session }) => session)));
  }
}
