import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { CliError } from './exit.ts';

/** Where records go. Writing waits while the reader is slow. */
export interface Sink {
  /** @returns false when the reader has gone and wants no more. */
  write(text: string): Promise<boolean>;
  /** Everything is out, under its final name. */
  end(): Promise<void>;
  /** Leaves nothing half-written behind. */
  discard(): Promise<void>;
}

/** Standard output. A reader that closes it early, such as `head`, has seen enough: that is no failure. */
export function streamSink(stream: Writable): Sink {
  let failure: NodeJS.ErrnoException | null = null;
  const remember = (error: NodeJS.ErrnoException): void => void (failure ??= error);
  stream.on('error', remember);
  const isGone = (): boolean => {
    if (failure === null) return stream.destroyed;
    if (failure.code === 'EPIPE') return true;
    throw new CliError(`standard output: ${failure.message}`);
  };
  return {
    async write(text) {
      if (isGone()) return false;
      if (!stream.write(text)) await drained(stream).catch(remember);
      return !isGone();
    },
    async end() {
      if (!isGone()) await new Promise<void>((resolve) => stream.write('', () => resolve()));
      isGone();
      stream.off('error', remember);
    },
    discard: () => Promise.resolve(),
  };
}

/** A file that appears under its name, whole, at the end. What is no regular file, such as a pipe, is written at once. */
export async function fileSink(path: string): Promise<Sink> {
  const target = await realpath(path).catch(() => path);
  const found = await stat(target).catch(() => null);
  if (found?.isDirectory() === true) throw new CliError(`--output ${path}: is a directory`, 2);
  const direct = found !== null && !found.isFile();
  const written = direct ? target : join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  const stream = createWriteStream(written, { flags: direct ? 'w' : 'wx', highWaterMark: 1 << 20 });
  const failed = (error: unknown): CliError =>
    new CliError(`--output ${path}: ${error instanceof Error ? error.message : String(error)}`, 1, {
      cause: error,
    });
  try {
    await once(stream, 'open');
  } catch (error) {
    throw new CliError(`--output ${path}: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
  let failure: unknown = null;
  stream.on('error', (error) => (failure ??= error));
  return {
    async write(text) {
      if (failure !== null) throw failed(failure);
      if (!stream.write(text)) {
        await drained(stream).catch((error: unknown) => {
          throw failed(error);
        });
      }
      return true;
    },
    async end() {
      try {
        stream.end();
        await finished(stream);
        if (!direct) await rename(written, target);
      } catch (error) {
        throw failed(failure ?? error);
      }
    },
    async discard() {
      stream.destroy();
      if (!stream.closed) await once(stream, 'close').catch(() => undefined);
      if (!direct) await unlink(written).catch(() => undefined);
    },
  };
}

/** Rejects where the stream fails or is closed before it has room again. */
async function drained(stream: Writable): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } finally {
    settled.abort();
  }
}
