import type { Config } from '../config/types.ts';
import type { OnDrop } from '../operators/types.ts';
import { CheckpointFolder } from './checkpoint/folder.ts';
import { createProcessor } from './processor.ts';
import type { Processor } from './processor.ts';
import { Recall } from './recall.ts';
import { Progress, recover } from './recovery.ts';
import { StateRegistry } from './stateRegistry.ts';
import { isDamage, openStore } from './store/duckdb.ts';
import type { Store } from './store/store.ts';
import { limitedWarn } from './telemetry/log.ts';
import type { Log } from './telemetry/log.ts';
import type { LiveTwin } from './twin/liveTwin.ts';

const TELL_EVERY_MS = 5000;

export interface RestoreParts {
  readonly config: Config;
  readonly twins: ReadonlyMap<string, LiveTwin>;
  readonly onDrop: OnDrop;
  readonly log: Log;
}

export interface Restored<V> {
  readonly store: Store;
  /** What follows the processor. */
  readonly view: V;
  readonly processor: Processor;
  readonly registry: StateRegistry;
  readonly recall: Recall;
  readonly checkpoints: CheckpointFolder;
  /** Row up to which the checkpoint counted; 0 without one. */
  readonly checkpointRow: number;
  readonly rerun: number;
  readonly durationMs: number;
}

type Follow<V> = (processor: Processor, registry: StateRegistry) => V;

/**
 * Opens the store and puts the pipeline into the state in which its last commit left it: from the newest checkpoint and the
 * rows behind it. Where these rows turn out to be damaged, the store is set aside, and the checkpoint alone has to do.
 *
 * @param follow called before anything runs, to make what follows the processor's outputs from the first row on and may
 *   have states of its own in the registry.
 * @throws StoreError where the store cannot be used.
 */
export async function openRestored<V>(parts: RestoreParts, follow: Follow<V>): Promise<Restored<V>> {
  const { config, log } = parts;
  const attempt = async (store: Store): Promise<Restored<V>> => {
    try {
      return await restore(store, parts, follow);
    } catch (error) {
      await store.close();
      throw error;
    }
  };
  try {
    return await attempt(await openStore(config.store, log));
  } catch (error) {
    if (!isDamage(error)) throw error;
    return attempt(await openStore(config.store, log, error));
  }
}

async function restore<V>(
  store: Store,
  { config, twins, onDrop, log }: RestoreParts,
  follow: Follow<V>,
): Promise<Restored<V>> {
  const began = performance.now();
  const checkpoints = new CheckpointFolder(
    `${config.store.path}.checkpoints`,
    config.pipeline.checkpoint.keep,
  );
  const checkpoint = await checkpoints.load(
    // The id of a store that was set aside cannot be read any more; its state is the best that there is.
    (id) => id === store.id || store.setAside.length > 0,
    (file, reason) => log.warn({ file, reason }, 'A checkpoint cannot be used; the one before is taken'),
  );
  tellOfLosses(checkpoint?.to ?? 0, checkpoint === null, store, log);

  const progress = new Progress(checkpoint);
  const registry = new StateRegistry(progress.states, ({ asset, sensor, operator }, reason) => {
    const state = [asset, sensor, operator].filter((part) => part !== undefined).join('/');
    log.warn({ state, reason }, 'The state of an operator cannot be used; it starts anew');
  });
  const warn = limitedWarn(log, TELL_EVERY_MS);
  const recall = new Recall(store, (error) => {
    if (!isDamage(error)) return false;
    warn(
      'recall',
      { err: error },
      'Old rows are damaged; an old reading that comes again may be stored twice',
    );
    return true;
  });
  const processor = createProcessor({
    config,
    registry,
    twins,
    lastRow: Math.max(store.lastRow, progress.to),
    onDrop,
    isKnown: recall.isKnown,
    asleep: progress.asleep,
  });
  const view = follow(processor, registry);
  registry.dropUnopened();
  const info = { warn: (detail: object, message: string): void => log.info(detail, message) };
  const tell = limitedWarn(info, TELL_EVERY_MS);
  const { rerun } = await recover(progress, store, processor, (rows) =>
    tell('recovery', { rows }, 'Rows behind the checkpoint run once more'),
  );
  const durationMs = Math.round(performance.now() - began);
  if (checkpoint !== null || rerun > 0)
    log.info({ checkpointRow: progress.to, rerun, durationMs }, 'Recovered the state of the last commit');
  return {
    store,
    view,
    processor,
    registry,
    recall,
    checkpoints,
    checkpointRow: progress.to,
    rerun,
    durationMs,
  };
}

function tellOfLosses(row: number, hasNone: boolean, store: Store, log: Log): void {
  if (hasNone && store.lastRow > 0)
    log.warn({ rows: store.lastRow }, 'There is no usable checkpoint; all stored rows run once more');
  if (row > store.lastRow)
    log.warn(
      { checkpointRow: row, storeRow: store.lastRow },
      'The checkpoint counts rows that the store no longer has; their effect is kept, the rows themselves are lost',
    );
}
