/** What can go wrong with a sensor of the simulated plant. */
export const FAULT_KINDS = ['spike', 'stuck', 'dropout', 'bias', 'drift', 'noise', 'bad'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * `size` in the sensor's unit: spike and bias add it, drift adds it per second, noise has it as its standard
 * deviation; stuck, dropout (no value) and bad (quality Bad) have no size.
 */
export interface PlantFault {
  readonly kind: FaultKind;
  readonly asset: string;
  readonly sensor: string;
  /** Seconds after the plant's start. */
  readonly startS: number;
  readonly durationS: number;
  readonly size: number;
}

const FORM = 'kind:asset/sensor:startS:durationS[:size]';

/** Sizes where none is given, by sensor; a drift takes a fiftieth of it per second. */
const DEFAULT_SIZE: Readonly<Record<string, number>> = { temperature: 35, pressure: 1, flow_rate: 50 };

/**
 * Reads a fault such as `spike:R101/temperature:10:2:35`.
 * @throws RangeError that says which part is wrong.
 */
export function parseFault(text: string): PlantFault {
  const parts = text.split(':');
  const [kindText, target, startText, durationText, sizeText] = parts;
  const kind = FAULT_KINDS.find((known) => known === kindText);
  const fail = (what: string): never => {
    throw new RangeError(`fault ${JSON.stringify(text)}: ${what}; expected ${FORM}`);
  };
  if (kind === undefined) return fail(`unknown kind, expected one of ${FAULT_KINDS.join(', ')}`);
  const [asset, sensor, ...more] = (target ?? '').split('/');
  if (!asset || !sensor || more.length > 0) return fail('the target is not asset/sensor');
  if (parts.length > 5) return fail('too many parts');
  const number = (part: string | undefined, name: string, min: number): number => {
    const value = part === undefined || part.trim() === '' ? Number.NaN : Number(part);
    return Number.isFinite(value) && value >= min ? value : fail(`${name} is not a number >= ${min}`);
  };
  const size =
    sizeText === undefined ? defaultSize(kind, sensor) : number(sizeText, 'size', Number.NEGATIVE_INFINITY);
  return {
    kind,
    asset,
    sensor,
    startS: number(startText, 'startS', 0),
    durationS: number(durationText, 'durationS', 0),
    size,
  };
}

function defaultSize(kind: FaultKind, sensor: string): number {
  const size = DEFAULT_SIZE[sensor] ?? 10;
  if (kind === 'drift') return size / 50;
  return kind === 'noise' || kind === 'bias' ? size / 5 : size;
}
