import { EMPTY, filter, map, merge, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Config } from '../config/types.ts';
import { convertUnit } from '../operators/convertUnit.ts';
import { detectAnomaly } from '../operators/detectAnomaly.ts';
import { estimateState } from '../operators/estimateState.ts';
import { flagDrift } from '../operators/flagDrift.ts';
import { flagHampel } from '../operators/flagHampel.ts';
import { flagOutliers } from '../operators/flagOutliers.ts';
import { flagRate } from '../operators/flagRate.ts';
import { flagSpikes } from '../operators/flagSpikes.ts';
import { flagStuck } from '../operators/flagStuck.ts';
import { imputeMissing } from '../operators/imputeMissing.ts';
import { orderByTime } from '../operators/orderByTime.ts';
import { smoothState } from '../operators/smoothState.ts';
import { stateCell } from '../operators/stateCell.ts';
import type { StateCell } from '../operators/stateCell.ts';
import { driftState } from '../operators/steps/drift.ts';
import { anomalyState } from '../operators/steps/anomaly.ts';
import type { AnomalyRecord } from '../operators/steps/anomaly.ts';
import { estimateInitialState } from '../operators/steps/estimate.ts';
import { hampelState } from '../operators/steps/hampel.ts';
import { missingState } from '../operators/steps/missing.ts';
import { orderState } from '../operators/steps/order.ts';
import { outlierState } from '../operators/steps/outlier.ts';
import { rateState } from '../operators/steps/rate.ts';
import { smoothState as smoothInitialState } from '../operators/steps/smooth.ts';
import type { SmoothedReading } from '../operators/steps/smooth.ts';
import { spikeState } from '../operators/steps/spike.ts';
import { stuckState } from '../operators/steps/stuck.ts';
import { windowState } from '../operators/steps/window.ts';
import type { TwinRecord } from '../operators/steps/twin.ts';
import type { EstimatedReading, OnDrop, Reading, WindowAggregate } from '../operators/types.ts';
import { updateTwin } from '../operators/updateTwin.ts';
import { fanOut, fuse, mapStage, stage } from '../operators/stage.ts';
import type { Stage } from '../operators/stage.ts';
import { validateRange } from '../operators/validateRange.ts';
import { windowAggregate } from '../operators/windowAggregate.ts';
import { groupBySensor } from './groupBySensor.ts';
import type { SensorName } from './groupBySensor.ts';
import { Inlet } from './inlet.ts';
import { sharedSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { bareReading, smoothedRecord } from './smoothed.ts';
import type { SmoothedRecord } from './smoothed.ts';
import type { StateRegistry, StateShape } from './stateRegistry.ts';
import type { LiveTwin } from './twin/liveTwin.ts';

/** What the pipeline makes of its input, in the order in which it arises. */
export type Output =
  | { readonly type: 'reading'; readonly reading: EstimatedReading }
  | { readonly type: 'smoothed'; readonly smoothed: SmoothedRecord }
  | { readonly type: 'window'; readonly window: WindowAggregate }
  | { readonly type: 'twin'; readonly twin: TwinRecord }
  | { readonly type: 'anomaly'; readonly anomaly: AnomalyRecord };

export interface PipelineParts {
  readonly config: Config;
  readonly registry: StateRegistry;
  /** The twins by asset, in the order of the configuration. */
  readonly twins: ReadonlyMap<string, LiveTwin>;
  readonly onDrop: OnDrop;
  /** See `OrderOptions.isKnown`. Default: no other memory than the operator's. */
  readonly isKnown?: (reading: Reading) => boolean | null;
  /** Times of arrival are made up from a recording, and say nothing of the pace at which readings came. */
  readonly recorded?: boolean;
  /** Assets that take no ticks while they are in it. Default: none. */
  readonly asleep?: ReadonlySet<string>;
}

/** Makes the cell of one named operator of one sensor; `shape` are the options that its state depends on. */
type Cells = <S>(operator: string, create: () => S, shape: StateShape) => StateCell<S>;

const NONE: ReadonlySet<string> = new Set();
/** For a sensor that is no longer to be put in order, but for which an earlier run holds readings: they go on at once. */
const RELEASING = { maxDelayMs: 0, maxReadings: 1, rememberCount: 0 };
/** Of the states of the adaptive filters: raised when they keep other things than before. */
const BANK_FORM = 2;
/** A clock that was set back goes on at the pace of the world; twice that leaves room for bursts. */
const STEP_BACK_MAX_PACE = 2;

/**
 * The whole topology between admission and commit. Everything in it is synchronous and deterministic: what goes in as
 * readings and ticks comes out, all of it, before the next one goes in.
 *
 *     readings ─> groupBySensor ─> clean ─> estimate ─┬─> reading
 *                                                     ├─> smoothState ─> smoothed
 *                                                     ├─> windowAggregate ─> window
 *                                                     ├─> updateTwin, an asset ─> twin
 *                                                     └─> detectAnomaly, an asset ─> anomaly
 *     ticks ────────> clean, windowAggregate, updateTwin, detectAnomaly
 */
export function pipeline(
  readings: Observable<Reading>,
  ticks: Observable<number>,
  { config, registry, twins, onDrop, isKnown, recorded = false, asleep = NONE }: PipelineParts,
): Observable<Output> {
  const settingsOf = sharedSettings(config, {
    onDrop,
    stepBackMaxPace: recorded ? null : STEP_BACK_MAX_PACE,
    ...(isKnown && { isKnown }),
  });
  const anomalies = Object.entries(config.assets).flatMap(([asset, { anomaly }]) =>
    anomaly === null ? [] : { asset, options: anomaly, input: new Inlet<EstimatedReading>() },
  );
  const anomalyInputs = new Map(anomalies.map(({ asset, input }) => [asset, input]));
  const twinInputs = new Map([...twins.keys()].map((asset) => [asset, new Inlet<EstimatedReading>()]));

  const stageOf = ({ asset, sensor }: SensorName): Stage<Reading, Output> => {
    const settings = settingsOf(asset, sensor);
    const cells: Cells = (operator, create, shape) =>
      registry.cell({ asset, sensor, operator }, shape, create);
    const twinInput = twinInputs.get(asset);
    const anomalyInput = anomalyInputs.get(asset);
    const outputs = fanOut([
      toOutput,
      ...smooth(settings, cells),
      ...aggregate(settings, cells, ticks),
      ...(twinInput === undefined ? [] : [forwardTo(twinInput)]),
      ...(anomalyInput === undefined ? [] : [forwardTo(anomalyInput)]),
    ]);
    const held = holdsReadings(registry.unopened({ asset, sensor, operator: 'orderByTime' }));
    const order = settings.order || (held ? { ...RELEASING, onDrop } : false);
    return fuse(fuse(clean({ ...settings, order }, cells, ticks), estimate(settings, cells)), outputs);
  };
  const sensorOutputs = readings.pipe(groupBySensor(stageOf, ticks, { known: registry.sensors(), asleep }));

  const twinOutputs = [...twins].map(([asset, twin]) =>
    (twinInputs.get(asset)?.items ?? EMPTY).pipe(
      updateTwin(twin.model, twin.options, twin.cell(registry), ticks.pipe(filter(() => !asleep.has(asset)))),
      map((record): Output => ({ type: 'twin', twin: record })),
    ),
  );

  const anomalyOutputs = anomalies.map(({ asset, options, input }) => {
    const { sensors, intervalMs, smoothingMs, baseline } = options;
    const given = baseline !== null && { baseline: baseline.digest };
    const shape = { sensors: sensors.join('\n'), intervalMs, smoothingMs, ...given };
    const cell = registry.cell({ asset, operator: 'detectAnomaly' }, shape, anomalyState);
    return input.items.pipe(
      detectAnomaly({ asset, ...options }, cell, ticks.pipe(filter(() => !asleep.has(asset)))),
      map((record): Output => ({ type: 'anomaly', anomaly: record })),
    );
  });

  const ended = { complete: (): void => anomalies.forEach(({ input }) => input.complete()) };
  return merge(...twinOutputs, ...anomalyOutputs, sensorOutputs.pipe(tap(ended)));
}

const holdsReadings = (state: unknown): boolean =>
  typeof state === 'object' &&
  state !== null &&
  'held' in state &&
  Array.isArray(state.held) &&
  state.held.length > 0;

/**
 * Conversion, order, range, rate, z-score, spike, Hampel, stuck value, drift, missing values: each if it is configured, in
 * this order. First what the process cannot do, then what it has not done lately, then what takes many readings to see.
 */
function clean(settings: Settings, cells: Cells, ticks: Observable<number>): Stage<Reading, Reading> {
  const { unit, order, range, rate, outlier, spike, hampel, stuck, drift, missing } = settings;
  return [
    // It compares what was received, and must never lose what it holds.
    order && orderByTime(order, cells('orderByTime', orderState, {}), ticks),
    range && validateRange(range),
    rate && flagRate(rate, cells('flagRate', rateState, { unit })),
    outlier &&
      flagOutliers(outlier, cells('flagOutliers', outlierState, { unit, windowSize: outlier.windowSize })),
    spike && flagSpikes(spike, cells('flagSpikes', spikeState, { unit })),
    hampel && flagHampel(hampel, cells('flagHampel', hampelState, { unit, windowSize: hampel.windowSize })),
    stuck && flagStuck(stuck, cells('flagStuck', stuckState, { unit })),
    drift &&
      flagDrift(
        drift,
        cells('flagDrift', driftState, {
          unit,
          referenceMean: drift.referenceMean,
          referenceStdDev: drift.referenceStdDev,
        }),
      ),
    missing &&
      imputeMissing(
        missing,
        cells('imputeMissing', missingState, { unit, expectedIntervalMs: missing.expectedIntervalMs }),
        ticks,
      ),
  ].reduce<Stage<Reading, Reading>>(
    (before, next) => (next ? fuse(before, next) : before),
    convertUnit(unit),
  );
}

function estimate({ kalman, unit }: Settings, cells: Cells): Stage<Reading, EstimatedReading> {
  if (!kalman) return withoutEstimate;
  const { mode } = kalman;
  // A state of the reference's is of use whatever its options; the other modes keep other things.
  const shape: StateShape = mode === 'constantVelocity' ? { unit } : { unit, mode, form: BANK_FORM };
  return estimateState(
    kalman,
    cells('estimateState', () => estimateInitialState(mode), shape),
  );
}

const STATELESS = stateCell(() => null);

const withoutEstimate = mapStage(STATELESS, null, (_, reading: Reading) => ({ ...reading, estimate: null }));

const toOutput = mapStage(STATELESS, null, (_, reading: EstimatedReading): Output => ({
  type: 'reading',
  reading,
}));

const windowToOutput = mapStage(STATELESS, null, (_, window: WindowAggregate): Output => ({
  type: 'window',
  window,
}));

/** The smoothed estimate of a reading comes with a later one, right behind that one's own output. */
function smooth({ smooth, unit }: Settings, cells: Cells): Stage<EstimatedReading, Output>[] {
  if (!smooth) return [];
  const state = cells('smoothState', smoothInitialState, {
    unit,
    mode: smooth.mode,
    form: BANK_FORM,
  });
  const toRecord = mapStage(STATELESS, smooth.lagMs, (_, reading: SmoothedReading, lagMs): Output => ({
    type: 'smoothed',
    smoothed: smoothedRecord(reading, lagMs),
  }));
  return [fuse(fuse(toBare, smoothState(smooth, state)), toRecord)];
}

const toBare = mapStage(STATELESS, null, (_, reading: EstimatedReading) => bareReading(reading));

function aggregate(
  { windows, unit }: Settings,
  cells: Cells,
  ticks: Observable<number>,
): Stage<EstimatedReading, Output>[] {
  return windows.map((options) => {
    const { sizeMs, everyMs, offsetMs } = options;
    const state = cells(`windowAggregate ${sizeMs} ${everyMs} ${offsetMs}`, windowState, { unit });
    return fuse(windowAggregate(options, state, ticks), windowToOutput);
  });
}

/** Hands every reading to an operator of the asset and emits nothing itself. */
const forwardTo = (input: Inlet<EstimatedReading>): Stage<EstimatedReading, Output> => stage(() => input);
