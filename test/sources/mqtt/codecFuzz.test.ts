import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePayload, MAX_BATCH } from '../../../src/sources/mqtt/codec.ts';
import type { DecodeMeta } from '../../../src/sources/mqtt/codec.ts';
import { isDeadLetter } from '../../../src/sources/source.ts';
import type { SourceEvent } from '../../../src/sources/source.ts';

const MAX_BYTES = 65_536;
const META: DecodeMeta = {
  asset: 'R101',
  sensor: 'temperature',
  source: 'plant',
  position: 7,
  delivery: 99,
  arrivedAt: Date.UTC(2026, 0, 1),
  origin: 'reactor/R101/sensor/temperature',
  maxPayloadBytes: MAX_BYTES,
  maxFutureMs: 60_000,
};

const positionOf = (event: SourceEvent): number =>
  isDeadLetter(event) ? event.position : (event.received?.position ?? -1);
const deliveryOf = (event: SourceEvent): number | undefined =>
  isDeadLetter(event) ? event.delivery : event.received?.delivery;

/** What holds for every payload whatever. */
function check(payload: Uint8Array): SourceEvent[] {
  const events = decodePayload(payload, META);
  const last = events.at(-1);
  if (last === undefined) throw new Error('no event');
  expect(events.length).toBeLessThanOrEqual(MAX_BATCH);
  expect([positionOf(last), deliveryOf(last)]).toEqual([7, 99]);
  for (const event of events) {
    if (event !== last && (positionOf(event) !== 6 || deliveryOf(event) !== undefined)) {
      throw new Error('an event before the last has the position or the name of the message');
    }
    if (isDeadLetter(event)) {
      for (const text of [event.payload, event.detail, event.origin]) {
        if (text.length > 1024 || !text.isWellFormed() || text.includes('\0')) {
          throw new Error(`not to be stored: ${text}`);
        }
      }
      continue;
    }
    const { value, timestamp, unit } = event;
    const sound =
      (value === null || (Number.isFinite(value) && !Object.is(value, -0))) &&
      timestamp >= 0 &&
      timestamp <= META.arrivedAt + META.maxFutureMs &&
      unit.length <= 32 &&
      unit.isWellFormed();
    if (!sound) throw new Error(`not a reading: ${JSON.stringify(event)}`);
  }
  return events;
}

const bytes = (text: string): Buffer => Buffer.from(text);

/** Pieces that hurt parsers, to be strung together. */
const SHARDS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u',
    '\\ud800',
    '\\u0000',
    ' ',
    '\n',
    '\uFEFF',
    '\0',
    '\uFFFD',
  ],
  ...['null', 'true', 'NaN', 'Infinity', '-', '-0', '0', '01', '1e400', '-1e400', '1e-400', '9'.repeat(400)],
  ...[
    '"value"',
    '"unit"',
    '"timestamp"',
    '"quality"',
    '"__proto__"',
    '"constructor"',
    '"toJSON"',
    '"value":',
  ],
  ...[
    '"good"',
    '"BAD"',
    '"2026-01-01T00:00:00Z"',
    '"9999-12-31T23:59:60.999999999+23:59"',
    '1767225600000',
    '/*',
  ],
  ...['{"value":1}', '{"value":1,', '[[[[', ']]]]', '[1,2]', 'é', '😀', '\u2028', "'"],
];

const field = fc.oneof(
  fc.double(),
  fc.constantFrom(-0, 1e308, 5e-324, 2 ** 53, -1, Date.UTC(2026, 0, 1)),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom('good', 'degC', '2026-01-01T00:00:00Z', '2025-02-30T00:00:00Z', '\ud800', 'u'.repeat(33)),
  fc.jsonValue({ maxDepth: 4 }),
);
const record = fc.record(
  { value: field, unit: field, timestamp: field, quality: field, more: field },
  { requiredKeys: [] },
);
const json = fc.oneof(fc.jsonValue(), record, fc.array(fc.oneof(record, fc.jsonValue()), { maxLength: 30 }));

/** JSON with some bytes replaced, cut out or doubled. */
const mutated = fc
  .tuple(
    json.map((value) => JSON.stringify(value)),
    fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  )
  .map(([text, changes]) => {
    let result = bytes(text);
    for (const [where, how, byte] of changes) {
      const at = where % (result.length + 1);
      const middle = how === 0 ? [] : how === 1 ? [byte] : [...result.subarray(at, at + 8), byte];
      result = Buffer.concat([
        result.subarray(0, at),
        Buffer.from(middle),
        result.subarray(at + (how === 0 ? 3 : 1)),
      ]);
    }
    return result;
  });

describe('decodePayload takes whatever comes', () => {
  it.each<[string, fc.Arbitrary<Uint8Array>]>([
    ['any bytes', fc.uint8Array({ maxLength: 300 })],
    ['any text', fc.string({ unit: 'binary', maxLength: 300 }).map(bytes)],
    ['shards of JSON', fc.array(fc.constantFrom(...SHARDS), { maxLength: 25 }).map((s) => bytes(s.join('')))],
    ['JSON of all kinds', json.map((value) => bytes(JSON.stringify(value)))],
    ['damaged JSON', mutated],
  ])('%s', (_name, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (payload) => {
        check(payload);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['{"value":-0}', 0],
    ['-0', 0],
    ['-0.0e5', 0],
    ['{"__proto__":{"value":2},"value":3}', 3],
    ['{"value":1,"value":"x","value":4}', 4],
    ['{"value":5,"toJSON":1,"constructor":null,"hasOwnProperty":0}', 5],
  ])('%s is %d', (text, value) => {
    expect(check(bytes(text))).toEqual([expect.objectContaining({ value })]);
  });
});

/** Fills the space that a payload may take. */
const filled = (open: string, item: string, close: string): string =>
  open + item.repeat(Math.floor((MAX_BYTES - open.length - close.length) / item.length)) + close;
const batch = (item: string, count = MAX_BATCH): string => `[${Array(count).fill(item).join()}]`;
const nested = (open: string, inner: string, close: string): string => {
  const depth = Math.floor((MAX_BYTES - inner.length) / (open.length + close.length));
  return open.repeat(depth) + inner + close.repeat(depth);
};

const HEAVY: readonly [string, Uint8Array][] = [
  ['arrays in arrays', bytes(nested('[', '', ']'))],
  ['arrays in arrays, unclosed', bytes('['.repeat(MAX_BYTES))],
  ['objects in objects', bytes(nested('{"value":', '1', '}'))],
  ['an array with one deep element', bytes(`[${nested('[', '', ']').slice(1, -1)}]`)],
  [
    'many deep elements',
    bytes(
      `[${Array(30)
        .fill('['.repeat(1000) + ']'.repeat(1000))
        .join()}]`,
    ),
  ],
  ['a deep unit', bytes(`{"value":1,"unit":${nested('[', '', ']').slice(20, -20)}}`)],
  ['a batch of numbers', bytes(batch('1'))],
  ['a batch of nulls', bytes(batch('null'))],
  ['a batch of empty objects', bytes(batch('{}'))],
  ['a batch of texts', bytes(batch('"x"'))],
  ['a batch of empty arrays', bytes(batch('[]'))],
  ['a batch of bad values', bytes(batch('{"value":[]}', 5000))],
  ['a batch of bad times', bytes(batch('{"value":1,"timestamp":"x"}', 2300))],
  ['a batch of readings', bytes(batch('{"value":1}', 5400))],
  ['too many numbers', bytes(filled('[1', ',1', ']'))],
  ['a long text', bytes(filled('"', 'x', '"'))],
  ['escapes', bytes(filled('"', '\\ud800', '"'))],
  ['zeros', bytes(filled('"', '\0', '"'))],
  ['a long number', bytes(filled('1', '7', ''))],
  ['a long fraction', bytes(filled('{"value":0.', '3', '}'))],
  ['a long exponent', bytes(filled('1e', '9', ''))],
  ['a long unit', bytes(filled('{"value":1,"unit":"', 'u', '"}'))],
  ['a long quality', bytes(filled('{"value":1,"quality":"', 'G', '"}'))],
  ['a long timestamp', bytes(filled('{"value":1,"timestamp":"2026-01-01T00:00:00.', '0', 'Z"}'))],
  ['many keys', bytes(`{${Array.from({ length: 6000 }, (_, i) => `"${i}":0`).join()}}`)],
  ['the same key', bytes(filled('{"value":1', ',"value":1', '}'))],
  ['blanks', bytes(filled('', ' ', ''))],
  ['invalid UTF-8', Buffer.alloc(MAX_BYTES, 0xff)],
  ['cut UTF-8', Buffer.concat([bytes(filled('"', 'é', '')), Buffer.of(0xc3)])],
  ['surrogates', bytes(filled('', '😀', ''))],
  ['binary', Buffer.from(Array.from({ length: MAX_BYTES }, (_, i) => (i * 7919) >>> 3))],
  ['oversized', Buffer.alloc(MAX_BYTES * 10, 0x20)],
];

const RUNS = 10;

describe('no payload takes more than some milliseconds of CPU', () => {
  it.each(HEAVY)('%s', (_name, payload) => {
    check(payload);
    const before = process.threadCpuUsage();
    for (let i = 0; i < RUNS; i += 1) decodePayload(payload, META);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000 / RUNS).toBeLessThan(10);
  });
});
