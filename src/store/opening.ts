import { resolve } from 'node:path';
import type { StoreConfig } from '../../config/types.ts';
import { Channels } from './channels.ts';
import { damageOfLog, exists, inspectLog, isDamage, sizeOf, wasStore } from './damage.ts';
import { openInstance, StoreError } from './database.ts';
import { read } from './queryQueue.ts';
import { readChannels, readLastCommit, readNotes, readStoreId, Session } from './session.ts';
import type { LastCommit } from './session.ts';
import { SetAside } from './setAside.ts';
import type { StoreLog } from './setAside.ts';
import { FILE_SIZE, TAILS } from './sql.ts';

export interface OpenedFile {
  readonly session: Session;
  readonly channels: Channels;
  readonly id: string;
  readonly last: LastCommit;
  /** Source id -> its note with the last commit. */
  readonly notes: ReadonlyMap<string, string>;
  /** New names of damaged files. */
  readonly setAside: readonly string[];
}

/**
 * Opens the file for writing. What is damaged is set aside: of the log the part that is, else the whole store.
 * @param damage an error of this store that told of damage before; it is then set aside at once
 * @throws StoreError where the file is not damaged, but cannot be used
 */
export async function openFile(config: StoreConfig, log: StoreLog, damage?: unknown): Promise<OpenedFile> {
  const file = resolve(config.path);
  const aside = new SetAside(file, log);
  await beforeOpening(file, aside, damage);
  for (;;) {
    try {
      return { ...(await attempt(config)), setAside: aside.files };
    } catch (error) {
      await makeWay(file, aside, error);
    }
  }
}

/** Deals with what DuckDB would not report: it would even delete a log whose file is missing. */
async function beforeOpening(file: string, aside: SetAside, damage: unknown): Promise<void> {
  const log = `${file}.wal`;
  const size = await sizeOf(file);
  if (damage !== undefined && size !== null) {
    await refuseIfLocked(file);
    await aside.store(damage);
  } else if (size === null && (await exists(log))) {
    await aside.logs(`${file} is missing`, 'A log without its store is set aside, and a new store begins');
  } else if (size === 0) {
    await aside.store(`${file} is empty`);
  } else {
    const at = await inspectLog(log);
    if (at === null) return;
    await refuseIfLocked(file);
    await cutLog(aside, at, `${log}: no log of DuckDB from byte ${at} on`);
  }
}

/** Sets aside what the error speaks of. @throws that error where it tells of no damage to a store */
async function makeWay(file: string, aside: SetAside, error: unknown): Promise<void> {
  const cause = error instanceof StoreError ? (error.cause ?? error) : error;
  if (!isDamage(cause)) throw error;
  if (error instanceof StoreError && error.reason === 'notAStore' && !(await wasStore(file))) throw error;
  const log = damageOfLog(cause);
  if (log === null || !(await exists(`${file}.wal`))) await aside.store(cause);
  else await cutLog(aside, log.at ?? 0, cause);
}

async function cutLog(aside: SetAside, at: number, reason: unknown): Promise<void> {
  // The first entries begin at byte 8.
  if (at > 8) await aside.cutLog(at, reason);
  else await aside.logs(reason, "The store's log is damaged and set aside: the newest commits are lost");
}

async function attempt(config: StoreConfig): Promise<Omit<OpenedFile, 'setAside'>> {
  const channels = new Channels();
  const session = await Session.open(config.path, config.memoryLimitMb, channels);
  try {
    channels.restore(await readChannels(session.own));
    const last = await readLastCommit(session.own);
    const id = await readStoreId(session.own);
    const notes = await readNotes(session.own);
    await readEnds(session, resolve(config.path));
    return { session, channels, id, last, notes };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/**
 * Reads the end of each table, which commits and checkpoints go on with. Damage to older rows shows when they are asked
 * for, and then only they are lost; to read all of them would take too long.
 */
async function readEnds(session: Session, file: string): Promise<void> {
  await session.own.run(async (connection) => {
    const [blocks = []] = (await read(connection, FILE_SIZE)).getColumnsJS();
    const expected = Number(blocks[0]);
    const size = await sizeOf(file);
    if (size !== null && size < expected)
      throw new StoreError(
        file,
        'damaged',
        `${file}: ${size} bytes, shorter than the blocks in use (${expected})`,
      );
    for (const sql of TAILS) await read(connection, sql);
  });
}

async function refuseIfLocked(file: string): Promise<void> {
  try {
    (await openInstance(file, { access_mode: 'READ_ONLY' })).closeSync();
  } catch (error) {
    if (error instanceof StoreError && error.reason === 'locked') throw error;
  }
}
