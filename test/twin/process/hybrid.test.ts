import { describe, expect, test } from 'vitest';
import { CASES } from '../../../bench/hybrid/cases.ts';
import { measure } from '../../../bench/hybrid/measure.ts';
import { createRandom } from '../../../src/plant/random.ts';
import { cstr } from '../../../src/twin/process/cstr.ts';
import { estimatedTwin, integrateBy } from '../../../src/twin/process/estimatedTwin.ts';
import { hybrid } from '../../../src/twin/process/hybrid.ts';
import { hybridModel } from '../../../src/twin/process/hybridModel.ts';
import type { HybridOptions } from '../../../src/twin/process/hybridOptions.ts';
import { resolveHybrid } from '../../../src/twin/process/hybridOptions.ts';
import { judge, newReferee } from '../../../src/twin/process/hybridReferee.ts';
import { termOf } from '../../../src/twin/process/hybridTerms.ts';

const OPTIONS: HybridOptions = {
  correct: { temperature: { features: ['1', 'temperature', 'temperature - coolantTemperature'] } },
};
const caseOf = (name: string) => CASES.find((each) => each.name === name)!;
const ratio = (name: string, seed: number, estimation = {}) => {
  const tally = measure(caseOf(name), seed, estimation, OPTIONS);
  return { ...tally, ratio: Math.sqrt(tally.hybrid / tally.physics) };
};

describe('the temperature foretold a minute ahead', () => {
  test('has less than half the error where the wall is not as the model says', { timeout: 120_000 }, () => {
    const { ratio: without, active, origins } = ratio('wall, set-points, disturbed', 1001);
    expect(without).toBeLessThan(0.5);
    expect(active / origins).toBeGreaterThan(0.5);
    const joint = ratio('wall, set-points', 1001, { estimate: { heatTransfer: {} } });
    expect(joint.ratio).toBeLessThan(0.5);
  });

  test('is not worse by more than 5 % where nothing differs', { timeout: 120_000 }, () => {
    expect(ratio('set-points', 1001).ratio).toBeLessThan(1.05);
    expect(ratio('disturbed, sensor faults', 1001, { estimate: { heatTransfer: {} } }).ratio).toBeLessThan(
      1.05,
    );
  });
});

const model = cstr({ initialTemperatureDegC: 56 });
const make = () => {
  const learner = hybrid(model, { estimate: { heatTransfer: {} } }, OPTIONS);
  return {
    learner,
    twin: estimatedTwin(model, { estimate: { heatTransfer: {} } }, integrateBy(model), [learner]),
  };
};

/** Readings that no plant gives: jumps, silences, nonsense. */
function* nonsense(count: number) {
  const random = createRandom(3);
  for (let i = 0; i < count; i++) {
    const dtS = random.uniform() < 0.01 ? 4000 * random.uniform() : 2 * random.uniform();
    const temperature = random.uniform() < 0.05 ? 1e4 * random.normal() : 56 + 20 * Math.sin(i / 200);
    yield { dtS, temperature, coolant: 30 + 10 * random.normal() };
  }
}

type Made = ReturnType<typeof make>;
type State = ReturnType<Made['twin']['initial']>;
const feed = ({ twin }: Made, state: State, { dtS, temperature, coolant }: Record<string, number>) => {
  twin.advance(state, dtS!);
  twin.correct(state, 'coolant_temperature', coolant!, 0.1);
  twin.correct(state, 'temperature', temperature!, 0.1);
};

describe('its state', () => {
  test(
    'survives JSON in mid-stream to the last bit, and stays finite whatever comes',
    { timeout: 120_000 },
    () => {
      const all = [...nonsense(600)];
      const one = make();
      const whole = one.twin.initial();
      for (const each of all) feed(one, whole, each);

      const other = make();
      let halves = other.twin.initial();
      for (const each of all.slice(0, 377)) feed(other, halves, each);
      halves = JSON.parse(JSON.stringify(halves)) as typeof halves;
      const fresh = make();
      for (const each of all.slice(377)) feed(fresh, halves, each);
      expect(JSON.stringify(halves)).toBe(JSON.stringify(whole));
      expect(JSON.stringify({ ...whole.companions, nis: [] }).replace(/"nis":\[[^\]]*\]/g, '')).not.toContain(
        'null',
      );
      const insights = one.twin.insights!(whole)['hybrid'] as {
        corrections: { temperature: { value: number; features: { coefficient: number }[] } };
      };
      const { value, features } = insights.corrections.temperature;
      expect(Math.abs(value)).toBeLessThanOrEqual(10 / 40);
      for (const { coefficient } of features) expect(Number.isFinite(coefficient)).toBe(true);
    },
  );

  test('leaves the twin as it is without it, bit for bit', () => {
    const bare = estimatedTwin(model, { estimate: { heatTransfer: {} } });
    const made = make();
    const state = made.twin.initial();
    const alone = bare.initial();
    for (const each of nonsense(400)) {
      feed(made, state, each);
      feed({ ...made, twin: bare }, alone, each);
    }
    expect({ ...state, companions: {} }).toEqual(alone);
  });

  test('of other features is begun anew, from the twin', () => {
    const made = make();
    const state = made.twin.initial();
    for (const each of nonsense(300)) feed(made, state, each);
    const learner = hybrid(
      model,
      { estimate: { heatTransfer: {} } },
      { correct: { temperature: { features: ['1'] } } },
    );
    const twin = estimatedTwin(model, { estimate: { heatTransfer: {} } }, integrateBy(model), [learner]);
    twin.advance(state, 1);
    expect(state.companions['hybrid']).toMatchObject({
      learned: { theta: [0] },
      twin: { belief: state.belief },
    });
  });
});

describe('the correction', () => {
  const { corrected } = resolveHybrid(model, {
    correct: { temperature: { features: ['1', 'temperature'], limitPerS: 0.2 } },
  });
  const process = hybridModel(model, corrected, 0.5);
  const u = model.inputs.map(({ initial }) => initial);
  const p = model.parameters.map(({ initial }) => initial);
  const at = (temperature: number) => process.correction(0, [500, temperature], u, p);

  test('is nothing without coefficients, and bounded with any', () => {
    expect(at(350)).toBe(0);
    process.use({ theta: [1e9, 1e9], centre: [0, 350], low: [0, -1], high: [0, 1] });
    expect(at(355)).toBe(0.2);
    process.use({ theta: [0.3, 0], centre: [0, 350], low: [0, -1], high: [0, 1] });
    const dxdt = new Float64Array(2);
    const bare = new Float64Array(2);
    process.derivatives([500, 350], u, p, dxdt);
    model.derivatives([500, 350], u, p, bare);
    expect(dxdt[0]).toBe(bare[0]);
    expect(dxdt[1]! - bare[1]!).toBeCloseTo(0.2 * Math.tanh(0.3), 12);
  });

  test('fades outside of where it was learned', () => {
    process.use({ theta: [1, 0], centre: [0, 350], low: [0, -1], high: [0, 1] });
    const full = at(350);
    expect(at(360)).toBe(full);
    expect(at(362.5)).toBeCloseTo(full / 2, 12);
    expect(at(365)).toBe(0);
    expect(at(335)).toBe(0);
  });
});

test('the referee lets it in when it is clearly better, and out at once when it no longer is', () => {
  const options = { minComparisons: 5, onBelow: 0.7, offAbove: 0.9 };
  const better = { physics: 4, hybrid: 1 };
  const worse = { physics: 1, hybrid: 5 };
  const referee = newReferee();
  for (let i = 0; i < 4; i++) judge(referee, better, better, options);
  expect(referee.active).toBe(false);
  judge(referee, better, better, options);
  expect(referee.active).toBe(true);
  for (let i = 0; i < 100; i++) judge(referee, better, better, options);
  let count = 0;
  while (referee.active && count < 50) {
    judge(referee, worse, better, options);
    count += 1;
  }
  expect(count).toBeLessThan(10);
  let hopeless = false;
  for (let i = 0; i < 300; i++) hopeless = judge(referee, worse, better, options);
  expect(hopeless).toBe(true);

  const other = newReferee();
  for (let i = 0; i < 100; i++) judge(other, better, { physics: 1, hybrid: 1 }, options);
  expect(other.active).toBe(false);
});

test('features are names, differences, Arrhenius terms and products of them', () => {
  const x = [500, 350];
  const u = [0, 0, 0, 300, 0];
  const p = model.parameters.map(({ initial }) => initial);
  const term = (text: string) => termOf(model, text);
  expect(term('temperature - coolantTemperature').read(x, u, p)).toBe(50);
  expect(term('concentration * exp(-activationTemperature / temperature)').read(x, u, p)).toBeCloseTo(
    500 * Math.exp(-8750 / 350),
    20,
  );
  expect(term('concentration*(temperature - feedTemperature)').read(x, [0, 0, 340], p)).toBe(5000);
  expect(term('temperature').scale).toBe(10);
  expect(() => term('temperatur')).toThrow('"temperatur" is not valid, expected names among concentration');
  expect(() => term('heatTransfer')).toThrow('expected something that changes');
  expect(() => term('temperature / 2')).toThrow('is not valid');
  expect(() => resolveHybrid(model, { correct: {} })).toThrow('at least one state');
  expect(() => resolveHybrid(model, { correct: { heat: {} } })).toThrow('heat is not valid');
});
