import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore, openStoreReadOnly } from '../../src/store/duckdb.ts';
import { configOf, folder, quiet } from './batches.ts';
import { start } from './process.ts';

const COMMITTER = join(import.meta.dirname, 'committer.ts');

/** Rows of all five sensors, which must be 1, 2, 3 … without a gap. */
async function storedRows(
  path: string,
): Promise<{ rows: number[]; lastRow: number; position: number | undefined }> {
  const store = await openStore(configOf(path), quiet);
  const rows: number[] = [];
  for (let sensor = 0; sensor < 5; sensor++) {
    const range = { asset: 'A', sensor: `s${sensor}`, start: 0, end: 1e9, limit: 1e6 };
    for (const row of await store.range(range)) rows.push(row.row);
  }
  const { lastRow, positions } = store;
  await store.close();
  return { rows: rows.sort((a, b) => a - b), lastRow, position: positions.get('plant') };
}

describe('a process killed in the middle of commits', () => {
  it.each([3, 20, 57])(
    'leaves whole batches, and every one that was reported (after %i)',
    async (commits) => {
      const path = join(await folder(), 'store.duckdb');
      const { child, until, exited } = start(process.execPath, [COMMITTER, path, 'endless']);
      await until(`done ${commits}`);
      child.kill('SIGKILL');
      await exited;
      const { rows, lastRow, position } = await storedRows(path);
      expect(lastRow).toBeGreaterThanOrEqual(commits * 7);
      expect(lastRow % 7).toBe(0);
      expect(position).toBe(lastRow);
      expect(rows).toStrictEqual(Array.from({ length: lastRow }, (_, i) => i + 1));
    },
  );
});

describe('a file held by another process', () => {
  it('is reported with its path and that process', async () => {
    const path = join(await folder(), 'store.duckdb');
    const { child, until } = start(process.execPath, [COMMITTER, path, 'endless']);
    await until('done 1');
    const expected = {
      reason: 'locked',
      message: expect.stringMatching(new RegExp(`^${path}: in use by process ${child.pid ?? 0} `)) as string,
    };
    await expect(openStore(configOf(path), quiet)).rejects.toMatchObject(expected);
    await expect(openStoreReadOnly(path)).rejects.toMatchObject(expected);
  });
});

describe('a disk that is full', () => {
  it('rejects the commit, keeps answering, and takes the same batch when there is room again', async () => {
    const path = join(await folder(), 'store.duckdb');
    // A limit on file size that can be lifted again (only the soft one is set); 800 KB hold a few commits.
    const limited = `trap '' XFSZ; ulimit -S -f 800; exec "$0" "$@"`;
    const { child, until, exited } = start('bash', ['-c', limited, process.execPath, COMMITTER, path, '30']);
    const failed = /^failed (\d+) (\d+) (\d+) (.*)$/.exec(await until('failed'));
    const [, n = 0, lastRow = 0, kept = 0] = (failed ?? []).map(Number);
    expect(n).toBeGreaterThan(1);
    expect(failed?.[4]).toContain(`${path}: commit failed`);
    // What was committed is all there, and nothing of the failed batch is.
    expect(lastRow).toBe((n - 1) * 1000);
    expect(kept).toBe(lastRow / 5);
    // Still full: the same again.
    child.stdin.write('again\n');
    expect(await until('failed')).toMatch(new RegExp(`^failed ${n} ${lastRow} ${kept} `));
    const lift = start('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
    await lift.exited;
    child.stdin.write('again\n');
    await until(`done ${n}`);
    await until('closed');
    await exited;
    const stored = await storedRows(path);
    expect(stored.lastRow).toBe(30_000);
    expect(stored.rows).toStrictEqual(Array.from({ length: 30_000 }, (_, i) => i + 1));
  });
});
