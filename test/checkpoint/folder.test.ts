import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CheckpointFolder } from '../../src/checkpoint/folder.ts';
import { encodeEnd, encodeStart } from '../../src/checkpoint/format.ts';

let path = '';
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'rxtwin-checkpoints-'));
  path = join(root, 'checkpoints');
  onTestFinished(() => rmSync(root, { recursive: true }));
});

const write = async (folder: CheckpointFolder, from: number, to: number, store = 's'): Promise<void> => {
  const draft = await folder.draft();
  await draft.write(encodeStart(store, from));
  await draft.write(encodeEnd(to, 0));
  await draft.publish(from, to);
};

const load = async (keep = 3) => {
  const unusable: string[] = [];
  const folder = new CheckpointFolder(path, keep);
  const checkpoint = await folder.load(
    (store) => store === 's',
    (file, reason) => unusable.push(`${file.slice(path.length + 1)}: ${reason}`),
  );
  return { folder, to: checkpoint?.to ?? null, unusable };
};

const NAME = (to: number, from: number): string =>
  `checkpoint-${String(to).padStart(16, '0')}-${String(from).padStart(16, '0')}`;

describe('the folder of checkpoints', () => {
  test('is made where there is none, and is then empty', async () => {
    const { folder, to } = await load();
    expect(to).toBeNull();
    expect(folder.neededFrom).toBe(0);
    expect(readdirSync(path)).toEqual([]);
  });

  test('the newest is loaded, and the last few are kept', async () => {
    const { folder } = await load();
    for (const to of [9, 10, 100, 1000]) await write(folder, to - 2, to);
    expect(readdirSync(path)).toEqual([NAME(10, 8), NAME(100, 98), NAME(1000, 998)]);
    expect(folder.neededFrom).toBe(8);
    const again = await load();
    expect(again.to).toBe(1000);
    expect(again.folder.neededFrom).toBe(8);
  });

  test('what was not published does not count, and is gone after a start', async () => {
    const { folder } = await load();
    await write(folder, 1, 2);
    const draft = await folder.draft();
    await draft.write(encodeStart('s', 5));
    expect((await load()).to).toBe(2);
    expect(readdirSync(path)).toEqual([NAME(2, 1)]);
    await draft.discard();
  });

  test('a damaged one falls back to the one before, and the one before that', async () => {
    const { folder } = await load();
    for (const to of [10, 20, 30]) await write(folder, to, to);
    const newest = join(path, NAME(30, 30));
    writeFileSync(newest, readFileSync(newest).fill(0, 30, 34));
    writeFileSync(join(path, NAME(20, 20)), '');
    const again = await load();
    expect(again.to).toBe(10);
    expect(again.unusable).toEqual([
      `${NAME(30, 30)}: wrong checksum at byte 20`,
      `${NAME(20, 20)}: not a checkpoint of this version`,
    ]);
    expect(again.folder.neededFrom).toBe(10);
    // They are out of the way, for people to look at.
    expect(readdirSync(path)).toEqual([NAME(10, 10), `${NAME(20, 20)}.unusable`, `${NAME(30, 30)}.unusable`]);
  });

  test('one of another store is not ours', async () => {
    const { folder } = await load();
    await write(folder, 10, 10);
    await write(folder, 20, 20, 'another');
    const again = await load();
    expect(again.to).toBe(10);
    expect(again.unusable).toEqual([`${NAME(20, 20)}: it belongs to another store`]);
  });
});
