import { createRandom, hash } from '../../src/plant/random.ts';
import type { Random } from '../../src/plant/random.ts';
import type { Case } from './measure.ts';

const between = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

/** Set-points as an operator moves them: within ±6 K of 56 degC, each 5 to 15 minutes, within 1 to 5 minutes. */
function setpoints(random: Random): object[] {
  const events: object[] = [];
  for (let at = between(random, 200, 600); at < 7200; at += between(random, 300, 900)) {
    const setpointDegC = between(random, 50, 62);
    events.push({ at, ramp: between(random, 60, 300), set: { setpointDegC } });
  }
  return events;
}

const DISTURBANCES = {
  feedConcentrationMolPerL: { stdDev: 0.01, timeConstant: 300 },
  feedTemperatureDegC: { stdDev: 0.5, timeConstant: 300 },
  flowRateLPerMin: { stdDev: 0.5, timeConstant: 60 },
};
const SPREAD = { heatTransfer: 0.02, reactionRate: 0.02 };
const SENSORS = { temperature: {}, coolant_temperature: {}, flow_rate: {}, feed_temperature: {} };

interface Made {
  readonly process?: object;
  readonly start?: object;
  readonly disturbed?: boolean;
  readonly moved?: boolean;
  readonly events?: (random: Random) => readonly object[];
}

function made(name: string, mismatch: boolean, { process, start, disturbed, moved, events }: Made): Case {
  return {
    name,
    mismatch,
    scenario(seed) {
      const random = createRandom(hash(name, seed));
      return {
        duration: 7200,
        sensors: SENSORS,
        process: { ...process, start: { setpointDegC: 56, ...start } },
        control: { min: 10 },
        ...(disturbed === true && { disturbances: DISTURBANCES, spread: SPREAD }),
        events: [...(moved === true ? setpoints(random) : []), ...(events?.(random) ?? [])],
      };
    },
  };
}

/** A fault of the thermometer or of the coolant's, each for 5 minutes, one in every 20. */
function faults(random: Random): readonly object[] {
  const kinds = [
    { fault: 'bias', size: 2 },
    { fault: 'stuck' },
    { fault: 'noise', size: 1.5 },
    { fault: 'spike', size: 10 },
    { fault: 'silent' },
    { fault: 'drift', size: 0.01 },
  ];
  return kinds.map((kind, i) => ({
    at: 600 + 1100 * i + between(random, 0, 300),
    for: 300,
    sensor: random.uniform() < 0.6 ? 'temperature' : 'coolant_temperature',
    ...kind,
  }));
}

const WALL = { heatTransferPerK: 0.02 };
const LOSS = { heatLossPerS: 0.003 };
const fouling = (random: Random): readonly object[] => [
  { at: between(random, 600, 1800), ramp: 5000, scale: { heatTransfer: between(random, 0.75, 0.9) } },
];

export const CASES: readonly Case[] = [
  made('wall, set-points', true, { process: WALL, moved: true }),
  made('wall, set-points, disturbed', true, { process: WALL, moved: true, disturbed: true }),
  made('loss', true, { start: LOSS }),
  made('loss, set-points', true, { start: LOSS, moved: true }),
  made('loss, set-points, disturbed', true, { start: LOSS, moved: true, disturbed: true }),
  made('wall, loss, set-points, disturbed', true, {
    process: WALL,
    start: LOSS,
    moved: true,
    disturbed: true,
  }),
  made('nothing', false, {}),
  made('set-points', false, { moved: true }),
  made('disturbed', false, { disturbed: true }),
  made('disturbed, set-points', false, { disturbed: true, moved: true }),
  made('disturbed, sensor faults', false, { disturbed: true, events: faults }),
  made('disturbed, set-points, sensor faults', false, { disturbed: true, moved: true, events: faults }),
  made('wall, disturbed, set-points, sensor faults', true, {
    process: WALL,
    disturbed: true,
    moved: true,
    events: faults,
  }),
  made('fouling', false, { events: fouling }),
  made('fouling, disturbed, set-points', false, { events: fouling, disturbed: true, moved: true }),
];
