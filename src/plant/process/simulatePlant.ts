import type { PlantSample } from '../plant.ts';
import { createProcessReactor } from './processReactor.ts';
import type { ProcessTruth } from './processReactor.ts';
import type { Scenario } from './scenario.ts';

/** One instant of the plant's grid. */
export interface PlantInstant {
  /** Seconds after the start. */
  readonly atS: number;
  /** What the sensors gave since the instant before, reactor by reactor, in the order of time for each. */
  readonly readings: readonly PlantSample[];
  /** Of every reactor, in the order of `scenario.assets`. */
  readonly truth: readonly ProcessTruth[];
}

/**
 * Runs a scenario from its start to its end, as fast as it is asked: no clock, no I/O. The same scenario gives the same
 * bytes each time it is run, and a reactor gives the same whatever others there are.
 *
 * @throws RangeError if the scenario's parameters are not those of the model.
 */
export function* simulatePlant(scenario: Scenario): Generator<PlantInstant, void, undefined> {
  const reactors = scenario.assets.map((asset) => createProcessReactor(scenario, asset));
  const last = Math.floor(scenario.durationS / scenario.stepS + 1e-9);
  for (let tick = 0; tick <= last; tick++) {
    const readings: PlantSample[] = [];
    for (const reactor of reactors) for (const sample of reactor.next()) readings.push(sample);
    yield { atS: tick * scenario.stepS, readings, truth: reactors.map((reactor) => reactor.truth()) };
  }
}
