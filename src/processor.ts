import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Config } from '../config/types.ts';
import type { OnDrop, Reading } from '../operators/types.ts';
import { Inlet } from './inlet.ts';
import { pipeline } from './pipeline.ts';
import type { Output } from './pipeline.ts';
import { isDeadLetter } from './sources/source.ts';
import type { DeadLetter, DeadLetterReason, SourceEvent } from './sources/source.ts';
import type { SensorName } from './groupBySensor.ts';
import type { StateRegistry } from './stateRegistry.ts';
import type { CommitBatch, RecordedInput } from './store/store.ts';
import type { LiveTwin } from './twin/liveTwin.ts';

/** The clock, recorded like a reading. */
export interface ClockTick {
  readonly at: number;
}

export type Input = SourceEvent | ClockTick;

export const isTick = (input: Input): input is ClockTick => 'at' in input;

/** One input under its row number, with all that the pipeline made of it. */
export interface Entry {
  readonly row: number;
  readonly input: Input;
  readonly outputs: Output[];
  /** False for a reading that orderByTime keeps back: its own output comes with a later entry. */
  settled: boolean;
}

export interface Processor {
  /**
   * Numbers the input and runs it through the pipeline. null: put off, because `isKnown` has no answer yet; nothing has
   * changed, and it is to be given again.
   */
  process(input: Input): Entry | null;
  /** Runs a recorded input once more, under the number that it had. What comes out was committed with it. */
  rerun(recorded: RecordedInput): void;
  /** The last number given out. */
  readonly row: number;
  /** Ends the readings; what was held back and the windows still open come out. Nothing may be processed after it. */
  complete(): readonly Output[];
  readonly outputs: Observable<Output>;
}

export interface ProcessorParts {
  readonly config: Config;
  readonly registry: StateRegistry;
  readonly twins: ReadonlyMap<string, LiveTwin>;
  /** The last row number given out before. */
  readonly lastRow: number;
  readonly onDrop: OnDrop;
  /** See `OrderOptions.isKnown`. */
  readonly isKnown?: (reading: Reading) => boolean | null;
  /** See `PipelineParts.recorded`. */
  readonly recorded?: boolean;
  /** See `PipelineParts.asleep`. */
  readonly asleep?: ReadonlySet<string>;
}

/** Drives the pipeline one input at a time, and collects what each gives rise to. */
export function createProcessor(parts: ProcessorParts): Processor {
  const { config, registry, twins, lastRow, onDrop, isKnown, recorded, asleep } = parts;
  const readings = new Inlet<Reading>();
  const ticks = new Subject<number>();
  const outputs = new Subject<Output>();
  const admit = admission(config, registry.sensors());
  let row = lastRow;
  let rerunning = false;
  /** Whether the reading that goes through the pipeline has been put off. */
  let putOff: Reading | null = null;
  let current: Entry = { row: 0, input: { at: 0 }, outputs: [], settled: true };

  const dropped: OnDrop = (reason, reading) => {
    if (reason !== 'lateForWindow' && reading.received === receivedOf(current.input)) current.settled = true;
    if (!rerunning) onDrop(reason, reading);
  };
  const asked = (reading: Reading): boolean | null => {
    // A recorded reading was found to be new when it came.
    const known = rerunning ? false : (isKnown?.(reading) ?? null);
    if (known === null) putOff = reading;
    return known;
  };
  const topology = {
    config,
    registry,
    twins,
    onDrop: dropped,
    ...(isKnown && { isKnown: asked }),
    ...(recorded !== undefined && { recorded }),
    ...(asleep && { asleep }),
  };
  pipeline(readings.items, ticks, topology).subscribe((output) => {
    current.outputs.push(output);
    if (output.type === 'reading' && output.reading.received === receivedOf(current.input))
      current.settled = true;
    outputs.next(output);
  });

  const wasTaken = (): boolean => putOff === null;
  const take = (input: Input): Entry => {
    const isReading = !isTick(input) && !isDeadLetter(input);
    current = { row, input, outputs: [], settled: !isReading };
    if (isTick(input)) {
      ticks.next(input.at);
    } else if (isReading) {
      if (input.received !== null) input.received.row = row;
      readings.next(input);
    }
    return current;
  };

  return {
    outputs: outputs.asObservable(),
    get row() {
      return row;
    },
    process(given) {
      putOff = null;
      row += 1;
      const entry = take(isTick(given) || isDeadLetter(given) ? given : admit(given, false));
      if (wasTaken()) return entry;
      row -= 1;
      return null;
    },
    rerun(recorded) {
      rerunning = true;
      const last = row;
      row = recorded.row;
      take('at' in recorded.input ? recorded.input : admit(recorded.input, true));
      row = Math.max(row, last);
      rerunning = false;
    },
    complete() {
      current = { row, input: { at: 0 }, outputs: [], settled: true };
      readings.complete();
      return current.outputs;
    },
  };
}

const receivedOf = (input: Input): Reading['received'] => ('received' in input ? input.received : null);

/** A client that never repeats a unit must not fill the memory. */
const MAX_UNITS = 50;

/**
 * Refuses readings of assets and sensors that are not wanted, and of more sensors, or units of one, than the service is
 * sized for. What was recorded was within these bounds when it came.
 */
function admission(
  { assets, unknownAssets, pipeline: { maxSensors } }: Config,
  known: readonly SensorName[],
): (reading: Reading, recorded: boolean) => SourceEvent {
  const admitted = new Map<string, Map<string, Set<string>>>();
  let count = 0;
  const isListed = ({ asset, sensor }: SensorName): boolean =>
    Object.hasOwn(assets, asset) && Object.hasOwn(assets[asset]?.sensors ?? {}, sensor);
  /** @returns the units that the sensor's readings came in. */
  const add = ({ asset, sensor }: SensorName): Set<string> => {
    count += 1;
    const units = new Set<string>();
    admitted.set(asset, (admitted.get(asset) ?? new Map<string, Set<string>>()).set(sensor, units));
    return units;
  };
  for (const name of known) if (unknownAssets === 'accept' || isListed(name)) add(name);
  const inUnit = (reading: Reading, units: Set<string>, recorded: boolean): SourceEvent => {
    const unit = reading.received?.unit ?? reading.unit;
    if (units.has(unit)) return reading;
    if (units.size >= MAX_UNITS && !recorded) {
      const detail = `${reading.asset}/${reading.sensor} would come in its ${MAX_UNITS + 1}th unit`;
      return refused(reading, 'badUnit', detail);
    }
    units.add(unit);
    return reading;
  };
  return (reading, recorded) => {
    const { asset, sensor } = reading;
    const units = admitted.get(asset)?.get(sensor);
    if (units !== undefined) return inUnit(reading, units, recorded);
    const listed = isListed(reading);
    if (unknownAssets === 'reject' && !listed) {
      return refused(reading, 'unknownAsset', `${asset}/${sensor} is not listed under assets`);
    }
    if (!listed && count >= maxSensors && !recorded) {
      return refused(
        reading,
        'tooManySensors',
        `${asset}/${sensor} would be sensor ${count + 1} of at most ${maxSensors}`,
      );
    }
    return inUnit(reading, add(reading), recorded);
  };
}

function refused(reading: Reading, reason: DeadLetterReason, detail: string): DeadLetter {
  const { received } = reading;
  return {
    source: received?.source ?? '',
    position: received?.position ?? 0,
    arrivedAt: received?.arrivedAt ?? reading.timestamp,
    reason,
    detail,
    ...(received?.delivery !== undefined && { delivery: received.delivery }),
    origin: `${reading.asset}/${reading.sensor}`,
    payload: JSON.stringify({ value: reading.value, unit: reading.unit, timestamp: reading.timestamp }).slice(
      0,
      1024,
    ),
  };
}

/** One transaction's worth of entries, in order. */
export function toBatch(entries: readonly Entry[]): CommitBatch {
  const readings = [];
  const held = [];
  const ticks = [];
  const smoothed = [];
  const windows = [];
  const twins = [];
  const anomalies = [];
  const deadLetters = [];
  const positions = new Map<string, number>();
  let lastRow = 0;
  for (const { row, input, outputs, settled } of entries) {
    lastRow = row;
    for (const output of outputs) {
      if (output.type === 'reading') readings.push(output.reading);
      else if (output.type === 'smoothed') smoothed.push(output.smoothed);
      else if (output.type === 'window') windows.push(output.window);
      else if (output.type === 'twin') twins.push(output.twin);
      else anomalies.push(output.anomaly);
    }
    if (isTick(input)) {
      ticks.push({ row, at: input.at });
    } else {
      if (isDeadLetter(input)) deadLetters.push({ ...input, row });
      else if (!settled) held.push(input);
      const source = isDeadLetter(input) ? input.source : (input.received?.source ?? '');
      if (source !== '')
        positions.set(source, isDeadLetter(input) ? input.position : (input.received?.position ?? 0));
    }
  }
  return { lastRow, readings, held, ticks, smoothed, windows, twins, anomalies, deadLetters, positions };
}
