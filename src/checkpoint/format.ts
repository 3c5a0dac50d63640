import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import type { SavedState } from '../stateRegistry.ts';

/** The states of one asset, and the row number of the last input that they count. */
export interface AssetStates {
  readonly asset: string;
  readonly row: number;
  readonly states: readonly SavedState[];
}

/**
 * Operator state. It was taken one asset at a time while the pipeline went on: `from` was the last row when it began, `to`
 * when it ended, and every asset's `row` lies between. An asset that is not in it had no state at `from`.
 */
export interface Checkpoint {
  /** Id of the store whose rows it counts. */
  readonly store: string;
  readonly from: number;
  readonly to: number;
  readonly assets: readonly AssetStates[];
}

const MAGIC = Buffer.from('rxtwin checkpoint 1\n');
const HEAD_BYTES = 8;

/*
 * A file is MAGIC and frames: length and CRC-32 (4 bytes each, little-endian) of a value in V8's serialisation, which keeps
 * every double to the bit and costs a fraction of JSON. The first frame is [store, from], the last [to, number of assets].
 */

export const encodeStart = (store: string, from: number): Buffer =>
  Buffer.concat([MAGIC, frame([store, from])]);

export const encodeAsset = ({ asset, row, states }: AssetStates): Buffer =>
  frame([
    asset,
    row,
    states.map(({ name, shape, state }) => [name.sensor ?? null, name.operator, shape, state]),
  ]);

export const encodeEnd = (to: number, assets: number): Buffer => frame([to, assets]);

function frame(value: unknown): Buffer {
  const payload = serialize(value);
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt32LE(crc32(payload), 4);
  return Buffer.concat([head, payload]);
}

/** @throws Error that says what is wrong with the file. */
export function decodeCheckpoint(file: Buffer): Checkpoint {
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('not a checkpoint of this version');
  const frames: Buffer[] = [];
  for (let at = MAGIC.length; at < file.length;) {
    const payload = payloadAt(file, at);
    frames.push(payload);
    at += HEAD_BYTES + payload.length;
  }
  const [first, ...assets] = frames;
  const last = assets.pop();
  if (first === undefined || last === undefined) throw new Error('cut short');
  const [store, from] = list(deserialize(first));
  const [to, count] = list(deserialize(last));
  if (typeof to !== 'number' || count !== assets.length) throw new Error('cut short');
  if (typeof store !== 'string' || typeof from !== 'number') throw new Error('its first frame is not one');
  return { store, from, to, assets: assets.map(decodeAsset) };
}

function payloadAt(file: Buffer, at: number): Buffer {
  if (at + HEAD_BYTES > file.length) throw new Error('cut short');
  const length = file.readUInt32LE(at);
  const payload = file.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
  if (payload.length !== length) throw new Error('cut short');
  if (crc32(payload) !== file.readUInt32LE(at + 4)) throw new Error(`wrong checksum at byte ${at}`);
  return payload;
}

function decodeAsset(payload: Buffer): AssetStates {
  const [asset, row, states] = list(deserialize(payload));
  if (typeof asset !== 'string' || typeof row !== 'number') throw new Error('a frame is not an asset');
  return { asset, row, states: list(states).map((saved) => decodeState(asset, list(saved))) };
}

function decodeState(asset: string, [sensor, operator, shape, state]: readonly unknown[]): SavedState {
  if (typeof operator !== 'string' || typeof shape !== 'object' || shape === null)
    throw new Error(`a state of ${asset} is not one`);
  const name = typeof sensor === 'string' ? { asset, sensor, operator } : { asset, operator };
  return { name, shape: Object.fromEntries(Object.entries(shape)), state: compact(state) };
}

const list = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw new Error('a frame is not a list');
  return value;
};

/** Deserialised lists hold a pointer to each number; copied one by one, V8 keeps the numbers themselves. */
function compact(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(compact(item));
    return items;
  }
  for (const [key, item] of Object.entries(value)) {
    // Setting `__proto__` would do something else.
    if (typeof item === 'object' && item !== null && key !== '__proto__')
      Reflect.set(value, key, compact(item));
  }
  return value;
}
