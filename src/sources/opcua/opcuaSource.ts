import { setErrorLogger, setWarningLogger } from 'node-opcua';
import { Observable, share } from 'rxjs';
import type { Subscriber } from 'rxjs';
import type { OpcuaSourceConfig } from '../../../config/types.ts';
import { createBackoff } from '../backoff.ts';
import { futureLimit } from '../futureLimit.ts';
import type { Source, SourceContext, SourceEvent } from '../source.ts';
import { decodeDataValue } from './decode.ts';
import { CLOSED, holdConnection } from './connection.ts';
import type { ConnectionOwner } from './connection.ts';
import { createGapBook } from './gaps.ts';
import type { GapBook } from './gaps.ts';
import { gapNotes, savedGaps } from './gapNote.ts';
import { createGate } from './gate.ts';
import type { Emit } from './handover.ts';
import { chunks } from './intake.ts';
import type { Intake } from './intake.ts';
import { trustStamp } from './link.ts';
import { mapNodes } from './nodes.ts';
import type { MappedNode, Problems } from './nodes.ts';
import { createOutage, wait } from './outage.ts';
import type { Outage } from './outage.ts';

export interface OpcuaTiming {
  /** How often nodes that do not work are tried again. Default 30 s. */
  readonly retryNodesMs?: number;
  /** Readings that arrive while paused, before the server stops publishing. Default 10 000. */
  readonly holdCapacity?: number;
}

const FULL_CHECK_MS = 100;
const TRUST_CHECK_MS = 500;
const HOUR_MS = 3_600_000;
/** An overflow is logged at most so often. */
const OVERFLOW_LOG_MS = 10_000;

/** What only a person can mend, so that there is no point in trying again soon. */
const HOPELESS =
  /BadUserAccessDenied|BadIdentityToken|BadCertificate|certificatesFolder|Cannot find an Endpoint/;

/**
 * Readings from an OPC UA server, by subscription or polling.
 *
 * Every loss of the connection, whatever noticed it, takes one path: all of it is closed, and after a wait built up
 * anew, for ever. Positions number the values that arrived; OPC UA knows no acknowledgement. Gaps that are not filled yet
 * are noted with each commit, so that a restart in the middle goes on filling them.
 */
export function createOpcuaSource(
  config: OpcuaSourceConfig,
  context: SourceContext,
  { retryNodesMs = 30_000, holdCapacity = 10_000 }: OpcuaTiming = {},
): Source {
  const problems: Problems = new Map();
  const nodes = mapNodes(config, problems);
  let position = context.lastPosition;
  let connected = false;
  let detail = 'not started';
  let connections = 0;
  let stopped = false;
  /** What comes after the stop is not taken, so no gap is filled from then on. */
  let lastNote: string | null = null;
  let outage: Outage | null = null;
  let intake: Intake | null = null;
  let release = (): void => undefined;
  const isTooFarAhead = futureLimit(config.maxFutureMs, () => context.now());
  const gaps = createGapBook(config.history.enabled ? config.history.maxHours * HOUR_MS : 0);
  if (context.note !== undefined) gaps.restore(savedGaps(context.note), nodes);
  const noteOf = gapNotes();
  let overflows = 0;
  let overflowLoggedAt = -Infinity;
  let subscriber: Subscriber<SourceEvent> | null = null;
  let running: { readonly controller: AbortController; readonly done: Promise<void> } | null = null;

  const gate = createGate(
    holdCapacity,
    (event) => subscriber?.next(event),
    () => outage?.end(`paused with ${holdCapacity} readings in hand; reconnects when resumed`),
  );

  const take: Emit = (node, dataValue, arrivedAt, backfilled) => {
    if (stopped) return;
    position += 1;
    const { maxFutureMs } = config;
    const arrival = { source: config.id, position, arrivedAt, maxFutureMs, isTooFarAhead, backfilled };
    gate.pass(decodeDataValue(dataValue, node, arrival));
  };

  const note = (node: MappedNode, problem: string | null): void => {
    if (problem === null) {
      if (problems.delete(node.key))
        context.log.info({ source: config.id, node: node.nodeId }, 'node works again');
      return;
    }
    const text = `${problem} (${node.nodeId})`;
    if (problems.get(node.key) !== text) {
      problems.set(node.key, text);
      context.log.warn({ source: config.id, node: node.nodeId, problem }, 'node cannot be read');
    }
  };

  const opened = (started: Intake, letGo: () => void): void => {
    intake = started;
    release = letGo;
    connected = true;
    connections += 1;
    detail = `connected to ${config.endpoint}, ${nodes.length} nodes by ${config.mode}`;
    context.log.info({ source: config.id, endpoint: config.endpoint }, 'connected');
  };

  const ended = (reason: string): void => {
    intake = null;
    release = () => undefined;
    connected = false;
    const text = `not connected to ${config.endpoint}: ${reason}`;
    // Told once, and again only when the reason changes.
    if (text === detail || reason === CLOSED) return;
    detail = text;
    context.log.warn({ source: config.id, endpoint: config.endpoint, reason }, 'not connected');
  };

  const noteHistory = (node: MappedNode, problem: string | null): void => {
    const key = `${node.key} (history)`;
    if (problem === null) problems.delete(key);
    else problems.set(key, `${problem} (${node.nodeId})`);
  };

  const overflow = (node: MappedNode): void => {
    overflows += 1;
    const now = performance.now();
    if (now - overflowLoggedAt < OVERFLOW_LOG_MS) return;
    context.log.warn(
      { source: config.id, node: node.nodeId, overflows, queueSize: config.queueSize },
      "the server's queue overflowed and values were discarded; a larger queueSize holds more",
    );
    overflowLoggedAt = now;
    overflows = 0;
  };

  const owner: ConnectionOwner = {
    config,
    nodes,
    retryNodesMs,
    stuck: new Set(),
    remnants: [],
    gaps,
    refused: new Set(),
    now: () => context.now(),
    position: () => position,
    isTooFarAhead,
    isPaused: () => !gate.isOpen || stopped,
    value: take,
    problem: note,
    overflow,
    historyProblem: noteHistory,
    gaveUp: (gap, reason) => {
      const [from, to] = [gap.from, gap.to].map((time) => new Date(time).toISOString());
      const gone = { source: config.id, node: gap.node.nodeId, from, to, reason };
      context.log.warn(gone, 'a gap could not be filled from the history');
    },
    recovered: (values, reason) => {
      if (reason === null)
        context.log.info({ source: config.id, values }, 'fetched what the server had kept meanwhile');
      else context.log.info({ source: config.id, reason }, 'the server kept nothing from before');
    },
    onOpen: opened,
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    const backoff = createBackoff(config.reconnect);
    detail = `connecting to ${config.endpoint}`;
    if (config.history.enabled) await learnNewest(nodes, gaps, context, config.id, signal);
    while (!aborted(signal)) {
      const startedAt = context.now();
      const current = createOutage();
      outage = current;
      const abort = (): void => {
        current.end(CLOSED);
      };
      signal.addEventListener('abort', abort);
      current.onEnd(() => {
        ended(current.reason ?? '');
      });
      await holdConnection(current, owner);
      signal.removeEventListener('abort', abort);
      if (context.now() - startedAt > config.reconnect.maxMs) backoff.reset();
      if (HOPELESS.test(current.reason ?? '')) await waitForTrust(config, backoff.longest(), signal);
      else await wait(backoff.next(), signal);
      // While paused with full hands there is nothing to connect for.
      while (gate.isFull && !gate.isOpen && !aborted(signal)) await wait(FULL_CHECK_MS, signal);
    }
    detail = 'closed';
  };

  const shutdown = async (): Promise<void> => {
    running?.controller.abort();
    await running?.done;
  };

  const events = new Observable<SourceEvent>((observer) => {
    silenceNodeOpcua();
    subscriber = observer;
    const controller = new AbortController();
    const previous = running?.done ?? Promise.resolve();
    const done = previous
      .then(() => run(controller.signal))
      .then(() => {
        observer.complete();
      });
    running = { controller, done };
    return () => {
      controller.abort();
    };
  }).pipe(share());

  return {
    id: config.id,
    type: 'opcua',
    window: Infinity,
    events,
    commit: (upTo) => gaps.committed(upTo),
    note: () => lastNote ?? noteOf(gaps.unfinished),
    pause: () => {
      gate.close();
      intake?.setPaused(true);
    },
    resume: () => {
      if (stopped) return;
      gate.open();
      if (gate.isOpen) intake?.setPaused(false);
    },
    status: () => ({
      connected,
      detail,
      reconnects: Math.max(0, connections - 1),
      problems: Object.fromEntries(problems),
    }),
    stop: () => {
      release();
      lastNote = noteOf(gaps.unfinished);
      stopped = true;
      // What has left the server's queue is handed over; nothing more is taken.
      gate.open();
      intake?.setPaused(true);
      return Promise.resolve();
    },
    close: () => {
      stopped = true;
      return shutdown();
    },
  };
}

/** What of each node is stored already; live values tell then what is missing. */
async function learnNewest(
  nodes: readonly MappedNode[],
  gaps: GapBook,
  context: SourceContext,
  source: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (const part of chunks(nodes, 16)) {
      if (signal.aborted) return;
      await Promise.all(
        part.map(async ({ key, asset, sensor }) => {
          gaps.known(key, await context.newest(asset, sensor));
        }),
      );
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.log.warn(
      { source, reason },
      'the newest readings are not known; gaps from before the start stay',
    );
  }
}

/** Waits, but not on after a person has trusted a certificate. */
async function waitForTrust(config: OpcuaSourceConfig, ms: number, signal: AbortSignal): Promise<void> {
  const before = trustStamp(config);
  for (let left = ms; left > 0 && trustStamp(config) === before; left -= TRUST_CHECK_MS) {
    await wait(Math.min(left, TRUST_CHECK_MS), signal);
    if (aborted(signal)) return;
  }
}

/** As a function, because it changes while others are awaited. */
const aborted = (signal: AbortSignal): boolean => signal.aborted;

/** node-opcua writes its warnings to the console; what matters of them is in the source's status and log. */
function silenceNodeOpcua(): void {
  setWarningLogger(() => undefined);
  setErrorLogger(() => undefined);
}
