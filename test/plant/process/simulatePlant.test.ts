import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../../src/plant/process/parseScenario.ts';
import { createPlantModel } from '../../../src/plant/process/plantModel.ts';
import { simulatePlant } from '../../../src/plant/process/simulatePlant.ts';
import { integrator } from '../../../src/twin/process/integrator.ts';
import { mean, quiet, runOf, stdDevOf, truthOf, valuesOf } from './support.ts';

const NOISY = {
  sensors: { temperature: { jitter: 0.1, dropout: 0.05, coloured: { stdDev: 0.2 } }, flow_rate: {} },
  disturbances: { feedConcentrationMolPerL: { stdDev: 0.02 } },
  spread: { heatTransfer: 0.03, reactionRate: 0.03 },
  events: [{ at: 60, for: 60, sensor: 'temperature', fault: 'spike', size: 9, probability: 0.2 }],
};

describe('determinism', () => {
  test('the same scenario gives the same bytes, another seed others', () => {
    const bytes = (seed: number): string =>
      JSON.stringify(runOf(quiet({ ...NOISY, seed, duration: 300, reactors: 3 })));
    expect(bytes(1)).toBe(bytes(1));
    expect(bytes(1)).not.toBe(bytes(2));
  });
  test('a reactor does not depend on the others, and each has its own', () => {
    const alone = runOf(quiet({ ...NOISY, duration: 200, assets: ['R102'] }));
    const three = runOf(quiet({ ...NOISY, duration: 200, reactors: 3 }));
    expect(valuesOf(three, 'temperature', 'R102')).toEqual(valuesOf(alone, 'temperature', 'R102'));
    expect(truthOf(three, 'heat_transfer', 1)).toEqual(truthOf(alone, 'heat_transfer'));
    expect(truthOf(three, 'heat_transfer', 0)[0]).not.toBe(truthOf(three, 'heat_transfer', 1)[0]);
  });
  test('the spread between reactors has the size that is asked for', () => {
    const walls = (
      runOf(quiet({ spread: { heatTransfer: 0.05 }, reactors: 400, duration: 1 }))[0]?.truth ?? []
    ).map(({ values }) => values.heat_transfer);
    expect(stdDevOf(walls.map(Math.log))).toBeGreaterThan(0.044);
    expect(stdDevOf(walls.map(Math.log))).toBeLessThan(0.055);
    expect(mean(walls)).toBeCloseTo(50_000 / 60, -2);
  });
});

describe('physics', () => {
  test('stays at rest in the steady state of the set-point', () => {
    const run = runOf(quiet());
    for (const quantity of ['temperature', 'concentration', 'coolant_temperature'] as const) {
      const course = truthOf(run, quantity);
      expect(Math.max(...course) - Math.min(...course)).toBeLessThan(1e-6);
    }
  });
  test('is the textbook: 300 K of coolant hold 0.8773 mol/L at 324.475 K', () => {
    // A flow of coolant so large that it leaves as it came.
    const run = runOf(
      quiet({
        duration: '30 min',
        process: {
          initialTemperatureDegC: 51,
          parameters: { coolantFlowRateLPerMin: 1e5, jacketVolumeL: 1000 },
        },
        control: { manipulates: 'nothing' },
      }),
    );
    expect(truthOf(run, 'temperature').at(-1)).toBeCloseTo(324.475443431599 - 273.15, 1);
    expect(truthOf(run, 'concentration').at(-1)).toBeCloseTo(0.87725294608097, 3);
  });
  test('from one instant to the next, the truth follows the model with the inputs and parameters that it states', () => {
    const scenario = quiet({
      duration: 300,
      events: [
        { at: 50, add: { setpointDegC: 2 } },
        { at: 100, scale: { heatTransfer: 0.8 }, ramp: 100 },
      ],
    });
    const { model } = createPlantModel(scenario.process);
    const solver = integrator(model, { relativeTolerance: 1e-11 });
    const truths = runOf(scenario).map(({ truth }) => truth[0]);
    let checked = 0;
    for (let i = 1; i < truths.length; i++) {
      const [before, after] = [truths[i - 1], truths[i]];
      if (before === undefined || after === undefined) continue;
      const x = Float64Array.from(before.states);
      solver.advance(x, before.inputs, before.parameters, 1);
      x.forEach((value, state) =>
        expect(Math.abs(value / (after.states[state] ?? NaN) - 1)).toBeLessThan(1e-6),
      );
      checked += 1;
    }
    expect(checked).toBe(300);
  });
  test('mass and energy balance over a disturbed run', () => {
    const run = runOf(
      quiet({
        step: 0.1,
        duration: 400,
        events: [
          { at: 20, scale: { flowRateLPerMin: 1.1, feedConcentrationMolPerL: 0.9 } },
          { at: 150, add: { setpointDegC: 3 } },
        ],
      }),
    );
    // Trapezoids over the truth: what came in, left, reacted and was cooled must be what is there more at the end.
    const volumeL = 100;
    const heatJPerK = 100 * 239;
    let [reacted, moved, heat] = [0, 0, 0];
    const terms = run.map(({ truth }) => {
      const v = truth[0]?.values;
      if (v === undefined) throw new Error('no truth');
      const rate = 1.2e9 * Math.exp(-8750 / (v.temperature + 273.15)) * v.concentration * volumeL;
      const flowLPerS = v.flow_rate / 60;
      return { v, rate, flowLPerS };
    });
    for (let i = 1; i < terms.length; i++) {
      const [a, b] = [terms[i - 1], terms[i]];
      if (a === undefined || b === undefined) continue;
      const half = (read: (at: (typeof terms)[number]) => number): number =>
        0.05 * (read(a) + read({ ...b, ...inputsOf(a, b) }));
      reacted += half((at) => at.rate);
      moved += half((at) => at.flowLPerS * (at.v.feed_concentration - at.v.concentration));
      heat += half(
        (at) =>
          at.flowLPerS * 239 * (at.v.feed_temperature - at.v.temperature) +
          50_000 * at.rate +
          at.v.heat_transfer * (at.v.coolant_temperature - at.v.temperature),
      );
    }
    const [first, last] = [terms[0]?.v, terms.at(-1)?.v];
    const more = volumeL * ((last?.concentration ?? NaN) - (first?.concentration ?? NaN));
    expect(Math.abs(more)).toBeGreaterThan(5);
    expect(moved - reacted).toBeCloseTo(more, 2);
    const warmer = heatJPerK * ((last?.temperature ?? NaN) - (first?.temperature ?? NaN));
    expect(warmer).toBeGreaterThan(50_000);
    expect(Math.abs(heat / warmer - 1)).toBeLessThan(1e-3);
  });
  test('the loop holds the set-point after a step, a disturbance and a fouled wall, by either actuator', () => {
    for (const manipulates of ['coolantTemperature', 'coolantFlow']) {
      const run = runOf(
        quiet({
          duration: 3000,
          process: { start: { setpointDegC: 60, coolantInletTemperatureDegC: 15 } },
          control: { manipulates },
          events: [
            { at: 100, add: { setpointDegC: 1 }, ramp: 60 },
            { at: 900, add: { feedTemperatureDegC: 2 } },
            { at: 1500, scale: { heatTransfer: 0.85 }, ramp: 300 },
          ],
        }),
      );
      const course = truthOf(run, 'temperature');
      for (const atS of [880, 1480, 3000]) expect(Math.abs((course[atS] ?? NaN) - 61)).toBeLessThan(0.3);
      expect(Math.max(...course)).toBeLessThan(67);
    }
  });
});

/** What holds from an instant on is what it was at the one before: the inputs of `b`, as they were on the way to it. */
function inputsOf<T extends { v: { [key: string]: number }; flowLPerS: number }>(a: T, b: T): object {
  const held = ['feed_concentration', 'feed_temperature', 'heat_transfer'] as const;
  return {
    flowLPerS: a.flowLPerS,
    v: { ...b.v, ...Object.fromEntries(held.map((name) => [name, a.v[name]])) },
  };
}

test('250 reactors with four sensors, an hour at 1 Hz', { timeout: 300_000 }, () => {
  const seconds = Number(process.env['PLANT_SECONDS'] ?? 120);
  const scenario = parseScenario({
    duration: seconds,
    reactors: 250,
    spread: { heatTransfer: 0.02 },
    disturbances: NOISY.disturbances,
  });
  const before = process.cpuUsage();
  let [readings, truths] = [0, 0];
  for (const { readings: r, truth } of simulatePlant(scenario)) {
    readings += r.length;
    truths += truth.length;
  }
  const { user, system } = process.cpuUsage(before);
  const usPerReactorSecond = (user + system) / truths;
  console.log(
    `plant: ${usPerReactorSecond.toFixed(1)} us of CPU a reactor and second, ${((user + system) / 1e6).toFixed(1)} s`,
  );
  expect(truths).toBe(250 * (seconds + 1));
  expect(readings).toBe(250 * 4 * (seconds + 1));
  // On a core of a small machine it is 10 to 16: an hour of all of them in 9 to 14 s. This is for one that has much else to do.
  expect(usPerReactorSecond).toBeLessThan(70);
});
