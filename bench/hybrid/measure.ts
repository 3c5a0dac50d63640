import { parseScenario } from '../../src/plant/process/parseScenario.ts';
import { simulatePlant } from '../../src/plant/process/simulatePlant.ts';
import { cstr } from '../../src/twin/process/cstr.ts';
import { estimatedTwin, integrateBy } from '../../src/twin/process/estimatedTwin.ts';
import type { EstimatedState } from '../../src/twin/process/estimatedTwin.ts';
import type { EstimationOptions } from '../../src/twin/process/estimationOptions.ts';
import { hybrid } from '../../src/twin/process/hybrid.ts';
import type { HybridOptions } from '../../src/twin/process/hybridOptions.ts';
import { Layout } from '../../src/twin/process/layout.ts';
import type { Integrate } from '../../src/twin/process/unscented.ts';

export interface Case {
  readonly name: string;
  /** Of the plant: differs from the model in its structure. */
  readonly mismatch: boolean;
  readonly scenario: (seed: number) => Readonly<Record<string, unknown>>;
}

/** Sums over origins, an hour of plant behind each run. */
export interface Tally {
  origins: number;
  active: number;
  /** Squared errors at the horizon, K²: inputs as they were measured meanwhile, and held as at the origin. */
  physics: number;
  hybrid: number;
  physicsHeld: number;
  hybridHeld: number;
}

const STD_DEV: Readonly<Record<string, number>> = {
  ...{ temperature: 0.3, coolant_temperature: 0.3, flow_rate: 0.5, feed_temperature: 0.3 },
};
const EVERY_S = 15;
const ZERO_CELSIUS_K = 273.15;
const TEMPERATURE = 1;

interface Waiting {
  readonly dueS: number;
  /** Whose correction was in force at the origin. */
  readonly by: Integrate | null;
  readonly physics: number[];
  readonly hybrid: number[];
  readonly heldK: readonly [physics: number, hybrid: number];
}

/** Runs a plant with its twin, and judges predictions begun from `fromS` on against the true temperature. */
export function measure(
  each: Case,
  seed: number,
  estimation: EstimationOptions,
  options: HybridOptions,
  { horizonS = 60, fromS = 600, untilS = Infinity } = {},
): Tally {
  const scenario = parseScenario({ ...each.scenario(seed), seed });
  const model = cstr({ initialTemperatureDegC: scenario.process.start.setpointDegC });
  const learner = hybrid(model, estimation, options);
  const twin = estimatedTwin(model, estimation, integrateBy(model), [learner]);
  const layout = new Layout(model, twin.estimation.estimated);
  const point = layout.point();
  const alone = integrateBy(model);
  const state = twin.initial();
  const tally: Tally = { origins: 0, active: 0, physics: 0, hybrid: 0, physicsHeld: 0, hybridHeld: 0 };

  const move = (z: number[], of: EstimatedState, by: Integrate, dtS: number): number => {
    layout.unpack(z, of.u, point);
    by(point.x, point.u, point.p, dtS);
    for (let i = 0; i < layout.states; i++) z[i] = point.x[i] ?? NaN;
    return z[TEMPERATURE] ?? NaN;
  };
  let waiting: Waiting[] = [];
  let timestamp: number | null = null;
  for (const { atS, readings, truth } of simulatePlant(scenario)) {
    for (const reading of readings) {
      const dtS: number = (reading.timestamp - (timestamp ?? reading.timestamp)) / 1000;
      if (dtS > 0) {
        twin.advance(state, dtS);
        for (const one of waiting) {
          move(one.physics, state, alone, dtS);
          if (one.by !== null) move(one.hybrid, state, one.by, dtS);
        }
      }
      timestamp = Math.max(reading.timestamp, timestamp ?? 0);
      if (reading.value === null || reading.quality === 'Bad') continue;
      twin.correct(state, reading.sensor, reading.value, (STD_DEV[reading.sensor] ?? NaN) ** 2);
    }
    const trueK = (truth[0]?.values.temperature ?? NaN) + ZERO_CELSIUS_K;
    for (const one of waiting.filter(({ dueS }) => dueS === atS)) {
      const physics = ((one.physics[TEMPERATURE] ?? NaN) - trueK) ** 2;
      const held = (one.heldK[0] - trueK) ** 2;
      tally.origins += 1;
      tally.active += one.by === null ? 0 : 1;
      tally.physics += physics;
      tally.physicsHeld += held;
      tally.hybrid += one.by !== null ? ((one.hybrid[TEMPERATURE] ?? NaN) - trueK) ** 2 : physics;
      tally.hybridHeld += one.by !== null ? (one.heldK[1] - trueK) ** 2 : held;
    }
    waiting = waiting.filter(({ dueS }) => dueS > atS);
    if (atS < fromS || atS >= untilS || atS % EVERY_S !== 0) continue;
    const better = learner.corrected(state);
    const by = better === null ? null : integrateBy(better.twin.process);
    const physics = state.belief.z.slice();
    const hybridZ = (better?.state ?? state).belief.z.slice();
    const heldPhysics = move(physics.slice(), state, alone, horizonS);
    const heldHybrid = by === null ? NaN : move(hybridZ.slice(), state, by, horizonS);
    const heldK = [heldPhysics, heldHybrid] as const;
    waiting.push({ dueS: atS + horizonS, by, physics, hybrid: hybridZ, heldK });
  }
  return tally;
}
