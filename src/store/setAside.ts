import { copyFile, rename, truncate } from 'node:fs/promises';
import { constants } from 'node:fs';
import { exists, messageOf } from './damage.ts';

/** Where the store reports what it got over by itself. */
export interface StoreLog {
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
}

/** What DuckDB keeps beside a file: its log, and those of a checkpoint under way. */
const LOGS = ['.wal', '.wal.checkpoint', '.wal.recovery'];

/** Moves damaged files of one store away. Nothing is deleted, and nothing set aside before is overwritten. */
export class SetAside {
  /** New names. */
  readonly files: string[] = [];
  readonly #file: string;
  readonly #log: StoreLog;
  readonly #time: string;
  #isLogCopied = false;

  constructor(file: string, log: StoreLog, now = new Date()) {
    this.#file = file;
    this.#log = log;
    this.#time = now.toISOString().replace(/\.\d+|[-:]/g, '');
  }

  /** The file with its logs, under names by which DuckDB still finds them together. */
  async store(reason: unknown): Promise<void> {
    const to = await this.#free();
    const moved: string[] = [];
    for (const suffix of ['', ...LOGS]) {
      if (!(await exists(this.#file + suffix))) continue;
      await rename(this.#file + suffix, to + suffix);
      moved.push(to + suffix);
    }
    this.#report(moved, reason, 'The store is damaged: it is set aside, and a new one begins');
  }

  /** The logs alone. */
  async logs(reason: unknown, message: string): Promise<void> {
    const to = await this.#free();
    const moved: string[] = [];
    for (const suffix of LOGS) {
      if (!(await exists(this.#file + suffix))) continue;
      await rename(this.#file + suffix, to + suffix);
      moved.push(to + suffix);
    }
    this.#report(moved, reason, message);
  }

  /** Keeps a copy of the log and cuts it off before what is damaged, so that the commits before it count. */
  async cutLog(at: number, reason: unknown): Promise<void> {
    const log = `${this.#file}.wal`;
    const copies: string[] = [];
    // The first copy holds what later ones would.
    if (!this.#isLogCopied) {
      const to = `${await this.#free()}.wal`;
      await copyFile(log, to, constants.COPYFILE_EXCL);
      copies.push(to);
      this.#isLogCopied = true;
    }
    await truncate(log, at);
    this.#report(
      copies,
      reason,
      `The store's log is damaged from byte ${at} on: commits behind that are lost, if there were any`,
    );
  }

  /** A name that is not taken, nor with the ending of any log. */
  async #free(): Promise<string> {
    for (let n = 1; ; n += 1) {
      const name = `${this.#file}.damaged-${this.#time}${n === 1 ? '' : `-${n}`}`;
      const taken = await Promise.all(['', ...LOGS].map((suffix) => exists(name + suffix)));
      if (!taken.includes(true)) return name;
    }
  }

  #report(files: readonly string[], reason: unknown, message: string): void {
    this.files.push(...files);
    const error = messageOf(reason).split('\n')[0];
    this.#log.warn({ file: this.#file, setAside: files, error }, message);
  }
}
