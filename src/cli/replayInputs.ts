import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';
import { recordedClock } from '../sources/replay/clock.ts';
import type { WideOptions } from '../sources/replay/header.ts';
import { readRecorded } from '../sources/replay/readers.ts';
import { CliError } from './exit.ts';
import type { ReplayInput } from './replayRun.ts';

const CHUNK_BYTES = 1 << 18;

export interface OpenInputs {
  readonly inputs: readonly ReplayInput[];
  /** null where it cannot be known. */
  readonly totalBytes: number | null;
  bytesRead(): number;
}

/** How the inputs are to be read. */
export interface InputForm {
  readonly separator: string | null;
  readonly timeZone: string;
  readonly wide: WideOptions | null;
}

/**
 * The named files, `-` for standard input. Regular files are looked at before anything is written: that they exist, and
 * that their header fits.
 *
 * @throws CliError, exit code 2, or InputError.
 */
export async function openInputs(
  names: readonly string[],
  form: InputForm,
  stdin: Readable,
  signal: AbortSignal,
): Promise<OpenInputs> {
  if (names.filter((name) => name === '-').length > 1) {
    throw new CliError('-: standard input can be read only once', 2);
  }
  let bytes = 0;
  let totalBytes: number | null = 0;
  const inputs: ReplayInput[] = [];
  for (const name of names) {
    const size = name === '-' ? null : await check(name, form);
    totalBytes = size === null || totalBytes === null ? null : totalBytes + size;
    const source = (): Readable =>
      name === '-'
        ? addAbortSignal(signal, stdin)
        : createReadStream(name, { highWaterMark: CHUNK_BYTES, signal });
    inputs.push({
      name: name === '-' ? 'stdin' : name,
      async *open() {
        for await (const chunk of source() as AsyncIterable<Uint8Array>) {
          bytes += chunk.length;
          yield chunk;
        }
      },
    });
  }
  return { inputs, totalBytes, bytesRead: () => bytes };
}

/** @returns the file's size, null where it is no regular file. */
async function check(name: string, form: InputForm): Promise<number | null> {
  try {
    const found = await stat(name);
    if (found.isDirectory()) throw new CliError(`${name}: is a directory, expected a file`, 2);
    if (!found.isFile()) return null;
    await (await open(name)).close();
    const chunks = createReadStream(name, { highWaterMark: CHUNK_BYTES });
    const options = { source: 'replay', name, linesBefore: 0, clock: recordedClock(), ...form };
    for await (const _ of readRecorded(chunks, options)) break;
    return found.size;
  } catch (error) {
    throw readError(name, error);
  }
}

/** What kept a file from being read, in the words of all commands; anything else as it is. */
export function readError(name: string, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  const reason = error.code === 'ENOENT' ? 'no such file' : error.message;
  return new CliError(`${name}: ${reason}`, 2, { cause: error });
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error;
