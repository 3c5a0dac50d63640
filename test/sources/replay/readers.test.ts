import { describe, expect, test } from 'vitest';
import type { Reading } from '../../../operators/types.ts';
import { recordedClock } from '../../../src/sources/replay/clock.ts';
import { localTime } from '../../../src/sources/replay/localTime.ts';
import { MAX_LINE } from '../../../src/sources/replay/lines.ts';
import { InputError, readRecorded } from '../../../src/sources/replay/readers.ts';
import type { ReadOptions } from '../../../src/sources/replay/readers.ts';
import { isDeadLetter } from '../../../src/sources/source.ts';
import type { SourceEvent } from '../../../src/sources/source.ts';

async function* inPieces(text: string | Buffer, size: number): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function read(
  text: string | Buffer,
  options: Partial<ReadOptions> = {},
  size = 1 << 16,
): Promise<SourceEvent[]> {
  const events: SourceEvent[] = [];
  const form = { source: 'r', name: 'f', linesBefore: 0, timeZone: 'UTC', separator: null, wide: null };
  for await (const batch of readRecorded(inPieces(text, size), {
    ...form,
    clock: recordedClock(),
    ...options,
  })) {
    events.push(...batch.events);
  }
  return events;
}

/** `asset/sensor value@time quality unit`, or the dead letter's line, reason and detail. */
const told = (event: SourceEvent): string =>
  isDeadLetter(event)
    ? `${event.origin} ${event.reason} ${event.detail}`
    : `${event.asset}/${event.sensor} ${event.value}@${event.timestamp} ${event.quality} ${event.unit}`.trim();

const HEADER = 'timestamp,asset,sensor,value\n';

describe('a long recording', () => {
  test('columns in any order, with unit and quality, spaces, CRLF and a byte order mark', async () => {
    const text =
      '\uFEFFsensor,Asset, value ,timestamp,quality,unit\r\n' +
      'temperature,R101, 85.25 ,1000,,degC\r\n' +
      'pressure,R101,2.5e-1,1970-01-01T00:00:02Z,Uncertain,MPa\r\n' +
      '\r\n' +
      'pressure,R101,-3,1970-01-01 02:00:03.5+02:00,bad,';
    expect((await read(text)).map(told)).toEqual([
      'R101/temperature 85.25@1000 Good degC',
      'R101/pressure 0.25@2000 Uncertain MPa',
      'R101/pressure -3@3500 Bad',
    ]);
  });

  test.each(['', ' ', 'null', 'NaN', 'nan', 'NA'])('the cell "%s" is a missing reading', async (cell) => {
    expect((await read(`${HEADER}1000,R101,t,${cell}\n`)).map(told)).toEqual(['R101/t null@1000 Good']);
  });

  test.each([
    ['1000,R101,t,warm', 'badValue value: "warm" is not valid, expected a number or null'],
    ['1000,R101,t,0x1F', 'badValue value: "0x1F" is not valid, expected a number or null'],
    ['1000,R101,t,Infinity', 'notFinite value: Infinity is not valid, expected a finite number'],
    ['1000,R101,t,-inf', 'notFinite value: Infinity is not valid, expected a finite number'],
    ['1000,R101,t,1e999', 'notFinite value: Infinity is not valid, expected a finite number'],
    ['1000,R101,t,85,3', 'malformed line: 5 cells, expected 4 as in the header'],
    ['1000,R101,t', 'malformed line: 3 cells, expected 4 as in the header'],
    ['1000,,t,85', 'malformed asset: "" is not valid, expected 1 to 128 characters without /'],
    ['1000,R101,a/b,85', 'malformed sensor: "a/b" is not valid, expected 1 to 128 characters without /'],
    [
      ',R101,t,85',
      'badTimestamp timestamp: "" is not valid, expected an ISO 8601 time or epoch milliseconds, from 1970 on',
    ],
    [
      '2025-02-30T00:00:00Z,R101,t,85',
      'badTimestamp timestamp: "2025-02-30T00:00:00Z" is not valid, expected an ISO 8601 time or epoch milliseconds, from 1970 on',
    ],
    [
      '1761474615000000000,R101,t,85',
      'badTimestamp timestamp: "1761474615000000000" is not valid, expected an ISO 8601 time or epoch milliseconds, from 1970 on',
    ],
  ])('%s is a dead letter, and the line after it is read', async (line, problem) => {
    expect((await read(`${HEADER}${line}\n2000,R101,t,1\n`)).map(told)).toEqual([
      `f:2 ${problem}`,
      'R101/t 1@2000 Good',
    ]);
  });

  test('quotes: within a line, over lines, doubled, and never closed', async () => {
    const text =
      '"timestamp","asset","sensor","value","note"\n' +
      '1000,"R101","t","85","said ""hot"", twice"\n' +
      '2000,R101,t,86,"over\ntwo lines"\n' +
      '3000,R101,t,87,plain\n' +
      '4000,R101,t,88,"never closed\n' +
      '5000,R101,t,89,plain\n';
    expect((await read(text)).map(told)).toEqual([
      'R101/t 85@1000 Good',
      'R101/t 86@2000 Good',
      'R101/t 87@3000 Good',
      'f:6 malformed line: "4000,R101,t,88,\\"never closed" is not CSV (quotes do not match)',
      'R101/t 89@5000 Good',
    ]);
  });

  test('is the same however it is cut into chunks', async () => {
    const text = `timestamp;asset;sensor;value;unit\r\n${Array.from({ length: 40 }, (_, i) => `${i * 1000};R101;"Ö${i % 3}";${i / 3};°C\r\n`).join('')}`;
    const whole = await read(text);
    expect(whole).toHaveLength(40);
    expect(told(whole[39]!)).toBe('R101/Ö0 13@39000 Good °C');
    for (const size of [1, 2, 3, 7, 100]) expect(await read(text, {}, size)).toEqual(whole);
  });

  test('positions are line numbers over all inputs; arrival is the clock of the recording', async () => {
    const events = await read(`${HEADER}2000,R101,t,1\n1000,R101,t,2\nx,R101,t,3\n`, { linesBefore: 10 });
    expect(events.map((event) => (isDeadLetter(event) ? event : event.received))).toMatchObject([
      { source: 'r', position: 12, arrivedAt: 2000, value: 1 },
      { source: 'r', position: 13, arrivedAt: 2000, value: 2 },
      { source: 'r', position: 14, arrivedAt: 2000, origin: 'f:4', payload: 'x,R101,t,3' },
    ]);
  });

  test('NDJSON keeps the rules of an MQTT payload', async () => {
    const text =
      '{"timestamp":"1970-01-01T00:00:01Z","asset":"R101","sensor":"t","value":85.5,"unit":"degC","quality":"good"}\n' +
      '\n{"timestamp":2000,"asset":"R101","sensor":"t","value":null}\n' +
      '{"timestamp":3000,"asset":"R101","sensor":"t","value":"85"}\n' +
      '{"asset":"R101","sensor":"t","value":85}\n' +
      '{"timestamp":3000,"sensor":"t","value":85}\n[1]\n{broken\n' +
      `{"timestamp":3000,"asset":"${'x'.repeat(MAX_LINE)}"}\n` +
      '{"timestamp":4000,"asset":"R101","sensor":"t","value":86}';
    expect((await read(text)).map(told)).toEqual([
      'R101/t 85.5@1000 Good degC',
      'R101/t null@2000 Good',
      'f:4 badValue value: "85" is not valid, expected a number or null',
      'f:5 badTimestamp timestamp: missing, expected an ISO 8601 time or epoch milliseconds, from 1970 on',
      'f:6 malformed asset: undefined is not valid, expected 1 to 128 characters without /',
      'f:7 malformed line: "[1]" is not valid, expected a JSON object',
      'f:8 malformed line: "{broken" is not JSON',
      `f:9 oversized line: longer than ${MAX_LINE} characters`,
      'R101/t 86@4000 Good',
    ]);
  });

  test.each([
    ['', 'f: is empty'],
    ['\n \n', 'f: is empty'],
    ['a,b\n1,2\n', 'f: the header lacks timestamp, asset, sensor, value; expected'],
    ['timestamp,asset,sensor,value,value\n', 'f: the header has the column value twice'],
    ['\0\0', 'f: not a text in UTF-8'],
  ])('the input %j cannot be read', async (text, problem) => {
    await expect(read(text)).rejects.toThrow(InputError);
    await expect(read(text)).rejects.toThrow(problem);
  });
});

describe('a recording in Latin-1', () => {
  const header = 'timestamp,asset,sensor,value,unit\n';
  // A U+FFFD that was written is one.
  const mixed = Buffer.concat([
    Buffer.from(`${header}1000,R101,t,85,\u00B0C\n2000,R101,t,86,\uFFFDC\n`),
    Buffer.from('3000,R101,t,87,\u00B0C\n4000,R101,t,88,"\u00B0C"\n', 'latin1'),
    Buffer.from('5000,R101,t,89,K\n6000,R101,t,90,\u00E9', 'latin1'),
  ]);
  test.each([1, 2, 3, 5, 1 << 16])(
    'lines that are not UTF-8 are dead letters, in pieces of %d',
    async (size) => {
      const detail = 'malformed line: not UTF-8, expected a text in UTF-8';
      expect((await read(mixed, {}, size)).map(told)).toEqual([
        'R101/t 85@1000 Good \u00B0C',
        'R101/t 86@2000 Good \uFFFDC',
        `f:4 ${detail}`,
        `f:5 ${detail}`,
        'R101/t 89@5000 Good K',
        `f:7 ${detail}`,
      ]);
    },
  );
  test('a header, and NDJSON', async () => {
    const wide = { asset: 'V1', time: 'time', map: new Map([['Druck', 'p']]) };
    const text = Buffer.from('time;Druck;T in \u00B0C\n1000;1;2\n', 'latin1');
    await expect(read(text, { wide })).rejects.toThrow('f:1: not UTF-8, expected a text in UTF-8');
    const json = '{"timestamp":1000,"asset":"R101","sensor":"t","value":1,"unit":"\u00B0C"}\n';
    const events = (await read(Buffer.from(json, 'latin1'))).map(told);
    expect(events).toEqual(['f:1 malformed line: not UTF-8, expected a text in UTF-8']);
  });
});

describe('a wide recording', () => {
  const wide = {
    asset: 'V1',
    time: 'datetime',
    map: new Map([
      ['Temperature', 'temperature'],
      ['Flow Rate', 'flow'],
    ]),
  };

  test('a row becomes a reading of each mapped column; only the last releases the line', async () => {
    const text =
      'datetime;Flow Rate;x;Temperature\n2020-03-09 10:14:33;32.5;;85\n2020-03-09 10:14:34;;1;hot\nnever;1;1;1\n';
    const events = await read(text, { wide });
    const at = Date.UTC(2020, 2, 9, 10, 14, 33);
    expect(events.map(told)).toEqual([
      `V1/temperature 85@${at} Good`,
      `V1/flow 32.5@${at} Good`,
      'f:3 badValue Temperature.value: "hot" is not valid, expected a number or null',
      `V1/flow null@${at + 1000} Good`,
      'f:4 badTimestamp timestamp: "never" is not valid, expected an ISO 8601 time or epoch milliseconds, from 1970 on',
    ]);
    expect(events.slice(0, 2).map((event) => (event as Reading).received?.position)).toEqual([1, 2]);
  });

  test('a column that the header lacks is named', async () => {
    await expect(read('datetime,Temperature\n', { wide })).rejects.toThrow(
      'f: the header lacks Flow Rate; found datetime, Temperature',
    );
  });
});

describe('wall-clock times', () => {
  const wall = (text: string): number => Date.parse(`${text}Z`);
  const iso = (zone: string, text: string): string => new Date(localTime(zone)(wall(text))).toISOString();

  test.each([
    ['Europe/Berlin', '2025-01-15T12:00:00', '2025-01-15T11:00:00.000Z'],
    ['Europe/Berlin', '2025-07-15T12:00:00', '2025-07-15T10:00:00.000Z'],
    ['Europe/Berlin', '2025-03-30T01:59:59', '2025-03-30T00:59:59.000Z'],
    ['Europe/Berlin', '2025-03-30T02:30:00', '2025-03-30T01:30:00.000Z'], // skipped: becomes 03:30
    ['Europe/Berlin', '2025-03-30T03:00:00', '2025-03-30T01:00:00.000Z'],
    ['Europe/Berlin', '2025-10-26T01:59:59', '2025-10-25T23:59:59.000Z'],
    ['Europe/Berlin', '2025-10-26T02:30:00', '2025-10-26T00:30:00.000Z'], // twice: the first
    ['Europe/Berlin', '2025-10-26T03:00:00', '2025-10-26T02:00:00.000Z'],
    ['America/St_Johns', '2005-04-03T00:00:30', '2005-04-03T03:30:30.000Z'], // changed at 00:01
    ['Asia/Kolkata', '2025-06-01T05:30:00', '2025-06-01T00:00:00.000Z'],
    ['Pacific/Apia', '2011-12-31T12:00:00', '2011-12-30T22:00:00.000Z'], // the day after the one that was left out
    ['America/New_York', '1999-12-31T23:59:59', '2000-01-01T04:59:59.000Z'],
  ])('%s %s is %s', (zone, text, expected) => expect(iso(zone, text)).toBe(expected));

  test('an unknown zone is refused', () => expect(() => localTime('Mars/Base')).toThrow(RangeError));
});
