import { NO_ISSUES } from '../../../operators/types.ts';
import type { Issue, Quality, Reading } from '../../../operators/types.ts';
import type { FutureLimit } from '../futureLimit.ts';
import { isDeadLetter } from '../source.ts';
import type { DeadLetter, DeadLetterReason, SourceEvent } from '../source.ts';
import { preview } from './preview.ts';
import { parseTimestamp } from './timestamp.ts';

/** Readings in one payload beyond this: the payload is a dead letter. */
export const MAX_BATCH = 10_000;
/** Dead letters of one payload; what is refused beyond is one more, with the number. */
export const MAX_REFUSED = 100;
const MAX_UNIT = 32;
const MAX_PAYLOAD_TEXT = 1024;
const MAX_SHOWN = 64;

/** What surrounds a payload: where it came from, when, and how much is allowed of it. */
export interface DecodeMeta {
  readonly asset: string;
  readonly sensor: string;
  /** Id of the source. */
  readonly source: string;
  readonly position: number;
  /** Name of the delivery; goes with the position, to the last event. */
  readonly delivery?: number | undefined;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
  /** Topic, or file and line. */
  readonly origin: string;
  readonly maxPayloadBytes: number;
  /** The time of a reading that comes without one, each another. Default: `arrivedAt`. */
  readonly timeOfArrival?: () => number;
  /** Timestamps further ahead of `arrivedAt` are refused. */
  readonly maxFutureMs: number;
  /** Has the last word on such a timestamp, e.g. because the clock behind `arrivedAt` was set back. */
  readonly isTooFarAhead?: FutureLimit;
}

interface RecordFields {
  readonly value?: unknown;
  readonly unit?: unknown;
  readonly timestamp?: unknown;
  readonly quality?: unknown;
}

const isRecord = (value: unknown): value is RecordFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const QUALITIES: ReadonlyMap<string, Quality> = new Map([
  ['good', 'Good'],
  ['uncertain', 'Uncertain'],
  ['bad', 'Bad'],
]);

const SOURCE_ISSUES: Readonly<Record<Quality, readonly Issue[]>> = {
  Good: NO_ISSUES,
  Uncertain: Object.freeze([{ check: 'source', message: 'Source quality is Uncertain' }]),
  Bad: Object.freeze([{ check: 'source', message: 'Source quality is Bad' }]),
};

/**
 * The readings of one payload: a JSON object `{value, unit?, timestamp?, quality?}`, an array of such objects, or a
 * bare number or null. What cannot be read becomes a dead letter; an array's good elements are read all the same, and of
 * its bad ones the first 100 and the last become dead letters, the others one together.
 *
 * At least one event; the last carries `meta.position`, the others the position before it. Never throws.
 */
export function decodePayload(payload: Uint8Array, meta: DecodeMeta): SourceEvent[] {
  if (payload.length > meta.maxPayloadBytes) {
    const detail = `payload: ${payload.length} bytes, expected at most ${meta.maxPayloadBytes}`;
    return [deadLetter('oversized', detail, meta, textOf(payload.subarray(0, 4 * MAX_PAYLOAD_TEXT)))];
  }
  if (payload.length === 0) return [deadLetter('malformed', 'payload: empty, expected JSON', meta, '')];

  let text = textOf(payload);
  if (text.includes('\uFFFD') && !isUtf8(payload)) {
    return [deadLetter('malformed', 'payload: not UTF-8, expected JSON in UTF-8', meta, text)];
  }
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);

  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [deadLetter('malformed', `payload: ${shown(text)} is not JSON`, meta, text)];
  }
  if (typeof parsed === 'number') return [bareNumber(parsed, meta, text)];
  if (parsed === null) return [reading(null, '', 'Good', arrivalOf(meta), meta)];
  if (Array.isArray(parsed)) return decodeBatch(parsed, meta, text);
  return [decodeRecord(parsed, meta, text)];
}

/**
 * One object with the fields `value`, `unit`, `timestamp` and `quality` as a reading, or a dead letter that says what
 * is wrong. Other fields are ignored; null is as good as absent. Never throws.
 *
 * @param text the object as it was received, for the dead letter; by default made from the object
 * @param path where the object stands in its payload, for the dead letter's detail: '' or '[3]'
 */
export function decodeRecord(record: unknown, meta: DecodeMeta, text?: string, path = ''): SourceEvent {
  return decodeOr(record, meta, (reason, key, value, expected) => {
    const name = path === '' || key === '' ? `${path}${key}` : `${path}.${key}`;
    const detail = `${name === '' ? 'payload' : name}: ${shown(value)} is not valid, expected ${expected}`;
    return deadLetter(reason, detail, meta, text ?? preview(record, MAX_PAYLOAD_TEXT));
  });
}

function decodeOr<R>(
  record: unknown,
  meta: DecodeMeta,
  refuse: (reason: DeadLetterReason, key: string, value: unknown, expected: string) => R,
): Reading | R {
  if (!isRecord(record)) return refuse('malformed', '', record, 'an object with a value');

  const value = record.value ?? null;
  if (value === null) {
    if (!hasKnownKey(record)) return refuse('malformed', '', record, 'an object with a value');
  } else if (typeof value !== 'number') {
    return refuse('badValue', 'value', value, 'a number or null');
  } else if (!Number.isFinite(value)) {
    return refuse('notFinite', 'value', value, 'a finite number');
  }

  const unit = record.unit ?? '';
  if (typeof unit !== 'string' || !isUnit(unit)) {
    return refuse('badUnit', 'unit', unit, `text of at most ${MAX_UNIT} characters`);
  }

  const quality = qualityOf(record.quality ?? 'Good');
  if (quality === undefined) {
    return refuse('badQuality', 'quality', record.quality, 'Good, Uncertain or Bad');
  }

  const given = record.timestamp ?? arrivalOf(meta);
  const timestamp = typeof given === 'string' ? parseTimestamp(given) : given;
  if (typeof timestamp !== 'number' || !(timestamp >= 0) || timestamp === Infinity) {
    return refuse('badTimestamp', 'timestamp', given, 'an RFC 3339 time or epoch milliseconds, from 1970 on');
  }
  if (
    timestamp > meta.arrivedAt + meta.maxFutureMs &&
    (meta.isTooFarAhead?.(timestamp, meta.arrivedAt) ?? true)
  ) {
    return refuse(
      'futureTimestamp',
      'timestamp',
      given,
      `at most ${meta.maxFutureMs} ms after its arrival at ${meta.arrivedAt}`,
    );
  }
  return reading(value, unit, quality, timestamp, meta);
}

/** A dead letter of this source; payload and detail are cut to what the store can take. */
export function deadLetter(
  reason: DeadLetterReason,
  detail: string,
  meta: Pick<DecodeMeta, 'source' | 'position' | 'delivery' | 'arrivedAt' | 'origin'>,
  text: string,
): DeadLetter {
  const { source, position, delivery, arrivedAt } = meta;
  return {
    source,
    position,
    arrivedAt,
    reason,
    detail: storable(detail),
    origin: storable(meta.origin),
    payload: storable(text),
    ...(delivery === undefined ? {} : { delivery }),
  };
}

/** Negative zero is a zero: it would not survive JSON, and checkpoints and rows shall agree to the last bit. */
const unsigned = (value: number | null): number | null => (value === 0 ? 0 : value);

function reading(
  given: number | null,
  unit: string,
  quality: Quality,
  timestamp: number,
  meta: DecodeMeta,
): Reading {
  const { source, position, delivery, arrivedAt } = meta;
  const value = unsigned(given);
  return {
    asset: meta.asset,
    sensor: meta.sensor,
    timestamp,
    value,
    unit,
    quality,
    issues: SOURCE_ISSUES[quality],
    imputed: false,
    received:
      delivery === undefined
        ? { row: 0, source, position, arrivedAt, value, unit, quality }
        : { row: 0, source, position, arrivedAt, value, unit, quality, delivery },
  };
}

function bareNumber(value: number, meta: DecodeMeta, text: string): SourceEvent {
  if (Number.isFinite(value)) return reading(value, '', 'Good', arrivalOf(meta), meta);
  return deadLetter('notFinite', `value: ${shown(text)} is not valid, expected a finite number`, meta, text);
}

function decodeBatch(elements: readonly unknown[], meta: DecodeMeta, text: string): SourceEvent[] {
  if (elements.length === 0) return [deadLetter('malformed', 'payload: an empty array', meta, text)];
  if (elements.length > MAX_BATCH) {
    const detail = `payload: an array of ${elements.length} elements, expected at most ${MAX_BATCH}`;
    return [deadLetter('oversized', detail, meta, text)];
  }
  const before = { ...meta, position: meta.position - 1, delivery: undefined };
  const events: SourceEvent[] = [];
  let refused = 0;
  const last = elements.length - 1;
  for (let i = 0; i < last; i += 1) {
    const event =
      refused < MAX_REFUSED
        ? decodeRecord(elements[i], before, undefined, `[${i}]`)
        : decodeOr(elements[i], before, () => undefined);
    if (event !== undefined) events.push(event);
    if (event === undefined || isDeadLetter(event)) refused += 1;
  }
  if (refused > MAX_REFUSED) {
    const detail = `payload: ${refused - MAX_REFUSED} more elements are not valid`;
    events.push(deadLetter('malformed', detail, before, text));
  }
  events.push(decodeRecord(elements[last], meta, undefined, `[${last}]`));
  return events;
}

const hasKnownKey = (record: RecordFields): boolean =>
  ['value', 'unit', 'timestamp', 'quality'].some((key) => Object.hasOwn(record, key));

/** Control characters have no place in a unit, and not every store takes them. */
function isUnit(unit: string): boolean {
  if (unit.length > MAX_UNIT) return false;
  for (let i = 0; i < unit.length; i += 1) {
    const code = unit.charCodeAt(i);
    if (code < 32 || code === 127) return false;
  }
  return unit.isWellFormed();
}

function qualityOf(value: unknown): Quality | undefined {
  if (value === 'Good') return value;
  return typeof value === 'string' ? QUALITIES.get(value.toLowerCase()) : undefined;
}

const textOf = (bytes: Uint8Array): string =>
  (bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).toString();

/** Buffer's decoder puts U+FFFD where a byte is invalid, but the sender may have sent that very character. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function shown(value: unknown): string {
  const text = preview(value, MAX_SHOWN);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** A cut string would keep the whole alive, so it is copied; that also puts U+FFFD for half of a surrogate pair. */
const cut = (text: string, length: number): string => Buffer.from(text.slice(0, length)).toString();

const storable = (text: string): string =>
  (text.length > MAX_PAYLOAD_TEXT ? cut(text, MAX_PAYLOAD_TEXT) : text)
    .replaceAll('\0', '\uFFFD')
    .toWellFormed();

const arrivalOf = ({ arrivedAt, timeOfArrival }: DecodeMeta): number => timeOfArrival?.() ?? arrivedAt;
