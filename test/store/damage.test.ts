import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { isDamage, openStore } from '../../src/store/duckdb.ts';
import type { Store } from '../../src/store/store.ts';
import { batch, configOf, folder, freshStore, quiet, reading } from './batches.ts';
import { start } from './process.ts';

const COMMITTER = join(import.meta.dirname, 'committer.ts');

/** A store of `checkpointed` and `logged` commits of 7 rows, of which the latter are in its log alone. */
const checkpointed = 40;
const logged = 30;
const ROWS = 7;

let sound: { readonly file: Buffer; readonly log: Buffer };

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'rxtwin-store-'));
  const path = join(dir, 'sound.duckdb');
  const run = async (commits: number, end: string): Promise<void> => {
    const { until, exited } = start(process.execPath, [COMMITTER, path, String(commits), String(ROWS), end]);
    await until('end');
    await exited;
  };
  await run(checkpointed, 'close');
  await run(logged, 'kill');
  sound = { file: await readFile(path), log: await readFile(`${path}.wal`) };
  await rm(dir, { recursive: true });
}, 30_000);

interface Damaged {
  readonly path: string;
  readonly warnings: { readonly detail: object; readonly message: string }[];
  readonly open: (damage?: unknown) => Promise<Store>;
}

async function damaged(damage: (path: string) => Promise<unknown>): Promise<Damaged> {
  const path = join(await folder(), 'store.duckdb');
  await writeFile(path, sound.file);
  await writeFile(`${path}.wal`, sound.log);
  await damage(path);
  const warnings: Damaged['warnings'] = [];
  const log = {
    info: () => undefined,
    warn: (detail: object, message: string) => void warnings.push({ detail, message }),
  };
  return {
    path,
    warnings,
    open: async (known) => {
      const store = await openStore(configOf(path), log, known);
      onTestFinished(() => store.close());
      return store;
    },
  };
}

async function overwrite(path: string, at: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, at);
  await file.close();
}

async function flip(path: string, at: number, count = 8): Promise<void> {
  const bytes = (await readFile(path)).subarray(at, at + count).map((byte) => byte ^ 0x5a);
  await overwrite(path, at, Buffer.from(bytes));
}

const BLOCK = 262_144;
const blockAt = (n: number): number => 3 * 4096 + n * BLOCK;
const flipAllBlocks = async (path: string): Promise<void> => {
  const { size } = await stat(path);
  for (let n = 0; blockAt(n) < size; n++) await flip(path, blockAt(n) + 100);
};

const inFolder = async (path: string): Promise<string[]> => (await readdir(dirname(path))).sort();

async function commitsAndReopens(store: Store, path: string): Promise<void> {
  const row = store.lastRow + 1;
  await store.commit(batch({ lastRow: row, readings: [reading({ row, timestamp: row, value: 1 })] }));
  await store.close();
  const again = await openStore(configOf(path), quiet);
  expect(again).toMatchObject({ lastRow: row, setAside: [] });
  await again.close();
}

describe('a damaged file', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['cut in half', (path) => truncate(path, sound.file.length / 2)],
    ['cut at the end', (path) => truncate(path, sound.file.length - BLOCK / 2)],
    ['cut within its header', (path) => truncate(path, 5000)],
    ['empty', (path) => truncate(path, 0)],
    ['overwritten with garbage', (path) => writeFile(path, Buffer.alloc(200_000, 'garbage!'))],
    ['with a header of zeros', (path) => overwrite(path, 0, Buffer.alloc(4096))],
    ['with a main header changed', (path) => flip(path, 12, 2)],
    ['with both database headers changed', (path) => flip(path, 4096 + 24).then(() => flip(path, 8192 + 24))],
    ['with bytes changed in all blocks', flipAllBlocks],
  ])('%s is set aside with its log, and a new one begun', async (_, damage) => {
    const { path, warnings, open } = await damaged(damage);
    const [file, log] = await Promise.all([readFile(path), readFile(`${path}.wal`)]);
    const store = await open();
    expect(store).toMatchObject({ lastRow: 0, lastCommit: 0 });
    const [first = '', second = ''] = store.setAside;
    expect(first).toMatch(new RegExp(`^${path}\\.damaged-\\d{8}T\\d{6}Z$`));
    expect(store.setAside).toStrictEqual([first, `${first}.wal`]);
    expect((await readFile(first)).equals(file)).toBe(true);
    expect((await readFile(second)).equals(log)).toBe(true);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ detail: { file: path, setAside: [first, second] } });
    expect(warnings[0]?.message).toMatch(/damaged: it is set aside, and a new one begins/);
    await commitsAndReopens(store, path);
  });

  it('never replaces what was set aside before', async () => {
    const { path, open } = await damaged((file) => truncate(file, 5000));
    const kept: string[] = [];
    for (let i = 0; i < 3; i++) {
      const store = await open();
      await store.close();
      kept.push(...store.setAside);
      await truncate(path, 5000 + i);
    }
    expect(new Set(kept).size).toBe(4);
    expect(await inFolder(path)).toStrictEqual([path, ...kept].map((file) => file.split('/').at(-1)).sort());
  });

  it('whose damage shows later only is set aside when its error is given', async () => {
    const { path, open } = await damaged(() => Promise.resolve());
    const first = await open();
    const last = first.lastRow;
    expect(last).toBe((checkpointed + logged) * ROWS);
    await first.close();
    const error = new Error('IO Error: Corrupt database file: computed checksum 1 does not match');
    expect(isDamage(error)).toBe(true);
    expect(isDamage(new Error('IO Error: No space left on device'))).toBe(false);
    const second = await open(error);
    expect(second).toMatchObject({ lastRow: 0, setAside: [expect.stringContaining('.damaged-')] });
    await second.close();
    const old = await openStore(configOf(second.setAside[0] ?? ''), quiet);
    expect(old.lastRow).toBe(last);
    await old.close();
    expect(await inFolder(path)).toHaveLength(2);
  });
});

describe('a damaged log', () => {
  const all = (checkpointed + logged) * ROWS;
  const without = checkpointed * ROWS;

  it.each<[string, (log: string) => Promise<unknown>, number, number]>([
    ['of garbage', (log) => writeFile(log, Buffer.alloc(50_000, 'garbage!')), without, without],
    ['of zeros', (log) => writeFile(log, Buffer.alloc(50_000)), without, without],
    ['with another beginning', (log) => flip(log, 0), without, without],
    [
      'with a size that cannot be, at its start',
      (log) => overwrite(log, 8, Buffer.alloc(8, 0xff)),
      without,
      without,
    ],
    [
      'with bytes changed in the middle',
      (log) => flip(log, Math.round(sound.log.length / 2), 1),
      without + ROWS,
      all - ROWS,
    ],
    ['with zeros behind it', (log) => writeFile(log, Buffer.alloc(5000), { flag: 'a' }), all, all],
  ])('%s is set aside, and of its commits those before the damage are kept', async (_, damage, from, to) => {
    const { path, warnings, open } = await damaged((file) => damage(`${file}.wal`));
    const log = await readFile(`${path}.wal`);
    const store = await open();
    expect(store.lastRow).toBeGreaterThanOrEqual(from);
    expect(store.lastRow).toBeLessThanOrEqual(to);
    const rows = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        store.range({ asset: 'A', sensor: `s${i}`, start: 0, end: 1e9, limit: 1e6 }),
      ),
    );
    expect(rows.flat().length).toBe(store.lastRow);
    const [aside = ''] = store.setAside;
    expect(store.setAside).toStrictEqual([expect.stringMatching(/\.damaged-\w+\.wal$/)]);
    expect((await readFile(aside)).equals(log)).toBe(true);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toMatch(/log is damaged/);
    await commitsAndReopens(store, path);
  });

  it('cut short by a crash is no damage', async () => {
    const { warnings, open } = await damaged((file) => truncate(`${file}.wal`, sound.log.length - 300));
    const store = await open();
    expect(store.lastRow).toBe(all - ROWS);
    expect([store.setAside, warnings]).toStrictEqual([[], []]);
  });

  it('whose file is missing is kept', async () => {
    const { path, open } = await damaged((file) => rm(file));
    const store = await open();
    expect(store.lastRow).toBe(0);
    expect((await readFile(store.setAside[0] ?? '')).equals(sound.log)).toBe(true);
    await commitsAndReopens(store, path);
  });
});

describe('a file that is not damaged', () => {
  const refused = async (path: string, reason: string): Promise<void> => {
    const before = await inFolder(path);
    await expect(openStore(configOf(path), quiet)).rejects.toMatchObject({ name: 'StoreError', reason });
    expect(await inFolder(path)).toStrictEqual(before);
  };

  it('is refused and left alone where it was never a store', async () => {
    const path = join(await folder(), 'notes.txt');
    await writeFile(path, 'do not lose this\n'.repeat(1000));
    await refused(path, 'notAStore');
    // With checkpoints beside it, it was one.
    await mkdir(`${path}.checkpoints`);
    const store = await openStore(configOf(path), quiet);
    expect(store.setAside).toHaveLength(1);
    await store.close();
  });

  it('is refused and left alone where it is of another program, a folder, or not to be read', async () => {
    const path = join(await folder(), 'other.duckdb');
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run('CREATE TABLE theirs (x INTEGER)');
    connection.closeSync();
    instance.closeSync();
    await refused(path, 'notAStore');
    const inside = join(await folder(), 'folder');
    await mkdir(inside);
    await refused(inside, 'failed');
    if (process.getuid?.() === 0) return;
    const locked = join(await folder(), 'secret.duckdb');
    await copyFile(path, locked);
    await chmod(locked, 0);
    await refused(locked, 'failed');
  });

  it('is refused where another process has it, even if its log looks damaged', async () => {
    const path = join(await folder(), 'store.duckdb');
    const { until } = start(process.execPath, [COMMITTER, path, 'endless']);
    await until('done 3');
    await expect(openStore(configOf(path), quiet)).rejects.toMatchObject({ reason: 'locked' });
    await expect(openStore(configOf(path), quiet, new Error('Corrupt database file'))).rejects.toMatchObject({
      reason: 'locked',
    });
    expect((await inFolder(path)).filter((name) => name.includes('damaged'))).toStrictEqual([]);
  });

  it('is opened without a word where it is sound', async () => {
    const store = await freshStore();
    expect(store.setAside).toStrictEqual([]);
  });
});
