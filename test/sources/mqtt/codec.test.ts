import { describe, expect, it, vi } from 'vitest';
import { decodePayload, decodeRecord, MAX_BATCH, MAX_REFUSED } from '../../../src/sources/mqtt/codec.ts';
import type { DecodeMeta } from '../../../src/sources/mqtt/codec.ts';
import { isDeadLetter } from '../../../src/sources/source.ts';
import type { DeadLetter, DeadLetterReason, SourceEvent } from '../../../src/sources/source.ts';
import type { Reading } from '../../../operators/types.ts';

const ARRIVED = Date.UTC(2025, 9, 26, 10, 30, 16);
const META: DecodeMeta = {
  asset: 'R101',
  sensor: 'temperature',
  source: 'plant',
  position: 7,
  arrivedAt: ARRIVED,
  origin: 'reactor/R101/sensor/temperature',
  maxPayloadBytes: 65_536,
  maxFutureMs: 60_000,
};
const GIVEN = Date.UTC(2025, 9, 26, 10, 30, 15);

const decode = (payload: string | Uint8Array, meta = META): SourceEvent[] =>
  decodePayload(typeof payload === 'string' ? Buffer.from(payload) : payload, meta);

function one(payload: string | Uint8Array, meta = META): SourceEvent {
  const events = decode(payload, meta);
  expect(events).toHaveLength(1);
  return events[0]!;
}

function reading(payload: string | Uint8Array): Reading {
  const event = one(payload);
  if (isDeadLetter(event)) throw new Error(`${event.reason}: ${event.detail}`);
  return event;
}

function dead(payload: string | Uint8Array, meta = META): DeadLetter {
  const event = one(payload, meta);
  if (!isDeadLetter(event)) throw new Error(`a reading: ${JSON.stringify(event)}`);
  return event;
}

describe('decodePayload: readings', () => {
  it('reads the documented object, with what was received', () => {
    const payload =
      '{"value": 85.3, "unit": "degC", "timestamp": "2025-10-26T10:30:15.000Z", "quality": "Good"}';
    expect(reading(payload)).toEqual({
      asset: 'R101',
      sensor: 'temperature',
      timestamp: GIVEN,
      value: 85.3,
      unit: 'degC',
      quality: 'Good',
      issues: [],
      imputed: false,
      received: {
        row: 0,
        source: 'plant',
        position: 7,
        arrivedAt: ARRIVED,
        value: 85.3,
        unit: 'degC',
        quality: 'Good',
      },
    });
  });

  it.each<[string, Partial<Reading>]>([
    ['85.3', { value: 85.3, unit: '', timestamp: ARRIVED, quality: 'Good' }],
    [' -1.5e3\n', { value: -1500 }],
    ['0', { value: 0 }],
    ['null', { value: null, quality: 'Good' }],
    ['{"value":null}', { value: null }],
    ['{"unit":"degC"}', { value: null, unit: 'degC' }],
    ['{"timestamp":"2025-10-26T10:30:15Z"}', { value: null, timestamp: GIVEN }],
    ['{"value":1,"timestamp":null,"unit":null,"quality":null}', { value: 1, timestamp: ARRIVED, unit: '' }],
    ['{"value":1,"more":{"of":["this"]}}', { value: 1 }],
    ['{"value":1,"value":2}', { value: 2 }],
    ['{"value":1e-320}', { value: 1e-320 }],
    ['\uFEFF{"value":4}', { value: 4 }],
    ['{"value":4,"note":"\uFFFD"}', { value: 4 }],
    ['{"value":1,"unit":"µS/cm"}', { unit: 'µS/cm' }],
    [`{"value":1,"unit":"${'u'.repeat(32)}"}`, { unit: 'u'.repeat(32) }],
    ['{"value":1,"quality":"good"}', { quality: 'Good', issues: [] }],
    ['{"__proto__":{"value":9,"quality":"Bad"},"value":1}', { value: 1, quality: 'Good' }],
    ['{"value":1,"timestamp":1761474615000}', { timestamp: GIVEN }],
    ['{"value":1,"timestamp":1761474615000.25}', { timestamp: GIVEN + 0.25 }],
    ['{"value":1,"timestamp":0}', { timestamp: 0 }],
    ['{"value":1,"timestamp":"2025-10-26T10:30:15"}', { timestamp: GIVEN }],
    ['{"value":1,"timestamp":"2025-10-26 10:30:15"}', { timestamp: GIVEN }],
    ['{"value":1,"timestamp":"2025-10-26t10:30:15z"}', { timestamp: GIVEN }],
    ['{"value":1,"timestamp":"2025-10-26T10:30Z"}', { timestamp: GIVEN - 15_000 }],
    ['{"value":1,"timestamp":"2025-10-26T12:30:15+02:00"}', { timestamp: GIVEN }],
    ['{"value":1,"timestamp":"2025-10-26T12:30:15+0200"}', { timestamp: GIVEN }],
    ['{"value":1,"timestamp":"2025-10-26T12:30:15+02"}', { timestamp: GIVEN }],
    ['{"value":1,"timestamp":"2025-10-26T05:00:15-05:30"}', { timestamp: GIVEN }],
    ['{"value":1,"timestamp":"2025-10-26T10:30:15.1Z"}', { timestamp: GIVEN + 100 }],
    ['{"value":1,"timestamp":"2025-10-26T10:30:15,25Z"}', { timestamp: GIVEN + 250 }],
    ['{"value":1,"timestamp":"2025-10-26T10:30:15.123456789Z"}', { timestamp: GIVEN + 123.456 }],
    ['{"value":1,"timestamp":"2024-02-29T00:00:00Z"}', { timestamp: Date.UTC(2024, 1, 29) }],
    ['{"value":1,"timestamp":"2016-12-31T23:59:60Z"}', { timestamp: Date.UTC(2017, 0, 1) }],
    ['{"value":1,"timestamp":"1970-01-01T00:00:00Z"}', { timestamp: 0 }],
    ['{"value":1,"timestamp":"2025-10-26T10:31:16Z"}', { timestamp: ARRIVED + 60_000 }],
  ])('%s', (payload, expected) => {
    expect(reading(payload)).toMatchObject(expected);
  });

  it.each([
    ['Uncertain', 'Uncertain'],
    ['BAD', 'Bad'],
  ])('gives a reading of quality %s an issue of the source', (given, quality) => {
    const result = reading(JSON.stringify({ value: 1, quality: given }));
    expect(result.quality).toBe(quality);
    expect(result.issues).toEqual([{ check: 'source', message: `Source quality is ${quality}` }]);
    expect(result.received?.quality).toBe(quality);
  });

  it('takes a plain Uint8Array that is a part of a larger buffer', () => {
    const bytes = new Uint8Array(Buffer.from('xx12yy')).subarray(2, 4);
    expect(reading(bytes).value).toBe(12);
  });
});

const nested = (depth: number, inner = ''): string => '['.repeat(depth) + inner + ']'.repeat(depth);
const at = (timestamp: unknown): string => JSON.stringify({ value: 1, timestamp });

const BROKEN: Record<DeadLetterReason, (string | Uint8Array)[]> = {
  malformed: [
    '',
    ' ',
    '\0',
    '{',
    '}',
    '[',
    '{"value":',
    '{"value":}',
    '{"value":1',
    '{"value":1}}',
    '{"value":1} {"value":2}',
    "{'value':1}",
    '{value:1}',
    '{"value":1,}',
    '{"value":01}',
    '{"value":+1}',
    '{"value":.5}',
    '{"value":1.}',
    '{"value":0x10}',
    '{"value":NaN}',
    '{"value":Infinity}',
    '{"value":undefined}',
    '{"value":True}',
    '{"value":1}\0',
    '{"value":"\u0001"}',
    'NaN',
    '-Infinity',
    'undefined',
    'true',
    'false',
    '"85.3"',
    '""',
    'abc',
    '85,3',
    '85.3 degC',
    '1 2',
    '<value>85.3</value>',
    'value=85.3',
    'temperature,reactor=R101 value=85.3',
    '{}',
    '[]',
    '[1]',
    '[null]',
    '[[{"value":1}]]',
    '{"Value":1}',
    '{"v":1}',
    '{"__proto__":{"value":1}}',
    '{"constructor":1}',
    nested(5_000),
    nested(20_000, '{"value":1}'),
    '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000),
    '['.repeat(60_000),
    new Uint8Array([0xff, 0xfe, 0x31]),
    new Uint8Array([0x22, 0xc3, 0x28, 0x22]),
    new Uint8Array([0x7b, 0x22, 0x76, 0x61, 0x6c, 0x75, 0x65, 0x22, 0x3a, 0x31, 0x7d, 0x80]),
    Buffer.concat([Buffer.from('{"value":1,"unit":"'), Buffer.from([0xe2, 0x82]), Buffer.from('"}')]),
    Buffer.from('{"value":1}', 'utf16le'),
    new Uint8Array([0x1f, 0x8b, 0x08, 0x00, 0x00]),
  ],
  badValue: [
    '{"value":"85.3"}',
    '{"value":""}',
    '{"value":"NaN"}',
    '{"value":true}',
    '{"value":false}',
    '{"value":{}}',
    '{"value":[]}',
    '{"value":[85.3]}',
    '{"value":{"value":1}}',
    `{"value":${nested(20_000)}}`,
  ],
  notFinite: ['1e999', '-1e999', '{"value":1e999}', '{"value":-1e400}'],
  badTimestamp: [
    at(''),
    at('now'),
    at('2025-10-26'),
    at('2025-02-30T00:00:00Z'),
    at('2025-02-29T00:00:00Z'),
    at('1900-02-29T00:00:00Z'),
    at('2025-04-31T00:00:00Z'),
    at('2025-13-01T00:00:00Z'),
    at('2025-00-01T00:00:00Z'),
    at('2025-01-00T00:00:00Z'),
    at('2025-10-26T24:00:00Z'),
    at('2025-10-26T10:60:00Z'),
    at('2025-10-26T10:30:60Z'),
    at('2025-10-26T10:30:61Z'),
    at('2025-10-26T10:30:15+24:00'),
    at('2025-10-26T10:30:15+02:60'),
    at('2025-10-26T10:30:15 Z'),
    at('2025-10-26T10:30:15.Z'),
    at('2025-10-26T10:30:15.5.5Z'),
    at('2025-10-26T10:30:15Zulu'),
    at('2025-10-26T10:30:15+2'),
    at('2025-10-26T10'),
    at('2025-10-26T1030:15Z'),
    at('25-10-26T10:30:15Z'),
    at('26.10.2025 10:30:15'),
    at('10/26/2025 10:30:15'),
    at('20251026T103015Z'),
    at('Sun, 26 Oct 2025 10:30:15 GMT'),
    at('1969-12-31T23:59:59Z'),
    at('1970-01-01T00:00:00+01:00'),
    at('1761474615000'),
    at(' 2025-10-26T10:30:15Z'),
    at('２０２５-10-26T10:30:15Z'),
    at(-1),
    at(true),
    at({}),
    at([]),
    '{"value":1,"timestamp":1e999}',
  ],
  futureTimestamp: [
    at(ARRIVED + 60_001),
    at('2025-10-26T10:31:16.001Z'),
    at('9999-12-31T23:59:59Z'),
    at(8.64e15),
    at(1e300),
  ],
  badUnit: [
    '{"value":1,"unit":1}',
    '{"value":1,"unit":true}',
    '{"value":1,"unit":{}}',
    '{"value":1,"unit":["degC"]}',
    `{"value":1,"unit":"${'u'.repeat(33)}"}`,
    '{"value":1,"unit":"deg\\u0000C"}',
    '{"value":1,"unit":"degC\\n"}',
    '{"value":1,"unit":"\\ud800"}',
  ],
  badQuality: [
    '{"value":1,"quality":""}',
    '{"value":1,"quality":"ok"}',
    '{"value":1,"quality":"GOOD "}',
    '{"value":1,"quality":192}',
    '{"value":1,"quality":true}',
    '{"value":1,"quality":{}}',
    '{"value":1,"quality":"__proto__"}',
  ],
  oversized: [
    ' '.repeat(65_537),
    `{"value":1,"note":"${'x'.repeat(70_000)}"}`,
    Buffer.alloc(1_000_000, 0xff),
    JSON.stringify(Array.from({ length: MAX_BATCH + 1 }, () => 1)),
  ],
  badTopic: [],
  unknownAsset: [],
  tooManySensors: [],
};

describe('decodePayload: dead letters', () => {
  const cases = Object.entries(BROKEN).flatMap(([reason, payloads]) =>
    payloads.map((payload): [string, string, string | Uint8Array] => [
      reason,
      Buffer.from(payload).toString('latin1').slice(0, 40),
      payload,
    ]),
  );

  it('knows a hundred kinds of broken payload', () => {
    expect(cases.length).toBeGreaterThan(100);
  });

  it.each(cases)('%s: %j', (reason, _start, payload) => {
    const letter = dead(payload);
    expect(letter.reason).toBe(reason);
    expect(letter).toMatchObject({ source: 'plant', position: 7, arrivedAt: ARRIVED, origin: META.origin });
    expect(letter.detail.length).toBeGreaterThan(8);
    expect(letter.detail.length).toBeLessThan(200);
    expect(letter.payload.length).toBeLessThanOrEqual(1024);
    expect(letter.payload).not.toContain('\0');
    expect(letter.payload.isWellFormed()).toBe(true);
  });

  it('says key, value and what was expected', () => {
    expect(dead('{"value":"85.3"}').detail).toBe('value: "85.3" is not valid, expected a number or null');
    expect(dead('{"value":1,"quality":"ok"}').detail).toBe(
      'quality: "ok" is not valid, expected Good, Uncertain or Bad',
    );
    expect(dead('').detail).toBe('payload: empty, expected JSON');
    expect(dead('"x"').payload).toBe('"x"');
    expect(dead(`{"value":"${'9'.repeat(500)}"}`).detail).toContain(`"${'9'.repeat(63)}… is not valid`);
  });

  it('does not parse what is too long, and shows its beginning', () => {
    const letter = dead('{"value":1}', { ...META, maxPayloadBytes: 10 });
    expect(letter).toMatchObject({
      reason: 'oversized',
      detail: 'payload: 11 bytes, expected at most 10',
      payload: '{"value":1}',
    });
  });
});

describe('decodePayload: batches', () => {
  it('gives the last event the position and the others the one before', () => {
    const events = decode('[{"value":1},{"value":"x","unit":"degC"},{"value":3,"quality":"Bad"}]');
    expect(events.map((event) => (isDeadLetter(event) ? event.position : event.received?.position))).toEqual([
      6, 6, 7,
    ]);
    expect(events[0]).toMatchObject({ value: 1 });
    expect(events[1]).toMatchObject({
      reason: 'badValue',
      detail: '[1].value: "x" is not valid, expected a number or null',
      payload: '{"value":"x","unit":"degC"}',
    });
    expect(events[2]).toMatchObject({ value: 3, quality: 'Bad' });
  });

  it('gives a bad last element the position', () => {
    expect(decode('[{"value":1},7]').at(-1)).toMatchObject({
      reason: 'malformed',
      position: 7,
      detail: '[1]: 7 is not valid, expected an object with a value',
    });
  });

  it('reads up to its bound', () => {
    const meta = { ...META, maxPayloadBytes: 1_000_000 };
    const batch = JSON.stringify(Array.from({ length: MAX_BATCH }, (_, value) => ({ value })));
    expect(decode(batch, meta)).toHaveLength(MAX_BATCH);
    expect(dead(`${batch.slice(0, -1)},{"value":1}]`, meta)).toMatchObject({
      reason: 'oversized',
      detail: 'payload: an array of 10001 elements, expected at most 10000',
    });
  });
});

describe('decodeRecord', () => {
  it('serves other formats with the same rules', () => {
    expect(decodeRecord({ timestamp: GIVEN, asset: 'x', value: 2 }, META)).toMatchObject({
      timestamp: GIVEN,
      value: 2,
    });
    expect(decodeRecord(undefined, META)).toMatchObject({ reason: 'malformed', payload: 'undefined' });
    expect(decodeRecord({ value: 1n }, META)).toMatchObject({ reason: 'badValue' });
    expect(decodeRecord({ value: 'x' }, META, 'line 3')).toMatchObject({ payload: 'line 3' });
  });
});

describe('decodePayload: bounds', () => {
  it('asks the judge of future times before it refuses one', () => {
    const isTooFarAhead = vi.fn((timestamp: number) => timestamp > ARRIVED + 100_000);
    const meta = { ...META, isTooFarAhead };
    expect(one(`{"value":1,"timestamp":${ARRIVED + 60_000}}`, meta)).toMatchObject({ value: 1 });
    expect(isTooFarAhead).not.toHaveBeenCalled();
    expect(one(`{"value":1,"timestamp":${ARRIVED + 100_000}}`, meta)).toMatchObject({ value: 1 });
    expect(dead(`{"value":1,"timestamp":${ARRIVED + 100_001}}`, meta).reason).toBe('futureTimestamp');
  });

  it('makes of many bad elements the first 100 dead letters, one for the others, and the last', () => {
    const elements = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? '{"value":1}' : '"x"'));
    const events = decode(`[${elements.join()}]`, { ...META, delivery: 5 });
    const letters = events.filter((event) => isDeadLetter(event));
    expect(events).toHaveLength(500 + MAX_REFUSED + 2);
    expect(letters).toHaveLength(MAX_REFUSED + 2);
    expect(letters.at(-2)).toMatchObject({ detail: 'payload: 399 more elements are not valid', position: 6 });
    expect(letters.at(-1)).toMatchObject({ position: 7, delivery: 5 });
    expect(letters.at(-1)?.detail).toContain('[999]');
    expect(events.at(-1)).toBe(letters.at(-1));
    expect(letters.filter(({ delivery }) => delivery !== undefined)).toHaveLength(1);
  });

  it('does not keep a long payload alive by the beginning of it', () => {
    const letter = dead(`"${'é'.repeat(20_000)}`);
    expect(letter.payload).toBe(`"${'é'.repeat(1023)}`);
  });
});
