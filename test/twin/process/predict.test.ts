import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/plant/random.ts';
import { changesOf } from '../../../src/twin/process/changes.ts';
import type { RequestedChanges } from '../../../src/twin/process/changes.ts';
import { cstr } from '../../../src/twin/process/cstr.ts';
import { estimatedTwin } from '../../../src/twin/process/estimatedTwin.ts';
import type { EstimatedState, EstimatedTwin } from '../../../src/twin/process/estimatedTwin.ts';
import { completed, predict } from '../../../src/twin/process/predict.ts';
import type { PredictedPoint } from '../../../src/twin/process/predict.ts';
import { parseLimit, timesToLimits } from '../../../src/twin/process/predictLimits.ts';
import type { LimitForecast } from '../../../src/twin/process/predictLimits.ts';
import { normalHypercube, quantileOf } from '../../../src/twin/process/sampling.ts';
import { WhatIf } from '../../../src/twin/process/whatIf.ts';

const COOLANT_DEG_C = 32;
/** A tank of the example that ignites within a minute or so. */
const model = cstr({
  ...{ initialConcentrationMolPerL: 0.7, initialTemperatureDegC: 65, coolantTemperatureDegC: COOLANT_DEG_C },
});
const STD_DEV = { temperature: 0.5, coolant_temperature: 0.3, flow_rate: 0.5 };

function watched(seconds = 20): { readonly twin: EstimatedTwin; readonly state: EstimatedState } {
  const twin = estimatedTwin(model, {
    estimate: { heatTransfer: {}, preExponentialFactor: { mode: 'consider', stdDev: 0.02 * 1.2e9 } },
    initialStdDev: { concentration: 20 },
  });
  const state = twin.initial();
  const truth = Float64Array.from(model.states, ({ initial }) => initial);
  const [u, p] = [model.inputs, model.parameters].map((all) =>
    Float64Array.from(all, (each) => each.initial),
  );
  for (let t = 0; t < seconds; t++) {
    twin.integrate(truth, u!, p!, 1);
    twin.advance(state, 1);
    twin.correct(state, 'temperature', truth[1]! - 273.15, STD_DEV.temperature ** 2);
    twin.correct(state, 'coolant_temperature', COOLANT_DEG_C, STD_DEV.coolant_temperature ** 2);
    twin.correct(state, 'flow_rate', 100, STD_DEV.flow_rate ** 2);
  }
  return { twin, state };
}

const { twin, state } = watched();
const NOTHING: RequestedChanges = { inputs: {}, parameters: {}, state: {} };
const whatIf = (changed: Partial<RequestedChanges> = {}): WhatIf => {
  const { changes, refused } = changesOf(twin, state, { ...NOTHING, ...changed });
  expect(refused).toEqual([]);
  return new WhatIf(twin, state, changes);
};
const ahead = (horizonS: number, stepS: number, changed: Partial<RequestedChanges> = {}) =>
  completed(predict(whatIf(changed), { horizonS, stepS }));
const reached = (limit: string, horizonS: number, changed: Partial<RequestedChanges> = {}): LimitForecast =>
  completed(timesToLimits(whatIf(changed), [parseLimit(limit, model.outputs)!], horizonS))[0]!;
const last = (points: readonly PredictedPoint[]): PredictedPoint => points.at(-1)!;

/** Mean and standard deviation of the temperature and all first times of a limit, from runs written apart from the ensemble. */
function monteCarlo(runs: number, horizonS: number, dtS: number, limitDegC: number) {
  const random = createRandom(7);
  const { estimated, noise } = twin.estimation;
  const { layout } = twin.filter;
  const { z: mean, s } = state.belief;
  const { x, u, p } = layout.point();
  const temperatures: number[] = [];
  const times: number[] = [];
  const noises = [
    ...noise.noisePerSqrtS,
    ...estimated.map(({ noisePerSqrtS, initial }) => noisePerSqrtS / initial),
  ];
  for (let run = 0; run < runs; run++) {
    const draw = mean.map(() => random.normal());
    const z = mean.map((value, i) => draw.reduce((sum, d, k) => sum + s[i * mean.length + k]! * d, value));
    let before = z[1]! - 273.15;
    let time: number | null = null;
    for (let i = 0; i * dtS < horizonS - 1e-9; i++) {
      layout.unpack(z, state.u, { x, u, p });
      state.uVariance.forEach((variance, j) => {
        const heldS = Math.min(Math.max(state.uIntervalS[j]!, state.uAgeS[j]! + (i + 1) * dtS), 60);
        u[j] = Math.max(0, u[j]! + Math.sqrt((variance * heldS) / dtS) * random.normal());
      });
      twin.integrate(x, u, p, dtS);
      for (let j = 0; j < z.length; j++)
        z[j] = (j < 2 ? x[j]! : z[j]!) + noises[j]! * Math.sqrt(dtS) * random.normal();
      const now = z[1]! - 273.15;
      if (time === null && now >= limitDegC) time = (i + (limitDegC - before) / (now - before)) * dtS;
      before = now;
    }
    temperatures.push(before);
    if (time !== null) times.push(time);
  }
  const average = temperatures.reduce((sum, value) => sum + value, 0) / runs;
  const variance = temperatures.reduce((sum, value) => sum + (value - average) ** 2, 0) / (runs - 1);
  times.sort((a, b) => a - b);
  return { average, stdDev: Math.sqrt(variance), times };
}

describe('prediction with bands', () => {
  test('begins with the twin as it is, and passes through what its own steps give', () => {
    const points = ahead(60, 5);
    expect(points.map(({ atS }) => atS)).toEqual(Array.from({ length: 13 }, (_, i) => 5 * i));
    const copy = structuredClone(state);
    for (const { atS, values, stdDev } of points) {
      if (atS > 0) twin.advance(copy, 5);
      for (const output of Object.keys(twin.outputs)) {
        const shown = twin.read(copy, output);
        expect(values[output], output).toBeCloseTo(shown.value, 9);
        expect(stdDev[output], output).toBeCloseTo(shown.stdDev!, 9);
      }
    }
  });

  test('does not depend on how many points are asked for', () => {
    const few = last(ahead(30, 30));
    const many = last(ahead(30, 0.5));
    expect(few.values['temperature']).toBeCloseTo(many.values['temperature']!, 0);
    expect(few.stdDev['temperature']! / many.stdDev['temperature']!).toBeCloseTo(1, 1);
    expect(ahead(10, 3).map(({ atS }) => atS)).toEqual([0, 3, 6, 9, 10]);
  });

  test('has the mean and the spread of 3000 runs of the plant, as long as the spread is moderate', () => {
    const { average, stdDev } = monteCarlo(3000, 30, 0.5, 1e3);
    const end = last(ahead(30, 1));
    expect(Math.abs(end.values['temperature']! - average)).toBeLessThan(0.1 * stdDev);
    expect(end.stdDev['temperature']! / stdDev).toBeGreaterThan(0.93);
    expect(end.stdDev['temperature']! / stdDev).toBeLessThan(1.07);
  });
});

describe('time to a limit', () => {
  const LIMIT_DEG_C = 100;
  const HORIZON_S = 90;

  test('is distributed as in 4000 runs of the plant, whether all or half of them reach it', () => {
    const runs = monteCarlo(4000, HORIZON_S, 0.5, LIMIT_DEG_C).times;
    for (const horizonS of [HORIZON_S, Math.round(quantileOf(runs, 0.5)!)]) {
      const times = runs.filter((time) => time <= horizonS);
      const found = reached(`temperature>${LIMIT_DEG_C}`, horizonS);
      expect(Math.abs(found.probability - times.length / 4000)).toBeLessThan(0.05);
      const spread = quantileOf(times, 0.95)! - quantileOf(times, 0.05)!;
      const ofSpread = [0.5, 0.05, 0.95].map((share, i) => {
        const time = [found.medianS, found.from5S, found.to95S][i] ?? NaN;
        return Math.abs(time - quantileOf(times, share)!) / spread;
      });
      // Two standard errors of quantiles of 200.
      expect(Math.max(...ofSpread)).toBeLessThan(0.15);
      expect(ofSpread[0]).toBeLessThan(0.06);
    }
  }, 60_000);

  test('is the same every time it is asked', () => {
    expect(reached('temperature>100', 60)).toStrictEqual(reached('temperature>100', 60));
  });

  test('is 0 for what is reached already, and nothing for what is never reached', () => {
    expect(reached('temperature>20', 60)).toEqual({
      limit: 'temperature>20',
      probability: 1,
      medianS: 0,
      from5S: 0,
      to95S: 0,
    });
    expect(reached('temperature<20', 60)).toEqual({
      limit: 'temperature<20',
      probability: 0,
      medianS: null,
      from5S: null,
      to95S: null,
    });
  });

  test('comes later where the coolant is colder, and sooner cold', () => {
    const [stays, later, cold] = [90, 20, 0].map((atS) =>
      reached('temperature>100', 90, { inputs: { coolant_temperature: [{ atS, value: 31 }] } }),
    );
    expect(later!.medianS! - stays!.medianS!).toBeGreaterThan(0.5);
    expect(cold!.medianS! - later!.medianS!).toBeGreaterThan(0.5);
  });

  test.each([
    'temperature',
    'temperature>',
    'temperature>>1',
    'nothing>1',
    'temperature>1e999',
    'toString>1',
    '',
  ])('%j is no limit', (text) => expect(parseLimit(text, model.outputs)).toBeNull());
});

describe('what if', () => {
  test('an input follows its profile, and is shown as it is from its time on', () => {
    const levels = [
      { atS: 10, value: 20 },
      { atS: 25.5, value: 30 },
    ];
    const points = ahead(40, 5, { inputs: { coolant_temperature: levels } });
    expect(points.map(({ values }) => Math.round(values['coolant_temperature']! * 1e6) / 1e6)).toEqual([
      ...[COOLANT_DEG_C, COOLANT_DEG_C, 20, 20, 20, 20, 30, 30, 30],
    ]);
    expect(points.map(({ stdDev }) => stdDev['coolant_temperature'])).toEqual(points.map(() => 0));
  });

  test('a profile is integrated from change to change: the same as the model itself, without noise', () => {
    const still = estimatedTwin(model, {
      initialStdDev: { concentration: 1e-6, temperature: 1e-6 },
      stateNoisePerSqrtS: { concentration: 0, temperature: 0 },
    });
    const start = still.initial();
    const levels = [
      { atS: 7.3, value: 20 },
      { atS: 21.9, value: 40 },
    ];
    const { changes } = changesOf(still, start, {
      ...{
        inputs: { coolant_temperature: levels },
        parameters: { heatTransfer: 700 },
        state: { conversion: 0.3 },
      },
    });
    const points = completed(predict(new WhatIf(still, start, changes), { horizonS: 60, stepS: 10 }));
    const x = Float64Array.from(model.states, ({ initial }) => initial);
    x[0] = 0.7 * 1000;
    const [u, p] = [model.inputs, model.parameters].map((all) =>
      Float64Array.from(all, (each) => each.initial),
    );
    p![model.parameters.findIndex(({ name }) => name === 'heatTransfer')] = 700;
    for (const [dtS, coolant] of [
      [7.3, COOLANT_DEG_C],
      [14.6, 20],
      [38.1, 40],
    ] as const) {
      u![3] = coolant + 273.15;
      still.integrate(x, u!, p!, dtS);
    }
    expect(last(points).values['temperature']! + 273.15).toBeCloseTo(x[1]!, 3);
    expect(last(points).values['concentration']! * 1000).toBeCloseTo(x[0], 3);
    expect(points[0]!.values['conversion']).toBeCloseTo(0.3, 9);
  });

  test('what is changed is known exactly, also where the twin estimates it', () => {
    const [now] = ahead(10, 10, { state: { temperature: 90 }, parameters: { heatTransfer: 500 } });
    expect(now!.values['temperature']).toBeCloseTo(90, 9);
    expect(now!.stdDev['temperature']).toBe(0);
    expect(now!.stdDev['heat_removed']).toBe(0);
    expect(now!.values['heat_removed']).toBeCloseTo((500 * (90 - COOLANT_DEG_C)) / 1000, 0);
    expect(now!.stdDev['concentration']).toBeCloseTo(twin.read(state, 'concentration').stdDev!, 12);
  });

  test('less heat transfer makes it hotter', () => {
    const [less, more] = [600, 1000].map((heatTransfer) =>
      last(ahead(30, 30, { parameters: { heatTransfer } })),
    );
    expect(less!.values['temperature']! - more!.values['temperature']!).toBeGreaterThan(3);
  });

  test('leaves the twin bit for bit as it was', () => {
    const before = JSON.stringify(state);
    ahead(120, 1, { state: { temperature: 80 }, inputs: { flow_rate: [{ atS: 3, value: 50 }] } });
    reached('temperature>100', 60, { parameters: { heatTransfer: 500 } });
    expect(JSON.stringify(state)).toBe(before);
    // Nor have its working arrays a memory of it: it goes on as one that was never asked.
    const [asked, never] = [{ twin, state: structuredClone(state) }, watched()].map((each) => {
      each.twin.advance(each.state, 1);
      each.twin.correct(each.state, 'temperature', 77, 0.25);
      return JSON.stringify(each.state);
    });
    expect(asked).toBe(never);
  });

  const refusals: readonly (readonly [Partial<RequestedChanges>, string, string])[] = [
    [{ inputs: { steam: [{ atS: 0, value: 1 }] } }, 'inputs.steam', 'one of flow_rate, feed_concentration'],
    [{ inputs: { temperature: [{ atS: 0, value: 1 }] } }, 'inputs.temperature', 'one of flow_rate'],
    [
      { inputs: { flow_rate: [{ atS: 0, value: -1 }] } },
      'inputs.flow_rate',
      'flowRate is from 0 to 1000 m3/s',
    ],
    [{ inputs: { flow_rate: [], flowRate: [] } }, 'inputs.flowRate', 'only once'],
    [{ parameters: { fouling: 1 } }, 'parameters.fouling', 'one of volume, density'],
    [{ parameters: { heatTransfer: -1 } }, 'parameters.heatTransfer', 'a number from 0 to '],
    [{ state: { heat: 1 } }, 'state.heat', 'one of temperature, concentration, conversion'],
    [{ state: { reaction_rate: 1 } }, 'state.reaction_rate', 'one of temperature'],
    [{ state: { conversion: 1.5 } }, 'state.conversion', 'concentration is from 0 to 1000000 mol/m3'],
    [{ state: { conversion: 0.5, concentration: 0.5 } }, 'state.concentration', 'only once'],
  ];
  test.each(refusals)('%j is refused', (changed, parameter, expected) => {
    const { refused } = changesOf(twin, state, { ...NOTHING, ...changed });
    expect(refused.map((each) => each.parameter)).toEqual([parameter]);
    expect(refused[0]?.expected).toContain(expected);
  });
});

test('draws of a hypercube have mean 0, variance 1 and the quantiles of the normal distribution', () => {
  const draws = normalHypercube(200, 3, 1);
  for (let d = 0; d < 3; d++) {
    const column = Array.from({ length: 200 }, (_, i) => draws[i * 3 + d]!).sort((a, b) => a - b);
    expect(column.reduce((sum, value) => sum + value, 0) / 200).toBeCloseTo(0, 9);
    expect(column.reduce((sum, value) => sum + value * value, 0) / 200).toBeCloseTo(1, 9);
    expect(quantileOf(column, 0.8413447)!).toBeCloseTo(1, 1);
    expect(quantileOf(column, 0.9772499)!).toBeCloseTo(2, 1);
  }
  expect(normalHypercube(200, 3, 1)).toEqual(draws);
  expect(normalHypercube(200, 3, 2)).not.toEqual(draws);
});
