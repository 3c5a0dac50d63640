import { integerBetween, numberAtLeast } from '../options.ts';
import type { EstimatedReading } from '../types.ts';

/** Plain data, as JSON keeps it. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** That plant and model have parted. */
export interface Parting {
  /** For people: `temperature: bias +2.1 degC`. */
  readonly cause: string;
  /** Seconds since then. */
  readonly forS: number;
}

/**
 * The model port: what a model of one asset must offer so that updateTwin can keep it in step.
 *
 * A model is stateless code on a plain state, which must survive a JSON round trip without loss.
 */
export interface TwinModel<S> {
  readonly type: string;
  /**
   * What `correct` is given: the sensor's filtered estimate, or the measurement itself with the variance of its noise, for
   * models that have a filter of their own. Default `estimate`.
   */
  readonly takes?: 'estimate' | 'measurement';
  /** What else, besides the type, the state depends on: one kept under other values is of no use. Default: nothing. */
  readonly shape?: Readonly<Record<string, string | number | null>>;
  /** Quantities that the model takes from sensors, with the unit it wants them in. */
  readonly quantities: Readonly<Record<string, string>>;
  /** Quantities of the state as shown to people: name -> unit. */
  readonly outputs: Readonly<Record<string, string>>;
  initial(): S;
  /** Parameters in force, for people: name -> number. */
  parameters(state: S): Readonly<Record<string, number>>;
  /** Standard deviations of those that are estimated. Default: none is. */
  parameterStdDev?(state: S): Readonly<Record<string, number>>;
  /** What else the model has to say of the process, by subject. Default: nothing. */
  insights?(state: S): Readonly<Record<string, Plain>>;
  /** Why plant and model have parted; null while they agree. Default: they always do. */
  parted?(state: S): Parting | null;
  /** Integrates the state forward by `dtS` seconds, >= 0. */
  advance(state: S, dtS: number): void;
  /**
   * Takes one measured quantity into the state. `variance` is that of `value`, 0 where it is not known.
   * @returns the residual: measured minus what the model said just before, or null where it says nothing of it.
   */
  correct(state: S, quantity: string, value: number, variance: number): number | null;
  /** One output's value and standard deviation (null where the model states none). */
  read(state: S, output: string): { readonly value: number; readonly stdDev: number | null };
}

export type SyncStatus = 'synchronised' | 'degraded' | 'lost';

/** The twin of one asset at one time: what the store, the API, the stream and replay show. */
export interface TwinRecord {
  readonly asset: string;
  /** Event time up to which the model has been integrated, epoch milliseconds. */
  readonly timestamp: number;
  readonly state: Readonly<
    Record<string, { readonly value: number; readonly unit: string; readonly stdDev: number | null }>
  >;
  readonly parameters: Readonly<Record<string, number>>;
  /** Standard deviations of the parameters; only where the model estimates some. */
  readonly parameterStdDev?: Readonly<Record<string, number>>;
  /** What else the model says, by subject; only where it says anything. */
  readonly insights?: Readonly<Record<string, Plain>>;
  /** Quantity -> measured minus modelled. */
  readonly residuals: Readonly<Record<string, number>>;
  readonly sync: {
    readonly status: SyncStatus;
    /** Clock minus `timestamp`. */
    readonly lagMs: number;
    /** Sensors that are stale or whose last reading was Bad. */
    readonly staleSensors: readonly string[];
    /** Why it is degraded though no sensor is stale, and since when (event time); only where plant and model have parted. */
    readonly cause?: string;
    readonly since?: number;
  };
}

export interface TwinSensor {
  /** The model's quantity that it measures. */
  readonly quantity: string;
  /** After so long without a reading it is stale. */
  readonly staleAfterMs: number;
  /** Variance of its noise, for a model that takes measurements; 0 = not known. Default 0. */
  readonly measurementVariance?: number;
}

export interface TwinOptions {
  readonly asset: string;
  /** The sensors that the twin listens to, by name. */
  readonly sensors: Readonly<Record<string, TwinSensor>>;
  /** A record at most so often in event time; 0: at every reading. Default 1000. */
  readonly everyMs?: number;
  /** No usable reading of any sensor for so long: the twin is lost. Default 60000. */
  readonly lostAfterMs?: number;
}

interface SensorSync {
  /** Clock time of the last reading; null before the first. */
  arrivedAt: number | null;
  /** Its source time; null before the first. */
  timestamp: number | null;
  usable: boolean;
}

export interface TwinState<S> {
  model: S;
  /** Event time of the model; null before the first reading. */
  timestamp: number | null;
  /** The latest clock time seen, in a reading's arrival or a tick. */
  clock: number;
  lastUsableAt: number | null;
  sensors: Record<string, SensorSync>;
  residuals: Record<string, number>;
  recordedAt: number | null;
  recordedStatus: SyncStatus;
}

export const twinState =
  <S>(model: TwinModel<S>, options: TwinOptions) =>
  (): TwinState<S> => ({
    model: model.initial(),
    timestamp: null,
    clock: 0,
    lastUsableAt: null,
    sensors: Object.fromEntries(
      Object.keys(options.sensors).map((sensor) => [
        sensor,
        { arrivedAt: null, timestamp: null, usable: false },
      ]),
    ),
    residuals: {},
    recordedAt: null,
    recordedStatus: 'lost',
  });

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveTwinOptions(options: TwinOptions): Required<TwinOptions> {
  return {
    asset: options.asset,
    sensors: options.sensors,
    everyMs: numberAtLeast('everyMs', options.everyMs ?? 1000, 0),
    lostAfterMs: integerBetween('lostAfterMs', options.lostAfterMs ?? 60_000, 1),
  };
}

/**
 * Brings the twin to the reading's source time and, where the reading is usable, corrects it.
 *
 * Usable: not Bad, measured (not imputed) and not late. Everything else only lets time pass.
 *
 * @returns true when a record is due.
 */
export function twinStep<S>(
  model: TwinModel<S>,
  state: TwinState<S>,
  reading: EstimatedReading,
  options: Required<TwinOptions>,
): boolean {
  const role = options.sensors[reading.sensor];
  const sync = state.sensors[reading.sensor];
  if (role === undefined || sync === undefined) return false;

  const arrivedAt = reading.received === null ? reading.timestamp : reading.received.arrivedAt;
  if (arrivedAt > state.clock) state.clock = arrivedAt;
  const late = reading.issues.length > 0 && reading.issues.some((issue) => issue.check === 'order');
  const previous = state.timestamp;
  // Sensors of one asset need not agree to the millisecond, but one that itself goes back has set its clock back.
  const setBack = !late && sync.timestamp !== null && reading.timestamp < sync.timestamp;
  if (previous === null || setBack) {
    state.timestamp = reading.timestamp;
  } else if (reading.timestamp > previous) {
    model.advance(state.model, (reading.timestamp - previous) / 1000);
    state.timestamp = reading.timestamp;
  }
  if (!late) {
    sync.timestamp = reading.timestamp;
    if (!reading.imputed) take(model, state, reading, role, sync, arrivedAt);
  }
  return isDue(state, options);
}

function take<S>(
  model: TwinModel<S>,
  state: TwinState<S>,
  reading: EstimatedReading,
  { quantity, measurementVariance = 0 }: TwinSensor,
  sync: SensorSync,
  arrivedAt: number,
): void {
  sync.arrivedAt = arrivedAt;
  sync.usable = reading.value !== null && reading.quality !== 'Bad';
  if (!sync.usable || reading.value === null) return;
  state.lastUsableAt = arrivedAt;
  const { estimate } = reading;
  const residual =
    model.takes === 'measurement'
      ? model.correct(state.model, quantity, reading.value, measurementVariance)
      : estimate === null
        ? model.correct(state.model, quantity, reading.value, 0)
        : model.correct(state.model, quantity, estimate.value, estimate.covariance[0]);
  if (residual !== null) state.residuals[quantity] = residual;
}

function isDue<S>(state: TwinState<S>, options: Required<TwinOptions>): boolean {
  const { timestamp, recordedAt } = state;
  if (timestamp === null) return false;
  // A source that set its clock back must not silence the twin until the old time is reached again.
  if (recordedAt !== null && timestamp >= recordedAt && timestamp - recordedAt < options.everyMs)
    return false;
  state.recordedAt = timestamp;
  return true;
}

/** Lets the clock pass. @returns true when the status has changed, so that a record is due. */
export function twinTick<S>(
  state: TwinState<S>,
  at: number,
  options: Required<TwinOptions>,
  model: Pick<TwinModel<S>, 'parted'> = {},
): boolean {
  if (at > state.clock) state.clock = at;
  return state.timestamp !== null && twinSync(state, options, model).status !== state.recordedStatus;
}

/** Sync status at the state's clock. A twin whose model has parted from the plant is degraded at best. */
export function twinSync<S>(
  state: TwinState<S>,
  options: Required<TwinOptions>,
  model: Pick<TwinModel<S>, 'parted'> = {},
): TwinRecord['sync'] {
  const staleSensors = Object.entries(options.sensors)
    .filter(([sensor, role]) => {
      const sync = state.sensors[sensor];
      return sync?.arrivedAt == null || !sync.usable || state.clock - sync.arrivedAt > role.staleAfterMs;
    })
    .map(([sensor]) => sensor);
  const silent = state.lastUsableAt === null || state.clock - state.lastUsableAt > options.lostAfterMs;
  const parting = model.parted?.(state.model) ?? null;
  const degraded = staleSensors.length > 0 || parting !== null;
  const status = silent ? 'lost' : degraded ? 'degraded' : 'synchronised';
  const { timestamp } = state;
  return {
    status,
    lagMs: timestamp === null ? 0 : state.clock - timestamp,
    staleSensors,
    ...(parting !== null && {
      cause: parting.cause,
      since: Math.round((timestamp ?? state.clock) - 1000 * parting.forS),
    }),
  };
}

/** What to show of the twin now; null before its first reading. */
export function twinRecord<S>(
  model: TwinModel<S>,
  state: TwinState<S>,
  options: Required<TwinOptions>,
): TwinRecord | null {
  if (state.timestamp === null) return null;
  const outputs = Object.entries(model.outputs).map(([name, unit]) => {
    const { value, stdDev } = model.read(state.model, name);
    return [name, { value, unit, stdDev }] as const;
  });
  return {
    asset: options.asset,
    timestamp: state.timestamp,
    state: Object.fromEntries(outputs),
    parameters: model.parameters(state.model),
    ...(model.parameterStdDev !== undefined && { parameterStdDev: model.parameterStdDev(state.model) }),
    ...(model.insights !== undefined && { insights: model.insights(state.model) }),
    residuals: { ...state.residuals },
    sync: twinSync(state, options, model),
  };
}

export interface TrajectoryPoint {
  readonly timestamp: number;
  readonly values: Readonly<Record<string, number>>;
}

/** The model integrated forward from a copy of the state, inputs held; points at 0, stepS, … horizonS. */
export function twinPrediction<S>(
  model: TwinModel<S>,
  state: TwinState<S>,
  horizonS: number,
  stepS: number,
): readonly TrajectoryPoint[] {
  if (state.timestamp === null) return [];
  const ahead = structuredClone(state.model);
  const points: TrajectoryPoint[] = [];
  let atS = 0;
  for (let i = 0; ; i++) {
    const nextS = Math.min(i * stepS, horizonS);
    if (nextS > atS) model.advance(ahead, nextS - atS);
    atS = nextS;
    const values = Object.fromEntries(
      Object.keys(model.outputs).map((name) => [name, model.read(ahead, name).value]),
    );
    points.push({ timestamp: state.timestamp + atS * 1000, values });
    if (atS >= horizonS) return points;
  }
}
