import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { sensorConfigFor } from '../../config/sensors.ts';
import { configFolder } from './helpers.ts';

const folder = configFolder();
afterAll(() => folder.remove());

const TEMPERATURE = {
  unit: 'degC',
  range: { min: -50, max: 400 },
  outlier: { windowSize: 100, minSamples: 10, threshold: 3, minStdDev: 1e-6, confirmCount: 5 },
  spike: { maxRelativeChange: 0.2, maxAbsoluteChange: null, nearZero: 1e-6, confirmCount: 5 },
  rate: false,
  hampel: false,
  stuck: false,
  drift: false,
  order: { maxDelayMs: 0, maxReadings: 100, rememberCount: 100 },
  missing: { method: 'meanOfLastTwo', expectedIntervalMs: null, maxGapCount: 10 },
  kalman: {
    mode: 'constantVelocity',
    initialVariance: [1, 1],
    processNoise: [0.01, 0.01],
    measurementVariance: 0.5,
    accelerationNoise: [2e-7, 0.008, 0.05],
    initialRateNoise: 0.5,
    dwellS: [6000, 1500, 100],
    shiftNis: 25,
    confirmCount: 3,
    unconfirmed: 'likelier',
    noiseCount: 200,
  },
  smooth: false,
  windows: [{ sizeMs: 1000, everyMs: 1000, offsetMs: 0, latenessMs: 0, idleTimeoutMs: 10_000 }],
  staleAfterMs: 10_000,
};

const SKELETON = `
assets:
  R101:
    model: { type: batchReactor }
    sensors: { temperature: {}, pressure: {}, flow_rate: {} }
sensorTypes:
  temperature:
    unit: degC
    range: { min: -50, max: 400 }
    outlier: { windowSize: 100, minSamples: 10, threshold: 3, confirmCount: 5 }
    spike: { maxRelativeChange: 0.2, confirmCount: 5 }
    stuck: { }                              # off unless set
    missing: { expectedIntervalMs: 1000, method: meanOfLastTwo }
    kalman: { initialVariance: [1, 1], processNoise: [0.01, 0.01], measurementVariance: 0.5 }
    windows: [ { sizeMs: 1000 }, { sizeMs: 60000, everyMs: 10000, latenessMs: 5000 } ]
unknownAssets: accept
sources:
  - { id: plant, type: mqtt, url: mqtt://127.0.0.1:1883, topics: ["reactor/+/sensor/#"], qos: 1, clientId: rxtwin }
  - { id: plc, type: opcua, endpoint: opc.tcp://127.0.0.1:4840, publishingIntervalMs: 100,
      nodes: { R101/temperature: "ns=2;s=Reactor.R101.Temperature.PV" } }
pipeline: { buffer: { capacity: 1000, overflow: pause, putTimeoutMs: 1000 }, commit: { maxRows: 5000, maxWaitMs: 250 } }
store: { path: ./data/rxtwin.duckdb, retentionDays: 30 }
influx: { url: "", token: "", org: "", bucket: "" }
api: { host: 127.0.0.1, port: 8080 }
`;

describe('defaults', () => {
  it('has them all without a file', () => {
    const { config } = loadConfig([], {});
    expect(config).toEqual({
      assets: {},
      sensorTypes: {
        temperature: TEMPERATURE,
        pressure: { ...TEMPERATURE, unit: 'MPa', range: { min: 0, max: 10 } },
        flow_rate: { ...TEMPERATURE, unit: 'L/min', range: { min: 0, max: 500 } },
        ph: { ...TEMPERATURE, unit: '', range: { min: 0, max: 14 } },
      },
      unknownAssets: 'accept',
      sources: [],
      pipeline: {
        buffer: { capacity: 1000, overflow: 'pause', putTimeoutMs: 1000 },
        commit: { maxRows: 5000, maxWaitMs: 250 },
        checkpoint: { everyMs: 5000, keep: 3 },
        catchUpMs: 86_400_000,
        tickMs: 1000,
        maxSensors: 20_000,
        shutdownTimeoutMs: 10_000,
      },
      store: {
        path: './data/rxtwin.duckdb',
        retentionDays: 30,
        memoryLimitMb: 256,
        maxDeadLetters: 10_000,
      },
      twin: { everyMs: 1000, lostAfterMs: 60_000 },
      api: { host: '127.0.0.1', port: 8080, maxRows: 100_000, maxStreams: 200 },
      log: { level: 'info' },
      plant: null,
      influx: {
        url: '',
        token: '',
        org: '',
        bucket: '',
        batchRows: 5000,
        maxWaitMs: 1000,
        timeoutMs: 10_000,
        retry: { minMs: 500, maxMs: 60_000 },
        backlog: { maxRows: 50_000_000, policy: 'dropOldest' },
        catchUpShare: 0.5,
      },
    });
  });

  it.each(['', '# only a comment\n', 'null\n', '{}', 'assets:\nsensorTypes:\nsources:\napi:\n'])(
    'takes %j as nothing',
    (text) => expect(folder.load(text).config).toEqual(loadConfig([], {}).config),
  );

  it('gives every source its own', () => {
    const { config } = folder.load(SKELETON);
    const reconnect = { minMs: 500, maxMs: 30_000 };
    expect(config.sources).toEqual([
      {
        id: 'plant',
        type: 'mqtt',
        url: 'mqtt://127.0.0.1:1883',
        topics: ['reactor/+/sensor/#'],
        topicTemplate: '',
        protocolVersion: 5,
        qos: 1,
        clientId: 'rxtwin',
        cleanSession: false,
        sessionExpiryS: 3600,
        sharedGroup: '',
        username: '',
        password: '',
        keepAliveS: 60,
        receiveMaximum: 1000,
        will: null,
        tls: { caFile: '', certFile: '', keyFile: '', rejectUnauthorized: true },
        maxPayloadBytes: 65_536,
        maxFutureMs: 60_000,
        reconnect,
      },
      {
        id: 'plc',
        type: 'opcua',
        endpoint: 'opc.tcp://127.0.0.1:4840',
        mode: 'subscription',
        publishingIntervalMs: 100,
        samplingIntervalMs: 100,
        pollIntervalMs: 1000,
        queueSize: 10,
        nodes: { 'R101/temperature': 'ns=2;s=Reactor.R101.Temperature.PV' },
        units: {},
        securityMode: 'None',
        securityPolicy: 'None',
        username: '',
        password: '',
        watchdogMs: 30_000,
        sessionTimeoutMs: 60_000,
        history: { enabled: true, maxHours: 24, pageSize: 1000, maxRatePerS: 2000 },
        trigger: 'statusValue',
        certificatesFolder: './data/pki',
        maxFutureMs: 60_000,
        reconnect,
      },
    ]);
    expect(config.assets['R101']?.model).toEqual({ type: 'batchReactor', sensors: {}, parameters: {} });
    expect(config.assets['R101']?.sensors['temperature']).toEqual({
      ...TEMPERATURE,
      missing: { ...TEMPERATURE.missing, expectedIntervalMs: 1000 },
      windows: [
        ...TEMPERATURE.windows,
        { sizeMs: 60_000, everyMs: 10_000, offsetMs: 0, latenessMs: 5000, idleTimeoutMs: 10_000 },
      ],
    });
  });
});

describe('sensors', () => {
  const sensor = (yaml: string, name = 'temperature') => folder.load(yaml).config.assets['R1']?.sensors[name];

  it('merges the known type, its entry and the sensor, key by key', () => {
    const read = sensor(
      `sensorTypes: { temperature: { range: { max: 300 }, outlier: { threshold: 4 } } }
assets: { R1: { sensors: { temperature: { range: { min: 0 }, outlier: { windowSize: 50 } } } } }`,
    );
    expect(read).toEqual({
      ...TEMPERATURE,
      range: { min: 0, max: 300 },
      outlier: { ...TEMPERATURE.outlier, threshold: 4, windowSize: 50 },
    });
  });

  it('finds the type by `type`, else by name, else knows nothing', () => {
    const yaml = `sensorTypes: { level: { unit: m } }
assets: { R1: { sensors: { T_top: { type: temperature, spike: false }, level: , rpm: {} } } }`;
    expect(sensor(yaml, 'T_top')).toEqual({ ...TEMPERATURE, spike: false });
    expect(sensor(yaml, 'level')).toMatchObject({ unit: 'm', range: false, stuck: false });
    expect(sensor(yaml, 'rpm')).toEqual({ ...TEMPERATURE, unit: '', range: false });
  });

  it.each([
    ['false', false],
    ['{}', false],
    ['true', { maxDurationMs: 60_000, minCount: 10, tolerance: 0 }],
    ['{ minCount: 3 }', { maxDurationMs: 60_000, minCount: 3, tolerance: 0 }],
  ])('stuck: %s', (text, expected) =>
    expect(sensor(`assets: { R1: { sensors: { temperature: { stuck: ${text} } } } }`)?.stuck).toEqual(
      expected,
    ),
  );

  it.each([
    ['false', false],
    ['{}', { windowSize: 60, minSamples: 20, threshold: 4, stdDevFloor: 0, confirmCount: 5 }],
    ['{ threshold: 6 }', { windowSize: 60, minSamples: 20, threshold: 6, stdDevFloor: 0, confirmCount: 5 }],
  ])('hampel: %s', (text, expected) =>
    expect(sensor(`assets: { R1: { sensors: { temperature: { hampel: ${text} } } } }`)?.hampel).toEqual(
      expected,
    ),
  );

  it('drift: off, on with its defaults, and checked as a whole', () => {
    const drift = (text: string) =>
      sensor(`assets: { R1: { sensors: { temperature: { drift: ${text} } } } }`)?.drift;
    const defaults = {
      method: 'cusum',
      referenceMean: null,
      referenceStdDev: null,
      learnCount: 400,
      stdDevFloor: 0,
      readingsPerFalseAlarm: 100_000,
      thresholdStdDevs: null,
      slackStdDevs: 0.5,
      smoothing: 0.1,
      clipStdDevs: 4,
      confirmCount: null,
    };
    expect(drift('false')).toBe(false);
    expect(drift('{}')).toEqual(defaults);
    expect(drift('{ method: ewma, confirmCount: 3 }')).toEqual({
      ...defaults,
      method: 'ewma',
      confirmCount: 3,
    });
    expect(() => drift('{ referenceMean: 85 }')).toThrow(/drift\.referenceStdDev: null is not valid/);
    expect(() => drift('{ clipStdDevs: 0.3 }')).toThrow(/drift\.clipStdDevs: 0.3 is not valid/);
  });

  it('smooth: off, on with its defaults, and only next to kalman', () => {
    const smooth = (text: string) =>
      sensor(`assets: { R1: { sensors: { temperature: { ${text} } } } }`)?.smooth;
    expect(smooth('smooth: false')).toBe(false);
    expect(smooth('smooth: {}')).toEqual({ lagMs: 10_000, everyMs: 0, maxReadings: 1000 });
    expect(smooth('smooth: { lagMs: 2500, everyMs: 500 }, kalman: { mode: adaptive }')).toEqual({
      lagMs: 2500,
      everyMs: 500,
      maxReadings: 1000,
    });
    expect(() => smooth('smooth: true, kalman: false')).toThrow(
      /temperature\.smooth: needs the settings of kalman, which is off; expected kalman: true, or smooth: false/,
    );
    expect(() => smooth('smooth: { lagMs: 0 }')).toThrow(/smooth\.lagMs: 0 is not valid/);
    expect(() => smooth('smooth: { maxReadings: 1 }')).toThrow(/smooth\.maxReadings: 1 is not valid/);
  });

  it('rate needs one of its limits', () => {
    const rate = (text: string) =>
      sensor(`assets: { R1: { sensors: { temperature: { rate: ${text} } } } }`)?.rate;
    const unset = { maxRisePerS: null, maxFallPerS: null, minIntervalMs: 0, confirmCount: 5 };
    expect(rate('{ maxRisePerS: 2 }')).toEqual({ ...unset, maxRisePerS: 2 });
    expect(rate('{ maxFallPerS: 2, minIntervalMs: 500 }')).toEqual({
      ...unset,
      maxFallPerS: 2,
      minIntervalMs: 500,
    });
    expect(() => rate('true')).toThrow(/rate\.maxRisePerS: missing, expected a number > 0/);
    expect(() => rate('{ maxRisePerS: 0 }')).toThrow(/rate\.maxRisePerS: 0 is not valid/);
  });

  it.each(['true', '{}'])('switches a check back on with %s as its type has it or by default', (on) => {
    const yaml = (type: string) =>
      `sensorTypes: { temperature: { spike: ${type} } }
assets: { R1: { sensors: { temperature: { spike: ${on} } } } }`;
    expect(sensor(yaml('false'))?.spike).toEqual(TEMPERATURE.spike);
    expect(sensor(yaml('{ confirmCount: 9 }'))?.spike).toEqual({ ...TEMPERATURE.spike, confirmCount: 9 });
  });

  it('converts the usual range to another unit', () => {
    const read = sensor('assets: { R1: { sensors: { temperature: { unit: K }, pressure: { unit: bar } } } }');
    expect(read).toMatchObject({ unit: 'K', range: { min: 223.15, max: 673.15 } });
    const own = sensor(
      `sensorTypes: { temperature: { range: { min: 0, max: 100 } } }
assets: { R1: { sensors: { temperature: { unit: degF, range: { max: 150 } } } } }`,
    );
    expect(own).toMatchObject({ unit: 'degF', range: { min: 32, max: 150 } });
    const ph = sensor('assets: { R1: { sensors: { ph: { unit: pH } } } }', 'ph');
    expect(ph).toMatchObject({ unit: 'pH', range: { min: 0, max: 14 } });
  });

  it('finds settings of listed and unlisted sensors, and none on the prototype', () => {
    const { config } = folder.load(
      'sensorTypes: { level: { unit: m } }\nassets: { R1: { sensors: { level: { unit: mm } } } }',
    );
    const unit = (asset: string, name: string): string => sensorConfigFor(config, asset, name).unit;
    expect([unit('R1', 'level'), unit('R1', 'temperature'), unit('R9', 'level')]).toEqual([
      'mm',
      'degC',
      'm',
    ]);
    for (const name of ['constructor', '__proto__', 'toString', 'rpm']) {
      expect(sensorConfigFor(config, name, name)).toEqual({ ...TEMPERATURE, unit: '', range: false });
      expect(config.assets[name]).toBeUndefined();
    }
  });
});

describe('files', () => {
  it('later ones override earlier ones: maps merge, lists replace, null goes back to the default', () => {
    const one = folder.file(
      'one.yaml',
      'api: { port: 1, host: "::1" }\nstore: { retentionDays: 2 }\nplant: { assets: [A, B], seed: 7 }',
    );
    const two = folder.file(
      'two.json',
      '{ "api": {\n\t"port": 2 }, "store": null, "plant": { "assets": ["C"] } }',
    );
    const { config, sources } = loadConfig([one, two], {});
    expect(config.api).toMatchObject({ port: 2, host: '::1' });
    expect(config.store.retentionDays).toBe(30);
    expect(config.plant).toMatchObject({ assets: ['C'], seed: 7 });
    const source = (key: string) => sources.find((each) => each.key === key);
    expect(source('api.port')).toEqual({ key: 'api.port', value: '2', source: `${two}:2` });
    expect(source('api.host')?.source).toBe(`${one}:1`);
    expect(source('api.maxRows')?.source).toBe('default');
  });

  it('resolves what is read against the file, what is written against the working directory', () => {
    folder.file('model.js', '');
    folder.file('a.csv', '');
    const elsewhere = folder.file('b.csv', '');
    const { config } = folder.load(
      `assets: { R1: { model: { type: ./model.js, k: 2, sensors: { temperature: T } } } }
store: { path: x.duckdb }
sources: [{ id: r, type: replay, files: [a.csv, ${elsewhere}] }]`,
    );
    expect(config.assets['R1']?.model).toEqual({
      type: join(folder.path, 'model.js'),
      sensors: { temperature: 'T' },
      parameters: { k: 2 },
    });
    expect(config.store.path).toBe('x.duckdb');
    expect(config.sources[0]).toMatchObject({ files: [join(folder.path, 'a.csv'), elsewhere], speed: null });
  });

  it('wants the files that a source will read to be there', () => {
    const load = (): unknown =>
      folder.load(`sources:
  - { id: a, type: mqtt, url: mqtts://127.0.0.1, tls: { caFile: ca.pem } }
  - { id: b, type: replay, files: [gone.csv] }`);
    expect(load).toThrow(
      /:2: sources\[0\]\.tls\.caFile: ".*ca\.pem" is not valid, expected a file that exists/,
    );
    expect(load).toThrow(
      /:3: sources\[1\]\.files\[0\]: ".*gone\.csv" is not valid, expected a file that exists/,
    );
  });
});

describe('environment', () => {
  const MQTT = 'sources: [{ id: my-plc.1, type: mqtt, url: mqtt://a, password: file }]';

  it('overrides files and says so', () => {
    const env = {
      RXTWIN_API_PORT: '81',
      RXTWIN_PIPELINE_COMMIT_MAX_WAIT_MS: '5',
      RXTWIN_LOG_LEVEL: 'debug',
      RXTWIN_SOURCES_MY_PLC_1_CLIENT_ID: 'me',
      RXTWIN_SOURCES_MY_PLC_1_QOS: '2',
      RXTWIN_SOURCES_MY_PLC_1_TOPICS: 'a/+/b, c/#',
      RXTWIN_SOURCES_MY_PLC_1_TLS_REJECT_UNAUTHORIZED: 'false',
      RXTWIN_API_HOST: '',
    };
    const { config, sources } = folder.load(`api: { port: 80 }\n${MQTT}`, env);
    expect(config.api).toMatchObject({ port: 81, host: '127.0.0.1' });
    expect(config.pipeline.commit.maxWaitMs).toBe(5);
    expect(config.log.level).toBe('debug');
    expect(config.sources[0]).toMatchObject({
      clientId: 'me',
      qos: 2,
      topics: ['a/+/b', 'c/#'],
      tls: { rejectUnauthorized: false },
      password: 'file',
    });
    expect(sources).toContainEqual({ key: 'api.port', value: '81', source: 'env RXTWIN_API_PORT' });
  });

  it('sets and clears what may be null', () => {
    const { config } = folder.load('plant: { assets: [A], brokerPort: 5 }', {
      RXTWIN_PLANT_BROKER_PORT: 'null',
      RXTWIN_PLANT_OPCUA_PORT: '7',
    });
    expect(config.plant).toMatchObject({ brokerPort: null, opcuaPort: 7 });
  });

  it('takes secrets from files: by variable and by key, the variable first, the later file first', () => {
    const secret = folder.file('secret', 's3cret\n');
    folder.file('other', 'other');
    const byVariable = folder.load(MQTT.replace('password: file', 'passwordFile: other'), {
      RXTWIN_SOURCES_MY_PLC_1_PASSWORD_FILE: secret,
      RXTWIN_INFLUX_TOKEN_FILE: secret,
    });
    expect(byVariable.config.sources[0]).toMatchObject({ password: 's3cret' });
    expect(byVariable.config.influx.token).toBe('s3cret');
    const byKey = folder.load(MQTT.replace('password: file', 'passwordFile: other'));
    expect(byKey.config.sources[0]).toMatchObject({ password: 'other' });
    const later = folder.file('later.yaml', 'influx: { token: direct }');
    const first = folder.file('first.yaml', 'influx: { tokenFile: other }');
    expect(loadConfig([first, later], {}).config.influx.token).toBe('direct');
    expect(loadConfig([later, first], {}).config.influx.token).toBe('other');
  });

  it('leaves what others put there, and tells of it', () => {
    const { config, warnings } = folder.load('', {
      RXTWIN_PORT: 'tcp://10.0.0.1:80',
      RXTWIN_SERVICE_HOST: '10.0.0.1',
      RXTWIN_PORT_80_TCP_ADDR: '10.0.0.1',
      RXTWIN_SOMETHING_ELSE: '1',
    });
    expect(config.api.port).toBe(8080);
    expect(warnings).toEqual(['env RXTWIN_SOMETHING_ELSE: no such setting, ignored']);
  });

  it('never shows a secret among the sources', () => {
    const { sources } = folder.load(
      `influx: { url: "http://u:hunter2@h?token=hunter2", token: hunter2, org: o, bucket: b }
sources: [{ id: a, type: mqtt, url: "mqtts://u:hunter2@h", password: hunter2 }]`,
    );
    expect(JSON.stringify(sources)).not.toContain('hunter2');
    expect(sources.find(({ key }) => key === 'sources[0].url')?.value).toBe('"mqtts://***@h"');
    expect(sources.filter(({ value }) => value === '***').map(({ key }) => key)).toEqual([
      'sources[0].password',
      'influx.token',
    ]);
  });
});

describe('anomaly of an asset', () => {
  it('is off by default; of one that is on, all but the sensors have defaults', () => {
    folder.file('a.yaml', 'assets: { R1: {}, R2: { anomaly: { sensors: [a, b], baselineMs: null } } }');
    const { config } = loadConfig([join(folder.path, 'a.yaml')], {});
    expect(config.assets['R1']?.anomaly).toBeNull();
    expect(config.assets['R2']?.anomaly).toEqual({
      sensors: ['a', 'b'],
      intervalMs: 1000,
      learnCount: 400,
      smoothingMs: 10_000,
      baselineMs: null,
      falseAlarmRate: 0.001,
      clearRatio: 0.5,
      maxDeviation: 4,
      staleAfterMs: 30_000,
      acceptAfterMs: 3_600_000,
      recordEveryMs: 60_000,
      baseline: null,
    });
  });

  it.each([
    ['{ anomaly: { sensors: [] } }', /anomaly.sensors: .*expected a list of 1 to 64 names/],
    ['{ anomaly: {} }', /anomaly.sensors: missing/],
    ['{ sensors: { flow: {} }, anomaly: { sensors: [flwo] } }', /the asset has no sensor "flwo".*flow/],
    ['{ anomaly: { sensors: [a], smoothingMs: 200000 } }', /baselineMs: 100000 .*more than smoothingMs/],
    ['{ anomaly: { sensors: [a], falseAlarmRate: 1 } }', /falseAlarmRate: 1 is not valid/],
  ])('%s is refused', (asset, message) => {
    folder.file('bad.yaml', `assets: { R1: ${asset} }`);
    expect(() => loadConfig([join(folder.path, 'bad.yaml')], {})).toThrow(message);
  });
});

describe('shipped configurations', () => {
  const shipped = (name: string): string => join(import.meta.dirname, '../../config', name);

  it('the demo: four reactors, three of them over MQTT, one over OPC UA, from the plant inside', () => {
    const { config, warnings } = loadConfig([shipped('demo.yaml')], {});
    expect(warnings).toEqual([]);
    expect(Object.keys(config.assets)).toEqual(['R101', 'R102', 'R103', 'R104']);
    for (const asset of Object.values(config.assets)) {
      expect(asset.model?.type).toBe('batchReactor');
      expect(Object.keys(asset.sensors)).toEqual(['temperature', 'pressure', 'flow_rate']);
      expect(asset.sensors['pressure']?.windows.map((window) => window.sizeMs)).toEqual([1000, 60_000]);
    }
    expect(config.plant?.assets).toEqual(Object.keys(config.assets));
    const [mqtt, opcua] = config.sources;
    expect(mqtt).toMatchObject({ type: 'mqtt', url: config.plant?.publishUrl });
    expect(mqtt?.type === 'mqtt' && mqtt.topics.some((topic) => topic.includes('R104'))).toBe(false);
    expect(opcua?.type === 'opcua' && Object.keys(opcua.nodes)).toEqual([
      'R104/temperature',
      'R104/pressure',
      'R104/flow_rate',
    ]);
  });

  it('the production example is valid and names every key', () => {
    const file = shipped('production.example.yaml');
    const { sources } = loadConfig([file], {});
    const left = sources.filter(
      ({ key, source }) => source === 'default' && !/^(assets|sensorTypes)\./.test(key),
    );
    expect(left.map(({ key }) => key)).toEqual([
      'sources[0].password',
      'sources[1].password',
      'influx.token',
    ]);
    const untouched = sources.filter(
      ({ key, source }) => source === 'default' && key.startsWith('sensorTypes.temperature.'),
    );
    expect(untouched).toEqual([]);
    const text = readFileSync(file, 'utf8');
    for (const word of [
      'passwordFile',
      'tokenFile',
      'brokerPort',
      'opcuaPort',
      'publishUrl',
      'speed',
      'seed',
    ]) {
      expect(text).toContain(word);
    }
  });
});
