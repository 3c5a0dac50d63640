/**
 * The effective configuration, after defaults, files and environment. `config/schema.ts` produces it and vouches for
 * it; everything behind it may rely on these types.
 */
export interface Config {
  readonly assets: Readonly<Record<string, AssetConfig>>;
  readonly sensorTypes: Readonly<Record<string, SensorConfig>>;
  /** What happens to readings of assets and sensors that `assets` does not list. */
  readonly unknownAssets: 'accept' | 'reject';
  readonly sources: readonly SourceConfig[];
  readonly pipeline: PipelineConfig;
  readonly store: StoreConfig;
  readonly twin: TwinConfig;
  readonly api: ApiConfig;
  readonly log: { readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent' };
  /** Off while null. The simulated plant and its servers, run inside the service by the demo. */
  readonly plant: PlantConfig | null;
  readonly influx: InfluxConfig;
}

export interface AssetConfig {
  /** null: no twin for this asset. */
  readonly model: ModelConfig | null;
  /** null: no detectAnomaly for this asset. */
  readonly anomaly: AnomalyConfig | null;
  /** Effective settings a sensor: sensorTypes[name or `type`] with the sensor's own overrides. */
  readonly sensors: Readonly<Record<string, SensorConfig>>;
}

/** Options of detectAnomaly; see its documentation. */
export interface AnomalyConfig {
  readonly sensors: readonly string[];
  readonly intervalMs: number;
  readonly learnCount: number;
  readonly smoothingMs: number;
  readonly baselineMs: number | null;
  readonly falseAlarmRate: number;
  readonly clearRatio: number;
  readonly maxDeviation: number;
  readonly staleAfterMs: number;
  readonly acceptAfterMs: number | null;
  readonly recordEveryMs: number;
  /** null: learned by the service. */
  readonly baseline: AnomalyBaselineConfig | null;
}

/** What `rxtwin learn` writes: AnomalyBaseline, the options that it depends on, and a digest of the file. */
export interface AnomalyBaselineConfig {
  readonly sensors: readonly string[];
  readonly center: readonly number[];
  readonly scale: readonly number[];
  readonly inflation: readonly number[];
  readonly usualMs: readonly number[];
  readonly correlation: readonly number[];
  readonly effectiveCounts: readonly number[];
  readonly intervalMs: number;
  readonly smoothingMs: number;
  readonly baselineMs: number | null;
  readonly digest: string;
}

export interface ModelConfig {
  /** A built-in model, or a path to a module of the user's own, absolute after loading. */
  readonly type: string;
  /** Model's quantity -> the asset's sensor; by default the names are the same. */
  readonly sensors: Readonly<Record<string, string>>;
  /** Of the filter of a process model, where something is said of it. */
  readonly estimation?: ModelEstimationConfig;
  /** Warning before the process runs away, where it is on. */
  readonly runaway?: ModelRunawayConfig;
  /** Everything else is the model's own. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** As EstimationOptions in src/twin/process/estimationOptions.ts. */
export interface ModelEstimationConfig {
  readonly estimate: Readonly<
    Record<
      string,
      {
        readonly mode: 'estimate' | 'consider';
        readonly stdDev: number | null;
        readonly noisePerSqrtS: number | null;
      }
    >
  >;
  readonly initialStdDev: Readonly<Record<string, number>>;
  readonly stateNoisePerSqrtS: Readonly<Record<string, number>>;
  readonly measurementStdDev: Readonly<Record<string, number>>;
  readonly gateNis: number | null;
  readonly confirmCount: number;
  readonly maxStepS: number;
  /** As DiagnosisOptions in src/twin/process/diagnosisOptions.ts, where it is on. */
  readonly diagnosis?: ModelDiagnosisConfig;
}

export interface ModelDiagnosisConfig {
  readonly parameters: readonly string[] | null;
  readonly windowMs: number;
  readonly falseAlarmsPerDay: number;
  readonly biasTolerance: number;
  readonly nisTolerance: number;
  readonly correlationTolerance: number;
  readonly blockMs: number;
  readonly historyMs: number;
  readonly everyMs: number;
  readonly evidence: number;
  readonly margin: number;
  readonly holdMs: number;
}

/** As RunawayOptions in src/twin/process/runawayOptions.ts. */
export interface ModelRunawayConfig {
  readonly limit: number;
  readonly output: string;
  readonly states: readonly string[];
  readonly criterion: 'either' | 'divergence' | 'prediction' | 'both';
  readonly divergencePerS: number;
  readonly divergenceStdDevs: number;
  readonly probability: number;
  readonly horizonMs: number;
  readonly everyMs: number;
  readonly confirmCount: number;
  readonly clearCount: number;
  readonly inputAverageMs: number;
}

/** A check that is `false` is off. */
export interface SensorConfig {
  /** Readings are converted to it; '' = as they come. */
  readonly unit: string;
  readonly range: false | { readonly min: number; readonly max: number };
  readonly rate:
    | false
    | {
        /** Unit per second, like maxFallPerS; at least one of the two is set. */
        readonly maxRisePerS: number | null;
        readonly maxFallPerS: number | null;
        readonly minIntervalMs: number;
        readonly confirmCount: number;
      };
  readonly outlier:
    | false
    | {
        readonly windowSize: number;
        readonly minSamples: number;
        readonly threshold: number;
        readonly minStdDev: number;
        readonly confirmCount: number;
      };
  readonly spike:
    | false
    | {
        readonly maxRelativeChange: number;
        readonly maxAbsoluteChange: number | null;
        readonly nearZero: number;
        readonly confirmCount: number;
      };
  readonly hampel:
    | false
    | {
        readonly windowSize: number;
        readonly minSamples: number;
        readonly threshold: number;
        readonly stdDevFloor: number;
        readonly confirmCount: number;
      };
  readonly stuck:
    false | { readonly maxDurationMs: number; readonly minCount: number; readonly tolerance: number };
  /** As in DriftOptions of operators/steps/driftOptions.ts. */
  readonly drift:
    | false
    | {
        readonly method: 'cusum' | 'ewma';
        /** Both or neither. */
        readonly referenceMean: number | null;
        readonly referenceStdDev: number | null;
        readonly learnCount: number;
        readonly stdDevFloor: number;
        readonly readingsPerFalseAlarm: number;
        readonly thresholdStdDevs: number | null;
        readonly slackStdDevs: number;
        readonly smoothing: number;
        readonly clipStdDevs: number;
        readonly confirmCount: number | null;
      };
  readonly order:
    false | { readonly maxDelayMs: number; readonly maxReadings: number; readonly rememberCount: number };
  readonly missing:
    | false
    | {
        readonly method: 'meanOfLastTwo' | 'previous' | 'linear' | 'predict' | 'none';
        /** Gaps longer than 1.5 intervals are filled; null: only readings without a value are. */
        readonly expectedIntervalMs: number | null;
        readonly maxGapCount: number;
      };
  readonly kalman:
    | false
    | {
        readonly mode: 'constantVelocity' | 'whiteAcceleration' | 'adaptive';
        readonly initialVariance: readonly [number, number];
        /** Variance per second: Q = diag(q0, q1) dt. */
        readonly processNoise: readonly [number, number];
        readonly measurementVariance: number;
        /** In multiples of measurementVariance, per s^3; from here on for modes other than `constantVelocity`. */
        readonly accelerationNoise: readonly [number, number, number];
        /** In multiples of measurementVariance, per s^2. */
        readonly initialRateNoise: number;
        readonly dwellS: readonly [number, number, number];
        /** null: no reading is off the level. */
        readonly shiftNis: number | null;
        readonly confirmCount: number;
        readonly unconfirmed: 'likelier' | 'follow' | 'hold';
        /** null: the noise is not learned. */
        readonly noiseCount: number | null;
      };
  /** A second estimate, `lagMs` behind, by the filters of `kalman`; with `constantVelocity`, by those of `adaptive`. */
  readonly smooth: false | { readonly lagMs: number; readonly everyMs: number; readonly maxReadings: number };
  readonly windows: readonly WindowConfig[];
  /** Without a reading for so long, the sensor is stale. */
  readonly staleAfterMs: number;
}

export interface WindowConfig {
  readonly sizeMs: number;
  readonly everyMs: number;
  readonly offsetMs: number;
  readonly latenessMs: number;
  readonly idleTimeoutMs: number;
}

export type SourceConfig = MqttSourceConfig | OpcuaSourceConfig | ReplaySourceConfig | SimulatorSourceConfig;

export interface MqttSourceConfig {
  readonly id: string;
  readonly type: 'mqtt';
  readonly url: string;
  readonly topics: readonly string[];
  /** Where asset and sensor stand, e.g. `reactor/{asset}/sensor/{sensor}`; default: level 1 and the last level. */
  readonly topicTemplate: string;
  readonly protocolVersion: 4 | 5;
  readonly qos: 0 | 1 | 2;
  readonly clientId: string;
  readonly cleanSession: boolean;
  /** MQTT 5: how long the broker keeps the session. */
  readonly sessionExpiryS: number;
  /** Name of the shared-subscription group; '' = not shared. */
  readonly sharedGroup: string;
  readonly username: string;
  readonly password: string;
  readonly keepAliveS: number;
  /** MQTT 5: window of unacknowledged messages. */
  readonly receiveMaximum: number;
  readonly will: null | {
    readonly topic: string;
    readonly payload: string;
    readonly qos: 0 | 1 | 2;
    readonly retain: boolean;
  };
  readonly tls: {
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
    readonly rejectUnauthorized: boolean;
  };
  readonly maxPayloadBytes: number;
  readonly maxFutureMs: number;
  readonly reconnect: ReconnectConfig;
}

export interface OpcuaSourceConfig {
  readonly id: string;
  readonly type: 'opcua';
  readonly endpoint: string;
  readonly mode: 'subscription' | 'polling';
  readonly publishingIntervalMs: number;
  readonly samplingIntervalMs: number;
  readonly pollIntervalMs: number;
  readonly queueSize: number;
  /** `asset/sensor` -> node id. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Unit of each node, by `asset/sensor`; '' or absent = the sensor's own. */
  readonly units: Readonly<Record<string, string>>;
  readonly securityMode: 'None' | 'Sign' | 'SignAndEncrypt';
  readonly securityPolicy: 'None' | 'Basic256Sha256' | 'Aes128_Sha256_RsaOaep' | 'Aes256_Sha256_RsaPss';
  readonly username: string;
  readonly password: string;
  /** No notification for so long: the subscription is rebuilt. */
  readonly watchdogMs: number;
  /** How long the server is asked to keep session and subscription while the connection is lost. */
  readonly sessionTimeoutMs: number;
  readonly history: OpcuaHistoryConfig;
  /** What makes the server report: a new value or status, or also a new source time. */
  readonly trigger: 'statusValue' | 'statusValueTimestamp';
  /** Folder of the application's certificate, of trusted and of rejected ones; made where missing. Default ./data/pki. */
  readonly certificatesFolder: string;
  readonly maxFutureMs: number;
  readonly reconnect: ReconnectConfig;
}

/** Filling of gaps from the server's archive (HistoryRead), for nodes that have one. */
export interface OpcuaHistoryConfig {
  readonly enabled: boolean;
  /** No further back than this. */
  readonly maxHours: number;
  /** Values in one request. */
  readonly pageSize: number;
  /** Values a second, so that a long gap does not starve live values. */
  readonly maxRatePerS: number;
}

export interface ReplaySourceConfig {
  readonly id: string;
  readonly type: 'replay';
  readonly files: readonly string[];
  /** Speed-up against the recorded times; null = as fast as it goes. */
  readonly speed: number | null;
}

export interface SimulatorSourceConfig {
  readonly id: string;
  readonly type: 'simulator';
  readonly assets: readonly string[];
  readonly intervalMs: number;
  readonly seed: number;
}

/** Waits between attempts: minMs, doubling up to maxMs, each with up to half of it random. */
export interface ReconnectConfig {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface PipelineConfig {
  readonly buffer: {
    readonly capacity: number;
    readonly overflow: 'pause' | 'dropOldest' | 'dropNewest' | 'latest';
    readonly putTimeoutMs: number;
  };
  readonly commit: { readonly maxRows: number; readonly maxWaitMs: number };
  /** Operator state is written out so often, and the newest `keep` are kept. */
  readonly checkpoint: { readonly everyMs: number; readonly keep: number };
  readonly tickMs: number;
  /** How long the clock may be withheld while sources deliver what has queued up. */
  readonly catchUpMs: number;
  /** Distinct sensors beyond this are refused. */
  readonly maxSensors: number;
  readonly shutdownTimeoutMs: number;
}

export interface StoreConfig {
  readonly path: string;
  readonly retentionDays: number;
  readonly memoryLimitMb: number;
  readonly maxDeadLetters: number;
}

export interface TwinConfig {
  /** How often, in event time, a twin's state is recorded; 0 = at every reading. */
  readonly everyMs: number;
  /** No usable reading of any sensor for so long: the twin is lost. */
  readonly lostAfterMs: number;
}

export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  readonly maxRows: number;
  readonly maxStreams: number;
}

export interface PlantConfig {
  readonly assets: readonly string[];
  readonly intervalMs: number;
  readonly seed: number;
  /** Port of the embedded MQTT broker; null = none. */
  readonly brokerPort: number | null;
  /** Port of the plant's OPC UA server; null = none. */
  readonly opcuaPort: number | null;
  /** Where the plant publishes; '' = nowhere. */
  readonly publishUrl: string;
  /** File with the scenario of a process plant; '' = the batch plant. */
  readonly scenario: string;
  /** The true states go to `truth/<asset>` besides. */
  readonly publishTruth: boolean;
}

export interface InfluxConfig {
  readonly url: string;
  readonly token: string;
  readonly org: string;
  readonly bucket: string;
  /** Points in one request at most. */
  readonly batchRows: number;
  /** How long a row waits for more to come into its request. */
  readonly maxWaitMs: number;
  readonly timeoutMs: number;
  readonly retry: ReconnectConfig;
  /** What may wait to be forwarded, and what happens beyond. */
  readonly backlog: { readonly maxRows: number; readonly policy: 'stop' | 'dropOldest' };
  /** Share of the time that catching up may take; 1 = without pauses. */
  readonly catchUpShare: number;
}
