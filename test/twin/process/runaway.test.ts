import { describe, expect, test } from 'vitest';
import { libraryScenario, RUNAWAY_DEGC } from '../../../src/plant/process/library.ts';
import type { LibraryName } from '../../../src/plant/process/library.ts';
import { simulatePlant } from '../../../src/plant/process/simulatePlant.ts';
import { cstr } from '../../../src/twin/process/cstr.ts';
import { estimatedTwin } from '../../../src/twin/process/estimatedTwin.ts';
import type { EstimatedState } from '../../../src/twin/process/estimatedTwin.ts';
import type { ProcessModel } from '../../../src/twin/process/model.ts';
import { runawayWarning } from '../../../src/twin/process/runaway.ts';
import type { RunawayState } from '../../../src/twin/process/runaway.ts';
import type { RunawayOptions } from '../../../src/twin/process/runawayOptions.ts';

const STD_DEV: Readonly<Record<string, number>> = {
  ...{ temperature: 0.3, coolant_temperature: 0.3, flow_rate: 0.5, feed_temperature: 0.3 },
};
const ESTIMATION = { estimate: { heatTransfer: {} } };
const TANK = cstr({ initialTemperatureDegC: 60 });

interface Sight {
  readonly atS: number;
  readonly trueDegC: number;
  readonly said: string;
  readonly level: unknown;
}

/** What is said every second of a run; `restart` is done to the state in its middle. */
function run(
  name: LibraryName,
  seed: number,
  restart = (state: EstimatedState): EstimatedState => state,
): Sight[] {
  const warning = runawayWarning(TANK, ESTIMATION, { limit: RUNAWAY_DEGC });
  const twin = estimatedTwin(TANK, ESTIMATION, undefined, [warning]);
  let state = twin.initial();
  let before: number | null = null;
  const sights: Sight[] = [];
  for (const { atS, readings, truth } of simulatePlant(libraryScenario(name, seed))) {
    if (atS > 0 && atS % 97 === 0) state = restart(state);
    for (const { sensor, value, timestamp } of readings) {
      if (value === null) continue;
      twin.advance(state, (timestamp - (before ?? timestamp)) / 1000);
      before = timestamp;
      twin.correct(state, sensor, value, STD_DEV[sensor]! ** 2);
    }
    const said = twin.insights!(state)['runaway'];
    const level = typeof said === 'object' && said !== null && 'level' in said ? said['level'] : undefined;
    const trueDegC = truth[0]!.values.temperature;
    sights.push({ atS, trueDegC, said: JSON.stringify(said), level });
    if (trueDegC > RUNAWAY_DEGC) break;
  }
  return sights;
}

describe('on the simulated plant', () => {
  test.each(['coolingLoss', 'feedConcentrationError', 'setpointError'] as const)(
    '%s: the warning stands before the reactor runs away',
    (name) => {
      const sights = run(name, 3);
      const last = sights.at(-1)!;
      expect(last.trueDegC).toBeGreaterThan(RUNAWAY_DEGC);
      expect(last.level).toBe('warning');
      const quiet = sights.findLast(({ level }) => level !== 'warning')!;
      // Later than that would be no earlier than a thermometer at 70 degC.
      expect(last.atS - quiet.atS).toBeGreaterThan(12);
      expect(quiet.trueDegC).toBeLessThan(75);
    },
  );

  test('a normal half hour has no warning, and nothing that is said is not finite', () => {
    const sights = run('normal', 3);
    expect(sights).toHaveLength(1801);
    expect(sights.filter(({ level }) => level === 'warning')).toEqual([]);
    expect(sights.some(({ level }) => level === 'none')).toBe(true);
    // JSON makes null of NaN; only the time to the limit may be null.
    for (const { said } of sights) expect(said.replace('"timeToLimitS":null', '')).not.toMatch(/.null/);
  });

  test('a state that goes through JSON on the way says the same to the last bit', () => {
    const through = (state: EstimatedState): EstimatedState =>
      JSON.parse(JSON.stringify(state)) as EstimatedState;
    expect(run('coolingLoss', 4, through)).toEqual(run('coolingLoss', 4));
  });
});

/** dx/dt = g x, a process that is as divergent as its input says; `read` is x itself. */
const SIMPLE: ProcessModel = {
  type: 'simple',
  states: [{ name: 'x', unit: '', initial: 1, min: -1e9, max: 1e9, scale: 1 }],
  inputs: [{ name: 'g', unit: '1/s', initial: 0, min: -1, max: 1 }],
  parameters: [],
  derivatives(x, u, _p, dxdt) {
    dxdt[0] = (u[0] ?? NaN) * (x[0] ?? NaN);
  },
  measured: {
    x: { kind: 'output', unit: '', read: (x) => x[0] ?? NaN },
    g: { kind: 'input', unit: '1/s', input: 'g', toInput: (value) => value },
  },
  outputs: { x: { unit: '', read: (x) => x[0] ?? NaN } },
};

/** A companion by hand: the belief stays where it is put. */
function byHand(options: Partial<RunawayOptions>) {
  const companion = runawayWarning(
    SIMPLE,
    {},
    {
      ...{ limit: 100, output: 'x', everyMs: 1000, inputAverageMs: 0, horizonMs: 10_000 },
      ...{ confirmCount: 2, clearCount: 3, ...options },
    },
  );
  const state = estimatedTwin(SIMPLE).initial();
  state.taken = [1, 0];
  state.belief = { z: [1], s: [0.01] };
  const own = companion.initial();
  return {
    own,
    state,
    says: () => companion.says(own, state),
    /** Goes on by a second with a growth and a value, and gives the level. */
    see: (g: number, x = 1): string => {
      state.u = [g];
      state.belief.z = [x];
      companion.told?.(own, state, 0);
      companion.advanced?.(own, state, 1);
      return own.level;
    },
  };
}

describe('the levels', () => {
  test('divergence warns when it is confirmed, and clears after so many evaluations without', () => {
    const { see, own } = byHand({ criterion: 'divergence' });
    expect([see(-0.01), see(0.01), see(-0.01), see(0.01), see(0.01)]).toEqual([
      ...['none', 'none', 'none', 'none', 'warning'],
    ]);
    expect(own.last?.divergencePerS).toBeCloseTo(0.01, 9);
    expect(own.reason).toBe('divergence');
    expect([see(-0.01), see(-0.01), see(0.01), see(-0.01), see(-0.01), see(-0.01)]).toEqual([
      ...['warning', 'warning', 'warning', 'warning', 'warning', 'none'],
    ]);
    expect(own.reason).toBe('');
    expect(own.forS).toBe(0);
    see(-0.01);
    expect(own.forS).toBe(1);
  });

  test('a threshold above leaves it at watch', () => {
    const { see } = byHand({ criterion: 'prediction' });
    expect([see(0.01), see(0.01), see(0.01)]).toEqual(['none', 'watch', 'watch']);
  });

  test('prediction warns with the time that is left', () => {
    const { see, own } = byHand({ criterion: 'prediction' });
    // exp(0.5 t) reaches 100 after ln(100) / 0.5 = 9.2 s.
    see(0.5);
    expect(see(0.5)).toBe('warning');
    expect(own.reason).toBe('divergence and prediction');
    expect(own.last?.probability).toBeGreaterThan(0.99);
    expect(own.last?.timeToLimitS).toBeCloseTo(Math.log(100) / 0.5, 1);
    see(0.4);
    expect(own.last).toMatchObject({ probability: 0, timeToLimitS: null });
  });

  test('the probability is what the belief makes of it', () => {
    const { see, own, state } = byHand({ criterion: 'prediction' });
    // After 10 s: x e, with x = 37 +- 1 and 100 / e = 36.79.
    state.belief.s = [1];
    see(0.1, 37);
    expect(own.last?.probability).toBeGreaterThan(0.5);
    expect(own.last?.probability).toBeLessThan(0.7);
  });

  test('beyond the limit there is a warning whatever the signs', () => {
    const { see, own } = byHand({ criterion: 'both' });
    see(-0.1, 101);
    expect(see(-0.1, 101)).toBe('warning');
    expect(own.reason).toBe('limit');
  });

  test('both takes both, either takes one', () => {
    const levels = (criterion: 'both' | 'either'): string[] => {
      const { see } = byHand({ criterion });
      return [see(0.01), see(0.01), see(0.01), see(0.5), see(0.5)];
    };
    expect(levels('both')).toEqual(['none', 'watch', 'watch', 'watch', 'warning']);
    expect(levels('either')).toEqual(['none', 'warning', 'warning', 'warning', 'warning']);
  });
});

test('says nothing before a measurement was taken in, and skips a belief that is not finite', () => {
  const { see, says, state, own } = byHand({});
  state.taken = [0, 0];
  see(0.5);
  expect(says()).toBeNull();
  state.taken = [1, 0];
  see(0.5);
  const { last } = own;
  expect(last).not.toBeNull();
  see(0.5, NaN);
  expect(own.last).toBe(last);
});

test('a long gap is one evaluation', () => {
  const companion = runawayWarning(SIMPLE, {}, { limit: 100, output: 'x', confirmCount: 2 });
  const state = estimatedTwin(SIMPLE).initial();
  state.taken = [1, 0];
  state.u = [0.5];
  const own: RunawayState = companion.initial();
  companion.advanced?.(own, state, 3600);
  expect(own.level).toBe('none');
  companion.advanced?.(own, state, 0.1);
  expect(own.level).toBe('warning');
});

test.each<[Partial<RunawayOptions>, string]>([
  [{ limit: NaN }, 'runaway.limit: NaN is not valid, expected a number'],
  [{ output: 'level' }, 'runaway.output: level is not valid, expected one of x'],
  [{ states: ['y'] }, 'runaway.states: y is not valid, expected some of x'],
  [{ probability: 1 }, 'runaway.probability: 1 is not valid, expected a number < 1'],
  [{ confirmCount: 0 }, 'runaway.confirmCount: 0 is not valid'],
  [{ horizonMs: 0 }, 'runaway.horizonMs: 0 is not valid'],
])('%j is refused', (options, problem) => {
  expect(() => runawayWarning(SIMPLE, {}, { limit: 1, output: 'x', ...options })).toThrow(problem);
});

test('costs no more than a fifth of the twin that it goes along with, while nothing happens', () => {
  const one = (companions: Parameters<typeof estimatedTwin>[3]) => {
    const twin = estimatedTwin(TANK, ESTIMATION, undefined, companions);
    return { twin, state: twin.initial(), best: Infinity };
  };
  const alone = one([]);
  const along = one([runawayWarning(TANK, ESTIMATION, { limit: RUNAWAY_DEGC })]);
  // In turn, so that a busy machine is as busy for both.
  for (let batch = 0; batch < 12; batch++) {
    for (const each of [alone, along]) {
      const before = process.cpuUsage();
      for (let i = 0; i < 400; i++) {
        for (const [sensor, value] of STEADY) {
          each.twin.advance(each.state, 0.25);
          each.twin.correct(each.state, sensor, value + (i % 3) - 1, STD_DEV[sensor]! ** 2);
        }
      }
      const { user, system } = process.cpuUsage(before);
      each.best = Math.min(each.best, user + system);
    }
  }
  // A fifth, and what the clock of the processor's time leaves open.
  expect(along.best / alone.best).toBeLessThan(1.3);
}, 60_000);

const STEADY = [
  ['temperature', 51.3],
  ['coolant_temperature', 26.85],
  ['flow_rate', 100],
  ['feed_temperature', 76.85],
] as const;
