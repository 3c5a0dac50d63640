import { DataValue } from 'node-opcua';
import { expect, test } from 'vitest';
import { createHandover } from '../../../src/sources/opcua/handover.ts';

const node = { key: 'R1/t', asset: 'R1', sensor: 't', nodeId: 'ns=2;s=T', unit: '' };

function setUp(capacity: number) {
  const seen: (string | number)[] = [];
  const handover = createHandover(capacity, (_node, _value, arrivedAt, backfilled) => {
    seen.push(backfilled ? `late ${arrivedAt}` : arrivedAt);
  });
  return {
    handover,
    seen,
    live: (at: number) => handover.live(node, new DataValue(), at),
    earlier: (at: number) => handover.earlier(node, new DataValue(), at),
  };
}

test('earlier values come first; after the release they are marked', () => {
  const { handover, seen, live, earlier } = setUp(10);
  live(10);
  earlier(1);
  live(11);
  earlier(2);
  handover.release();
  earlier(3);
  live(12);
  handover.release();
  expect(seen).toEqual([1, 2, 10, 11, 'late 3', 12]);
  expect(handover.holding).toBe(false);
});

test('holds no more than its capacity', () => {
  const { handover, seen, live } = setUp(2);
  for (const at of [1, 2, 3]) live(at);
  expect(seen).toEqual([1, 2, 3]);
  expect(handover.holding).toBe(false);
});
