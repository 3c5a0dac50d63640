import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isDamage, messageOf } from './damage.ts';
import { MIGRATIONS, SCHEMA, SCHEMA_VERSION } from './schema.ts';

/** The store's file cannot be used; the message says which file, why and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly path: string;
  readonly reason: 'locked' | 'missing' | 'notAStore' | 'newerSchema' | 'damaged' | 'failed';

  constructor(path: string, reason: StoreError['reason'], message: string, cause?: unknown) {
    super(message, { cause });
    this.path = path;
    this.reason = reason;
  }
}

/** Opens the file, creating it and its folder unless for reading only. */
export async function openInstance(
  path: string,
  options: Readonly<Record<string, string>>,
): Promise<DuckDBInstance> {
  const file = resolve(path);
  try {
    if (options['access_mode'] !== 'READ_ONLY') await mkdir(dirname(file), { recursive: true });
    return await DuckDBInstance.create(file, {
      ...options,
      threads: '1',
      // Nothing of the store needs an extension, and a plant's network has no way to load one.
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
  } catch (error) {
    throw explain(file, error);
  }
}

function explain(file: string, error: unknown): StoreError {
  const message = messageOf(error);
  if (message.includes('Could not set lock')) {
    const holder = /lock is held in (.*?) \(PID (\d+)\)/.exec(message);
    const who = holder === null ? 'another process' : `process ${holder[2] ?? ''} (${holder[1] ?? ''})`;
    return new StoreError(
      file,
      'locked',
      `${file}: in use by ${who}; only one service can use a store`,
      error,
    );
  }
  if (message.includes('not a valid DuckDB database'))
    return new StoreError(
      file,
      'notAStore',
      `${file}: not a DuckDB file; move it away or set store.path`,
      error,
    );
  if (message.includes('does not exist'))
    return new StoreError(file, 'missing', `${file}: there is no such store`, error);
  const reason = isDamage(error) ? 'damaged' : 'failed';
  return new StoreError(file, reason, `${file}: cannot be opened: ${message.split('\n')[0] ?? ''}`, error);
}

/**
 * Creates the tables in a new file and brings those of an earlier version up to date, unless for reading only. Refuses
 * a file that is not of this program or of a later version of it.
 * @returns the version of the tables, as they are now
 */
export async function prepareSchema(
  connection: DuckDBConnection,
  path: string,
  access: 'write' | 'read',
): Promise<number> {
  const file = resolve(path);
  const tables = await connection.runAndReadAll(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'`,
  );
  const names = tables.getRowsJS().map(([name]) => name);
  if (names.length === 0 && access === 'write') {
    await inTransaction(connection, async () => {
      for (const statement of SCHEMA) await connection.run(statement);
      await connection.run(`INSERT INTO meta VALUES ('schema_version', $1), ('store_id', $2)`, [
        String(SCHEMA_VERSION),
        randomUUID(),
      ]);
    });
    return SCHEMA_VERSION;
  }
  if (!names.includes('meta') || !names.includes('commits'))
    throw new StoreError(
      file,
      'notAStore',
      `${file}: a DuckDB file, but not one of rxtwin; set store.path to another`,
    );
  const meta = await connection.runAndReadAll(`SELECT value FROM meta WHERE key = 'schema_version'`);
  const version = Number(meta.getRowsJS()[0]?.[0]);
  const isKnown = version === SCHEMA_VERSION || MIGRATIONS.has(version);
  if (isKnown && access === 'read') return version;
  if (isKnown) return migrate(connection, version);
  throw new StoreError(
    file,
    version > SCHEMA_VERSION ? 'newerSchema' : 'notAStore',
    `${file}: its schema is of version ${version}, this rxtwin knows ${SCHEMA_VERSION}; use the rxtwin that wrote it`,
  );
}

/** All steps together, or none. */
async function migrate(connection: DuckDBConnection, from: number): Promise<number> {
  if (from === SCHEMA_VERSION) return from;
  await inTransaction(connection, async () => {
    for (let version = from; version < SCHEMA_VERSION; version += 1)
      for (const statement of MIGRATIONS.get(version) ?? []) await connection.run(statement);
    await connection.run(`UPDATE meta SET value = $1 WHERE key = 'schema_version'`, [String(SCHEMA_VERSION)]);
  });
  await connection.run('CHECKPOINT');
  return SCHEMA_VERSION;
}

/** All of the work is stored, or, where it throws, nothing of it. */
export async function inTransaction<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await connection.run('BEGIN');
  try {
    const result = await work();
    await connection.run('COMMIT');
    return result;
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
