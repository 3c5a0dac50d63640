import { limitedWarn } from '../../telemetry/log.ts';
import type { ForwardCursor, ForwardRow } from '../store.ts';
import { createBacklogBound } from './backlog.ts';
import type { Forwarder, ForwarderParts, ForwardState } from './contract.ts';
import { createWaiting } from './counts.ts';
import { backlogDone, backlogOf, liveDone, liveFrom, splitAt } from './cursor.ts';
import { createDelivery } from './delivery.ts';
import { createGate } from './gate.ts';
import { createEncoder } from './points.ts';
import { createWake, Stopped } from './wake.ts';
import { createWriter } from './writer.ts';

export type * from './contract.ts';

const WARN_EVERY_MS = 10_000;
/** How long a stop waits for the request in flight. */
const STOP_MS = 1000;
/** After trouble, live rows go ahead where more than so many batches wait. */
const SPLIT_BATCHES = 2;
/** Rows looked at for one that the server may take. */
const OTHER_ROWS = 1000;

/**
 * Feeds InfluxDB from the store, by a cursor that the store keeps: an outage, a crash or a stop costs nothing but time, and
 * what is sent twice rewrites the same points. Works in the background on its own; nothing here reaches the caller as an
 * exception.
 */
export function createForwarder(parts: ForwarderParts): Forwarder {
  const { config, store, now, random = Math.random } = parts;
  const { batchRows, maxWaitMs } = config;
  const log = parts.log.child({ part: 'influx' });
  const warn = limitedWarn(log, WARN_EVERY_MS, now);
  const stopping = new AbortController();
  const aborting = new AbortController();
  const stop = stopping.signal;
  const wake = createWake(stop);
  const writer = createWriter(config, now);
  const encode = createEncoder();

  let last = store.lastCommit;
  let cursor = store.forwarded;
  const waiting = createWaiting(store, last, now);
  const lag = (): number => waiting.liveRows + waiting.backlogRows;
  let [forwarded, quarantined, skipped] = [0, 0, 0];
  let catchUpRate = 0;
  /** By a clock that nobody sets. */
  let liveSince = performance.now();
  let toSplit = true;
  /** What went wrong on this side. */
  let fault: string | null = null;

  const gate = createGate({
    config: config.retry,
    wake,
    stop,
    now: () => performance.now(),
    random,
    onTrouble: ({ kind, reason }, waitMs) =>
      warn(kind, { kind, reason, waitMs: Math.round(waitMs) }, 'InfluxDB does not take the rows; they wait'),
    onRecovered: () => {
      toSplit = true;
      log.info({ lagRows: lag() }, 'InfluxDB takes rows again');
    },
  });
  const delivery = createDelivery({
    writer,
    gate,
    maxLines: batchRows,
    stop,
    abort: aborting.signal,
    now,
    random,
    quarantine: async (points) => {
      await store.quarantine(points);
      quarantined += points.length;
      const [first] = points;
      warn(
        'quarantine',
        { points: points.length, ...first },
        'InfluxDB refuses points; they are in quarantine',
      );
    },
  });

  function move(to: ForwardCursor): void {
    cursor = to;
    if (to.ahead === null) waiting.met();
    store.setForwarded(to);
    wake.notify();
  }

  /** Sends the rows of (after, upTo], as many as fit into a batch; the last commit that is done. */
  async function forward(after: number, upTo: number): Promise<{ rows: number; through: number }> {
    const { rows, through } = await store.committedAfter(after, upTo, batchRows);
    if (after === cursor.through) waiting.oldest(after, rows);
    const encoded = await encode(rows);
    const delivered = await delivery.deliver(encoded.lines, () => beyond(through));
    forwarded += encoded.lines.length - delivered.quarantined;
    skipped += encoded.skipped;
    fault = null;
    return { rows: rows.length, through };
  }

  /** Lines of later rows. */
  async function beyond(through: number): Promise<readonly string[]> {
    const { rows }: { readonly rows: readonly ForwardRow[] } =
      last > through ? await store.committedAfter(through, last, OTHER_ROWS) : { rows: [] };
    return (await encode(rows)).lines;
  }

  const recount = (): Promise<void> =>
    waiting.recount(
      () => cursor,
      () => last,
    );

  const bound = createBacklogBound({
    config: config.backlog,
    store,
    lag,
    oldest: () => backlogOf(cursor) ?? { after: cursor.through, upTo: last },
    giveUp: async (upTo) => {
      move(backlogDone(cursor, upTo));
      await recount();
    },
    stop,
    log,
    warn,
    onBacklog: parts.onBacklog,
  });

  async function live(): Promise<void> {
    if (toSplit) {
      toSplit = false;
      await recount();
      if (waiting.liveRows > SPLIT_BATCHES * batchRows) {
        move(splitAt(cursor, last));
        await recount();
        log.info({ rows: waiting.backlogRows }, 'Catching up; live rows go ahead');
      }
      bound.apply();
    }
    const from = liveFrom(cursor);
    if (from >= last) return wake.wait(Infinity);
    const waitMs = maxWaitMs - (performance.now() - liveSince);
    if (waiting.liveRows < batchRows && waitMs > 0) return wake.wait(waitMs);
    const upTo = last;
    liveSince = performance.now();
    const done = await forward(from, upTo);
    const moved = liveFrom(cursor) !== from;
    move(liveDone(cursor, done.through));
    if (moved) await recount();
    else waiting.liveDone(done.rows);
    bound.apply();
  }

  async function catchUp(): Promise<void> {
    const behind = backlogOf(cursor);
    if (behind === null) {
      catchUpRate = 0;
      return wake.wait(Infinity);
    }
    const started = performance.now();
    const done = await forward(behind.after, behind.upTo);
    const tookMs = performance.now() - started;
    const moved = cursor.through !== behind.after;
    move(backlogDone(cursor, done.through));
    if (moved) await recount();
    else waiting.backlogDone(done.rows);
    if (cursor.ahead === null) log.info({}, 'Caught up');
    bound.apply();
    // Waits in an outage are no work that would have to be paid for with a pause.
    const pauseMs = (Math.min(tookMs, config.timeoutMs) * (1 - config.catchUpShare)) / config.catchUpShare;
    catchUpRate += 0.2 * ((done.rows / (tookMs + pauseMs)) * 1000 - catchUpRate);
    if (pauseMs > 0) await pause(pauseMs);
  }

  async function pause(ms: number): Promise<void> {
    const until = performance.now() + ms;
    for (let left = ms; left > 0; left = until - performance.now()) await wake.wait(left);
  }

  async function lane(name: string, step: () => Promise<void>): Promise<void> {
    while (!stop.aborted) {
      try {
        await step();
        await new Promise((resolve) => setImmediate(resolve));
      } catch (error) {
        if (error instanceof Stopped) return;
        fault = `the store: ${error instanceof Error ? error.message : String(error)}`;
        warn(`lane ${name}`, { err: error }, 'Forwarding to InfluxDB failed and is tried again');
        await pause(config.retry.minMs).catch(() => undefined);
      }
    }
  }
  const lanes = Promise.all([lane('live', live), lane('catch-up', catchUp)]);

  function state(): ForwardState {
    if (stop.aborted) return 'stopped';
    if (fault !== null) return 'retrying';
    return gate.trouble?.kind ?? (cursor.ahead === null ? 'forwarding' : 'catchingUp');
  }

  let stopped: Promise<void> | null = null;
  async function stopNow(): Promise<void> {
    stopping.abort();
    const timer = setTimeout(() => aborting.abort(), STOP_MS);
    await lanes;
    clearTimeout(timer);
    store.setForwarded(cursor);
    writer.close();
  }
  return {
    committed(lastCommit, rows) {
      if (lastCommit <= last) return;
      if (waiting.liveRows === 0) liveSince = performance.now();
      last = lastCommit;
      waiting.committed(lastCommit, rows);
      bound.apply();
      wake.notify();
    },
    status() {
      const rowsLeft = waiting.backlogRows;
      const lagRows = lag();
      const problem = fault ?? gate.trouble?.reason ?? null;
      const behind = lagRows === 0 ? 'all is forwarded' : `${lagRows} rows are not forwarded yet`;
      return {
        state: state(),
        ok: problem === null,
        detail: problem === null ? behind : `${problem}; ${behind}`,
        lagRows,
        lagSeconds: waiting.ageMs(cursor.through) / 1000,
        forwardedRows: forwarded,
        quarantinedRows: quarantined,
        droppedRows: bound.dropped,
        skippedRows: skipped,
        retries: gate.retries,
        catchUp: cursor.ahead === null ? null : { rowsLeft, rowsPerS: catchUpRate },
        cursor,
      };
    },
    pruneBound: () => cursor.through,
    stop: () => (stopped ??= stopNow()),
  };
}
