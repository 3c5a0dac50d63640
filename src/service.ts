import { BehaviorSubject, filter, map, Subject, takeUntil, timer } from 'rxjs';
import type { Config } from '../config/types.ts';
import { clockTicks } from '../operators/clockTicks.ts';
import { createApi } from './api/server.ts';
import { Checkpointer } from './checkpoint/checkpointer.ts';
import { ClockGate } from './clockGate.ts';
import { ingest } from './ingest.ts';
import { createHealth } from './health.ts';
import { createLiveView } from './live.ts';
import { openRestored } from './restore.ts';
import { createSource } from './sources/registry.ts';
import { REMEMBERED } from './sources/mqtt/deliveries.ts';
import type { Source } from './sources/source.ts';
import { createForwarder } from './store/influx/forwarder.ts';
import { createInfluxReader } from './store/influx/reader.ts';
import { limitedWarn } from './telemetry/log.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { observeLive } from './telemetry/liveMetrics.ts';
import { openTwins } from './twin/registry.ts';

/** Soon, for a service that is started more often than it would prune. */
const FIRST_PRUNE_MS = 60_000;
const PRUNE_EVERY_MS = 600_000;
const WARN_EVERY_MS = 10_000;

export interface Service {
  /** Where the API listens, e.g. `http://127.0.0.1:8080`. */
  readonly address: string;
  /** Resolves with the reason when the service can no longer do its work; otherwise never. */
  readonly failed: Promise<unknown>;
  /** Stops in numbered steps and resolves when all is closed. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts the whole service: store, twins, pipeline, API, then the sources.
 *
 * @throws Error where a part cannot start (store locked, port taken, model broken); what had started is closed again.
 */
export async function startService(config: Config, log: Log): Promise<Service> {
  const now = (): number => Date.now();
  const closers: (() => Promise<unknown>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const warn = limitedWarn(log, WARN_EVERY_MS, now);
    const twins = await openTwins(config, (asset, problem) =>
      warn(`model ${asset}`, { asset, problem }, 'A model failed'),
    );
    const metrics = createMetrics();
    const { onDrop } = metrics;
    const sources: Source[] = [];
    const restored = await openRestored({ config, twins, onDrop, log }, (processor, registry) =>
      createLiveView({
        config,
        registry,
        twins,
        sources,
        outputs: processor.outputs,
        now,
        health: () => health.view(),
      }),
    );
    const { store, processor, registry, recall, checkpoints, view: live } = restored;
    closers.push(() => store.close());

    for (const source of config.sources) {
      const lastPosition = store.positions.get(source.id) ?? 0;
      const delivered = source.type === 'mqtt' ? await store.deliveries(source.id, REMEMBERED) : [];
      const newest = async (asset: string, sensor: string): Promise<number | null> =>
        store.newestReceived(asset, sensor);
      const note = store.notes.get(source.id);
      const known = { lastPosition, delivered, ...(note !== undefined && { note }) };
      sources.push(await createSource(source, { now, ...known, newest, log }));
    }

    const stopped = new Subject<void>();
    const aborted = new Subject<void>();
    const backlogFull = new BehaviorSubject(false);
    const forwarder =
      config.influx.url === ''
        ? null
        : createForwarder({
            config: config.influx,
            store,
            now,
            log,
            onBacklog: (full) => backlogFull.next(full),
          });
    if (forwarder !== null) closers.push(() => forwarder.stop());
    const health = createHealth({
      sources,
      metrics,
      forward: () => forwarder && { ...forwarder.status(), required: backlogFull.value },
      now,
      log,
    });
    const gate = new ClockGate(sources, config.pipeline.catchUpMs, performance.now());
    processor.outputs.subscribe((output) => {
      if (output.type === 'reading') metrics.reading(output.reading);
    });
    const checkpointer = new Checkpointer({
      registry,
      folder: checkpoints,
      store: store.id,
      // What was taken over from another store must be written as one of this store at once.
      lastRow: store.setAside.length > 0 ? -1 : restored.checkpointRow,
      everyMs: config.pipeline.checkpoint.everyMs,
      row: () => processor.row,
      onFailure: (error) =>
        warn('checkpoint', { err: error }, 'A checkpoint could not be written and is tried again'),
    });
    // Before anything comes in: a service that is killed again and again must not have more to run once more each time.
    if (store.setAside.length > 0 || restored.rerun > 0) await checkpointer.write();
    metrics.observe({
      ...observeLive(live),
      bufferReadings: health.waiting,
      checkpoint: () => checkpointer.status,
      recovery: () => restored,
      ...(forwarder && { forward: () => forwarder.status() }),
    });
    const history = forwarder && createInfluxReader(config.influx);
    const api = await createApi({ live, store, history, metrics, config: config.api, log });
    closers.push(() => api.close());

    const committed = ingest({
      config: config.pipeline,
      sources,
      ticks: clockTicks(config.pipeline.tickMs).pipe(
        filter((at) => gate.passes(at, performance.now())),
        map((at) => ({ at })),
      ),
      processor,
      store,
      recall,
      onDrop,
      onEntry: (entry) => {
        gate.saw(entry);
        health.onEntry(entry);
      },
      onCommit: (batch, inputs, durationS) => {
        health.onCommit(batch, inputs, durationS);
        checkpointer.committed(batch.lastRow);
        forwarder?.committed(store.lastCommit, batch.readings.length);
      },
      onHeldUp: (heldUp) => gate.hold(heldUp, performance.now()),
      onStoreError: health.onStoreError,
      hold: backlogFull,
      stop: stopped,
      abort: aborted,
    });
    const drained = new Promise<void>((resolve, reject) => {
      committed.pipe(takeUntil(aborted)).subscribe({ complete: resolve, error: reject });
    });
    const failed = new Promise<unknown>((resolve) => {
      drained.catch(resolve);
    });

    const pruning = timer(FIRST_PRUNE_MS, PRUNE_EVERY_MS).subscribe(() => {
      const bounds = { row: checkpoints.neededFrom, commit: forwarder?.pruneBound() ?? Infinity };
      store
        .prune(now(), bounds)
        .catch((error: unknown) => log.warn({ err: error }, 'Pruning the store failed'));
    });

    checkpointer.start();

    let stopping: Promise<void> | null = null;
    const stop = async (): Promise<void> => {
      const { shutdownTimeoutMs } = config.pipeline;
      log.info({ step: 1 }, 'Stopping: 1 of 5, no more input');
      pruning.unsubscribe();
      await within(shutdownTimeoutMs, Promise.allSettled(sources.map((source) => source.stop())));
      log.info({ step: 2 }, 'Stopping: 2 of 5, processing and committing what is in hand');
      stopped.next();
      const timer = setTimeout(() => {
        log.warn(
          { waiting: health.waiting() },
          'Not all is committed in time; what is not was not acknowledged',
        );
        aborted.next();
      }, shutdownTimeoutMs);
      await drained.catch(() => undefined);
      clearTimeout(timer);
      await checkpointer.stop();
      await within(shutdownTimeoutMs, checkpointer.write());
      log.info({ step: 3 }, 'Stopping: 3 of 5, disconnecting the sources');
      await within(shutdownTimeoutMs, Promise.allSettled(sources.map((source) => source.close())));
      log.info({ step: 4 }, 'Stopping: 4 of 5, closing the API and the store');
      await within(shutdownTimeoutMs, closeAll());
      log.info({ step: 5 }, 'Stopping: 5 of 5, stopped');
    };
    return { address: api.address, failed, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Waits for the work, but no longer than that; what hangs is left behind. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
