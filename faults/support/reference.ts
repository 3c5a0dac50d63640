import { loadConfig } from '../../config/load.ts';
import type { EstimatedReading, WindowAggregate } from '../../operators/types.ts';
import type { TwinRecord } from '../../operators/steps/twin.ts';
import { latestJson, twinJson } from '../../src/api/records.ts';
import { createLiveView } from '../../src/live.ts';
import { createProcessor } from '../../src/processor.ts';
import { StateRegistry } from '../../src/stateRegistry.ts';
import { openTwins } from '../../src/twin/registry.ts';
import type { Plan } from './plan.ts';
import {
  comparableLatest,
  comparableTwin,
  digestOf,
  digestOfTwin,
  rowContent,
  windowContent,
} from './content.ts';
import type { Snapshot } from './content.ts';

/** What an undisturbed run makes of the first `count` readings of a plan. */
export interface Reference {
  /** `asset/sensor` -> source time -> digest of the stored row, for received readings and for those made up in a gap. */
  readonly rows: ReadonlyMap<
    string,
    { readonly received: Map<number, number>; readonly madeUp: Map<number, number> }
  >;
  /** Numbers of readings that still wait for older ones at the end. */
  readonly held: ReadonlySet<number>;
  /** `asset/sensor` -> `sizeMs start` -> digest of the last revision. */
  readonly windows: ReadonlyMap<string, Map<string, number>>;
  /** asset -> time -> digest of the recorded twin. */
  readonly twinRecords: ReadonlyMap<string, Map<number, number>>;
  /** The live twins and latest estimates, as the API shows them. */
  readonly snapshot: Snapshot;
}

/**
 * Runs the readings through the service's own operators, in this process, in the order sent, without a source, a store,
 * a fault or a tick of the clock.
 */
export async function undisturbed(configFile: string, plan: Plan, count: number): Promise<Reference> {
  const { config } = loadConfig([configFile], {});
  const twins = await openTwins(config, (asset, problem) => {
    throw new Error(`${asset}: ${problem}`);
  });
  const registry = new StateRegistry();
  const processor = createProcessor({ config, twins, registry, lastRow: 0, onDrop: () => undefined });
  const live = createLiveView({
    config,
    registry,
    twins,
    sources: [],
    outputs: processor.outputs,
    now: () => 0,
    health: () => ({ ready: true, parts: {} }),
  });

  const rows = new Map(
    plan.sensors.map(([asset, sensor]) => [
      `${asset}/${sensor}`,
      { received: new Map<number, number>(), madeUp: new Map<number, number>() },
    ]),
  );
  const windows = new Map(
    plan.sensors.map(([asset, sensor]) => [`${asset}/${sensor}`, new Map<string, number>()]),
  );
  const twinRecords = new Map(plan.assets.map((asset) => [asset, new Map<number, number>()]));
  const held = new Set<number>();
  const settle = (reading: EstimatedReading): void => {
    const own = rows.get(`${reading.asset}/${reading.sensor}`);
    const digest = digestOf(rowContent(reading));
    if (reading.received === null) own?.madeUp.set(reading.timestamp, digest);
    else own?.received.set(reading.timestamp, digest);
    const n = plan.numberOf(reading.asset, reading.sensor, reading.timestamp);
    if (n !== undefined && reading.received !== null) held.delete(n);
  };
  const close = (window: WindowAggregate): void => {
    const { asset, sensor, sizeMs, start } = window;
    windows.get(`${asset}/${sensor}`)?.set(`${sizeMs} ${start}`, digestOf(windowContent(window)));
  };
  const record = (twin: TwinRecord): void => {
    twinRecords.get(twin.asset)?.set(twin.timestamp, digestOfTwin(twin));
  };

  for (let n = 0; n < count; n += 1) {
    const planned = plan.reading(n);
    if (planned === null) continue;
    const { asset, sensor, timestamp, value, unit, quality } = planned;
    held.add(n);
    const entry = processor.process({
      asset,
      sensor,
      timestamp,
      value,
      unit,
      quality,
      issues: quality === 'Good' ? [] : [{ check: 'source', message: `Source quality is ${quality}` }],
      imputed: false,
      received: { row: 0, source: 'plant', position: n, arrivedAt: timestamp, value, unit, quality },
    });
    for (const output of entry?.outputs ?? []) {
      if (output.type === 'reading') settle(output.reading);
      else if (output.type === 'window') close(output.window);
      else if (output.type === 'twin') record(output.twin);
    }
  }

  const snapshot: Snapshot = { twins: new Map(), latest: new Map() };
  for (const asset of plan.assets) {
    const twin = live.asset(asset)?.twin;
    snapshot.twins.set(asset, twin == null ? 'none' : comparableTwin(twinJson(twin)));
  }
  for (const [asset, sensor] of plan.sensors) {
    const latest = live.sensor(asset, sensor)?.latest;
    const json = latest == null ? 'none' : comparableLatest(latestJson(asset, sensor, false, latest));
    snapshot.latest.set(`${asset}/${sensor}`, json);
  }
  return { rows, held, windows, twinRecords, snapshot };
}
