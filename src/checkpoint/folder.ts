import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeCheckpoint } from './format.ts';
import type { Checkpoint } from './format.ts';

const NAME = /^checkpoint-(\d+)-(\d+)$/;
const DIGITS = 16;
const UNUSABLE = '.unusable';
const MAX_UNUSABLE = 10;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface Found {
  readonly file: string;
  readonly to: number;
  readonly from: number;
}

/** A checkpoint on its way to disk; nothing of it counts before `publish`. */
export interface Draft {
  write(bytes: Buffer): Promise<void>;
  /** Makes it durable under its final name, and deletes those that are too old to keep. */
  publish(from: number, to: number): Promise<void>;
  discard(): Promise<void>;
}

/** The folder with the last few checkpoints of one store. */
export class CheckpointFolder {
  readonly path: string;
  readonly #keep: number;
  /** Newest first. */
  #found: Found[] = [];

  constructor(path: string, keep: number) {
    this.path = path;
    this.#keep = keep;
  }

  /**
   * The newest checkpoint that is whole and that `isOurs`. `onUnusable` is told of each newer one, and why.
   *
   * @throws Error where the folder cannot be made or read.
   */
  async load(
    isOurs: (store: string) => boolean,
    onUnusable: (file: string, reason: string) => void,
  ): Promise<Checkpoint | null> {
    await this.#make(onUnusable);
    const names = await readdir(this.path);
    for (const name of names) if (name.endsWith('.draft')) await rm(join(this.path, name), { force: true });
    this.#found = names.flatMap((name) => found(this.path, name)).toSorted((a, b) => b.to - a.to);
    for (const { file } of [...this.#found]) {
      const content = await readFile(file).catch((error: unknown) => {
        onUnusable(file, reasonOf(error));
        return null;
      });
      // What cannot be read now may be sound.
      if (content === null) continue;
      try {
        const checkpoint = decodeCheckpoint(content);
        if (isOurs(checkpoint.store)) return checkpoint;
        onUnusable(file, 'it belongs to another store');
      } catch (error) {
        onUnusable(file, reasonOf(error));
      }
      this.#found = this.#found.filter((other) => other.file !== file);
      await this.#putAway(file);
    }
    return null;
  }

  /** What stands in its place, a file or a link to nowhere, is moved out of the way. */
  async #make(onUnusable: (file: string, reason: string) => void): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true });
    } catch (error) {
      const aside = `${this.path}.${Date.now()}${UNUSABLE}`;
      onUnusable(this.path, `${reasonOf(error)}; moved to ${aside}`);
      await rename(this.path, aside);
      await mkdir(this.path, { recursive: true });
    }
  }

  /** Kept for people, a few of them, out of the way of those that count. */
  async #putAway(file: string): Promise<void> {
    await rename(file, `${file}${UNUSABLE}`).catch(() => undefined);
    const unusable = (await readdir(this.path)).filter((name) => name.endsWith(UNUSABLE)).sort();
    for (const name of unusable.slice(0, -MAX_UNUSABLE)) await rm(join(this.path, name), { force: true });
  }

  /** The row from which on a re-run may have to begin, whichever of the checkpoints it starts from; 0 without any. */
  get neededFrom(): number {
    return Math.min(...this.#found.map(({ from }) => from), this.#found.length === 0 ? 0 : Infinity);
  }

  async draft(): Promise<Draft> {
    await mkdir(this.path, { recursive: true });
    const name = join(this.path, `${Date.now()}-${process.pid}.draft`);
    const handle = await open(name, 'w', 0o600);
    let closed: Promise<void> | null = null;
    const close = (): Promise<void> => (closed ??= handle.close());
    return {
      write: async (bytes) => {
        await handle.appendFile(bytes);
      },
      publish: async (from, to) => {
        await handle.sync();
        await close();
        const file = join(this.path, `checkpoint-${digits(to)}-${digits(from)}`);
        await rename(name, file);
        await syncFolder(this.path);
        this.#found = [{ file, to, from }, ...this.#found.filter((other) => other.file !== file)];
        for (const old of this.#found.splice(this.#keep)) await rm(old.file, { force: true });
      },
      discard: async () => {
        await close();
        await rm(name, { force: true });
      },
    };
  }
}

const digits = (row: number): string => String(row).padStart(DIGITS, '0');

function found(folder: string, name: string): Found[] {
  const [, to, from] = NAME.exec(name) ?? [];
  return to === undefined ? [] : [{ file: join(folder, name), to: Number(to), from: Number(from) }];
}

/** A rename is durable once its folder is. Not every file system can do it. */
async function syncFolder(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } catch {
    // Then the file system orders renames by itself, or the last checkpoint may be the one before.
  } finally {
    await handle?.close();
  }
}
