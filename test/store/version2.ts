import { DuckDBInstance } from '@duckdb/node-api';

const ROW = `row BIGINT NOT NULL, channel INTEGER NOT NULL, timestamp DOUBLE NOT NULL, value DOUBLE, flags UTINYINT NOT NULL,
  issues VARCHAR, received_value DOUBLE, position DOUBLE, arrived_at DOUBLE`;

/** As version 2 made it in a new file. */
const SCHEMA = `
CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
CREATE TABLE channels (id INTEGER NOT NULL, asset VARCHAR NOT NULL, sensor VARCHAR NOT NULL, unit VARCHAR NOT NULL,
  received_unit VARCHAR, source VARCHAR);
CREATE TABLE reading_rows (${ROW}, estimate DOUBLE, rate_per_s DOUBLE, std_dev DOUBLE, delivery DOUBLE,
  commit_number BIGINT DEFAULT 0);
CREATE TABLE held_rows (${ROW}, delivery DOUBLE);
CREATE TABLE ticks (row BIGINT NOT NULL, timestamp DOUBLE NOT NULL);
CREATE TABLE windows (channel INTEGER NOT NULL, size_ms DOUBLE NOT NULL, every_ms DOUBLE NOT NULL,
  start_ms DOUBLE NOT NULL, end_ms DOUBLE NOT NULL, count BIGINT NOT NULL, bad_count BIGINT NOT NULL,
  imputed_count BIGINT NOT NULL, mean DOUBLE, time_weighted_mean DOUBLE, min DOUBLE, max DOUBLE, std_dev DOUBLE,
  first DOUBLE, last DOUBLE, revision BIGINT NOT NULL);
CREATE TABLE twins (asset VARCHAR NOT NULL, timestamp DOUBLE NOT NULL, state VARCHAR NOT NULL,
  parameters VARCHAR NOT NULL, residuals VARCHAR NOT NULL, sync VARCHAR NOT NULL);
CREATE TABLE dead_letters (row BIGINT NOT NULL, source VARCHAR NOT NULL, position DOUBLE NOT NULL,
  arrived_at DOUBLE NOT NULL, reason VARCHAR NOT NULL, detail VARCHAR NOT NULL, origin VARCHAR NOT NULL,
  payload VARCHAR NOT NULL, delivery DOUBLE);
CREATE TABLE commits (sequence DOUBLE NOT NULL, last_row DOUBLE NOT NULL, positions VARCHAR NOT NULL, forwarded VARCHAR);
CREATE TABLE quarantined (refused_at DOUBLE NOT NULL, line VARCHAR NOT NULL, reason VARCHAR NOT NULL);
CREATE OR REPLACE VIEW readings AS SELECT row, asset, sensor,
  epoch_ms(0) + to_microseconds(CAST(timestamp * 1000 AS BIGINT)) AS time, timestamp, value, unit,
  CASE (flags) & 3 WHEN 0 THEN 'Good' WHEN 1 THEN 'Uncertain' ELSE 'Bad' END AS quality, issues,
  (flags & 16) > 0 AS imputed, source, position, arrived_at, received_value, received_unit,
  CASE WHEN (flags & 32) > 0 THEN CASE (flags >> 2) & 3 WHEN 0 THEN 'Good' WHEN 1 THEN 'Uncertain' ELSE 'Bad' END END
    AS received_quality,
  estimate, rate_per_s, std_dev, (flags & 64) > 0 AS backfilled, delivery, commit_number
  FROM reading_rows JOIN channels ON id = channel;
CREATE VIEW stored_windows AS SELECT asset, sensor, unit, windows.* EXCLUDE (channel) FROM windows
  JOIN channels ON id = channel;
INSERT INTO meta VALUES ('schema_version', '2'), ('store_id', 'c0ffee00-0000-4000-8000-000000000002');
INSERT INTO channels VALUES (0, 'R101', 'temperature', 'degC', 'degC', 'plant'), (1, 'R101', 'temperature', 'degC', NULL, NULL);
INSERT INTO reading_rows SELECT i, 0, i * 1000, i / 2, 32, NULL, i / 2, i, i * 1000 + 1, i / 2, 0.5, 0.25, NULL, 1 + i // 100
  FROM range(1, 3001) AS r(i);
INSERT INTO held_rows VALUES (3001, 0, 3001000, 7, 32, NULL, 7, 3001, 3001001, 42);
INSERT INTO ticks VALUES (3002, 3002000);
INSERT INTO windows VALUES (1, 1000, 1000, 0, 1000, 1, 0, 0, 85, 85, 85, 85, NULL, 85, 85, 0);
INSERT INTO twins VALUES ('R101', 1000, '{}', '{}', '{}', '{"status":"lost","lagMs":0,"staleSensors":[]}');
INSERT INTO quarantined VALUES (1, 'm v=1', 'no');
INSERT INTO commits VALUES (30, 3000, '{"plant":3000}', '{"through":20,"ahead":null}'),
  (31, 3002, '{"plant":3001}', '{"through":25,"ahead":null}');`;

/** Makes a store as version 2 left it. */
export async function writeVersion2(path: string): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(SCHEMA);
  connection.closeSync();
  instance.closeSync();
}
