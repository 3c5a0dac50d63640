import { DuckDBInstance } from '@duckdb/node-api';

/** As version 1 made it. */
const SCHEMA = `
CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
CREATE TABLE channels (id INTEGER NOT NULL, asset VARCHAR NOT NULL, sensor VARCHAR NOT NULL, unit VARCHAR NOT NULL,
  received_unit VARCHAR, source VARCHAR);
CREATE TABLE reading_rows (row BIGINT NOT NULL, channel INTEGER NOT NULL, timestamp DOUBLE NOT NULL, value DOUBLE,
  flags UTINYINT NOT NULL, issues VARCHAR, received_value DOUBLE, position DOUBLE, arrived_at DOUBLE, estimate DOUBLE,
  rate_per_s DOUBLE, std_dev DOUBLE);
CREATE TABLE held_rows (row BIGINT NOT NULL, channel INTEGER NOT NULL, timestamp DOUBLE NOT NULL, value DOUBLE,
  flags UTINYINT NOT NULL, issues VARCHAR, received_value DOUBLE, position DOUBLE, arrived_at DOUBLE);
CREATE TABLE ticks (row BIGINT NOT NULL, timestamp DOUBLE NOT NULL);
CREATE TABLE windows (channel INTEGER NOT NULL, size_ms DOUBLE NOT NULL, every_ms DOUBLE NOT NULL,
  start_ms DOUBLE NOT NULL, end_ms DOUBLE NOT NULL, count BIGINT NOT NULL, bad_count BIGINT NOT NULL,
  imputed_count BIGINT NOT NULL, mean DOUBLE, time_weighted_mean DOUBLE, min DOUBLE, max DOUBLE, std_dev DOUBLE,
  first DOUBLE, last DOUBLE, revision BIGINT NOT NULL);
CREATE TABLE twins (asset VARCHAR NOT NULL, timestamp DOUBLE NOT NULL, state VARCHAR NOT NULL,
  parameters VARCHAR NOT NULL, residuals VARCHAR NOT NULL, sync VARCHAR NOT NULL);
CREATE TABLE dead_letters (row BIGINT NOT NULL, source VARCHAR NOT NULL, position DOUBLE NOT NULL,
  arrived_at DOUBLE NOT NULL, reason VARCHAR NOT NULL, detail VARCHAR NOT NULL, origin VARCHAR NOT NULL,
  payload VARCHAR NOT NULL);
CREATE TABLE commits (sequence DOUBLE NOT NULL, last_row DOUBLE NOT NULL, positions VARCHAR NOT NULL);
CREATE VIEW readings AS SELECT row, asset, sensor, value FROM reading_rows JOIN channels ON id = channel;
INSERT INTO meta VALUES ('schema_version', '1');
INSERT INTO channels VALUES (0, 'R101', 'temperature', 'degC', 'degF', 'plant');
INSERT INTO reading_rows SELECT i, 0, i * 10, i / 2, 33, '[{"check":"source","message":"m"},{"check":"range","message":"r"}]',
  i, i, i * 10 + 1, NULL, NULL, NULL FROM range(1, 5001) AS r(i);
INSERT INTO held_rows VALUES (5001, 0, 5, 6, 32, NULL, 7, 5001, 8);
INSERT INTO ticks VALUES (5002, 9);
INSERT INTO dead_letters VALUES (5003, 'plant', 5003, 10, 'malformed', 'd', 'o', 'p');
INSERT INTO commits VALUES (11, 4000, '{"plant":4000}'), (12, 5003, '{"plant":5003}');`;

/** Makes a store as version 1 left it, without or with its log beside it. */
export async function writeVersion1(path: string): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(SCHEMA);
  connection.closeSync();
  instance.closeSync();
}
