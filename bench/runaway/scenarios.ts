import { createRandom, hash } from '../../src/plant/random.ts';
import type { Random } from '../../src/plant/random.ts';
import { LIBRARY_NAMES, libraryScenario, RUNAWAYS } from '../../src/plant/process/library.ts';
import { parseScenario } from '../../src/plant/process/parseScenario.ts';
import type { Scenario } from '../../src/plant/process/scenario.ts';

const between = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

/** The library's faults with severities from harmless to fatal, some of them only for a while. */
const BORDERLINE: readonly ((random: Random) => object)[] = [
  (random) => ({ scale: { coolantFlow: between(random, 0.05, 0.4) } }),
  (random) => ({ scale: { feedConcentrationMolPerL: between(random, 1.2, 1.9) } }),
  (random) => ({ add: { setpointDegC: between(random, 4, 28) } }),
  (random) => ({ scale: { heatTransfer: between(random, 0.4, 0.8) } }),
  (random) => ({ scale: { reactionRate: between(random, 1.1, 1.8) } }),
];

function borderline(seed: number): Scenario {
  const random = createRandom(hash('borderline', seed));
  const kind = BORDERLINE[seed % BORDERLINE.length];
  const time = { at: between(random, 600, 900), ramp: between(random, 5, 300) };
  const stays = random.uniform() < 0.5 ? {} : { for: between(random, 60, 500) };
  const base = libraryScenario('normal', seed);
  const { events } = parseScenario({ events: [{ ...time, ...stays, ...kind?.(random) }] });
  return { ...base, name: `borderline ${seed}`, events };
}

const QUIET = LIBRARY_NAMES.filter((name) => !RUNAWAYS.includes(name));

/** Half of them the library's runaways, half its others; a seed is used once. */
export const libraryRuns = (from: number, count: number): Scenario[] =>
  Array.from({ length: count }, (_, i) => {
    const names = i % 2 === 0 ? RUNAWAYS : QUIET;
    return libraryScenario(names[(i >> 1) % names.length] ?? 'normal', from + i);
  });

export const borderlineRuns = (from: number, count: number): Scenario[] =>
  Array.from({ length: count }, (_, i) => borderline(from + i));

/** The plant's usual four, or with those of the coolant's supply, for a twin that models the jacket. */
export const sensorsOf = (count: 4 | 6): Scenario['sensors'] =>
  parseScenario(
    count === 4
      ? {}
      : {
          sensors: {
            ...{ temperature: {}, coolant_temperature: {}, flow_rate: {}, feed_temperature: {} },
            ...{ coolant_flow_rate: {}, coolant_inlet_temperature: {} },
          },
        },
  ).sensors;
