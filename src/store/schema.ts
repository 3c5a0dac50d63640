/** Raised with every change that an older rxtwin could not read. */
export const SCHEMA_VERSION = 4;

const ROW_COLUMNS = `
  row BIGINT NOT NULL, channel INTEGER NOT NULL, timestamp DOUBLE NOT NULL, value DOUBLE, flags UTINYINT NOT NULL,
  issues VARCHAR, received_value DOUBLE, position DOUBLE, arrived_at DOUBLE`;

/** `flags` of a row: quality | received quality << 2 | IMPUTED | RECEIVED | BACKFILLED. */
export const IMPUTED = 16;
export const RECEIVED = 32;
export const BACKFILLED = 64;
export const QUALITIES = ['Good', 'Uncertain', 'Bad'] as const;

const quality = (flags: string): string =>
  `CASE (${flags}) & 3 WHEN 0 THEN 'Good' WHEN 1 THEN 'Uncertain' ELSE 'Bad' END`;

/** A row usable for aggregates: not Bad and with a value. */
export const USABLE = `(flags & 3) < 2 AND value IS NOT NULL`;

/** Rows that were stored before commits were counted in them belong to commit 0, which is never forwarded. */
const COMMIT_COLUMN = `commit_number BIGINT DEFAULT 0`;

const QUARANTINED = `CREATE TABLE quarantined (refused_at DOUBLE NOT NULL, line VARCHAR NOT NULL, reason VARCHAR NOT NULL)`;

const READINGS = `CREATE OR REPLACE VIEW readings AS SELECT row, asset, sensor,
    epoch_ms(0) + to_microseconds(CAST(timestamp * 1000 AS BIGINT)) AS time, timestamp, value, unit,
    ${quality('flags')} AS quality, issues, (flags & ${IMPUTED}) > 0 AS imputed, source, position, arrived_at,
    received_value, received_unit, CASE WHEN (flags & ${RECEIVED}) > 0 THEN ${quality('flags >> 2')} END AS received_quality,
    estimate, rate_per_s, std_dev, (flags & ${BACKFILLED}) > 0 AS backfilled, delivery, commit_number
    FROM reading_rows JOIN channels ON id = channel`;

/** What came with version 3. */
const VERSION_3: readonly string[] = [
  `CREATE TABLE smoothed (channel INTEGER NOT NULL, timestamp DOUBLE NOT NULL, value DOUBLE NOT NULL,
    rate_per_s DOUBLE NOT NULL, std_dev DOUBLE NOT NULL, wanted_lag_ms DOUBLE NOT NULL, lag_ms DOUBLE NOT NULL)`,
  // While there is an alarm, alarm_since is set.
  `CREATE TABLE anomalies (asset VARCHAR NOT NULL, timestamp DOUBLE NOT NULL, event VARCHAR NOT NULL,
    score DOUBLE NOT NULL, threshold DOUBLE NOT NULL, alarm_since DOUBLE, contributions VARCHAR NOT NULL)`,
  `CREATE VIEW stored_smoothed AS SELECT asset, sensor, unit, smoothed.* EXCLUDE (channel) FROM smoothed
    JOIN channels ON id = channel`,
];

/** What came with version 4. Some of it is already in files that were written as version 3. */
const VERSION_4: readonly string[] = [
  // null where the model estimates no parameters, or says nothing else.
  `ALTER TABLE twins ADD COLUMN IF NOT EXISTS parameter_std_dev VARCHAR`,
  `ALTER TABLE twins ADD COLUMN IF NOT EXISTS insights VARCHAR`,
  // Only what has changed with a commit; the newest of each source counts. Compacted at checkpoints.
  `CREATE TABLE IF NOT EXISTS source_notes (sequence DOUBLE NOT NULL, source VARCHAR NOT NULL, note VARCHAR NOT NULL)`,
];

/**
 * All times are epoch milliseconds as DOUBLE, because source times have fractions; `row` orders by arrival.
 * `readings`, `stored_windows` and `stored_smoothed` are for people who open the file with DuckDB's own tools.
 */
export const SCHEMA: readonly string[] = [
  `CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL)`,
  `CREATE TABLE channels (id INTEGER NOT NULL, asset VARCHAR NOT NULL, sensor VARCHAR NOT NULL, unit VARCHAR NOT NULL,
    received_unit VARCHAR, source VARCHAR)`,
  `CREATE TABLE reading_rows (${ROW_COLUMNS}, estimate DOUBLE, rate_per_s DOUBLE, std_dev DOUBLE, delivery DOUBLE,
    ${COMMIT_COLUMN})`,
  `CREATE TABLE held_rows (${ROW_COLUMNS}, delivery DOUBLE)`,
  `CREATE TABLE ticks (row BIGINT NOT NULL, timestamp DOUBLE NOT NULL)`,
  `CREATE TABLE windows (channel INTEGER NOT NULL, size_ms DOUBLE NOT NULL, every_ms DOUBLE NOT NULL,
    start_ms DOUBLE NOT NULL, end_ms DOUBLE NOT NULL, count BIGINT NOT NULL, bad_count BIGINT NOT NULL,
    imputed_count BIGINT NOT NULL, mean DOUBLE, time_weighted_mean DOUBLE, min DOUBLE, max DOUBLE, std_dev DOUBLE,
    first DOUBLE, last DOUBLE, revision BIGINT NOT NULL)`,
  `CREATE TABLE twins (asset VARCHAR NOT NULL, timestamp DOUBLE NOT NULL, state VARCHAR NOT NULL,
    parameters VARCHAR NOT NULL, residuals VARCHAR NOT NULL, sync VARCHAR NOT NULL)`,
  `CREATE TABLE dead_letters (row BIGINT NOT NULL, source VARCHAR NOT NULL, position DOUBLE NOT NULL,
    arrived_at DOUBLE NOT NULL, reason VARCHAR NOT NULL, detail VARCHAR NOT NULL, origin VARCHAR NOT NULL,
    payload VARCHAR NOT NULL, delivery DOUBLE)`,
  // One row a commit, never updated: an update would cost more than the whole commit. Compacted at checkpoints.
  `CREATE TABLE commits (sequence DOUBLE NOT NULL, last_row DOUBLE NOT NULL, positions VARCHAR NOT NULL,
    forwarded VARCHAR)`,
  QUARANTINED,
  READINGS,
  `CREATE VIEW stored_windows AS SELECT asset, sensor, unit, windows.* EXCLUDE (channel) FROM windows
    JOIN channels ON id = channel`,
  ...VERSION_3,
  ...VERSION_4,
];

/** From each earlier version to the next. Columns that are added come last. */
export const MIGRATIONS: ReadonlyMap<number, readonly string[]> = new Map([
  [
    1,
    [
      `ALTER TABLE reading_rows ADD COLUMN delivery DOUBLE`,
      `ALTER TABLE reading_rows ADD COLUMN ${COMMIT_COLUMN}`,
      `ALTER TABLE held_rows ADD COLUMN delivery DOUBLE`,
      `ALTER TABLE dead_letters ADD COLUMN delivery DOUBLE`,
      `ALTER TABLE commits ADD COLUMN forwarded VARCHAR`,
      QUARANTINED,
      READINGS,
      `INSERT INTO meta VALUES ('store_id', uuid())`,
    ],
  ],
  [2, VERSION_3],
  [3, VERSION_4],
]);
