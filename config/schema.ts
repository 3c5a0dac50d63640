import type convict from 'convict';
import { assetsSpec } from './assets.ts';
import {
  choice,
  duration,
  flag,
  inputFile,
  number,
  orNull,
  port,
  secret,
  text,
  texts,
  url,
  whole,
} from './formats.ts';
import { isName, nameProblem } from './names.ts';
import { KNOWN_SENSOR_TYPES, sensorTypeSpec } from './sensors.ts';
import { sourceSpec } from './sources.ts';
import { group, listOf, mapOf, optional } from './spec.ts';
import type { Spec } from './spec.ts';
import type { MapNode } from './tree.ts';
import type { Config, PlantConfig, SensorConfig, SourceConfig } from './types.ts';

/** The parts whose keys are fixed: their leaves are convict's schema objects. */
export type FixedConfig = Omit<Config, 'assets' | 'sensorTypes' | 'sources' | 'plant'>;

const fixed = {
  unknownAssets: choice(
    'What happens to readings of assets and sensors that `assets` does not list: kept with the settings of `sensorTypes`, or dead letters.',
    'accept',
    ['accept', 'reject'],
  ),
  pipeline: {
    buffer: {
      capacity: whole('Readings that may wait while a commit is in flight.', 1000, {
        min: 1,
        max: 10_000_000,
      }),
      overflow: choice(
        'What happens when it is full: the source pauses, or readings are dropped (and counted).',
        'pause',
        ['pause', 'dropOldest', 'dropNewest', 'latest'],
      ),
      putTimeoutMs: duration(
        'How long a reading waits for room with a source that cannot pause, before it is dropped and counted.',
        1000,
      ),
    },
    commit: {
      maxRows: whole('Readings in one transaction at most.', 5000, { min: 1, max: 1_000_000 }),
      maxWaitMs: duration(
        'How long a commit waits for more readings when nothing awaits its acknowledgement.',
        250,
      ),
    },
    checkpoint: {
      everyMs: duration(
        'How often operator state is written out; after a crash, the rows since then run once more.',
        5000,
        100,
      ),
      keep: whole('Checkpoints kept; a damaged one falls back to the one before.', 3, { min: 1, max: 100 }),
    },
    catchUpMs: duration(
      'How long the clock may be withheld after a start, a reconnect or a stall, while sources deliver what has queued up.',
      86_400_000,
    ),
    tickMs: duration(
      'How often the clock enters the pipeline, for gaps, staleness and idle windows.',
      1000,
      10,
    ),
    maxSensors: whole('Distinct sensors beyond this are refused, as dead letters.', 20_000, {
      min: 1,
      max: 1_000_000,
    }),
    shutdownTimeoutMs: duration('How long a shutdown may take to drain and commit.', 10_000),
  },
  store: {
    path: text(
      'File of the embedded store; its folder is made. Relative to the working directory.',
      './data/rxtwin.duckdb',
      {
        expected: 'the path of a file',
        test: (path) => path.trim() !== '',
      },
    ),
    retentionDays: number('Older rows are deleted.', 30, { above: 0, max: 36_500, unit: 'days' }),
    memoryLimitMb: whole('Memory that the store may use.', 256, { min: 32, max: 1_048_576, unit: 'MB' }),
    maxDeadLetters: whole('The newest so many are kept.', 10_000, { min: 0, max: 10_000_000 }),
  },
  twin: {
    everyMs: duration("How often, in event time, a twin's state is recorded; 0 = at every reading.", 1000),
    lostAfterMs: duration('Without a usable reading of any sensor for so long, the twin is lost.', 60_000, 1),
  },
  api: {
    host: text('Address to listen on; 0.0.0.0 = all of them.', '127.0.0.1', {
      expected: 'a host name or an IP address',
      test: (host) => /^[\w.:-]+$/.test(host),
    }),
    port: port('Port to listen on; 0 = any free one.', 8080),
    maxRows: whole('Rows that one request may return.', 100_000, { min: 1, max: 10_000_000 }),
    maxStreams: whole('Event streams open at once.', 200, { min: 0, max: 100_000 }),
  },
  log: {
    level: choice('What is logged: this level and above.', 'info', [
      'fatal',
      'error',
      'warn',
      'info',
      'debug',
      'trace',
      'silent',
    ]),
  },
  influx: {
    url: url('InfluxDB 2 server that rows are forwarded to; empty = off.', '', ['http', 'https']),
    token: secret('Token of InfluxDB.'),
    org: text('Organisation in InfluxDB.', ''),
    bucket: text('Bucket in InfluxDB.', ''),
    batchRows: whole('Points in one request at most.', 5000, { min: 1, max: 100_000 }),
    maxWaitMs: duration('How long a row waits for more to come into its request.', 1000),
    timeoutMs: duration('How long a request may take.', 10_000, 1),
    retry: {
      minMs: duration(
        'Wait after the first failed request; doubles up to maxMs, up to half of it random.',
        500,
        1,
      ),
      maxMs: duration('Longest wait; also the one after a wrong token, organisation or bucket.', 60_000, 1),
    },
    backlog: {
      maxRows: whole(
        'Rows that may wait to be forwarded. The store keeps them beyond their retention, some 100 bytes each.',
        50_000_000,
        { min: 1, max: 100_000_000_000 },
      ),
      policy: choice(
        'What happens beyond: the sources pause, or the oldest rows are not forwarded (and counted); the store keeps them.',
        'dropOldest',
        ['stop', 'dropOldest'],
      ),
    },
    catchUpShare: number('Share of the time that catching up after an outage may take.', 0.5, {
      above: 0,
      max: 1,
    }),
  },
} as const;

/** The fixed keys as convict takes them. */
export const convictSchema: convict.Schema<FixedConfig> = fixed;

const plantPort = (doc: string) => orNull(port(doc, 0));

export const plant = group('The simulated plant, run inside the service; null = none.', {
  assets: texts('Reactors of the plant.', undefined, {
    expected: 'a list of at least one asset, all different',
    test: isName,
  }),
  intervalMs: duration('Time between two steps of the plant.', 1000, 10),
  seed: whole('Start of the random numbers; the same seed gives the same plant.', 1, {
    min: 0,
    max: 0xffff_ffff,
  }),
  brokerPort: plantPort('Port of the embedded MQTT broker; 0 = any free one, null = no broker.'),
  opcuaPort: plantPort("Port of the plant's OPC UA server; 0 = any free one, null = no server."),
  publishUrl: url('Broker that the plant publishes to; empty = nowhere.', '', [
    'mqtt',
    'mqtts',
    'tcp',
    'ssl',
    'ws',
    'wss',
  ]),
  scenario: inputFile(
    "File with the scenario of a continuous reactor with control loop and faults (docs/plant.md), run with these assets and this seed; '' = the batch plant.",
    '',
  ),
  publishTruth: flag(
    'Whether the true states are published as well, to truth/<asset>. Keep sources away from these topics.',
    false,
  ),
}) satisfies Spec<PlantConfig>;

/** Settings by type; the known types are always there. */
export const sensorTypes: Spec<Readonly<Record<string, SensorConfig>>> = mapOf(
  'Settings of sensors by their type, which is the name of the sensor unless it says otherwise.',
  'type',
  sensorTypeSpec,
  nameProblem,
);

const sources: Spec<readonly (SourceConfig | null)[]> = listOf('Where readings come from.', sourceSpec, []);

/** Names of the known types, to be there even where no file mentions them. */
export const KNOWN_TYPE_NAMES: readonly string[] = [...KNOWN_SENSOR_TYPES.keys()];

/** Sections with keys that the environment can set. */
export const fixedSpec = group('', { ...fixed, plant: optional(plant) });

/** The whole configuration; `types` are the nodes of sensorTypes, which the sensors of assets build on. */
export const rootSpec = (types: MapNode | undefined) =>
  group('', { sensorTypes, assets: assetsSpec(types), sources, ...fixed, plant: optional(plant) });
