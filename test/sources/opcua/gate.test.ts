import { expect, test } from 'vitest';
import { createGate } from '../../../src/sources/opcua/gate.ts';
import type { DeadLetter } from '../../../src/sources/source.ts';

const event = (position: number): DeadLetter => ({
  source: 's',
  position,
  arrivedAt: 0,
  reason: 'malformed',
  detail: '',
  origin: '',
  payload: '',
});
function setUp(capacity = 3) {
  const seen: number[] = [];
  let full = 0;
  const reactions = new Map<number, () => void>();
  const gate = createGate(
    capacity,
    (passed) => {
      const { position } = passed as DeadLetter;
      seen.push(position);
      reactions.get(position)?.();
    },
    () => (full += 1),
  );
  return { gate, seen, reactions, fullCount: () => full };
}

test('passes while open, holds while closed, in order', () => {
  const { gate, seen } = setUp();
  gate.pass(event(1));
  gate.close();
  gate.pass(event(2));
  gate.pass(event(3));
  expect(seen).toEqual([1]);
  gate.open();
  gate.pass(event(4));
  expect(seen).toEqual([1, 2, 3, 4]);
});

test('tells once that it is full', () => {
  const { gate, fullCount } = setUp(2);
  gate.close();
  for (let i = 1; i <= 4; i += 1) gate.pass(event(i));
  expect(fullCount()).toBe(1);
  expect(gate.isFull).toBe(true);
  gate.open();
  expect(gate.isFull).toBe(false);
});

test('a consumer that pauses while it is handed what was held gets no more', () => {
  const { gate, seen, reactions } = setUp();
  gate.close();
  for (const position of [1, 2, 3]) gate.pass(event(position));
  reactions.set(2, () => gate.close());
  gate.open();
  expect(seen).toEqual([1, 2]);
  reactions.clear();
  gate.open();
  expect(seen).toEqual([1, 2, 3]);
});

test('what arrives or resumes in the middle does not overtake', () => {
  const { gate, seen, reactions } = setUp(10);
  gate.close();
  gate.pass(event(1));
  gate.pass(event(2));
  reactions.set(1, () => {
    gate.close();
    gate.open();
    gate.pass(event(3));
  });
  gate.open();
  expect(seen).toEqual([1, 2, 3]);
});
