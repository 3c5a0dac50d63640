import { DataType, DataValue, StatusCodes, Variant, VariantArrayType } from 'node-opcua';
import type { DataValueOptions } from 'node-opcua';
import { describe, expect, test } from 'vitest';
import { decodeDataValue, qualityOf } from '../../../src/sources/opcua/decode.ts';
import { mapNodes } from '../../../src/sources/opcua/nodes.ts';
import { isDeadLetter } from '../../../src/sources/source.ts';
import type { SourceEvent } from '../../../src/sources/source.ts';

const AT = Date.UTC(2025, 9, 26, 10, 30, 15);
const node = { key: 'R101/t', asset: 'R101', sensor: 't', nodeId: 'ns=2;s=T', unit: 'degC' };

const decode = (options: DataValueOptions): SourceEvent =>
  decodeDataValue(new DataValue(options), node, {
    source: 'plc',
    position: 9,
    arrivedAt: AT,
    maxFutureMs: 1000,
    backfilled: false,
  });

const scalar = (dataType: DataType, value: unknown): SourceEvent =>
  decode({ value: { dataType, value, arrayType: VariantArrayType.Scalar } });

const valueOf = (event: SourceEvent): unknown => (isDeadLetter(event) ? event.reason : event.value);

describe('time', () => {
  const value = { dataType: DataType.Double, value: 1 };
  const timeOf = (options: DataValueOptions): number | undefined => {
    const event = decode({ value, ...options });
    return isDeadLetter(event) ? undefined : event.timestamp;
  };
  test('is the source time, else the server time, else the arrival', () => {
    const sourceTimestamp = new Date(AT - 10);
    const serverTimestamp = new Date(AT - 5);
    expect(timeOf({ sourceTimestamp, serverTimestamp })).toBe(AT - 10);
    expect(timeOf({ serverTimestamp })).toBe(AT - 5);
    expect(timeOf({})).toBe(AT);
    expect(timeOf({ sourceTimestamp: new Date(Date.UTC(1601, 0, 1)), serverTimestamp })).toBe(AT - 5);
  });
  test('keeps microseconds', () => {
    expect(timeOf({ sourceTimestamp: new Date(AT - 10), sourcePicoseconds: 250_400_000 })).toBeCloseTo(
      AT - 10 + 0.25,
      3,
    );
  });
  test('too far ahead is a dead letter', () => {
    expect(timeOf({ sourceTimestamp: new Date(AT + 1000) })).toBe(AT + 1000);
    expect(decode({ value, sourceTimestamp: new Date(AT + 1001) })).toMatchObject({
      reason: 'futureTimestamp',
      detail: 'source time 2025-10-26T10:30:16.001Z is 1001 ms ahead, allowed: 1000 ms',
      origin: 'ns=2;s=T',
      source: 'plc',
      position: 9,
      arrivedAt: AT,
    });
  });

  test('too far ahead of a clock that was set back only is not', () => {
    const judged: number[][] = [];
    const isTooFarAhead = (timestamp: number, arrivedAt: number): boolean => {
      judged.push([timestamp, arrivedAt]);
      return false;
    };
    const arrival = { source: 'plc', position: 9, arrivedAt: AT, maxFutureMs: 1000, backfilled: false };
    const read = (ms: number) =>
      decodeDataValue(new DataValue({ value, sourceTimestamp: new Date(AT + ms) }), node, {
        ...arrival,
        isTooFarAhead,
      });
    expect(read(3_600_000)).toMatchObject({ timestamp: AT + 3_600_000, value: 1 });
    read(1000);
    expect(judged).toEqual([[AT + 3_600_000, AT]]);
  });
});

describe('status', () => {
  test('two top bits', () => {
    expect(qualityOf(StatusCodes.Good)).toBe('Good');
    expect(qualityOf(StatusCodes.GoodClamped)).toBe('Good');
    expect(qualityOf(StatusCodes.UncertainInitialValue)).toBe('Uncertain');
    expect(qualityOf(StatusCodes.BadOutOfService)).toBe('Bad');
    expect(qualityOf(StatusCodes.BadNodeIdUnknown)).toBe('Bad');
  });
  test('a Bad value is not passed on, whatever came along', () => {
    for (const value of [7, Number.NaN]) {
      expect(
        decode({ value: { dataType: DataType.Double, value }, statusCode: StatusCodes.BadSensorFailure }),
      ).toMatchObject({
        value: null,
        quality: 'Bad',
        issues: [{ check: 'source', message: 'BadSensorFailure' }],
        received: { value: null, quality: 'Bad' },
      });
    }
  });
});

describe('value', () => {
  test.each([
    ['Double', DataType.Double, 1.5, 1.5],
    ['Float', DataType.Float, 0.25, 0.25],
    ['SByte', DataType.SByte, -3, -3],
    ['Byte', DataType.Byte, 255, 255],
    ['Int16', DataType.Int16, -300, -300],
    ['UInt16', DataType.UInt16, 65535, 65535],
    ['Int32', DataType.Int32, -70000, -70000],
    ['UInt32', DataType.UInt32, 4294967295, 4294967295],
    ['Int64', DataType.Int64, [0xffffffff, 0xffffffff], -1],
    ['Int64, lowest', DataType.Int64, [0x80000000, 0], -(2 ** 63)],
    ['UInt64', DataType.UInt64, [0x80000000, 0], 2 ** 63],
    ['Boolean', DataType.Boolean, true, 'badValue'],
    ['String', DataType.String, '12', 'badValue'],
    ['DateTime', DataType.DateTime, new Date(0), 'badValue'],
    ['infinite', DataType.Double, Number.POSITIVE_INFINITY, 'notFinite'],
    ['NaN', DataType.Float, Number.NaN, 'notFinite'],
  ])('%s', (_name, dataType, value, expected) => {
    expect(valueOf(scalar(dataType, value))).toBe(expected);
  });
  test('nothing is a missing reading', () => {
    expect(decode({ value: { dataType: DataType.Null } })).toMatchObject({
      value: null,
      quality: 'Good',
      issues: [],
    });
  });
  test('arrays and long texts', () => {
    const value = new Variant({
      dataType: DataType.Double,
      arrayType: VariantArrayType.Array,
      value: [1, 2],
    });
    expect(decode({ value })).toMatchObject({
      reason: 'badValue',
      detail: 'value is an array of Double, expected a number',
    });
    const long = scalar(DataType.String, 'x'.repeat(5000));
    expect(isDeadLetter(long) && long.payload.length <= 1024).toBe(true);
  });
});

test('mapNodes keeps units, and names what is no node or no sensor', () => {
  const problems = new Map<string, string>();
  const nodes = {
    'R101/t': 'ns=2;s=T',
    'R101/a/b': 'i=85',
    'noSlash': 'i=85',
    '/x': 'i=85',
    'R101/': 'i=85',
    'R101/bad': 'what',
  };
  const config = { nodes, units: { 'R101/t': 'K' } };
  expect(mapNodes(config, problems)).toEqual([
    { key: 'R101/t', asset: 'R101', sensor: 't', nodeId: 'ns=2;s=T', unit: 'K' },
    { key: 'R101/a/b', asset: 'R101', sensor: 'a/b', nodeId: 'i=85', unit: '' },
  ]);
  expect([...problems.keys()]).toEqual(['noSlash', '/x', 'R101/', 'R101/bad']);
});
