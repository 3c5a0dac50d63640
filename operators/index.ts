export { clockTicks } from './clockTicks.ts';
export { convertUnit } from './convertUnit.ts';
export { detectAnomaly } from './detectAnomaly.ts';
export { estimateState } from './estimateState.ts';
export { flagDrift } from './flagDrift.ts';
export { flagHampel } from './flagHampel.ts';
export { flagOutliers } from './flagOutliers.ts';
export { flagRate } from './flagRate.ts';
export { flagSpikes } from './flagSpikes.ts';
export { flagStuck } from './flagStuck.ts';
export { imputeMissing } from './imputeMissing.ts';
export { smoothState } from './smoothState.ts';
export { updateTwin } from './updateTwin.ts';
export { validateRange } from './validateRange.ts';
export * from './stateCell.ts';
export * from './types.ts';
export * from './steps/anomaly.ts';
export { learnAnomalyBaseline } from './steps/anomalyBaseline.ts';
export type { AnomalyBaseline, AnomalyRow } from './steps/anomalyBaseline.ts';
export * from './steps/anomalyOptions.ts';
export type { AnomalyTrack } from './steps/anomalyTrack.ts';
export * from './steps/estimate.ts';
export type { ImputationMethod } from './steps/imputation.ts';
export { driftState, driftStep, resetDrift } from './steps/drift.ts';
export type { DriftState } from './steps/drift.ts';
export { resolveDriftOptions } from './steps/driftOptions.ts';
export type { DriftOptions, ResolvedDriftOptions } from './steps/driftOptions.ts';
export { cusumRunLength, cusumThreshold, ewmaRunLength, ewmaThreshold } from './steps/driftRunLength.ts';
export { fitHampelState, hampelState, hampelStep, resolveHampelOptions } from './steps/hampel.ts';
export type { HampelOptions, HampelState } from './steps/hampel.ts';
export * from './steps/missing.ts';
export * from './steps/outlier.ts';
export * from './steps/range.ts';
export * from './steps/rate.ts';
export * from './steps/rollingStats.ts';
export {
  resolveSmoothOptions,
  smoothFlush,
  smoothState as smoothInitialState,
  smoothStep,
} from './steps/smooth.ts';
export type {
  ResolvedSmoothOptions,
  SmoothedEstimate,
  SmoothedReading,
  SmoothOptions,
  SmoothState,
} from './steps/smooth.ts';
export * from './steps/spike.ts';
export * from './steps/stuck.ts';
export { convertValue, normaliseUnit } from './steps/unit.ts';
export { boundBuffer } from './boundBuffer.ts';
export type { BufferOptions } from './boundBuffer.ts';
export { conflate } from './conflate.ts';
export type { ConflateOptions } from './conflate.ts';
export { orderByTime } from './orderByTime.ts';
export { windowAggregate } from './windowAggregate.ts';
export { queueState } from './steps/buffer.ts';
export type { Overflow, QueueOptions, QueueState } from './steps/buffer.ts';
export { orderFlush, orderState, orderStep, orderTick, resolveOrderOptions } from './steps/order.ts';
export type { OrderOptions, OrderState, ResolvedOrderOptions } from './steps/order.ts';
export { resolveWindowOptions, windowFlush, windowState, windowStep, windowTick } from './steps/window.ts';
export type { ResolvedWindowOptions, WindowOptions, WindowState } from './steps/window.ts';
export * from './steps/twin.ts';
export { emittingStage, fanOut, fuse, mapStage, stage } from './stage.ts';
export type { EmittingStep, OpenStage, Sink, Stage, Timed } from './stage.ts';
export { kalmanPredict, kalmanState, kalmanUpdate } from './steps/kalman.ts';
export type { Innovation, KalmanState } from './steps/kalman.ts';
export { matrixPredict, matrixUpdate } from './steps/kalmanMatrix.ts';
export type { MatrixInnovation, MatrixKalmanState } from './steps/kalmanMatrix.ts';
