import {
  interval,
  map,
  mergeMap,
  NEVER,
  Observable,
  share,
  startWith,
  Subject,
  switchMap,
  takeUntil,
} from 'rxjs';
import type { SimulatorSourceConfig } from '../../../config/types.ts';
import { NO_ISSUES } from '../../../operators/types.ts';
import type { Reading } from '../../../operators/types.ts';
import { createPlant } from '../../plant/plant.ts';
import type { PlantSample } from '../../plant/plant.ts';
import type { Source, SourceContext } from '../source.ts';

/**
 * Readings of a plant simulated in process, one for each sensor every `intervalMs`.
 *
 * Pause is exact: no reading is emitted after it. The plant goes on meanwhile, as a real one would, but nobody
 * measures it. `commit` does nothing.
 */
export function createSimulatorSource(config: SimulatorSourceConfig, context: SourceContext): Source {
  const { id, assets, seed, intervalMs } = config;
  const pauses = new Subject<boolean>();
  const stops = new Subject<void>();
  let position = context.lastPosition;
  let paused = false;
  let stopped = false;
  let connected = false;

  const toReading = (sample: PlantSample, arrivedAt: number): Reading => {
    const { asset, sensor, timestamp, value, unit, quality } = sample;
    position += 1;
    return {
      asset,
      sensor,
      timestamp,
      value,
      unit,
      quality,
      issues:
        quality === 'Good' ? NO_ISSUES : [{ check: 'source', message: `the sensor reports ${quality}` }],
      imputed: false,
      received: { row: 0, source: id, position, arrivedAt, value, unit, quality },
    };
  };

  const events = new Observable<Reading>((subscriber) => {
    if (stopped) {
      subscriber.complete();
      return undefined;
    }
    const plant = createPlant({ assets, seed, startAt: context.now(), sprinkle: true });
    connected = true;
    const subscription = pauses
      .pipe(
        startWith(paused),
        switchMap((isPaused) => (isPaused ? NEVER : interval(intervalMs))),
        map(() => {
          const now = context.now();
          plant.step(now);
          return plant.measure().map((sample) => ({ sample, now }));
        }),
        mergeMap((samples) => samples),
        takeUntil(stops),
      )
      .subscribe({
        next: ({ sample, now }) => {
          // A consumer may pause or stop in the middle of a round: the rest of it is not measured.
          if (!paused && !stopped) subscriber.next(toReading(sample, now));
        },
        complete: () => subscriber.complete(),
      });
    return () => {
      connected = false;
      subscription.unsubscribe();
    };
  }).pipe(share());

  const setPaused = (value: boolean): void => {
    if (paused === value) return;
    paused = value;
    pauses.next(value);
  };
  const end = (): Promise<void> => {
    stopped = true;
    stops.next();
    return Promise.resolve();
  };

  return {
    id,
    type: 'simulator',
    window: Infinity,
    events,
    commit: () => undefined,
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    status: () => ({
      connected,
      detail: connected ? `simulates ${assets.join(', ')}` : 'not running',
      reconnects: 0,
      problems: {},
    }),
    stop: end,
    close: end,
  };
}
