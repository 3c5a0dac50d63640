import { connect, identity, ignoreElements, map, merge, mergeMap, Subject, tap } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { sensorConfigFor } from '../config/sensors.ts';
import type { Config, SensorConfig } from '../config/types.ts';
import { convertUnit } from '../operators/convertUnit.ts';
import { estimateState } from '../operators/estimateState.ts';
import { flagOutliers } from '../operators/flagOutliers.ts';
import { flagSpikes } from '../operators/flagSpikes.ts';
import { flagStuck } from '../operators/flagStuck.ts';
import { imputeMissing } from '../operators/imputeMissing.ts';
import { orderByTime } from '../operators/orderByTime.ts';
import type { StateCell } from '../operators/stateCell.ts';
import { estimateInitialState } from '../operators/steps/estimate.ts';
import { missingState } from '../operators/steps/missing.ts';
import { orderState } from '../operators/steps/order.ts';
import { outlierState } from '../operators/steps/outlier.ts';
import { spikeState } from '../operators/steps/spike.ts';
import { stuckState } from '../operators/steps/stuck.ts';
import { windowState } from '../operators/steps/window.ts';
import type { TwinRecord } from '../operators/steps/twin.ts';
import type { EstimatedReading, OnDrop, Reading, WindowAggregate } from '../operators/types.ts';
import { updateTwin } from '../operators/updateTwin.ts';
import { validateRange } from '../operators/validateRange.ts';
import { windowAggregate } from '../operators/windowAggregate.ts';
import { groupBySensor } from './groupBySensor.ts';
import type { SensorStream } from './groupBySensor.ts';
import type { StateRegistry } from './stateRegistry.ts';
import type { LiveTwin } from './twin/liveTwin.ts';

/** What the pipeline makes of its input, in the order in which it arises. */
export type Output =
  | { readonly type: 'reading'; readonly reading: EstimatedReading }
  | { readonly type: 'window'; readonly window: WindowAggregate }
  | { readonly type: 'twin'; readonly twin: TwinRecord };

export interface PipelineParts {
  readonly config: Config;
  readonly registry: StateRegistry;
  /** The twins by asset, in the order of the configuration. */
  readonly twins: ReadonlyMap<string, LiveTwin>;
  readonly onDrop: OnDrop;
}

/** Makes the cell of one named operator of one sensor. */
type Cells = <S>(operator: string, create: () => S) => StateCell<S>;

/**
 * The whole topology between admission and commit. Everything in it is synchronous and deterministic: what goes in as
 * readings and ticks comes out, all of it, before the next one goes in.
 *
 *     readings ─> groupBySensor ─> clean ─> estimate ─┬─> reading
 *                                                     ├─> windowAggregate ─> window
 *                                                     └─> updateTwin, an asset ─> twin
 *     ticks ────────> clean, windowAggregate, updateTwin
 */
export function pipeline(
  readings: Observable<Reading>,
  ticks: Observable<number>,
  { config, registry, twins, onDrop }: PipelineParts,
): Observable<Output> {
  const twinInputs = new Map([...twins.keys()].map((asset) => [asset, new Subject<EstimatedReading>()]));

  const sensors = readings.pipe(
    groupBySensor(),
    mergeMap(({ asset, sensor, readings: raw }: SensorStream) => {
      const settings = sensorConfigFor(config, asset, sensor);
      const cells: Cells = (operator, create) => registry.cell(`${asset}/${sensor}/${operator}`, create);
      const twinInput = twinInputs.get(asset);
      return raw.pipe(
        clean(settings, cells, ticks, onDrop),
        estimate(settings, cells),
        connect((estimated) =>
          merge(
            estimated.pipe(map((reading): Output => ({ type: 'reading', reading }))),
            ...settings.windows.map((window, i) =>
              estimated.pipe(
                windowAggregate({ ...window, onDrop }, cells(`windowAggregate${i}`, windowState), ticks),
                map((aggregate): Output => ({ type: 'window', window: aggregate })),
              ),
            ),
            ...(twinInput === undefined ? [] : [estimated.pipe(forwardTo(twinInput))]),
          ),
        ),
      );
    }),
  );

  const twinOutputs = [...twins].map(([asset, twin]) =>
    (twinInputs.get(asset) ?? new Subject<EstimatedReading>()).pipe(
      updateTwin(twin.model, twin.options, twin.cell(registry), ticks),
      map((record): Output => ({ type: 'twin', twin: record })),
    ),
  );

  return merge(...twinOutputs, sensors);
}

/** Conversion, order, range, z-score, spike, stuck value, missing values: as REFERENCE orders them, each if configured. */
function clean(
  settings: SensorConfig,
  cells: Cells,
  ticks: Observable<number>,
  onDrop: OnDrop,
): OperatorFunction<Reading, Reading> {
  const { unit, order, range, outlier, spike, stuck, missing } = settings;
  return (readings) =>
    readings.pipe(
      unit === '' ? identity : convertUnit(unit),
      order ? orderByTime({ ...order, onDrop }, cells('orderByTime', orderState), ticks) : identity,
      range ? validateRange(range) : identity,
      outlier ? flagOutliers(outlier, cells('flagOutliers', outlierState)) : identity,
      spike ? flagSpikes(spike, cells('flagSpikes', spikeState)) : identity,
      stuck ? flagStuck(stuck, cells('flagStuck', stuckState)) : identity,
      missing ? imputeMissing(missing, cells('imputeMissing', missingState), ticks) : identity,
    );
}

function estimate({ kalman }: SensorConfig, cells: Cells): OperatorFunction<Reading, EstimatedReading> {
  return kalman
    ? estimateState(kalman, cells('estimateState', estimateInitialState))
    : map((reading) => ({ ...reading, estimate: null }));
}

/** Hands every reading to the asset's twin and emits nothing itself. */
const forwardTo =
  (twinInput: Subject<EstimatedReading>): OperatorFunction<EstimatedReading, never> =>
  (estimated) =>
    estimated.pipe(
      tap((reading) => twinInput.next(reading)),
      ignoreElements(),
    );
