import { createRandom, hash } from '../random.ts';
import type { Random } from '../random.ts';
import { parseScenario } from './parseScenario.ts';
import type { Scenario } from './scenario.ts';

/**
 * Scenarios for tests and trials: half an hour of the exothermic reactor of Seborg et al., example 2.5, held near 60 degC
 * by cooling water. By itself it is unstable from 61 degC on: beyond what the loop can catch, it runs away. The seed
 * draws what happens when and how much, besides all noise.
 */
export const LIBRARY = {
  /** Set-points moved by the operator, a small load: never a runaway. */
  normal: (random: Random): readonly object[] => [
    { at: between(random, 300, 600), ramp: 120, set: { setpointDegC: between(random, 58, 62) } },
    { at: between(random, 800, 1000), ramp: 60, scale: { flowRateLPerMin: between(random, 0.97, 1.03) } },
    { at: between(random, 1100, 1400), ramp: 120, set: { setpointDegC: between(random, 58, 62) } },
  ],
  /** The pump slows down for some minutes, and comes back: uncomfortable, but no runaway. */
  coolingDip: (random: Random): readonly object[] => [
    {
      at: between(random, 600, 900),
      for: between(random, 120, 400),
      ramp: between(random, 10, 60),
      scale: { coolantFlow: between(random, 0.4, 0.8) },
    },
  ],
  /** The coolant stays away, within two minutes: always a runaway. */
  coolingLoss: (random: Random): readonly object[] => [
    {
      at: between(random, 600, 900),
      ramp: between(random, 0, 120),
      scale: { coolantFlow: between(random, 0, 0.05) },
    },
  ],
  /** Feed made up too strong, which no sensor shows: a runaway once the cooling is at its limit. */
  feedConcentrationError: (random: Random): readonly object[] => [
    {
      at: between(random, 600, 900),
      ramp: between(random, 30, 300),
      scale: { feedConcentrationMolPerL: between(random, 1.7, 2.1) },
    },
  ],
  /** The operator's slip of the finger: the loop follows the set-point's ramp into the unstable region. */
  setpointError: (random: Random): readonly object[] => [
    {
      at: between(random, 600, 900),
      ramp: between(random, 10, 180),
      add: { setpointDegC: between(random, 25, 40) },
    },
  ],
  /** The wall fouls: suddenly, evenly or exponentially. The loop copes: no runaway. */
  fouling: (random: Random): readonly object[] => {
    const factor = between(random, 0.8, 0.92);
    const how = Math.floor(random.uniform() * 3);
    const ramp = [between(random, 5, 60), between(random, 300, 900), between(random, 200, 500)][how] ?? 0;
    return [
      {
        at: between(random, 400, 700),
        ramp,
        shape: how === 2 ? 'exponential' : 'linear',
        scale: { heatTransfer: factor },
      },
    ];
  },
} as const;
export type LibraryName = keyof typeof LIBRARY;
export const LIBRARY_NAMES = Object.keys(LIBRARY).filter((name): name is LibraryName => name in LIBRARY);

/** Those that end in a runaway, whatever the seed; the others never do. */
export const RUNAWAYS: readonly LibraryName[] = ['coolingLoss', 'feedConcentrationError', 'setpointError'];

/** Hotter than this and the reactor has run away: it cannot get there under control. */
export const RUNAWAY_DEGC = 110;

/** One run of a scenario of the library. */
export function libraryScenario(name: LibraryName, seed: number): Scenario {
  return parseScenario({
    name: `${name} ${seed}`,
    seed,
    duration: 1800,
    spread: { heatTransfer: 0.02, reactionRate: 0.02 },
    process: { start: { setpointDegC: 60 } },
    control: { min: 15 },
    disturbances: {
      feedConcentrationMolPerL: { stdDev: 0.01, timeConstant: 300 },
      feedTemperatureDegC: { stdDev: 0.5, timeConstant: 300 },
      flowRateLPerMin: { stdDev: 0.5, timeConstant: 60 },
    },
    events: LIBRARY[name](createRandom(hash(name, seed))),
  });
}

/** To three digits, so that a scenario reads well when it is printed. */
function between(random: Random, low: number, high: number): number {
  return Number((low + (high - low) * random.uniform()).toPrecision(3));
}
