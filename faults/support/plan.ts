import { mixed } from './random.ts';

/**
 * The load: numbered readings of several sensors of several reactors. Every field of a reading is a function of its
 * number and the seed, so that what is lost, doubled or wrong can be told from the store alone.
 *
 * The readings go round the sensors. Source time runs much faster than the clock (`SPACING_MS` between two readings of
 * a sensor that come some milliseconds apart), so that everything that the service does by the clock (gaps to fill,
 * late readings to wait for) is far away while a fault lasts a few seconds, and results depend on the readings alone.
 */
export const SPACING_MS = 20_000;
const START = Date.UTC(2024, 0, 1);

export interface PlannedReading {
  readonly n: number;
  readonly asset: string;
  readonly sensor: string;
  readonly timestamp: number;
  readonly value: number | null;
  readonly unit: string;
  readonly quality: 'Good' | 'Uncertain' | 'Bad';
}

export interface PlanOptions {
  readonly assets: number;
  readonly seed: number;
}

type SensorKind = (typeof KINDS)[number];

const KINDS = ['temperature', 'pressure', 'flow_rate', 'ph'] as const;
const UNITS: Readonly<Record<SensorKind, string>> = {
  temperature: 'degC',
  pressure: 'MPa',
  flow_rate: 'L/min',
  ph: '',
};

/** Where in source time the k-th reading of a sensor stands, in spacings; null: it is never sent. */
function slotOf(kind: SensorKind, k: number): number | null {
  switch (kind) {
    case 'temperature':
      return k;
    // Out of order, but within the time that the service waits for older ones.
    case 'pressure':
      return swapped(k, 4, 1, 2);
    // Late: nobody waits for these.
    case 'flow_rate':
      return swapped(k, 4, 2, 3);
    // One in 16 is so late that its windows are over.
    case 'ph':
      return k % 16 === 3 ? null : k % 16 === 12 ? k - 9 : k;
  }
}

function numberAt(kind: SensorKind, slot: number): number {
  if (kind === 'pressure') return swapped(slot, 4, 1, 2);
  if (kind === 'flow_rate') return swapped(slot, 4, 2, 3);
  return kind === 'ph' && slot % 16 === 3 ? slot + 9 : slot;
}

const swapped = (k: number, group: number, a: number, b: number): number =>
  k % group === a ? k - a + b : k % group === b ? k - b + a : k;

/** What the sensor shows at that slot, with spikes, values out of range, missing ones, and a reactor that is drained. */
function valueOf(kind: SensorKind, slot: number, random: number): number | null {
  const noise = (random % 1000) / 1000 - 0.5;
  const event = Math.floor(random / 1000) % 200;
  const wave = Math.sin(slot / 40);
  switch (kind) {
    case 'temperature':
      if (event < 4) return null;
      return round(event === 4 ? 140 : event === 5 ? 900 : 85 + 8 * wave + noise);
    case 'pressure':
      return event < 3 ? null : round(event === 3 ? 4 : 2.5 + 0.2 * wave + 0.02 * noise);
    case 'flow_rate':
      return round(slot % 120 >= 105 ? 20 + noise : event < 3 ? 240 : 120 + 6 * wave + noise);
    case 'ph':
      return event === 0
        ? 15
        : event === 1
          ? null
          : slot % 90 > 80
            ? 7
            : round(7 + 0.3 * wave + 0.05 * noise);
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

export interface Plan {
  /** [asset, sensor], in the order of sending. */
  readonly sensors: readonly (readonly [asset: string, sensor: string])[];
  readonly assets: readonly string[];
  /** `assets` and `sensorTypes` of the service's configuration. */
  readonly config: object;
  /** The n-th reading, from 0; null where the plan leaves a gap. */
  reading(n: number): PlannedReading | null;
  /** Which reading it was; undefined where the plan has none of that time. */
  numberOf(asset: string, sensor: string, timestamp: number): number | undefined;
  /** How many of the first `count` are readings and no gaps. */
  sent(count: number): number;
}

export function createPlan({ assets: count, seed }: PlanOptions): Plan {
  const assets = Array.from({ length: count }, (_, i) => `R${101 + i}`);
  const sensors = assets.flatMap((asset) => KINDS.map((kind) => [asset, kind] as const));
  const indexes = new Map(sensors.map(([asset, kind], i) => [`${asset}/${kind}`, i]));

  const reading = (n: number): PlannedReading | null => {
    const index = n % sensors.length;
    const k = Math.floor(n / sensors.length);
    const [asset, kind] = sensors[index] ?? ['', 'ph' as const];
    const slot = slotOf(kind, k);
    const random = mixed(seed, index, slot ?? 0);
    // Gaps in the temperature, which the service fills.
    if (slot === null || (kind === 'temperature' && random % 53 === 0)) return null;
    const value = valueOf(kind, slot, random >>> 4);
    const kelvin = kind === 'temperature' && index % 8 === 4 && slot % 3 === 0;
    return {
      n,
      asset,
      sensor: kind,
      timestamp: START + slot * SPACING_MS,
      value: kelvin && value !== null ? round(value + 273.15) : value,
      unit: kelvin ? 'K' : UNITS[kind],
      quality: kind === 'ph' && random % 97 < 2 ? (random % 97 === 0 ? 'Bad' : 'Uncertain') : 'Good',
    };
  };

  return {
    sensors,
    assets,
    config: { assets: Object.fromEntries(assets.map((asset) => [asset, ASSET])), sensorTypes: SENSOR_TYPES },
    reading,
    numberOf(asset, sensor, timestamp) {
      const index = indexes.get(`${asset}/${sensor}`);
      const slot = (timestamp - START) / SPACING_MS;
      const kind = KINDS.find((name) => name === sensor);
      if (index === undefined || kind === undefined || !Number.isInteger(slot) || slot < 0) return undefined;
      const n = numberAt(kind, slot) * sensors.length + index;
      return reading(n)?.timestamp === timestamp ? n : undefined;
    },
    sent(upTo) {
      let all = 0;
      for (let n = 0; n < upTo; n += 1) if (reading(n) !== null) all += 1;
      return all;
    },
  };
}

const ASSET = {
  model: { type: 'batchReactor', newBatchBelowFlowRateLPerMin: 60, reactionHeatJPerKg: 20_000 },
  sensors: Object.fromEntries(KINDS.map((kind) => [kind, {}])),
};

/** Long enough for the clock to stay out of it: no fault here keeps a sensor silent for half a minute. */
const IDLE = { idleTimeoutMs: 3_600_000 };
const STALE = { staleAfterMs: 3_600_000 };

const SENSOR_TYPES = {
  temperature: {
    missing: { expectedIntervalMs: SPACING_MS },
    windows: [
      { sizeMs: 100_000, ...IDLE },
      { sizeMs: 600_000, everyMs: 200_000, ...IDLE },
    ],
    ...STALE,
  },
  pressure: { order: { maxDelayMs: 3 * SPACING_MS }, windows: [{ sizeMs: 100_000, ...IDLE }], ...STALE },
  flow_rate: { windows: [{ sizeMs: 100_000, latenessMs: 100_000, ...IDLE }], ...STALE },
  ph: {
    missing: { method: 'predict' },
    stuck: { maxDurationMs: 100_000, minCount: 5 },
    windows: [{ sizeMs: 100_000, latenessMs: 20_000, ...IDLE }],
    ...STALE,
  },
};

/** Sizes of the windows that the configuration above makes of a sensor. */
export const windowSizes = (sensor: string): readonly number[] =>
  sensor === 'temperature' ? [100_000, 600_000] : [100_000];
