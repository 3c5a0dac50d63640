import duckdb from '@duckdb/node-bindings';
import { BIGINT, DOUBLE, DuckDBDataChunk, INTEGER, UTINYINT, VARCHAR } from '@duckdb/node-api';
import type { DuckDBAppender, DuckDBConnection, DuckDBType } from '@duckdb/node-api';

/** Rows of one DuckDB vector. */
const CHUNK_ROWS = 2048;

/**
 * One column of a chunk, filled in place and copied to DuckDB as a block. The vectors of `@duckdb/node-api` do the
 * same with a call and a BigInt validity mask a value, which costs about 0.6 µs more a reading.
 */
abstract class Column {
  abstract readonly type: DuckDBType;
  readonly #validity = new Uint8Array(CHUNK_ROWS / 8);
  #hasNulls = false;

  setNull(index: number): void {
    if (!this.#hasNulls) {
      this.#hasNulls = true;
      this.#validity.fill(0xff);
    }
    const byte = index >> 3;
    this.#validity[byte] = (this.#validity[byte] ?? 0xff) & ~(1 << (index & 7));
  }

  reset(): void {
    this.#hasNulls = false;
  }

  /** Moves the first `rows` values into the chunk. */
  emit(vector: duckdb.Vector, rows: number): void {
    this.copy(vector, rows);
    if (!this.#hasNulls) return;
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, this.#validity.buffer, 0, Math.ceil(rows / 64) * 8);
    this.#hasNulls = false;
  }

  protected abstract copy(vector: duckdb.Vector, rows: number): void;
}

export class DoubleColumn extends Column {
  readonly type = DOUBLE;
  readonly #items = new Float64Array(CHUNK_ROWS);

  set(index: number, value: number | null): void {
    if (value === null) this.setNull(index);
    else this.#items[index] = value;
  }

  protected copy(vector: duckdb.Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#items.buffer, 0, rows * 8);
  }
}

/** Whole numbers from 0 to 2^53 as BIGINT, without making a BigInt of each. Little-endian, as DuckDB is. */
export class CountColumn extends Column {
  readonly type = BIGINT;
  readonly #words = new Uint32Array(CHUNK_ROWS * 2);

  set(index: number, value: number): void {
    this.#words[index * 2] = value;
    this.#words[index * 2 + 1] = value / 4_294_967_296;
  }

  protected copy(vector: duckdb.Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#words.buffer, 0, rows * 8);
  }
}

/** The same whole number from 0 to 2^53 in all rows, as BIGINT. */
export class ConstantColumn extends Column {
  readonly type = BIGINT;
  readonly #items = new BigInt64Array(CHUNK_ROWS);
  value = 0;

  protected copy(vector: duckdb.Vector, rows: number): void {
    this.#items.fill(BigInt(this.value), 0, rows);
    duckdb.copy_data_to_vector(vector, 0, this.#items.buffer, 0, rows * 8);
  }
}

export class IntegerColumn extends Column {
  readonly type = INTEGER;
  readonly #items = new Int32Array(CHUNK_ROWS);

  set(index: number, value: number): void {
    this.#items[index] = value;
  }

  protected copy(vector: duckdb.Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#items.buffer, 0, rows * 4);
  }
}

export class ByteColumn extends Column {
  readonly type = UTINYINT;
  readonly #items = new Uint8Array(CHUNK_ROWS);

  set(index: number, value: number): void {
    this.#items[index] = value;
  }

  protected copy(vector: duckdb.Vector, rows: number): void {
    duckdb.copy_data_to_vector(vector, 0, this.#items.buffer, 0, rows);
  }
}

export class TextColumn extends Column {
  readonly type = VARCHAR;
  readonly #items: (string | null)[] = [];

  set(index: number, value: string | null): void {
    this.#items[index] = value;
    if (value === null) this.setNull(index);
  }

  protected copy(vector: duckdb.Vector, rows: number): void {
    for (let i = 0; i < rows; i++) {
      const item = this.#items[i];
      if (item !== null && item !== undefined) duckdb.vector_assign_string_element(vector, i, item);
    }
    this.#items.length = 0;
  }
}

/** Appends rows to one table. `columns` are in the table's order. */
export class TableWriter<C extends Readonly<Record<string, Column>>> {
  readonly columns: C;
  readonly #table: string;
  readonly #list: readonly Column[];
  readonly #types: readonly DuckDBType[];
  #appender: DuckDBAppender | null = null;
  #index = 0;
  #dirty = false;

  constructor(table: string, columns: C) {
    this.columns = columns;
    this.#table = table;
    this.#list = Object.values(columns);
    this.#types = this.#list.map((column) => column.type);
  }

  /** To be called once a connection; drops whatever was begun on the one before. */
  async open(connection: DuckDBConnection): Promise<void> {
    this.discard();
    this.#appender = await connection.createAppender(this.#table);
  }

  /** Index at which to fill in the next row; every column must be set. */
  next(): number {
    if (this.#index === CHUNK_ROWS) this.#emit();
    this.#dirty = true;
    return this.#index++;
  }

  /** Hands the rows to the running transaction; costs a query's planning, so nothing is done where there are none. */
  flush(): void {
    if (!this.#dirty) return;
    this.#emit();
    this.#appender?.flushSync();
    this.#dirty = false;
  }

  /** Forgets rows that were not flushed. The writer must be opened again after a failed flush. */
  discard(): void {
    for (const column of this.#list) column.reset();
    this.#index = 0;
    this.#dirty = false;
    const appender = this.#appender;
    this.#appender = null;
    appender?.clear();
    appender?.closeSync();
  }

  #emit(): void {
    if (this.#index === 0) return;
    if (this.#appender === null) throw new Error(`${this.#table}: the store is closed`);
    const chunk = DuckDBDataChunk.create(this.#types, this.#index);
    for (const [i, column] of this.#list.entries()) {
      column.emit(duckdb.data_chunk_get_vector(chunk.chunk, i), this.#index);
    }
    this.#appender.appendDataChunk(chunk);
    this.#index = 0;
  }
}
