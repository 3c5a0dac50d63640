import { RECEIVED, USABLE } from './schema.ts';

const CHANNEL = `(SELECT id FROM channels WHERE asset = $1 AND sensor = $2)`;

const READING = `SELECT row::DOUBLE AS row, asset, sensor, timestamp, value, unit, flags, issues, received_value,
  received_unit, estimate, rate_per_s, std_dev
  FROM reading_rows JOIN (SELECT * FROM channels WHERE asset = $1 AND sensor = $2) ON id = channel`;

/** $1 asset, $2 sensor. Finds the row in two narrow columns before it reads the others. */
export const LATEST = `WITH top AS MATERIALIZED (
  SELECT timestamp AS t, row AS r FROM reading_rows WHERE channel IN ${CHANNEL}
  ORDER BY timestamp DESC, row DESC LIMIT 1)
${READING} WHERE timestamp = (SELECT t FROM top) AND reading_rows.row = (SELECT r FROM top) LIMIT 1`;

/** $1 asset, $2 sensor. */
export const OLDEST = `SELECT min(timestamp) AS oldest FROM reading_rows WHERE channel IN ${CHANNEL}`;

/** $1 asset, $2 sensor. What was received, with its result or still waiting for older ones. */
export const NEWEST_RECEIVED = `SELECT max(timestamp) AS newest FROM (
  SELECT timestamp, flags FROM reading_rows WHERE channel IN ${CHANNEL}
  UNION ALL SELECT timestamp, flags FROM held_rows WHERE channel IN ${CHANNEL}) WHERE (flags & ${RECEIVED}) > 0`;

/** $1 asset, $2 sensor, $3 start, $4 end, $5 limit. */
export const RANGE = `${READING} WHERE timestamp >= $3 AND timestamp < $4 ORDER BY timestamp, row LIMIT $5`;

/** Start of the epoch-aligned window that holds t. The remainder is exact, which t / w is not. */
const alignDown = (t: string, w: string): string =>
  `(${t} - ${t} % ${w} - CASE WHEN ${t} % ${w} < 0 THEN ${w} ELSE 0 END)`;

/** First and last window to compute. $1 asset, $2 sensor, $3 start, $4 end, $5 limit, $6 window size. */
export const WINDOW_STARTS = `SELECT min(k) AS first_ms, max(k) AS last_ms FROM (
  SELECT DISTINCT ${alignDown('timestamp', '$6')} AS k FROM reading_rows WHERE channel IN ${CHANNEL}
    AND timestamp >= ${alignDown('$3', '$6')} AND timestamp < $4 + $6 AND ${alignDown('timestamp', '$6')} < $4
  ORDER BY k LIMIT $5)`;

/**
 * $1 asset, $2 sensor, $3 start of the first window, $4 end of the last, $5 window size.
 *
 * `points` are the usable readings, the value in force at the first start, and one point without a value at each
 * window's start, so that a value in force there counts from the start. Two passes for the deviation and sums with
 * compensation keep digits where values are large and their noise small.
 */
export const AGGREGATE = `
WITH rows AS MATERIALIZED (
  SELECT ${alignDown('timestamp', '$5')} AS k, timestamp AS t, row, value AS v, (${USABLE}) AS usable
  FROM reading_rows WHERE channel IN ${CHANNEL} AND timestamp >= $3 AND timestamp < $4),
carried AS (
  SELECT $3 - $5 AS k, timestamp AS t, row::DOUBLE AS row, value AS v FROM reading_rows
  WHERE channel IN ${CHANNEL} AND timestamp < $3 AND ${USABLE} ORDER BY timestamp DESC, row DESC LIMIT 1),
simple AS (
  SELECT k, count(*) FILTER (usable) AS n, count(*) FILTER (NOT usable) AS bad, favg(v) FILTER (usable) AS mean,
    min(v) FILTER (usable) AS min, max(v) FILTER (usable) AS max,
    arg_min(v, (t, row)) FILTER (usable) AS first, arg_max(v, (t, row)) FILTER (usable) AS last
  FROM rows GROUP BY k),
deviation AS (
  SELECT rows.k, fsum((v - mean) * (v - mean)) AS squares FROM rows JOIN simple USING (k) WHERE usable GROUP BY rows.k),
points AS (
  SELECT k, t, row::DOUBLE AS row, v FROM rows WHERE usable
  UNION ALL SELECT k, k, -1, NULL FROM simple
  UNION ALL SELECT k, t, row, v FROM carried),
held AS (
  SELECT k, last_value(v IGNORE NULLS) OVER (ORDER BY t, row) AS v,
    (coalesce(lead(t) OVER (PARTITION BY k ORDER BY t, row), k + $5) - t) / $5 AS share FROM points),
weighted AS (
  SELECT k, fsum(v * share) / fsum(share) AS mean FROM held WHERE v IS NOT NULL GROUP BY k)
SELECT simple.k AS start_ms, simple.k + $5 AS end_ms, n::DOUBLE AS count, bad::DOUBLE AS bad_count,
  simple.mean, weighted.mean AS time_weighted_mean, min, max,
  CASE WHEN n > 1 THEN sqrt(squares / (n - 1)) END AS std_dev, first, last
FROM simple LEFT JOIN deviation USING (k) LEFT JOIN weighted USING (k) ORDER BY simple.k`;

/** $1 asset, $2 sensor, $3 start, $4 end, $5 limit, $6 window size. */
export const WINDOWS = `
SELECT asset, sensor, unit, size_ms, every_ms, start_ms, end_ms, count::DOUBLE AS count, bad_count::DOUBLE AS bad_count,
  imputed_count::DOUBLE AS imputed_count, mean, time_weighted_mean, min, max, std_dev, first, last,
  revision::DOUBLE AS revision
FROM (SELECT *, rowid AS written FROM windows)
JOIN (SELECT * FROM channels WHERE asset = $1 AND sensor = $2) ON id = channel
WHERE end_ms > $3 AND start_ms < $4 AND size_ms = $6
QUALIFY row_number() OVER (PARTITION BY start_ms ORDER BY revision DESC, written DESC) = 1
ORDER BY start_ms LIMIT $5`;

/** $1 asset, $2 sensor, $3 start, $4 end, $5 limit. */
export const SMOOTHED = `SELECT asset, sensor, unit, timestamp, value, rate_per_s, std_dev, wanted_lag_ms, lag_ms
FROM (SELECT *, rowid AS written FROM smoothed)
JOIN (SELECT * FROM channels WHERE asset = $1 AND sensor = $2) ON id = channel
WHERE timestamp >= $3 AND timestamp < $4 ORDER BY timestamp, written LIMIT $5`;

/** $1 asset, $2 start, $3 end, $4 limit. */
export const ANOMALIES = `SELECT asset, timestamp, event, score, threshold, alarm_since, contributions FROM anomalies
WHERE asset = $1 AND timestamp >= $2 AND timestamp < $3 ORDER BY timestamp, rowid LIMIT $4`;

/** $1 asset, $2 start, $3 end, $4 limit. */
export const TWINS = `SELECT * FROM twins
WHERE asset = $1 AND timestamp >= $2 AND timestamp < $3 ORDER BY timestamp, rowid LIMIT $4`;

/** $1 limit. */
export const DEAD_LETTERS = `SELECT * REPLACE (row::DOUBLE AS row) FROM dead_letters ORDER BY dead_letters.row DESC LIMIT $1`;

export const CHANNELS = `SELECT id, asset, sensor, unit, received_unit, source FROM channels ORDER BY id`;

export const NOTES = `SELECT source, note FROM source_notes
WHERE (source, sequence) IN (SELECT (source, max(sequence)) FROM source_notes GROUP BY source)`;

/** All columns, because a file of version 1 has no `forwarded`. */
export const LAST_COMMIT = `SELECT * FROM commits ORDER BY sequence DESC LIMIT 1`;

export const STORE_ID = `SELECT value FROM meta WHERE key = 'store_id'`;

const INPUT = `SELECT row::DOUBLE AS n, channel, timestamp, received_value, flags, issues, position, arrived_at, delivery`;
const RECEIVED_IN = `row > $1 AND row <= $2 AND (flags & ${RECEIVED}) > 0`;

/** Inputs of the rows in ($1, $2]; a released held reading comes twice, a tick has no channel. */
export const INPUTS = `${INPUT} FROM reading_rows WHERE ${RECEIVED_IN}
UNION ALL ${INPUT} FROM held_rows WHERE ${RECEIVED_IN}
UNION ALL SELECT row::DOUBLE, NULL, timestamp, NULL, NULL, NULL, NULL, NULL, NULL FROM ticks WHERE row > $1 AND row <= $2
ORDER BY n`;

/** The first input with a row above $1. */
export const NEXT_INPUT = `SELECT min(n) AS row FROM (
  SELECT min(row)::DOUBLE AS n FROM reading_rows WHERE row > $1 AND (flags & ${RECEIVED}) > 0
  UNION ALL SELECT min(row)::DOUBLE FROM held_rows WHERE row > $1 AND (flags & ${RECEIVED}) > 0
  UNION ALL SELECT min(row)::DOUBLE FROM ticks WHERE row > $1)`;

const NAMED = `position, delivery, row FROM`;
const NAMED_AFTER = `delivery IS NOT NULL AND row > $2`;
const OF_SOURCE = `channel IN (SELECT id FROM channels WHERE source = $1)`;

/** $1 source, $2 rows above this, $3 limit. Newest first. UNION: a released held reading is stored twice. */
export const DELIVERIES = `SELECT position, delivery FROM (
  SELECT ${NAMED} reading_rows WHERE ${NAMED_AFTER} AND ${OF_SOURCE}
  UNION SELECT ${NAMED} held_rows WHERE ${NAMED_AFTER} AND ${OF_SOURCE}
  UNION SELECT ${NAMED} dead_letters WHERE ${NAMED_AFTER} AND source = $1)
ORDER BY row DESC LIMIT $3`;

export const WANTED = `CREATE OR REPLACE TEMP TABLE wanted (i INTEGER, channel INTEGER, timestamp DOUBLE, value DOUBLE)`;

const recallFrom = (table: string): string => `SELECT i FROM wanted JOIN ${table} AS stored
  ON stored.timestamp = wanted.timestamp AND stored.channel = wanted.channel
    AND stored.received_value IS NOT DISTINCT FROM wanted.value
  WHERE stored.timestamp >= $1 AND stored.timestamp <= $2 AND (stored.flags & ${RECEIVED}) > 0`;

/** $1 first and $2 last of the times in `wanted`. */
export const RECALL = `${recallFrom('reading_rows')} UNION ALL ${recallFrom('held_rows')}`;

/** Readings of the commits in ($1, $2] as they lie in the table, at most $3. */
export const COMMITTED = `SELECT commit_number::DOUBLE, channel, timestamp, value, flags, estimate, rate_per_s, std_dev
FROM reading_rows WHERE commit_number > $1 AND commit_number <= $2 LIMIT $3`;

export const COUNT_COMMITTED = `SELECT count(*)::DOUBLE AS count FROM reading_rows
WHERE commit_number > $1 AND commit_number <= $2`;

/** $1 limit. */
export const QUARANTINED = `SELECT refused_at, line, reason FROM quarantined ORDER BY refused_at DESC, rowid DESC LIMIT $1`;

/**
 * Bytes that the file has at least: three headers of 4096 bytes, and the blocks in use. Not all blocks that its header
 * counts: a checkpoint after much was deleted cuts off free blocks at the end only after it has written the header.
 */
export const FILE_SIZE = `SELECT (3 * 4096 + block_size * used_blocks)::DOUBLE FROM pragma_database_size()`;

/** A row group, which is what a checkpoint writes anew. */
const TAIL_ROWS = 122_880;

/** Read every column of the last rows of a table. */
export const TAILS = [
  'reading_rows',
  'held_rows',
  'ticks',
  'smoothed',
  'windows',
  'twins',
  'anomalies',
  'dead_letters',
  'quarantined',
].map(
  (table) =>
    `SELECT bit_xor(hash(stored)) FROM ${table} AS stored WHERE rowid > (SELECT max(rowid) FROM ${table}) - ${TAIL_ROWS}`,
);
