import { asyncScheduler, interval, map } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { numberAbove } from './options.ts';
import { stateCell } from './stateCell.ts';
import type { StateCell } from './stateCell.ts';
import { queueState } from './steps/buffer.ts';
import type { QueueState } from './steps/buffer.ts';
import { LatestByKey, resolveMaxKeys } from './steps/conflate.ts';
import { stage } from './stage.ts';
import type { Stage } from './stage.ts';

export interface ConflateOptions {
  /** Keys held at most; one more releases the oldest early. Integer >= 1. Default 10 000. */
  readonly maxKeys?: number;
  /** Clock of a release given in milliseconds. Default: asyncScheduler. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Passes on the latest item a key, at each release, for consumers that need the newest state and not every step.
 *
 *     source       --a1-b1-a2-------b2--|
 *     release      ------------x--------
 *     conflate((item) => item.key, release)
 *     result       ------------(a2 b1)--(b2|)
 *
 * Items go in the order in which their keys first came since the last release. Completion releases what is left.
 *
 * State: one item a key, at most `maxKeys`. Drops: items replaced by a newer one of the same key, by design.
 * Errors: RangeError on bad options, when composed; those of `release`.
 *
 * @param release releases at each emission, whatever its value; a number releases every so many milliseconds.
 * @example
 * readings$.pipe(conflate((reading) => `${reading.asset}/${reading.sensor}`, 250))
 */
export function conflate<T extends object | string>(
  key: (item: T) => string,
  release: Observable<unknown> | number,
  options: ConflateOptions = {},
  cell: StateCell<QueueState<T>> = stateCell(() => queueState<T>()),
): Stage<T, T> {
  const maxKeys = resolveMaxKeys(options.maxKeys);
  const releases =
    typeof release === 'number'
      ? interval(numberAbove('release', release, 0), options.scheduler ?? asyncScheduler)
      : release;
  return stage<T, T>(
    (down, timed) => {
      const latest = new LatestByKey(cell.open(), key, maxKeys, (item) => down.next(item));
      timed.push({ tick: () => latest.release(), flush: () => latest.release() });
      return { next: (item) => latest.put(item) };
    },
    releases.pipe(map(() => 0)),
  );
}
