import { describe, expect, test } from 'vitest';
import { twinOptionsOf } from './diagnosisFixture.ts';
import { play, RIG } from './diagnosisFixture.ts';
import { cstr } from '../../../src/twin/process/cstr.ts';
import { diagnosis } from '../../../src/twin/process/diagnosis.ts';
import { resolveDiagnosis } from '../../../src/twin/process/diagnosisOptions.ts';
import {
  addInnovation,
  judge,
  statistics,
  thresholdOf,
} from '../../../src/twin/process/diagnosisStatistics.ts';
import { stuckFrom } from '../../../src/twin/process/diagnosisWindow.ts';
import type { EstimatedState } from '../../../src/twin/process/estimatedTwin.ts';
import { resolveEstimation } from '../../../src/twin/process/estimationOptions.ts';
import { twinSync, twinState } from '../../../operators/steps/twin.ts';
import { createRandom } from '../../../src/plant/random.ts';

const options = resolveDiagnosis({});

/** Averages of an hour of innovations at irregular times. */
function hour(innovation: (white: number, before: number) => number) {
  const random = createRandom(7);
  const of = statistics();
  let [atS, before] = [0, 0];
  while (atS < 3600) {
    atS += 0.2 + 1.6 * random.uniform();
    before = innovation(random.normal(), before);
    addInnovation(of, atS, before, 600);
  }
  return judge(of.long, options);
}

describe('averages of innovations', () => {
  test('white ones of variance 1 are nothing', () => {
    const { bias, nis, autocorrelation, beyond } = hour((white) => white);
    expect(Math.abs(bias)).toBeLessThan(0.15);
    expect(nis).toBeGreaterThan(0.85);
    expect(nis).toBeLessThan(1.15);
    expect(Math.abs(autocorrelation)).toBeLessThan(0.15);
    expect(beyond).toBe(0);
  });

  test('a bias, too much variance and correlation show where they are', () => {
    const threshold = thresholdOf(3, options);
    const biased = hour((white) => white + 1);
    expect(biased.bias).toBeCloseTo(1, 0);
    expect(biased.beyond).toBeGreaterThan(threshold);
    const wide = hour((white) => 1.6 * white);
    expect(wide.nis).toBeGreaterThan(2);
    expect(wide.beyond).toBeGreaterThan(threshold);
    const correlated = hour((white, before) => 0.8 * before + 0.6 * white);
    expect(correlated.autocorrelation).toBeGreaterThan(0.65);
    expect(correlated.beyond).toBeGreaterThan(threshold);
  });

  test('fewer false alarms take a higher threshold', () => {
    const rare = thresholdOf(3, { ...options, falseAlarmsPerDay: 0.001 });
    expect(rare).toBeGreaterThan(thresholdOf(3, options) + 0.5);
    // 9 averages of 600 s and of 60 s, 0.1 a day: 2 h phi(h) (144 + 1440) 9 = 0.1 by hand.
    const h = thresholdOf(3, options);
    const crossings = (2 * h * Math.exp((-h * h) / 2) * 9 * (144 + 1440)) / Math.sqrt(2 * Math.PI);
    expect(crossings).toBeCloseTo(0.1, 6);
  });
});

test('a sensor is stuck from the block on where its noise ends, and not where it never had any', () => {
  const lively = { mean: 60, count: 20, spread: 1.8, r: 0.09 };
  const dead = { mean: 60.2, count: 20, spread: 0, r: 0.09 };
  expect(stuckFrom([lively, lively, lively, dead, dead])).toBe(3);
  expect(stuckFrom([lively, lively, lively, dead])).toBeNull();
  expect(stuckFrom([dead, dead, dead, dead])).toBeNull();
  expect(stuckFrom([lively, lively, { ...dead, mean: 61 }, dead, dead])).toBe(3);
});

test('options out of their bounds and unknown parameters are refused', () => {
  expect(() => resolveDiagnosis({ windowMs: 0 })).toThrow('windowMs: 0 is not valid');
  expect(() => resolveDiagnosis({ historyMs: 1000 })).toThrow(
    'historyMs: 1000 is not valid, expected 20 to 120',
  );
  const model = cstr();
  expect(() => diagnosis(model, resolveEstimation(model, {}), { parameters: ['fouling'] })).toThrow(
    'diagnosis.parameters: fouling is not valid',
  );
});

describe('on the process plant', () => {
  test('says that they agree where nothing is wrong', () => {
    const { twin, state } = play(RIG, 21, [], 5400);
    expect(twin.insights?.(state)).toMatchObject({
      diagnosis: { status: 'agree', forS: null, verdict: null },
    });
    expect(twin.parted?.(state)).toBeNull();
    const sync = twinSync(
      { ...twinState(twin, twinOptionsOf())(), model: state, lastUsableAt: 0 },
      twinOptionsOf(),
      twin,
    );
    expect(sync).not.toHaveProperty('cause');
  }, 60_000);

  test('tells a thermometer that is off from a wall that fouls, with size and time', () => {
    const biased = play(RIG, 21, [{ at: 2400, sensor: 'coolant_temperature', fault: 'bias', size: 2 }], 2700);
    const { verdict } = biased.own;
    expect(verdict).toMatchObject({ kind: 'sensorFault', which: 'coolant_temperature', unit: 'degC' });
    expect(Math.abs((verdict?.size ?? NaN) - 2)).toBeLessThan(0.3);
    expect(Math.abs(biased.atOf(verdict?.atS ?? NaN) - 2400)).toBeLessThan(40);

    const fouled = play(RIG, 21, [{ at: 2400, scale: { heatTransfer: 0.85 } }], 2700);
    expect(fouled.own.verdict).toMatchObject({ kind: 'processFault', which: 'heatTransfer', unit: '1' });
    expect(Math.abs((fouled.own.verdict?.size ?? NaN) + 0.15)).toBeLessThan(0.03);
  }, 60_000);

  test('degrades the sync status, with the cause and since when', () => {
    const { twin, state } = play(RIG, 22, [{ at: 2400, sensor: 'temperature', fault: 'stuck' }], 3300);
    const timestamp = 10_000_000;
    const whole = {
      ...twinState(twin, twinOptionsOf())(),
      model: state,
      timestamp,
      clock: timestamp,
      lastUsableAt: timestamp,
    };
    const sync = twinSync(whole, twinOptionsOf(), twin);
    expect(sync).toMatchObject({ status: 'degraded', staleSensors: [], cause: 'temperature: stuck' });
    expect(Math.abs((sync.since ?? NaN) - (timestamp - 900_000))).toBeLessThan(40_000);
  }, 60_000);

  test('goes on the same from JSON, with finite numbers all along', () => {
    const events = [{ at: 2400, scale: { feedConcentrationMolPerL: 0.85 } }];
    const straight = play(RIG, 23, events, 3000);
    const interrupted = play(
      RIG,
      23,
      events,
      3000,
      (state) => JSON.parse(JSON.stringify(state)) as EstimatedState,
    );
    expect(interrupted.state).toEqual(straight.state);
    expect(JSON.parse(JSON.stringify(straight.state))).toEqual(straight.state);
    expect(JSON.stringify(straight.state.companions)).not.toMatch(/NaN/);
    expect(straight.own.verdict).toMatchObject({ kind: 'processFault', which: 'feedConcentration' });
    // Bounded: some ten thousand numbers would be too many for a checkpoint.
    expect(JSON.stringify(straight.state.companions).length).toBeLessThan(150_000);
  }, 60_000);
});
