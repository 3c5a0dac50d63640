import type { PlantFault } from '../faults.ts';
import type { PlantFeed } from '../feed.ts';
import type { PlantSample } from '../plant.ts';
import { checkedScenario } from './parseScenario.ts';
import { createProcessReactor } from './processReactor.ts';
import type { ProcessTruth } from './processReactor.ts';
import type { PlantEvent, Scenario } from './scenario.ts';

/** What a plant in real time takes from elsewhere instead of from its scenario. */
export interface ScenarioChanges {
  readonly assets: readonly string[];
  readonly seed: number;
  readonly startAt: number;
  /** null: each sensor's own. */
  readonly everyS: number | null;
  readonly faults: readonly PlantFault[];
}

/** @throws ConfigError where the scenario's events or the faults are about assets or sensors that are not there. */
export function changedScenario(scenario: Scenario, changes: ScenarioChanges): Scenario {
  const { assets, seed, startAt, everyS, faults } = changes;
  const sensors = Object.fromEntries(
    Object.entries(scenario.sensors).map(([name, settings]) => [
      name,
      everyS === null ? settings : { ...settings, everyS, jitterS: Math.min(settings.jitterS, everyS / 4) },
    ]),
  );
  const stepS = everyS === null ? scenario.stepS : Math.min(scenario.stepS, everyS);
  const slowest = Math.max(stepS, ...Object.values(sensors).map((sensor) => sensor.everyS));
  const events = [...scenario.events, ...faults.map((fault) => eventOf(fault, slowest))];
  return checkedScenario({ ...scenario, assets, seed, startAt, stepS, sensors, events });
}

/** Even the shortest shows in one sample. */
function eventOf({ kind, asset, sensor, startS, durationS, size }: PlantFault, slowestS: number): PlantEvent {
  return {
    kind: 'sensor',
    sensor,
    fault: kind,
    size,
    probability: 1,
    at: startS,
    for: Math.max(durationS, slowestS),
    ramp: 0,
    shape: 'linear',
    assets: [asset],
  };
}

export interface ProcessFeed extends PlantFeed {
  truth(asset: string): ProcessTruth;
}

/** A scenario in the time that it is given; past its duration it goes on. */
export function processFeed(scenario: Scenario): ProcessFeed {
  const reactors = new Map(
    scenario.assets.map((asset) => [asset, createProcessReactor(scenario, asset)] as const),
  );
  let ticks = 0;

  const truth = (asset: string): ProcessTruth => {
    const reactor = reactors.get(asset);
    if (reactor === undefined) {
      throw new RangeError(
        `asset: ${asset} is not in the plant, expected one of ${scenario.assets.join(', ')}`,
      );
    }
    return reactor.truth();
  };

  return {
    assets: scenario.assets,
    sensors: Object.entries(scenario.sensors).map(([sensor, { measures }]) => ({
      sensor,
      setValue: measures === 'temperature',
    })),
    advance(toEpochMs) {
      const samples: PlantSample[] = [];
      while (scenario.startAt + ticks * scenario.stepS * 1000 <= toEpochMs) {
        for (const reactor of reactors.values()) samples.push(...reactor.next());
        ticks += 1;
      }
      return samples;
    },
    setValues(asset) {
      const { setpoint } = truth(asset).values;
      return Object.fromEntries(
        Object.entries(scenario.sensors).flatMap(([sensor, { measures }]) =>
          measures === 'temperature' ? [[sensor, setpoint] as const] : [],
        ),
      );
    },
    truth,
  };
}
