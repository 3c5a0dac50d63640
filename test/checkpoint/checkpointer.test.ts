import { describe, expect, test, vi } from 'vitest';
import { Checkpointer } from '../../src/checkpoint/checkpointer.ts';
import type { CheckpointerParts } from '../../src/checkpoint/checkpointer.ts';
import type { Draft } from '../../src/checkpoint/folder.ts';
import { decodeCheckpoint } from '../../src/checkpoint/format.ts';
import type { Checkpoint } from '../../src/checkpoint/format.ts';

interface Played {
  readonly published: Checkpoint[];
  readonly failures: string[];
  discarded: number;
  row: number;
  failing: string | null;
}

interface Rig extends Played {
  readonly checkpointer: Checkpointer;
}

function rig(assets: readonly string[], over: Partial<CheckpointerParts> = {}): Rig {
  const it: Played = { published: [], failures: [], discarded: 0, row: 0, failing: null };
  const draft = (): Promise<Draft> => {
    const bytes: Buffer[] = [];
    return Promise.resolve({
      write(more) {
        if (it.failing !== null) return Promise.reject(new Error(it.failing));
        bytes.push(more);
        // Readings come while it is written.
        it.row += 1;
        return Promise.resolve();
      },
      publish() {
        it.published.push(decodeCheckpoint(Buffer.concat(bytes)));
        return Promise.resolve();
      },
      discard() {
        it.discarded += 1;
        return Promise.resolve();
      },
    });
  };
  const checkpointer = new Checkpointer({
    registry: {
      assets: () => [...assets],
      saved: (asset) => [{ name: { asset, operator: 'x' }, shape: {}, state: { row: it.row } }],
    },
    folder: { draft },
    store: 's',
    lastRow: 0,
    everyMs: 60_000,
    row: () => it.row,
    onFailure: (error) => it.failures.push(String(error)),
    ...over,
  });
  it.row = 10;
  return Object.assign(it, { checkpointer });
}

const pending = async (work: Promise<unknown>): Promise<boolean> => {
  let settled = false;
  void work.then(() => (settled = true));
  for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
  return !settled;
};

describe('a checkpoint', () => {
  test('is published only when all rows that it counts are durable', async () => {
    const it = rig(['A', 'B']);
    const writing = it.checkpointer.write();
    expect(await pending(writing)).toBe(true);
    const { row } = it;
    it.checkpointer.committed(row - 2);
    expect(await pending(writing)).toBe(true);
    expect(it.published).toEqual([]);
    it.checkpointer.committed(row);
    await writing;
    const [checkpoint] = it.published;
    expect(checkpoint).toMatchObject({ store: 's', from: 10 });
    expect(it.checkpointer.status.row).toBe(checkpoint?.to);
  });

  test('says of each asset which row it counts, and that state is the one of this row', async () => {
    const it = rig(['A', 'B', 'C']);
    it.checkpointer.committed(1000);
    await it.checkpointer.write();
    const [checkpoint] = it.published;
    expect(checkpoint?.assets).toHaveLength(3);
    for (const { row, states } of checkpoint?.assets ?? []) {
      expect(states[0]?.state).toEqual({ row });
      expect(row).toBeGreaterThanOrEqual(10);
      expect(row).toBeLessThanOrEqual(checkpoint?.to ?? 0);
    }
  });

  test('is not written where nothing came since the last', async () => {
    const it = rig(['A']);
    it.checkpointer.committed(1000);
    await it.checkpointer.write();
    it.row = it.checkpointer.status.row;
    await it.checkpointer.write();
    expect(it.published).toHaveLength(1);
    it.row += 1;
    await it.checkpointer.write();
    expect(it.published).toHaveLength(2);
  });

  test('a failure is told, leaves nothing behind, and the next one is written', async () => {
    const it = rig(['A']);
    it.checkpointer.committed(1000);
    it.failing = 'no space left';
    await it.checkpointer.write();
    expect([it.failures, it.discarded, it.published.length]).toEqual([['Error: no space left'], 1, 0]);
    it.failing = null;
    await it.checkpointer.write();
    expect(it.published).toHaveLength(1);
  });

  test('stop gives up what waits for its commit, and the last one can still be written', async () => {
    const it = rig(['A']);
    const writing = it.checkpointer.write();
    expect(await pending(writing)).toBe(true);
    await it.checkpointer.stop();
    await writing;
    expect([it.published.length, it.discarded]).toEqual([0, 1]);
    it.checkpointer.committed(it.row + 100);
    await it.checkpointer.write();
    expect(it.published).toHaveLength(1);
  });

  test('comes every so often, counted from the end of the one before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const it = rig(['A'], { everyMs: 1000 });
      it.checkpointer.committed(1_000_000);
      it.checkpointer.start();
      for (const count of [1, 2, 3]) {
        vi.advanceTimersByTime(999);
        expect(it.published).toHaveLength(count - 1);
        vi.advanceTimersByTime(1);
        await vi.waitFor(() => expect(it.published).toHaveLength(count));
        // Until its end has been noticed.
        await new Promise(setImmediate);
        it.row += 1;
      }
      await it.checkpointer.stop();
      vi.advanceTimersByTime(10_000);
      expect(it.published).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  test('with many assets the pipeline goes on in between', async () => {
    const it = rig(Array.from({ length: 3000 }, (_, i) => `A${i}`));
    it.checkpointer.committed(1_000_000);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (it.published.length === 0) setImmediate(count);
    };
    setImmediate(count);
    await it.checkpointer.write();
    expect(it.published[0]?.assets).toHaveLength(3000);
    expect(turns).toBeGreaterThan(3);
  });
});
