import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCheckpoint, encodeAsset, encodeEnd, encodeStart } from '../../src/checkpoint/format.ts';
import type { AssetStates } from '../../src/checkpoint/format.ts';

const ASSET: AssetStates = {
  asset: 'R101',
  row: 12,
  states: [
    {
      name: { asset: 'R101', sensor: 'temperature', operator: 'estimateState' },
      shape: { unit: 'degC', windowSize: 100, expectedIntervalMs: null },
      state: { x: [-0, 1e308, 5e-324, 0.1 + 0.2], held: [{ a: null, deep: [[1.5, 2], []] }], text: 'é"\n' },
    },
    { name: { asset: 'R101', operator: 'updateTwin' }, shape: { model: 'm' }, state: { timestamp: null } },
  ],
};
const OTHER: AssetStates = { asset: '__proto__', row: 13, states: [] };

const file = (...assets: readonly AssetStates[]): Buffer =>
  Buffer.concat([encodeStart('id', 11), ...assets.map(encodeAsset), encodeEnd(14, assets.length)]);

describe('a checkpoint', () => {
  test('comes back as it was, to the bit', () => {
    const { store, from, to, assets } = decodeCheckpoint(file(ASSET, OTHER));
    expect([store, from, to]).toEqual(['id', 11, 14]);
    // toEqual tells -0 from 0.
    expect(assets).toEqual([ASSET, OTHER]);
  });

  test('any state that JSON would keep comes back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (state) => {
        const [decoded] = decodeCheckpoint(
          file({ asset: 'A', row: 12, states: [{ name: { asset: 'A', operator: 'x' }, shape: {}, state }] }),
        ).assets;
        expect(decoded?.states[0]?.state).toStrictEqual(state);
      }),
    );
  });

  test('damage is found wherever a byte is changed', () => {
    const whole = file(ASSET, OTHER);
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(whole.readUInt8(at) ^ 0x20, at);
      expect(() => decodeCheckpoint(damaged), `byte ${at}`).toThrow(/checksum|cut short|not a checkpoint/);
    }
  });

  test('damage is found wherever the file is cut', () => {
    const whole = file(ASSET, OTHER);
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => decodeCheckpoint(whole.subarray(0, length)), `${length} bytes`).toThrow(
        /cut short|not a checkpoint|not one/,
      );
    }
  });

  test('a frame too few is found', () => {
    const text = Buffer.concat([encodeStart('id', 11), encodeAsset(ASSET), encodeEnd(14, 2)]);
    expect(() => decodeCheckpoint(text)).toThrow('cut short');
  });
});
