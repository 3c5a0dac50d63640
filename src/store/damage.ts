import { access, open, readFile, stat } from 'node:fs/promises';

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What DuckDB says of a file whose content is wrong. */
const DAMAGE =
  /Corrupt database file|Corrupt WAL file|replaying (?:checkpoint )?WAL|Could not read enough bytes|not a valid DuckDB database|Serialization Error|INTERNAL Error|FATAL Error|of a stored row does not exist|^stored \w+: unexpected|shorter than the blocks in use/;

/** What it says where the machine is at fault; the file may be sound. */
const ENVIRONMENT =
  /No space left|Out of Memory|Cannot allocate|Permission denied|Too many open files|Is a directory|Read-only file system|Input\/output error|File too large|Disk quota/i;

/** Whether an error of the store means that the content of its file is damaged. */
export function isDamage(error: unknown): boolean {
  const message = messageOf(error);
  return DAMAGE.test(message) && !ENVIRONMENT.test(message);
}

/** Whether the damage is in the log alone, and where: the position of the entry that is wrong, if it is known. */
export function damageOfLog(error: unknown): { readonly at: number | null } | null {
  const message = messageOf(error);
  if (!/Corrupt WAL file|replaying (?:checkpoint )?WAL/.test(message)) return null;
  const position = /entry at byte position (\d+)/.exec(message)?.[1];
  // DuckDB names the position behind the entry's size and checksum.
  return { at: position === undefined ? null : Number(position) - FRAME_HEADER };
}

/**
 * Whether a file that DuckDB does not take for one of its own was a store all the same: it still says that it is
 * DuckDB's, it is empty, or a log or checkpoints lie beside it.
 */
export async function wasStore(file: string): Promise<boolean> {
  if ((await exists(`${file}.checkpoints`)) || (await exists(`${file}.wal`))) return true;
  const start = await beginning(file, 12);
  return start.length === 0 || start.toString('latin1', 8, 12) === 'DUCK';
}

/** The first entry of a log: its type and version. */
const LOG_HEADER = Buffer.from([0x64, 0x00, 0x62, 0x65, 0x00]);
const LOG_HEADER_BYTES = 8;
/** Size and checksum before each entry, 8 bytes each, little-endian. */
const FRAME_HEADER = 16;
/** No commit writes an entry of this size: the size itself is damaged. */
const MAX_ENTRY = 2 ** 30;
const MAX_READ = 2 ** 29;

/**
 * Looks for damage that DuckDB passes over without a word: it takes a log with a strange beginning for none, and an
 * entry that is larger than the file for one that a crash cut short; the commits behind would be lost silently.
 * @returns the position from which on the log is damaged; null where nothing is found
 */
export async function inspectLog(log: string): Promise<number | null> {
  const size = await sizeOf(log);
  if (size === null || size < LOG_HEADER_BYTES) return null;
  const start = await beginning(log, LOG_HEADER_BYTES);
  if (!start.subarray(0, LOG_HEADER.length).equals(LOG_HEADER) || start.readUInt16LE(6) !== 0xffff) return 0;
  if (size > MAX_READ) return null;
  const bytes = await readFile(log);
  for (let at = LOG_HEADER_BYTES; at + FRAME_HEADER <= bytes.length;) {
    const entry = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
    if (entry > MAX_ENTRY) return at;
    at += FRAME_HEADER + entry;
  }
  return null;
}

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** null where there is no such file. */
export const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    (stats) => stats.size,
    () => null,
  );

async function beginning(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
