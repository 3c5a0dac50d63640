import { NEVER } from 'rxjs';
import type { Observable } from 'rxjs';
import { stateCell } from './stateCell.ts';
import type { StateCell } from './stateCell.ts';
import { resolveTwinOptions, twinRecord, twinState, twinStep, twinTick } from './steps/twin.ts';
import type { TwinModel, TwinOptions, TwinRecord, TwinState } from './steps/twin.ts';
import { emittingStage } from './stage.ts';
import type { EmittingStep, Stage } from './stage.ts';
import type { EstimatedReading } from './types.ts';

/**
 * Keeps the model of one asset in step with its sensors.
 *
 *     readings (all sensors)  --a--b-----c-----|    a, b at t = 0 s, c at t = 1 s
 *     ticks                   -----------------t    no reading for longer than staleAfterMs
 *     updateTwin()
 *     result                  --A--------C-----D|   D: degraded
 *
 * The model is integrated to each reading's source time and corrected by its estimate. A record comes at most every
 * `everyMs` of event time, and whenever a tick of the clock finds the sync status changed.
 *
 * State: the model's own. Drops: none. Errors: RangeError on bad options, when composed.
 *
 * @example
 * readings$.pipe(updateTwin(batchReactor({}), { asset: 'R101', sensors: { temperature: { quantity: 'temperature', staleAfterMs: 5000 } } }))
 */
export function updateTwin<S>(
  model: TwinModel<S>,
  options: TwinOptions,
  cell: StateCell<TwinState<S>> = stateCell(twinState(model, options)),
  ticks: Observable<number> = NEVER,
): Stage<EstimatedReading, TwinRecord> {
  const resolved = resolveTwinOptions(options);
  const record = (state: TwinState<S>, emit: (twin: TwinRecord) => void): void => {
    const twin = twinRecord(model, state, resolved);
    if (twin === null) return;
    state.recordedStatus = twin.sync.status;
    emit(twin);
  };
  const step: EmittingStep<TwinState<S>, EstimatedReading, TwinRecord, Required<TwinOptions>> = {
    next(state, reading, settings, emit) {
      if (twinStep(model, state, reading, settings)) record(state, emit);
    },
    tick(state, now, settings, emit) {
      if (twinTick(state, now, settings, model)) record(state, emit);
    },
    flush: () => undefined,
  };
  return emittingStage(cell, resolved, step, ticks);
}
