import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../config/problems.ts';
import { configFolder } from './helpers.ts';

const folder = configFolder();
afterAll(() => folder.remove());

const mqtt = (rest: string): string => `sources: [{ id: a, type: mqtt, url: mqtt://h, ${rest} }]`;
const opcua = (rest: string): string =>
  `sources: [{ id: a, type: opcua, endpoint: "opc.tcp://h:4840", nodes: { R1/t: i=1 }, ${rest} }]`;
const sensor = (rest: string): string => `sensorTypes: { temperature: { ${rest} } }`;

/** Text, and the only problem that it has. */
const CASES: readonly (readonly [string, string])[] = [
  // keys
  ['asets: {}', '1: asets: unknown key; did you mean "assets"?'],
  ['api: { prot: 1 }', '1: api.prot: unknown key; did you mean "port"?'],
  ['api: { max_rows: 1 }', '1: api.max_rows: unknown key; did you mean "maxRows"?'],
  ['log:\n  colour: red', '2: log.colour: unknown key, expected one of level'],
  [
    sensor('outlier: { treshold: 3 }'),
    '1: sensorTypes.temperature.outlier.treshold: unknown key; did you mean "threshold"?',
  ],
  [mqtt('topicss: 1'), '1: sources[0].topicss: unknown key; did you mean "topics"?'],
  ['"<<": { a: 1 }', '1: "<<": unknown key, expected one of'],
  ['api:\n  port: 1\n  port: 2', '3: api.port: given twice, first in line 2'],
  ['assets: { R1: {}, R1: {} }', '1: assets.R1: given twice, first in line 1'],
  ['__proto__: { x: 1 }', '1: "__proto__" is not allowed as a key'],
  ['assets: { constructor: {} }', '1: assets: "constructor" is not allowed as a key'],
  ['? [a]\n: 1', '1: a key is not a word'],
  ['null: 1', '1: a key is not a word'],
  // types
  ['api: { port: "12" }', '1: api.port: "12" is not valid, expected a whole number >= 0 and <= 65535'],
  ['api: { port: 1.5 }', '1: api.port: 1.5 is not valid, expected a whole number'],
  ['api: { port: 65536 }', '1: api.port: 65536 is not valid'],
  ['api: { port: true }', '1: api.port: true is not valid'],
  ['api: { port: }', '1: api.port: null is not valid'],
  ['api: { port: [1] }', '1: api.port: [1] is not valid'],
  ['api: { port: { a: 1 } }', '1: api.port: a map is not valid'],
  ['api: { port: .nan }', '1: api.port: NaN is not valid'],
  ['api: { maxRows: .inf }', '1: api.maxRows: Infinity is not valid'],
  [
    'store: { retentionDays: -.inf }',
    '1: store.retentionDays: -Infinity is not valid, expected a number > 0',
  ],
  ['store: { retentionDays: 1e999 }', '1: store.retentionDays: Infinity is not valid'],
  ['store: { retentionDays: 0 }', '1: store.retentionDays: 0 is not valid, expected a number > 0'],
  ['api: { host: true }', '1: api.host: true is not valid, expected a host name or an IP address'],
  ['api: { host: "a b" }', '1: api.host: "a b" is not valid'],
  ['store: { path: 7 }', '1: store.path: 7 is not valid, expected the path of a file'],
  ['store: { path: "" }', '1: store.path: "" is not valid'],
  ['unknownAssets: maybe', '1: unknownAssets: "maybe" is not valid, expected one of accept, reject'],
  [
    'log: { level: Info }',
    '1: log.level: "Info" is not valid, expected one of fatal, error, warn, info, debug, trace, silent',
  ],
  [
    'pipeline: { buffer: { overflow: drop } }',
    '1: pipeline.buffer.overflow: "drop" is not valid, expected one of pause',
  ],
  ['api: 5', '1: api: 5 is not valid, expected a map with the keys host, port, maxRows, maxStreams'],
  ['api: [1]', '1: api: [1] is not valid, expected a map'],
  ['assets: [R1]', '1: assets: ["R1"] is not valid, expected a map'],
  ['sensorTypes: 5', '1: sensorTypes: 5 is not valid, expected a map'],
  ['sources: {}', '1: sources: a map is not valid, expected a list'],
  ['sources: [5]', '1: sources[0]: 5 is not valid, expected a map with id and type'],
  // durations and limits
  ['pipeline: { tickMs: -5 }', '1: pipeline.tickMs: -5 is not valid, expected a whole number >= 10'],
  ['pipeline: { shutdownTimeoutMs: 3000000000 }', '1: pipeline.shutdownTimeoutMs: 3000000000 is not valid'],
  [
    'pipeline: { commit: { maxRows: 0 } }',
    '1: pipeline.commit.maxRows: 0 is not valid, expected a whole number >= 1',
  ],
  ['twin: { lostAfterMs: 0 }', '1: twin.lostAfterMs: 0 is not valid, expected a whole number >= 1'],
  [sensor('staleAfterMs: 0'), '1: sensorTypes.temperature.staleAfterMs: 0 is not valid'],
  // sensors
  [
    sensor('range: { min: 5, max: 5 }'),
    '1: sensorTypes.temperature.range.min: 5 is not valid, expected less than max (5)',
  ],
  [
    sensor('range: { min: 500 }'),
    '1: sensorTypes.temperature.range.min: 500 is not valid, expected less than max (400)',
  ],
  [
    'sensorTypes: { level: { range: { min: 5 } } }',
    '1: sensorTypes.level.range.max: missing, expected a number',
  ],
  [
    sensor('unit: furlong'),
    '1: sensorTypes.temperature.range: missing: the one there is in degC, which cannot be converted to "furlong"',
  ],
  [sensor('unit: 5'), '1: sensorTypes.temperature.unit: 5 is not valid, expected text'],
  [
    sensor('outlier: { minSamples: 200 }'),
    '1: sensorTypes.temperature.outlier.minSamples: 200 is not valid, expected at most windowSize (100)',
  ],
  [sensor('outlier: { windowSize: 1.5 }'), '1: sensorTypes.temperature.outlier.windowSize: 1.5 is not valid'],
  [
    sensor('outlier: { threshold: 0 }'),
    '1: sensorTypes.temperature.outlier.threshold: 0 is not valid, expected a number > 0',
  ],
  [
    sensor('spike: 5'),
    '1: sensorTypes.temperature.spike: 5 is not valid, expected false, true or a map with the keys maxRelativeChange',
  ],
  [sensor('spike: "off"'), '1: sensorTypes.temperature.spike: "off" is not valid, expected false, true'],
  [sensor('spike: [1]'), '1: sensorTypes.temperature.spike: [1] is not valid, expected a map'],
  [
    sensor('spike: { maxRelativeChange: -0.1 }'),
    '1: sensorTypes.temperature.spike.maxRelativeChange: -0.1 is not valid',
  ],
  [
    sensor('missing: { method: mean }'),
    '1: sensorTypes.temperature.missing.method: "mean" is not valid, expected one of meanOfLastTwo',
  ],
  [
    sensor('missing: { expectedIntervalMs: 0 }'),
    '1: sensorTypes.temperature.missing.expectedIntervalMs: 0 is not valid, expected a whole number >= 1 and <= 2147483647 (ms), or null',
  ],
  [
    sensor('kalman: { processNoise: [1] }'),
    '1: sensorTypes.temperature.kalman.processNoise: [1] is not valid, expected a list of two numbers >= 0',
  ],
  [
    sensor('kalman: { processNoise: [1, -1] }'),
    '1: sensorTypes.temperature.kalman.processNoise: [1, -1] is not valid',
  ],
  [
    sensor('kalman: { measurementVariance: 0 }'),
    '1: sensorTypes.temperature.kalman.measurementVariance: 0 is not valid, expected a number > 0',
  ],
  [
    sensor('windows: { sizeMs: 5 }'),
    '1: sensorTypes.temperature.windows: a map is not valid, expected a list',
  ],
  [sensor('windows: [{}]'), '1: sensorTypes.temperature.windows[0].sizeMs: missing, expected a whole number'],
  [
    sensor('windows: [{ sizeMs: 10, everyMs: 20 }]'),
    '1: sensorTypes.temperature.windows[0].everyMs: 20 is not valid, expected at most sizeMs (10)',
  ],
  [
    sensor('windows: [{ sizeMs: 10, offsetMs: 10 }]'),
    '1: sensorTypes.temperature.windows[0].offsetMs: 10 is not valid, expected less than everyMs (10)',
  ],
  [
    sensor('windows: [{ sizeMs: 86400000, everyMs: 1 }]'),
    '1: sensorTypes.temperature.windows[0].everyMs: 1 is not valid, expected a common divisor with sizeMs (86400000) of at least 8640',
  ],
  [
    sensor('windows: [{ sizeMs: 10 }, { sizeMs: 10 }]'),
    '1: sensorTypes.temperature.windows: the same window (sizeMs 10, everyMs 10, offsetMs 0) is given twice',
  ],
  [
    sensor('type: pressure'),
    '1: sensorTypes.temperature.type: unknown key; a type is chosen by the sensor of an asset',
  ],
  [
    'assets: { R1: { sensors: { T: { type: temprature } } } }',
    '1: assets.R1.sensors.T.type: no such sensor type; did you mean "temperature"?',
  ],
  [
    'assets: { R1: { sensors: [temperature] } }',
    '1: assets.R1.sensors: ["temperature"] is not valid, expected a map',
  ],
  [
    'assets: { R1: { sensors: { temperature: 5 } } }',
    '1: assets.R1.sensors.temperature: 5 is not valid, expected a map',
  ],
  // names and models
  ['assets: { "R 1": {} }', '1: assets."R 1": not a valid name, expected letters'],
  ['assets: { R/1: {} }', '1: assets.R/1: not a valid name'],
  ['assets: { "..": {} }', '1: assets...: not a valid name'],
  [`assets: { ${'x'.repeat(129)}: {} }`, 'the name has 129 characters, expected at most 128'],
  ['assets: { R1: { sensors: { "a+b": {} } } }', '1: assets.R1.sensors."a+b": not a valid name'],
  [
    'assets: { R1: { model: batchReactor } }',
    '1: assets.R1.model: "batchReactor" is not valid, expected a map with type',
  ],
  ['assets: { R1: { model: {} } }', '1: assets.R1.model.type: missing, expected one of batchReactor'],
  [
    'assets: { R1: { model: { type: plugFlow } } }',
    '1: assets.R1.model.type: "plugFlow" is not valid, expected one of batchReactor, cstr, or the path of a module',
  ],
  ['assets: { R1: { model: { type: ./none.js } } }', 'none.js": no such file'],
  [
    'assets: { R1: { model: { type: batchReactor, massKg: .nan } } }',
    '1: assets.R1.model.massKg: NaN is not valid, expected finite numbers',
  ],
  [
    'assets: { R1: { model: { type: batchReactor, parameters: { massKg: 1 } } } }',
    '1: assets.R1.model.parameters: unknown key; parameters of a model stand beside its type',
  ],
  [
    'assets: { R1: { sensors: { T_top: {} }, model: { type: batchReactor, sensors: { temperature: Ttop } } } }',
    '1: assets.R1.model: sensors.temperature: the asset has no sensor "Ttop"; did you mean "T_top"?',
  ],
  // sources
  ['sources: [{ id: a }]', '1: sources[0].type: missing, expected one of mqtt, opcua, replay, simulator'],
  [
    'sources: [{ id: a, type: kafka }]',
    '1: sources[0].type: "kafka" is not valid, expected one of mqtt, opcua, replay, simulator',
  ],
  ['sources: [{ type: mqtt, url: mqtt://h }]', '1: sources[0].id: missing, expected a name'],
  ['sources: [{ id: a b, type: mqtt, url: mqtt://h }]', '1: sources[0].id: "a b" is not valid'],
  ['sources: [{ id: a, type: mqtt }]', '1: sources[0].url: missing, expected a URL like mqtt://host:port'],
  [
    'sources: [{ id: a, type: mqtt, url: 127.0.0.1 }]',
    '1: sources[0].url: "127.0.0.1" is not valid, expected a URL',
  ],
  ['sources: [{ id: a, type: mqtt, url: "http://h" }]', '1: sources[0].url: "http://h" is not valid'],
  ['sources: [{ id: a, type: mqtt, url: "mqtt://" }]', '1: sources[0].url: "mqtt://" is not valid'],
  [
    'sources: [{ id: a, type: mqtt, url: "mqtt://h:99999" }]',
    '1: sources[0].url: "mqtt://h:99999" is not valid',
  ],
  [mqtt('topics: []'), '1: sources[0].topics: [] is not valid'],
  [
    mqtt('topics: ["a/#/b"]'),
    '1: sources[0].topics: ["a/#/b"] is not valid, expected a list of different MQTT topic filters',
  ],
  [mqtt('topics: [a, a]'), '1: sources[0].topics: ["a", "a"] is not valid'],
  [mqtt('topics: a'), '1: sources[0].topics: "a" is not valid'],
  [mqtt('topicTemplate: "reactor/{asset}"'), '1: sources[0].topicTemplate: "reactor/{asset}" is not valid'],
  [mqtt('qos: 3'), '1: sources[0].qos: 3 is not valid, expected one of 0, 1, 2'],
  [mqtt('protocolVersion: 3'), '1: sources[0].protocolVersion: 3 is not valid, expected one of 4, 5'],
  [
    mqtt('clientId: ""'),
    '1: sources[0].clientId: "" is not valid, expected a name, as cleanSession is false',
  ],
  [
    mqtt('will: { topic: a/+ }'),
    '1: sources[0].will.topic: "a/+" is not valid, expected a topic without wildcards',
  ],
  [mqtt('will: {}'), '1: sources[0].will.topic: missing'],
  [mqtt('tls: { certFile: a.pem }'), '1: sources[0].tls: certFile and keyFile belong together'],
  [
    mqtt('reconnect: { minMs: 10, maxMs: 5 }'),
    '1: sources[0].reconnect.minMs: 10 is not valid, expected at most maxMs (5)',
  ],
  [mqtt('passwordFile: none'), '1: sources[0].passwordFile: "none": no such file'],
  [mqtt('passwordFile: 5'), '1: sources[0].passwordFile: 5 is not valid, expected the path of a file'],
  [mqtt('password: a, passwordFile: b'), '1: sources[0].passwordFile: given together with password'],
  [mqtt('password: 5'), '1: sources[0].password: *** is not valid, expected text'],
  [
    'sources: [{ id: a, type: opcua, endpoint: "opc.tcp://h:1" }]',
    '1: sources[0].nodes: missing, expected at least one',
  ],
  [
    'sources: [{ id: a, type: opcua, endpoint: "opc.tcp:/h", nodes: { R1/t: i=1 } }]',
    '1: sources[0].endpoint: "opc.tcp:/h" is not valid, expected a URL like opc.tcp://host:port',
  ],
  [opcua('mode: push'), '1: sources[0].mode: "push" is not valid'],
  [opcua('units: { R1/u: degC }'), '1: sources[0].units: R1/u is not among the nodes; did you mean "R1/t"?'],
  [opcua('securityMode: Sign'), '1: sources[0].securityPolicy: None does not go with securityMode Sign'],
  [opcua('password: x'), '1: sources[0].password: given without a username'],
  ...['ns=2', 'R1', 'ns=70000;i=1', 'i=x', 'i=4294967296', 'ns=2;s=', 'g=1'].map(
    (id) =>
      [
        `sources: [{ id: a, type: opcua, endpoint: "opc.tcp://h:1", nodes: { R1/t: "${id}" } }]`,
        `1: sources[0].nodes.R1/t: "${id}" is not valid, expected a node id like ns=2;s=Name or i=85`,
      ] as const,
  ),
  [
    'sources: [{ id: a, type: opcua, endpoint: "opc.tcp://h:1", nodes: { R1: i=1 } }]',
    '1: sources[0].nodes.R1: not a valid key, expected asset/sensor',
  ],
  [
    'sources: [{ id: a, type: replay }]',
    '1: sources[0].files: missing, expected a list of at least one path',
  ],
  [
    'sources: [{ id: a, type: replay, files: [x], speed: 0 }]',
    '1: sources[0].speed: 0 is not valid, expected a number > 0, or null',
  ],
  ['sources: [{ id: a, type: simulator }]', '1: sources[0].assets: missing'],
  // between parts
  [
    'sources:\n  - { id: a, type: simulator, assets: [R1] }\n  - { id: a, type: simulator, assets: [R2] }',
    '3: sources[1].id: "a" is already the id of sources[0], expected another',
  ],
  [
    'sources:\n  - { id: a, type: mqtt, url: mqtt://h }\n  - { id: b, type: mqtt, url: mqtt://h }',
    '3: sources[1].clientId: "rxtwin" is already the client id of source a at the same broker',
  ],
  [
    `unknownAssets: reject\n${opcua('')}`,
    '2: sources[0].nodes.R1/t: not listed under assets, and unknownAssets is reject',
  ],
  ['plant: {}', '1: plant.assets: missing, expected a list'],
  ['plant: { assets: [R1], brokerPort: 8080 }', '1: plant.brokerPort: 8080 is already api.port'],
  [
    'influx: { url: "http://h", org: o, bucket: b }',
    '1: influx.token: missing, expected one, as influx.url is set',
  ],
  [
    'influx: { url: "http://h", token: t, bucket: b }',
    '1: influx.org: missing, expected one, as influx.url is set',
  ],
  [
    'influx: { url: "http://h", token: t, org: o }',
    '1: influx.bucket: missing, expected one, as influx.url is set',
  ],
  [
    'influx: { retry: { minMs: 100000 } }',
    '1: influx.retry.minMs: 100000 is not valid, expected at most maxMs (60000)',
  ],
  ['influx: { catchUpShare: 0 }', '1: influx.catchUpShare: 0 is not valid, expected a number > 0 and <= 1'],
  [
    'influx: { backlog: { policy: dropNewest } }',
    '1: influx.backlog.policy: "dropNewest" is not valid, expected one of stop, dropOldest',
  ],
  // syntax
  ['a: b: c', '1: not valid YAML: Nested mappings are not allowed in compact mappings'],
  ['api:\n  port: [1,', '2: not valid YAML'],
  ['api:\n\tport: 1', '2: not valid YAML: Tabs are not allowed as indentation'],
  ['a: *x', '1: a: no anchor named "x" before this'],
  ['a: !foo 1', '1: YAML tags are not supported here'],
  ['api: {}\n---\napi: {}', '2: holds several YAML documents, expected one'],
  ['- 1', ' holds a list, expected a mapping of keys to values'],
  ['hello', ' holds a single value, expected a mapping of keys to values'],
  [`a: ${'['.repeat(5000)}${']'.repeat(5000)}`, 'too deeply nested'],
  ['a: &a [*a]', 'too deeply nested'],
];

describe('one problem, told by file, line, key, value and expectation', () => {
  it.each(CASES)('%.80s', (text, expected) => {
    const problems = folder.problems(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^config\.yaml:/);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).not.toContain('\n');
  });
});

describe('several problems', () => {
  it('are told at once, in the order of the file, and an inherited one once', () => {
    const problems = folder.problems(`api: { port: -1 }
sensorTypes: { temperature: { spike: { confirmCount: 0 } } }
assets:
  R1: { sensors: { temperature: {}, T2: { type: temperature } } }
  R2: { sensors: { temperature: { kalman: { measurementVariance: -1 } } } }
stor: {}`);
    expect(problems).toEqual([
      'config.yaml:1: api.port: -1 is not valid, expected a whole number >= 0 and <= 65535',
      'config.yaml:2: sensorTypes.temperature.spike.confirmCount: 0 is not valid, expected a whole number >= 1',
      'config.yaml:5: assets.R2.sensors.temperature.kalman.measurementVariance: -1 is not valid, expected a number > 0',
      'config.yaml:6: stor: unknown key; did you mean "store"?',
    ]);
  });

  it('needs both ends of a range that is switched on', () => {
    expect(folder.problems('sensorTypes: { level: { range: true } }')).toEqual([
      'config.yaml:1: sensorTypes.level.range.min: missing, expected a number',
      'config.yaml:1: sensorTypes.level.range.max: missing, expected a number',
    ]);
  });

  it('name the file of several that the value came from', () => {
    const one = folder.file('one.yaml', 'api: { port: -1, maxRows: 0 }');
    const two = folder.file('two.yaml', '\napi: { port: -2 }');
    expect(folder.problemsOf([one, two])).toEqual([
      'one.yaml:1: api.maxRows: 0 is not valid, expected a whole number >= 1 and <= 10000000',
      'two.yaml:2: api.port: -2 is not valid, expected a whole number >= 0 and <= 65535',
    ]);
  });

  it('name the variable that the value came from', () => {
    const problems = folder.problems(mqtt('username: u'), {
      RXTWIN_API_PORT: 'tcp',
      RXTWIN_API_MAX_ROWS: '1e3x',
      RXTWIN_API_PROT: '1',
      RXTWIN_INFLUX_TOKEN_FILE: '/no/such/file',
      RXTWIN_SOURCES_A_QOS: '7',
      RXTWIN_SOURCES_B_PASSWORD: 'hunter2',
    });
    expect(problems).toEqual([
      'env RXTWIN_API_MAX_ROWS: api.maxRows: "1e3x" is not valid, expected a whole number >= 1 and <= 10000000',
      'env RXTWIN_API_PORT: api.port: "tcp" is not valid, expected a whole number >= 0 and <= 65535',
      'env RXTWIN_API_PROT: no such setting; did you mean "RXTWIN_API_PORT"?',
      'env RXTWIN_INFLUX_TOKEN_FILE: influx.token: no such file',
      'env RXTWIN_SOURCES_A_QOS: sources[0].qos: "7" is not valid, expected one of 0, 1, 2',
      'env RXTWIN_SOURCES_B_PASSWORD: no such setting; did you mean "RXTWIN_SOURCES_A_PASSWORD"?',
    ]);
  });

  it('refuse a secret given twice by the environment', () => {
    const env = { RXTWIN_INFLUX_TOKEN: 'a', RXTWIN_INFLUX_TOKEN_FILE: '/b' };
    expect(folder.problems('', env)).toEqual([
      'env RXTWIN_INFLUX_TOKEN_FILE: influx.token: given together with RXTWIN_INFLUX_TOKEN, expected only one of them',
    ]);
  });
});

describe('files that cannot be read', () => {
  const problem = (file: string): string | undefined => folder.problemsOf([file])[0];

  it('are missing, folders, too large, endless, not text', () => {
    mkdirSync(join(folder.path, 'folder'));
    expect(problem(join(folder.path, 'none.yaml'))).toBe('none.yaml: no such file');
    expect(problem(join(folder.path, 'folder'))).toBe('folder: is a directory, expected a file');
    expect(problem(folder.file('large.yaml', `# ${'x'.repeat(4 * 1024 * 1024)}`))).toBe(
      'large.yaml: larger than 4 MB',
    );
    expect(problem('/dev/zero')).toBe('/dev/zero: larger than 4 MB');
    expect(problem(folder.file('binary.yaml', new Uint8Array([0xff, 0xfe, 0x00])))).toBe(
      'binary.yaml: not UTF-8 text',
    );
  });

  it('lead round in circles', () => {
    symlinkSync('circle.yaml', join(folder.path, 'circle.yaml'));
    expect(problem(join(folder.path, 'circle.yaml'))).toBe('circle.yaml: too many symbolic links');
  });

  it('are no JSON', () => {
    expect(problem(folder.file('a.json', '{\n"api": {},\n}'))).toBe('a.json:3: not valid JSON');
    expect(problem(folder.file('b.json', '{"api": {"port": 1, "port": 2}}'))).toBe(
      'b.json:1: api.port: given twice, first in line 1',
    );
  });

  it('are all told of', () => {
    expect(folder.problemsOf(['/none/a', '/none/b'])).toEqual([
      '/none/a: no such file',
      '/none/b: no such file',
    ]);
  });

  it('multiply by aliases', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    expect(problem(folder.file('bomb.yaml', `a0: &a0 [1]\n${levels.join('\n')}`))).toContain(
      'values after aliases',
    );
  });
});

describe('secrets', () => {
  it.each([
    mqtt('password: [hunter2]'),
    mqtt('password: { hunter2: 1 }'),
    'sources: [{ id: a, type: mqtt, url: "http://u:hunter2@h" }]',
    'sources: [{ id: a, type: mqtt, url: "mqtt:u:hunter2@h" }]',
    'sources: [{ id: a, type: mqtt, url: "mqtt://u:hun/hunter2@h:x" }]',
    'influx: { token: [hunter2] }',
    'influx: { tokn: hunter2 }',
    'influx: { token: "hunter2"x }',
    'influx: { token: @hunter2 }',
    'influx: { token: hunter2',
    'influx: { token: !hunter2 1 }',
    'api: { host: "//u:hunter2@h" }',
  ])('are not told with the problem of %s', (text) => {
    const problems = folder.problems(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  it('are not in the error either', () => {
    const error = new ConfigError([{ file: 'f:1', key: 'k', problem: 'p' }]);
    expect(error.message).toBe('f:1: k: p');
  });
});
