import type { Observable } from 'rxjs';
import { sensorConfigFor } from '../config/sensors.ts';
import type { AnomalyConfig, Config } from '../config/types.ts';
import type { AnomalyRecord } from '../operators/steps/anomaly.ts';
import type { EstimatedReading } from '../operators/types.ts';
import type { AnomalyView, AssetView, HealthView, LiveView, SensorView, SourceView } from './api/live.ts';
import type { Output } from './pipeline.ts';
import type { Source } from './sources/source.ts';
import type { StateRegistry } from './stateRegistry.ts';
import type { LiveTwin } from './twin/liveTwin.ts';

interface Sensor {
  /** null before the first reading: what is kept in the registry says in which order sensors came. */
  shown: { latest: EstimatedReading | null } | null;
  readonly staleAfterMs: number;
}

/** What is kept of detectAnomaly for those who ask. */
interface Judged {
  latest: AnomalyRecord | null;
  alarms: number;
}

export interface LiveParts {
  readonly config: Config;
  readonly registry: StateRegistry;
  readonly twins: ReadonlyMap<string, LiveTwin>;
  readonly sources: readonly Source[];
  readonly outputs: Observable<Output>;
  readonly now: () => number;
  readonly health: () => HealthView;
}

/**
 * The latest of everything, for those who ask. Follows the pipeline's outputs; never in its way. What it shows is kept in
 * the registry, so that it is there again after a restart.
 */
export function createLiveView({
  config,
  registry,
  twins,
  sources,
  outputs,
  now,
  health,
}: LiveParts): LiveView {
  const assets = new Map<string, Map<string, Sensor>>();
  const open = (asset: string, sensor: string): Sensor => {
    const sensors = assets.get(asset) ?? new Map<string, Sensor>();
    const { staleAfterMs } = sensorConfigFor(config, asset, sensor);
    const view: Sensor = { shown: null, staleAfterMs };
    assets.set(asset, sensors.set(sensor, view));
    return view;
  };
  for (const [asset, { sensors }] of Object.entries(config.assets)) {
    assets.set(asset, new Map());
    for (const sensor of Object.keys(sensors)) open(asset, sensor);
  }
  const show = (asset: string, sensor: string, view: Sensor): NonNullable<Sensor['shown']> =>
    (view.shown ??= registry.cell({ asset, sensor, operator: 'latest' }, {}, noneYet).open());
  for (const { asset, sensor } of registry.sensors())
    show(asset, sensor, assets.get(asset)?.get(sensor) ?? open(asset, sensor));
  const judged = new Map(
    Object.entries(config.assets).flatMap(([asset, { anomaly }]) =>
      anomaly === null ? [] : [[asset, { anomaly, kept: openJudged(registry, asset, anomaly) }] as const],
    ),
  );
  outputs.subscribe((output) => {
    if (output.type === 'anomaly') {
      const kept = judged.get(output.anomaly.asset)?.kept;
      if (kept === undefined) return;
      kept.latest = output.anomaly;
      if (output.anomaly.event === 'onset') kept.alarms += 1;
      return;
    }
    if (output.type !== 'reading') return;
    const { reading } = output;
    const view = assets.get(reading.asset)?.get(reading.sensor) ?? open(reading.asset, reading.sensor);
    // A late reading is history; it does not replace what is newer.
    const shown = show(reading.asset, reading.sensor, view);
    if (shown.latest === null || reading.timestamp >= shown.latest.timestamp || !isLate(reading))
      shown.latest = reading;
  });

  const sensorView = (asset: string, sensor: string, { shown, staleAfterMs }: Sensor): SensorView => {
    const latest = shown?.latest ?? null;
    const arrivedAt = latest === null ? null : (latest.received?.arrivedAt ?? latest.timestamp);
    return { asset, sensor, latest, stale: arrivedAt === null || now() - arrivedAt > staleAfterMs };
  };
  const anomalyView = (asset: string): AnomalyView | null => {
    const found = judged.get(asset);
    if (found === undefined) return null;
    const { anomaly, kept } = found;
    const learned = learnedIntervals(registry.state({ asset, operator: 'detectAnomaly' }));
    return { learning: learned === null ? null : { learned, wanted: anomaly.learnCount }, ...kept };
  };
  const assetView = (id: string, sensors: ReadonlyMap<string, Sensor>): AssetView => {
    const twin = twins.get(id);
    return {
      id,
      model: twin?.model.type ?? null,
      sensors: [...sensors].map(([name, sensor]) => sensorView(id, name, sensor)),
      twin: twin?.record(now()) ?? null,
      anomaly: anomalyView(id),
    };
  };

  return {
    now,
    assets: () => [...assets].map(([id, sensors]) => assetView(id, sensors)),
    asset(id) {
      const sensors = assets.get(id);
      return sensors === undefined ? undefined : assetView(id, sensors);
    },
    sensor(asset, name) {
      const sensor = assets.get(asset)?.get(name);
      return sensor === undefined ? undefined : sensorView(asset, name, sensor);
    },
    predict(asset, horizonS, stepS) {
      const points = twins.get(asset)?.predict(horizonS, stepS) ?? [];
      const [first] = points;
      return first === undefined ? undefined : { from: first.timestamp, points };
    },
    copy: (asset) => twins.get(asset)?.copy() ?? null,
    events: outputs,
    sources: () =>
      sources.map((source): SourceView => ({ id: source.id, type: source.type, status: source.status() })),
    health,
  };
}

const noneYet = (): NonNullable<Sensor['shown']> => ({ latest: null });

const isLate = (reading: EstimatedReading): boolean => reading.issues.some(({ check }) => check === 'order');

/** Of the same shape as the operator's own state: what it said of other sensors is of no use either. */
function openJudged(
  registry: StateRegistry,
  asset: string,
  { sensors, intervalMs, smoothingMs }: AnomalyConfig,
): Judged {
  const shape = { sensors: sensors.join('\n'), intervalMs, smoothingMs };
  const none = (): Judged => ({ latest: null, alarms: 0 });
  return registry.cell({ asset, operator: 'latestAnomaly' }, shape, none).open();
}

/** Intervals that detectAnomaly has learned its baseline from so far; null once it has one. */
function learnedIntervals(state: unknown): number | null {
  if (typeof state !== 'object' || state === null || !('baseline' in state) || !('rows' in state)) return 0;
  return state.baseline === null && Array.isArray(state.rows) ? state.rows.length : null;
}
