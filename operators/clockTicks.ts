import { asyncScheduler, interval, map } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { numberAbove } from './options.ts';

/**
 * The clock as an Observable: the time of the scheduler, epoch milliseconds, every `everyMs`.
 *
 *     clockTicks(1000)    -----t-----t-----t---    t = scheduler.now()
 *
 * It feeds the operators that must notice silence, so that none of them reads a clock of its own. It never completes.
 *
 * Errors: RangeError where `everyMs` is not > 0, when composed.
 *
 * @example
 * readings$.pipe(imputeMissing({ expectedIntervalMs: 1000 }, undefined, clockTicks(250)))
 */
export function clockTicks(everyMs: number, scheduler: SchedulerLike = asyncScheduler): Observable<number> {
  return interval(numberAbove('everyMs', everyMs, 0), scheduler).pipe(map(() => scheduler.now()));
}
