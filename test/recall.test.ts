import { describe, expect, test } from 'vitest';
import type { Reading } from '../operators/types.ts';
import type { Entry } from '../src/processor.ts';
import { Recall } from '../src/recall.ts';
import { letter, received } from './fakes/ingest.ts';

const entry = (input: Entry['input']): Entry => ({ row: 1, input, outputs: [], settled: true });

function rig(stored: readonly Reading[] = []) {
  const asked: number[] = [];
  const recall = new Recall({
    recall(readings) {
      asked.push(readings.length);
      return Promise.resolve(
        readings.map(({ timestamp, received: came }) =>
          stored.some((other) => other.timestamp === timestamp && other.received?.value === came?.value),
        ),
      );
    },
  });
  return { recall, asked };
}

describe('recall', () => {
  const [a, b, c] = [received('p', 1, 85), received('p', 2, 86), received('p', 3, 87)];

  test('knows nothing before it has asked', () => {
    expect(rig().recall.isKnown(a)).toBeNull();
  });

  test('answers from the store', async () => {
    const { recall, asked } = rig([a]);
    await recall.fetch([a, { at: 5 }, letter('p', 9), b]);
    expect(asked).toEqual([2]);
    expect([recall.isKnown(a), recall.isKnown(b), recall.isKnown(c)]).toEqual([true, false, null]);
  });

  test('a reading that was called new is not new a second time', async () => {
    const { recall } = rig();
    await recall.fetch([a, a]);
    expect([recall.isKnown(a), recall.isKnown(a)]).toEqual([false, true]);
  });

  test('what was processed and is not committed yet is known too', async () => {
    const { recall } = rig();
    recall.processed(entry(a));
    recall.processed(entry({ at: 5 }));
    recall.processed(entry(b));
    await recall.fetch([a, b, c]);
    expect([recall.isKnown(a), recall.isKnown(b), recall.isKnown(c)]).toEqual([true, true, false]);
    recall.committed(2);
    await recall.fetch([a, b]);
    expect([recall.isKnown(a), recall.isKnown(b)]).toEqual([false, true]);
    recall.committed(5);
    await recall.fetch([b]);
    expect(recall.isKnown(b)).toBe(false);
  });

  test('compares what was received, not what was made of it', async () => {
    const converted = { ...a, value: 358.15, unit: 'K' };
    const { recall } = rig();
    recall.processed(entry(a));
    await recall.fetch([a]);
    expect(recall.isKnown(converted)).toBe(true);
    await recall.fetch([received('p', 1, null)]);
    expect(recall.isKnown({ ...a, received: null, value: null })).toBe(false);
  });

  test('forgets its answers with the batch', async () => {
    const { recall } = rig([a]);
    await recall.fetch([a]);
    recall.forget();
    expect(recall.isKnown(a)).toBeNull();
  });
});
