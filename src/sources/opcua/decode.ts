import { DataType, Int64ToBigInt, UInt64ToBigInt, VariantArrayType } from 'node-opcua';
import type { DataValue, StatusCode, Variant } from 'node-opcua';
import { NO_ISSUES } from '../../../operators/types.ts';
import type { Quality, Reading } from '../../../operators/types.ts';
import type { FutureLimit } from '../futureLimit.ts';
import type { DeadLetter, DeadLetterReason, SourceEvent } from '../source.ts';
import type { MappedNode } from './nodes.ts';

/** Where an event stands in the source's stream. */
export interface Arrival {
  readonly source: string;
  readonly position: number;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
  /** A source time further ahead of the arrival is not believed. */
  readonly maxFutureMs: number;
  /** Judges it by more than the arrival. Default: by the arrival alone. */
  readonly isTooFarAhead?: FutureLimit;
  /** As in `Received`. */
  readonly backfilled: boolean;
}

const MAX_PAYLOAD = 1024;

/** The two top bits of a status code are its severity (OPC UA Part 4, 7.39). */
export function qualityOf(status: StatusCode): Quality {
  const severity = status.value >>> 30;
  if (severity === 0) return 'Good';
  return severity === 1 ? 'Uncertain' : 'Bad';
}

/**
 * Turns what the server reported of a node into a reading, or into a dead letter if it is no number.
 *
 * The time is the source's, else the server's, else that of arrival. A Bad value is never passed on: servers keep
 * sending the last good one along with the Bad status.
 */
export function decodeDataValue(dataValue: DataValue, node: MappedNode, arrival: Arrival): SourceEvent {
  const quality = qualityOf(dataValue.statusCode);
  const timestamp = timeOf(dataValue) ?? arrival.arrivedAt;
  const { arrivedAt, maxFutureMs } = arrival;
  if (timestamp > arrivedAt + maxFutureMs && (arrival.isTooFarAhead?.(timestamp, arrivedAt) ?? true)) {
    const detail = `source time ${iso(timestamp)} is ${timestamp - arrivedAt} ms ahead, allowed: ${maxFutureMs} ms`;
    return deadLetter(dataValue, node, arrival, 'futureTimestamp', detail);
  }
  let value: number | null = null;
  if (quality !== 'Bad') {
    const read = numberOf(dataValue.value);
    if (read === undefined) {
      const detail = `value is ${describeType(dataValue.value)}, expected a number`;
      return deadLetter(dataValue, node, arrival, 'badValue', detail);
    }
    if (read !== null && !Number.isFinite(read)) {
      return deadLetter(dataValue, node, arrival, 'notFinite', `value is ${read}, expected a finite number`);
    }
    value = read;
  }
  return reading(node, arrival, timestamp, value, quality, dataValue.statusCode.name);
}

function reading(
  node: MappedNode,
  arrival: Arrival,
  timestamp: number,
  value: number | null,
  quality: Quality,
  statusName: string,
): Reading {
  const { source, position, arrivedAt, backfilled } = arrival;
  const received = { row: 0, source, position, arrivedAt, value, unit: node.unit, quality };
  return {
    asset: node.asset,
    sensor: node.sensor,
    timestamp,
    value,
    unit: node.unit,
    quality,
    issues: quality === 'Good' ? NO_ISSUES : [{ check: 'source', message: statusName }],
    imputed: false,
    received: backfilled ? { ...received, backfilled } : received,
  };
}

function deadLetter(
  dataValue: DataValue,
  node: MappedNode,
  { source, position, arrivedAt }: Arrival,
  reason: DeadLetterReason,
  detail: string,
): DeadLetter {
  const payload = dataValue.value.toString().slice(0, MAX_PAYLOAD);
  return { source, position, arrivedAt, reason, detail, origin: node.nodeId, payload };
}

/** Info bits of a data value (OPC UA Part 4, 7.39): the server had to discard values of this node before this one. */
export const hasOverflow = (status: StatusCode): boolean => (status.value & 0x480) === 0x480;

/** The scalar as a number; null where there is none; undefined where it is something else. */
export function numberOf({ dataType, arrayType, value }: Variant): number | null | undefined {
  const content: unknown = value;
  if (dataType === DataType.Null || content === null || content === undefined) return null;
  if (arrayType !== VariantArrayType.Scalar) return undefined;
  switch (dataType) {
    case DataType.Double:
    case DataType.Float:
    case DataType.SByte:
    case DataType.Byte:
    case DataType.Int16:
    case DataType.UInt16:
    case DataType.Int32:
    case DataType.UInt32:
      return typeof content === 'number' ? content : undefined;
    case DataType.Int64:
      return isPair(content) ? Number(Int64ToBigInt(content)) : undefined;
    case DataType.UInt64:
      return isPair(content) ? Number(UInt64ToBigInt(content)) : undefined;
    default:
      return undefined;
  }
}

/** node-opcua holds 64-bit integers as [high, low]. */
const isPair = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'number');

/** Source time, else the server's, epoch milliseconds; null where there is neither. */
export function timeOf(dataValue: DataValue): number | null {
  return (
    millis(dataValue.sourceTimestamp, dataValue.sourcePicoseconds) ??
    millis(dataValue.serverTimestamp, dataValue.serverPicoseconds)
  );
}

/** Epoch milliseconds to the microsecond. Servers say "no time" with the year 1601, the zero of OPC UA's clock. */
function millis(date: Date | null, picoseconds: number): number | null {
  const time = date?.getTime() ?? Number.NaN;
  if (!Number.isFinite(time) || time <= 0) return null;
  return time + Math.round(picoseconds / 1e6) / 1000;
}

function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time);
}

function describeType({ dataType, arrayType }: Variant): string {
  const name = DataType[dataType];
  return arrayType === VariantArrayType.Scalar ? `a ${name}` : `an array of ${name}`;
}
