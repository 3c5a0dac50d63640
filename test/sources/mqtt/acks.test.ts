import { expect, it } from 'vitest';
import { OwedAcks } from '../../../src/sources/mqtt/acks.ts';

const hex = (bytes: Buffer | undefined): string => bytes?.toString('hex') ?? '';

it('releases PUBACK and PUBREC in order, up to the position', () => {
  const acks = new OwedAcks();
  acks.owe(1, 0x0001, 1);
  acks.owe(3, 0xffff, 2);
  acks.owe(4, 0x0102, 1);
  const received: number[] = [];
  expect(acks.release(0)).toBeUndefined();
  expect(hex(acks.release(3, (id) => received.push(id)))).toBe('400200015002ffff');
  expect(received).toEqual([0xffff]);
  expect(acks.size).toBe(1);
  expect(acks.release(3)).toBeUndefined();
  expect(hex(acks.release(100))).toBe('40020102');
  expect(acks.size).toBe(0);
});

it('keeps the order over many partial releases', () => {
  const acks = new OwedAcks();
  const released: number[] = [];
  let position = 0;
  for (let round = 0; round < 500; round += 1) {
    for (let i = 0; i < 10; i += 1) {
      position += 1;
      acks.owe(position, position % 65_536, 1);
    }
    const bytes = acks.release(position - 7) ?? Buffer.alloc(0);
    for (let i = 0; i < bytes.length; i += 4) released.push(bytes.readUInt16BE(i + 2));
  }
  expect(released).toEqual(Array.from({ length: 4993 }, (_, i) => i + 1));
  expect(acks.size).toBe(7);
});

it('knows whose acknowledgement waits, and keeps the order of arrival', () => {
  const acks = new OwedAcks();
  acks.owe(5, 50, 1);
  acks.owe(2, 20, 1);
  acks.owe(6, 60, 1);
  expect([20, 50, 60, 1].map((id) => acks.has(id))).toEqual([true, true, true, false]);
  expect(acks.release(4)).toBeUndefined();
  expect(hex(acks.release(5))).toBe('4002003240020014');
  expect([20, 50, 60].map((id) => acks.has(id))).toEqual([false, false, true]);
});
