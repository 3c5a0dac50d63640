import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small disk of its own, mounted on a folder; undone by `remove`, and also where this process is killed. */
export interface Disk {
  readonly path: string;
  freeBytes(): number;
  /** A foreign file takes all room, and every byte that becomes free afterwards, until `free`. */
  fill(): void;
  free(): void;
  remove(): Promise<void>;
}

export interface FreezableDisk extends Disk {
  /** From now on every write waits, as on a hanging network disk, until `thaw`. */
  freeze(): void;
  thaw(): void;
}

const REFILL_MS = 50;
const CHUNK = Buffer.alloc(65_536);

/** Whether this process may mount: as root, and not in a container that forbids it. */
export function canMount(): boolean {
  const probe = mkdtempSync(join(tmpdir(), 'rxtwin-probe-'));
  try {
    run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe]);
    run('umount', [probe]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/** Whether a file can be mounted as a disk that can be frozen. */
export function canFreeze(folder: string): boolean {
  try {
    const disk = mountFreezable(folder, 16);
    try {
      disk.freeze();
    } finally {
      disk.thaw();
      unmount(disk.path);
    }
    return true;
  } catch {
    return false;
  }
}

/** In memory, of `sizeMb`, in the folder, or at `path`. */
export function tmpfsDisk(folder: string, sizeMb: number, path = mountPoint(folder)): Disk {
  mkdirSync(path, { recursive: true });
  run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', path]);
  return withGuardian(path);
}

/** An ext4 in a file, of `sizeMb`, for which `freeze` works. */
export function freezableDisk(folder: string, sizeMb: number): FreezableDisk {
  const { path, freeze, thaw } = mountFreezable(folder, sizeMb);
  return { ...withGuardian(path), freeze, thaw };
}

function mountFreezable(folder: string, sizeMb: number): Pick<FreezableDisk, 'path' | 'freeze' | 'thaw'> {
  const path = mountPoint(folder);
  const image = `${path}.img`;
  appendFileSync(image, '');
  truncateSync(image, sizeMb * 1_048_576);
  run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  run('mount', ['-o', 'loop', image, path]);
  let frozen = false;
  return {
    path,
    freeze: () => {
      run('fsfreeze', ['-f', path]);
      frozen = true;
    },
    thaw: () => {
      if (frozen) run('fsfreeze', ['-u', path]);
      frozen = false;
    },
  };
}

function mountPoint(folder: string): string {
  const path = mkdtempSync(join(folder, 'disk-'));
  return path;
}

function withGuardian(path: string): Disk {
  const guardian = startGuardian(path);
  const foreign = join(path, 'foreign.bin');
  let refilling: NodeJS.Timeout | undefined;
  const free = (): void => {
    clearInterval(refilling);
    refilling = undefined;
    rmSync(foreign, { force: true });
  };
  return {
    path,
    freeBytes: () => freeBytes(path),
    fill: () => {
      takeAll(path, foreign);
      refilling ??= setInterval(() => takeAll(path, foreign), REFILL_MS);
    },
    free,
    remove: async () => {
      free();
      unmount(path);
      guardian.kill('SIGKILL');
      await Promise.resolve();
    },
  };
}

const freeBytes = (path: string): number => {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
};

/** Chunk by chunk, then in ever smaller pieces, so that not a byte is left. */
function takeAll(path: string, foreign: string): void {
  let size = CHUNK.length;
  while (size >= 1 && freeBytes(path) > 0) {
    try {
      appendFileSync(foreign, CHUNK.subarray(0, size));
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      size = Math.floor(size / 4);
    }
  }
}

const isNoSpace = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOSPC';

/** A thawing does no harm where nothing is frozen; what is still open goes with its last user. */
const UNDO = 'fsfreeze -u "$1" 2>/dev/null; umount "$1" 2>/dev/null || umount -l "$1" 2>/dev/null';

function unmount(path: string): void {
  run('sh', ['-c', `${UNDO}; true`, 'sh', path]);
}

/** Waits for the end of this process, however it ends, and then undoes the mount. */
function startGuardian(path: string): ChildProcess {
  const script = `while kill -0 "$2" 2>/dev/null; do sleep 1; done; ${UNDO}`;
  const guardian = spawn('sh', ['-c', script, 'sh', path, `${process.pid}`], {
    detached: true,
    stdio: 'ignore',
  });
  guardian.unref();
  return guardian;
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
