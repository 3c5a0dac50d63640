import {
  choice,
  duration,
  flag,
  inputFile,
  number,
  orNull,
  secret,
  text,
  texts,
  url,
  whole,
} from './formats.ts';
import { isName, isNodeId, isSensorKey, isTopic, isTopicFilter, isTopicTemplate } from './names.ts';
import { shown, suggestion } from './problems.ts';
import { group, mapOf, optional } from './spec.ts';
import type { Complain, Spec } from './spec.ts';
import { plainOf } from './tree.ts';
import type { MqttSourceConfig, OpcuaSourceConfig, SourceConfig } from './types.ts';

const id = text(
  'Name of the source, in metrics, health and stored positions; not to be changed later.',
  undefined,
  {
    expected: 'a name of letters, digits, "_", "-" and "." (at most 128)',
    test: isName,
  },
);

const reconnect = group(
  'Waits between attempts to connect: minMs, doubling up to maxMs, each with up to half of it random.',
  {
    minMs: duration('First wait.', 500, 1),
    maxMs: duration('Longest wait.', 30_000, 1),
  },
  {
    check({ minMs, maxMs }, complain) {
      if (minMs > maxMs) complain('minMs', `${minMs} is not valid, expected at most maxMs (${maxMs})`);
    },
  },
);

const maxFutureMs = duration('A reading dated further ahead of the clock is a dead letter.', 60_000);

const will = group('Message that the broker sends when the service vanishes; null = none.', {
  topic: text('Topic.', undefined, { expected: 'a topic without wildcards', test: isTopic }),
  payload: text('Payload.', ''),
  qos: choice('Quality of service.', 0, [0, 1, 2]),
  retain: flag('Whether the broker keeps it.', false),
});

const tls = group('For mqtts, ssl and wss.', {
  caFile: inputFile("Certificates (PEM) that the broker's must come from; '' = the system's.", ''),
  certFile: inputFile("The client's certificate (PEM); '' = none.", ''),
  keyFile: inputFile("The client's private key (PEM); '' = none.", ''),
  rejectUnauthorized: flag('Refuse a broker whose certificate is not trusted.', true),
});

const mqtt = group(
  'Readings from an MQTT broker.',
  {
    id,
    type: choice('', 'mqtt', ['mqtt']),
    url: url('The broker.', undefined, ['mqtt', 'mqtts', 'tcp', 'ssl', 'ws', 'wss']),
    topics: texts('Topic filters to subscribe to.', ['reactor/+/sensor/#'], {
      expected: 'a list of different MQTT topic filters',
      test: isTopicFilter,
    }),
    topicTemplate: text(
      "Where asset and sensor stand in a topic, e.g. plant/{asset}/{sensor}; '' = level 1 (counted from 0) and the last.",
      '',
      { expected: `'' or a topic with one level {asset} and one {sensor}`, test: isTopicTemplate },
    ),
    protocolVersion: choice('4 = MQTT 3.1.1, 5 = MQTT 5.', 5, [4, 5]),
    qos: choice(
      'Quality of service; from 1 on a message is acknowledged after it is committed.',
      1,
      [0, 1, 2],
    ),
    clientId: text('Client id; the session at the broker belongs to it.', 'rxtwin'),
    cleanSession: flag('true: the broker forgets what was missed while the service was away.', false),
    sessionExpiryS: whole('MQTT 5: how long the broker keeps the session.', 3600, {
      min: 0,
      max: 0xffff_ffff,
      unit: 's',
    }),
    sharedGroup: text("Group of services that share the topics' messages; '' = none.", '', {
      expected: `a name without "/", "+" and "#", or ''`,
      test: (name) => !/[/+#]/.test(name),
    }),
    username: text("User name; '' = none.", ''),
    password: secret("Password; '' = none."),
    keepAliveS: whole(
      'The broker is pinged twice in this time, and given up when nothing was heard for 1.25 to 1.5 times as long; 0 = never.',
      60,
      {
        min: 0,
        max: 65_535,
        unit: 's',
      },
    ),
    receiveMaximum: whole('MQTT 5: messages that may await their acknowledgement.', 1000, {
      min: 1,
      max: 65_535,
    }),
    will: optional(will),
    tls,
    maxPayloadBytes: whole('A larger message is a dead letter.', 65_536, {
      min: 1,
      max: 268_435_455,
      unit: 'bytes',
    }),
    maxFutureMs,
    reconnect,
  },
  { check: checkMqtt },
) satisfies Spec<MqttSourceConfig>;

function checkMqtt(source: MqttSourceConfig, complain: Complain): void {
  if (source.clientId === '' && !source.cleanSession) {
    complain('clientId', `"" is not valid, expected a name, as cleanSession is false`);
  }
  if ((source.tls.certFile === '') !== (source.tls.keyFile === '')) {
    complain('tls', 'certFile and keyFile belong together, expected both or none');
  }
}

const history = group("Filling of gaps from the server's archive, for nodes that have one.", {
  enabled: flag('Whether gaps are filled.', true),
  maxHours: number('No further back than this.', 24, { above: 0, unit: 'h' }),
  pageSize: whole('Values in one request.', 1000, { min: 10, max: 10_000 }),
  maxRatePerS: number('Values a second at most, so that a long gap does not starve live values.', 2000, {
    above: 0,
  }),
});

const opcua = group(
  'Readings from an OPC UA server.',
  {
    id,
    type: choice('', 'opcua', ['opcua']),
    endpoint: url('The server.', undefined, ['opc.tcp']),
    mode: choice('How values come: reported by the server, or read every pollIntervalMs.', 'subscription', [
      'subscription',
      'polling',
    ]),
    publishingIntervalMs: duration('How often the server reports changes.', 100, 1),
    samplingIntervalMs: duration('How often the server looks for changes.', 100),
    pollIntervalMs: duration('Time between two reads in the mode polling.', 1000, 1),
    queueSize: whole('Changes that the server keeps for each node between two reports.', 10, {
      min: 1,
      max: 65_535,
    }),
    nodes: mapOf(
      'Nodes by asset/sensor.',
      'asset/sensor',
      () => text('Node id.', undefined, { expected: 'a node id like ns=2;s=Name or i=85', test: isNodeId }),
      (key) => (isSensorKey(key) ? undefined : 'not a valid key, expected asset/sensor'),
    ),
    units: mapOf(
      'Units by asset/sensor.',
      'asset/sensor',
      () => text("Unit of the node's value; '' = the sensor's own.", ''),
      (key) => (isSensorKey(key) ? undefined : 'not a valid key, expected asset/sensor'),
    ),
    securityMode: choice('Protection of messages.', 'None', ['None', 'Sign', 'SignAndEncrypt']),
    securityPolicy: choice('Algorithms of the protection.', 'None', [
      'None',
      'Basic256Sha256',
      'Aes128_Sha256_RsaOaep',
      'Aes256_Sha256_RsaPss',
    ]),
    username: text("User name; '' = anonymous.", ''),
    password: secret("Password; '' = none."),
    watchdogMs: duration('Without any notification for so long, the subscription is rebuilt.', 30_000, 1),
    sessionTimeoutMs: duration(
      'How long the server is asked to keep session and subscription while the connection is lost.',
      60_000,
      1000,
    ),
    history,
    trigger: choice(
      'What makes the server report: a new value or status, or also a new source time.',
      'statusValue',
      ['statusValue', 'statusValueTimestamp'],
    ),
    certificatesFolder: text(
      "Folder of the service's own, trusted and rejected certificates; made where missing. Relative to the working directory.",
      './data/pki',
      { expected: 'the path of a folder', test: (path) => path !== '' },
    ),
    maxFutureMs,
    reconnect,
  },
  { check: checkOpcua },
) satisfies Spec<OpcuaSourceConfig>;

function checkOpcua(source: OpcuaSourceConfig, complain: Complain): void {
  const { nodes, units, securityMode: mode, securityPolicy: policy } = source;
  if (Object.keys(nodes).length === 0)
    complain('nodes', 'missing, expected at least one asset/sensor: node id');
  for (const key of Object.keys(units)) {
    if (key in nodes) continue;
    complain('units', `${key} is not among the nodes${suggestion(key, Object.keys(nodes))}`);
  }
  if ((mode === 'None') !== (policy === 'None')) {
    complain(
      'securityPolicy',
      `${policy} does not go with securityMode ${mode}, expected both None or neither`,
    );
  }
  if (source.password !== '' && source.username === '') complain('password', 'given without a username');
}

const replay = group('Readings from files, once.', {
  id,
  type: choice('', 'replay', ['replay']),
  files: texts('Files in the long form, CSV or NDJSON.', undefined, {
    expected: 'a list of at least one path',
    files: true,
  }),
  speed: orNull(number('Speed-up against the recorded times; null = as fast as it goes.', 0, { above: 0 })),
});

const simulator = group('Readings of a plant simulated in process.', {
  id,
  type: choice('', 'simulator', ['simulator']),
  assets: texts('Assets to simulate.', undefined, {
    expected: 'a list of at least one asset, all different',
    test: isName,
  }),
  intervalMs: duration('Time between two readings of a sensor.', 1000, 1),
  seed: whole('Start of the random numbers; the same seed gives the same values.', 1, {
    min: 0,
    max: 0xffff_ffff,
  }),
});

/** By `type`. */
export const SOURCE_TYPES = { mqtt, opcua, replay, simulator } as const;

const TYPE_NAMES = Object.keys(SOURCE_TYPES);

const isSourceType = (type: unknown): type is keyof typeof SOURCE_TYPES =>
  typeof type === 'string' && TYPE_NAMES.includes(type);

/** One source; its keys depend on its `type`. */
export const sourceSpec: Spec<SourceConfig | null> = {
  doc: 'Where readings come from.',
  read(node, place, report) {
    const type = node?.kind === 'map' ? node.entries.get('type') : undefined;
    const name = type === undefined ? undefined : plainOf(type);
    if (node !== undefined && isSourceType(name)) return SOURCE_TYPES[name].read(node, place, report);
    const expected = `expected one of ${TYPE_NAMES.join(', ')}`;
    if (node?.kind !== 'map') {
      const value = node === undefined ? 'nothing' : shown(plainOf(node));
      report.problem(place.key, place.origin, `${value} is not valid, expected a map with id and type`);
    } else if (type === undefined) {
      report.problem(`${place.key}.type`, node.origin, `missing, ${expected}`);
    } else {
      report.problem(`${place.key}.type`, type.origin, `${shown(name)} is not valid, ${expected}`);
    }
    return null;
  },
  leaves: () => [],
};
