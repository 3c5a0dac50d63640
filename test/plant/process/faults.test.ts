import { describe, expect, test } from 'vitest';
import type { Quantity } from '../../../src/plant/process/scenario.ts';
import type { PlantInstant } from '../../../src/plant/process/simulatePlant.ts';
import { mean, quiet, runOf, stdDevOf, truthOf, valuesOf } from './support.ts';

const NOISE = { temperature: { stdDev: 0.3 }, coolant_temperature: {}, flow_rate: {} };

/** A sensor's fault of temperature from 100 s to 300 s, and the same run without it; both with the same noise. */
function withFault(fault: Readonly<Record<string, unknown>>): {
  readonly run: readonly PlantInstant[];
  readonly clean: readonly PlantInstant[];
  /** Reading with the fault minus the one without. */
  readonly change: readonly number[];
} {
  const events = [{ at: 100, for: 200, sensor: 'temperature', ...fault }];
  const clean = runOf(quiet({ sensors: NOISE, duration: 400 }));
  const run = runOf(quiet({ sensors: NOISE, duration: 400, events }));
  const [faulty, sound] = [valuesOf(run, 'temperature'), valuesOf(clean, 'temperature')];
  return { run, clean, change: faulty.map((value, i) => (value ?? NaN) - (sound[i] ?? NaN)) };
}

const truths = (run: readonly PlantInstant[]): unknown =>
  run.map(({ truth }) => truth.map(({ values, states, inputs }) => ({ values, states, inputs })));

describe('a fault of a sensor changes its readings, and nothing else', () => {
  test.each([
    [
      { fault: 'bias', size: 3 },
      { 99: 0, 100: 3, 299: 3, 300: 0 },
    ],
    [
      { fault: 'bias', size: 3, ramp: 100 },
      { 100: 0, 150: 1.5, 200: 3, 299: 3 },
    ],
    [
      { fault: 'drift', size: 0.02 },
      { 99: 0, 100: 0, 150: 1, 299: 3.98, 300: 0 },
    ],
    [
      { fault: 'scale', size: 1.1 },
      { 99: 0, 100: 6, 299: 6, 300: 0 },
    ],
    [{ fault: 'scale', size: 1.1, ramp: 100, shape: 'exponential' }, { 200: 6 * (1 - Math.exp(-1)) }],
  ])('%j', (fault, expected) => {
    const { run, clean, change } = withFault(fault);
    for (const [at, size] of Object.entries(expected)) expect(change[Number(at)]).toBeCloseTo(size, 2);
    expect(truths(run)).toEqual(truths(clean));
    for (const other of ['coolant_temperature', 'flow_rate']) {
      expect(valuesOf(run, other)).toEqual(valuesOf(clean, other));
    }
    expect(run[150]?.truth[0]?.events).toEqual([`sensor temperature ${fault.fault}`]);
    expect(run[99]?.truth[0]?.events).toEqual([]);
    expect(run[300]?.truth[0]?.events).toEqual([]);
  });
  test('stuck: one value, and the sound one again afterwards', () => {
    const { run, change } = withFault({ fault: 'stuck' });
    const values = valuesOf(run, 'temperature');
    expect(new Set(values.slice(100, 300)).size).toBe(1);
    expect(new Set(values.slice(0, 100)).size).toBeGreaterThan(50);
    expect(change.slice(300)).toEqual(Array(101).fill(0));
  });
  test('noise: its standard deviation on top', () => {
    const { change } = withFault({ fault: 'noise', size: 2 });
    expect(stdDevOf(change.slice(100, 300))).toBeGreaterThan(1.7);
    expect(stdDevOf(change.slice(100, 300))).toBeLessThan(2.3);
  });
  test('spike: as often as it says', () => {
    const { change } = withFault({ fault: 'spike', size: 25, probability: 0.1 });
    const spikes = change.filter((size) => Math.abs(size - 25) < 0.01).length;
    expect(spikes).toBeGreaterThan(9);
    expect(spikes).toBeLessThan(33);
    expect(change.filter((size) => Math.abs(size) < 1e-9).length).toBe(401 - spikes);
  });
  test('dropout: no value; silent: no sample; bad: quality', () => {
    const dropout = valuesOf(withFault({ fault: 'dropout' }).run, 'temperature');
    expect(dropout.map((value) => value === null)).toEqual(dropout.map((_, i) => i >= 100 && i < 300));
    const half = valuesOf(withFault({ fault: 'silent', probability: 0.5 }).run, 'temperature').length;
    expect(half).toBeGreaterThan(401 - 130);
    expect(half).toBeLessThan(401 - 70);
    const bad = withFault({ fault: 'bad' }).run.flatMap(({ readings }) =>
      readings.filter(({ sensor }) => sensor === 'temperature').map(({ quality }) => quality),
    );
    expect(bad.map((quality) => quality === 'Bad')).toEqual(bad.map((_, i) => i >= 100 && i < 300));
  });
  test('quantised: multiples of its step', () => {
    const values = valuesOf(withFault({ fault: 'quantised', size: 0.5 }).run, 'temperature');
    for (const value of values.slice(100, 300))
      expect((value ?? NaN) * 2).toBe(Math.round((value ?? NaN) * 2));
    expect(values.slice(0, 100).some((value) => (value ?? 0) % 0.5 !== 0)).toBe(true);
  });
});

describe('sensors', () => {
  const readings = (sensor: Readonly<Record<string, unknown>>, duration = 4000): PlantInstant[] =>
    runOf(quiet({ duration, sensors: { temperature: { stdDev: 0, resolution: 0, ...sensor } } }));
  const errors = (run: readonly PlantInstant[]): number[] =>
    valuesOf(run, 'temperature').map((v) => (v ?? NaN) - 60);

  test('white noise and bias', () => {
    const found = errors(readings({ stdDev: 0.5, bias: 0.2 }));
    expect(mean(found)).toBeCloseTo(0.2, 1);
    expect(stdDevOf(found)).toBeCloseTo(0.5, 1);
    expect(Math.abs(correlation(found, 1))).toBeLessThan(0.05);
  });
  test('coloured noise is correlated as far as its time constant', () => {
    const found = errors(readings({ coloured: { stdDev: 0.5, timeConstant: 20 } }, 20_000));
    expect(stdDevOf(found)).toBeGreaterThan(0.45);
    expect(stdDevOf(found)).toBeLessThan(0.55);
    expect(correlation(found, 1)).toBeCloseTo(Math.exp(-1 / 20), 1);
    expect(correlation(found, 20)).toBeGreaterThan(Math.exp(-1) - 0.1);
    expect(correlation(found, 20)).toBeLessThan(Math.exp(-1) + 0.1);
  });
  test('an interval and jitter of its own, times in order, some samples lost', () => {
    const run = readings({ every: '2.5 s', jitter: '250 ms', dropout: 0.1 }, 5000);
    const times = run.flatMap(({ readings: all }) => all.map(({ timestamp }) => timestamp));
    expect(times.length / 2001).toBeCloseTo(0.9, 1);
    expect(times.every((time, i) => i === 0 || time > (times[i - 1] ?? 0))).toBe(true);
    const start = Date.parse('2026-01-01T00:00:00Z');
    const offsets = times.map((time) => (time - start) / 1000 - 2.5 * Math.round((time - start) / 2500));
    expect(stdDevOf(offsets)).toBeCloseTo(0.25, 1);
    expect(Math.max(...offsets)).toBeLessThanOrEqual(0.625);
    // A sample comes with the first instant at or after its time.
    run.forEach(({ atS, readings: all }) =>
      all.forEach(({ timestamp }) => {
        const s = (timestamp - start) / 1000;
        expect(s <= atS && s > atS - 1).toBe(true);
      }),
    );
  });
  test('resolution, and the end of the range', () => {
    const values = valuesOf(readings({ stdDev: 2, resolution: 0.01, min: 58, max: 61 }, 500), 'temperature');
    expect(Math.min(...values.map(Number))).toBe(58);
    expect(Math.max(...values.map(Number))).toBe(61);
    for (const value of values) expect(String(value).length).toBeLessThanOrEqual(5);
  });
});

describe('a fault of the process changes the truth, and the sensors show the truth', () => {
  const course = (events: readonly object[], quantity: Quantity, more: object = {}): number[] =>
    truthOf(runOf(quiet({ events, ...more })), quantity);

  test('the sensors follow the truth', () => {
    const run = runOf(quiet({ events: [{ at: 100, scale: { heatTransfer: 0.7 } }] }));
    expect(valuesOf(run, 'temperature')).toEqual(truthOf(run, 'temperature'));
    expect(Math.max(...truthOf(run, 'temperature')) - 60).toBeGreaterThan(0.2);
  });
  test('fouling: at once, linear, exponential, and healed at its end', () => {
    const wall = (more: object): number[] =>
      course([{ at: 100, for: 400, scale: { heatTransfer: 0.8 }, ...more }], 'heat_transfer').map(
        (value) => value / (50_000 / 60),
      );
    expect(wall({})[99]).toBeCloseTo(1, 9);
    expect(wall({})[100]).toBeCloseTo(0.8, 9);
    expect(wall({ ramp: 200 })[200]).toBeCloseTo(0.9, 9);
    expect(wall({ ramp: 200, shape: 'exponential' })[300]).toBeCloseTo(1 - 0.2 * (1 - Math.exp(-1)), 9);
    expect(wall({})[500]).toBeCloseTo(1, 9);
  });
  test('set, scale and add of the feed, one after another', () => {
    const feed = course(
      [
        { at: 10, set: { flowRateLPerMin: 98 } },
        { at: 20, scale: { flowRateLPerMin: 1.01 } },
        { at: 30, add: { flowRateLPerMin: -2 } },
      ],
      'flow_rate',
      { duration: 40 },
    );
    expect([feed[9], feed[10], feed[20], feed[30]].map((v) => v?.toFixed(6))).toEqual([
      '100.000000',
      '98.000000',
      '98.980000',
      '96.980000',
    ]);
  });
  test('cooling lost: the coolant warms up to the reactor, which ends at the adiabatic temperature', () => {
    const run = runOf(quiet({ duration: 2000, events: [{ at: 100, scale: { coolantFlow: 0 } }] }));
    expect(truthOf(run, 'coolant_flow_rate')[99]).toBe(100);
    expect(truthOf(run, 'coolant_flow_rate')[100]).toBe(0);
    const [hot, coolant] = [truthOf(run, 'temperature'), truthOf(run, 'coolant_temperature')];
    expect(hot.at(-1)).toBeCloseTo(
      76.85 + ((50 * 1000) / 239) * (truthOf(run, 'conversion').at(-1) ?? NaN),
      0,
    );
    expect(coolant.at(-1)).toBeCloseTo(hot.at(-1) ?? NaN, 1);
  });
  test('an actuator that is stuck holds; limited keeps within; offset misses', () => {
    const events = (fault: object): object[] => [
      { at: 100, for: 100, ...fault },
      { at: 120, add: { setpointDegC: 1 } },
    ];
    const inlet = (fault: object): number[] =>
      course(events(fault), 'coolant_inlet_temperature', { duration: 300 });
    const sound = inlet({ at: 1, set: { setpointDegC: 60 } });
    const stuck = inlet({ actuator: 'stuck' });
    expect(new Set(stuck.slice(99, 200)).size).toBe(1);
    expect(stuck[210]).not.toBe(stuck[199]);
    expect(Math.max(...sound.slice(120, 200)) - (sound[99] ?? NaN)).toBeGreaterThan(1);
    const limited = inlet({ actuator: 'limited', max: 25 });
    expect(Math.max(...limited.slice(100, 200))).toBeLessThanOrEqual(25);
    const offset = inlet({ actuator: 'offset', size: 2 });
    expect((offset[100] ?? NaN) - (sound[100] ?? NaN)).toBeCloseTo(2, 3);
    const closed = inlet({ actuator: 'stuck', size: 20, ramp: 10 });
    expect(closed[110]).toBeCloseTo(20, 9);
  });
  test('a loop that sees a biased sensor takes the truth away from the set-point', () => {
    const events = [{ at: 100, sensor: 'temperature', fault: 'bias', size: 1, ramp: 60 }];
    const run = runOf(quiet({ duration: 1500, events, control: { sensor: 'temperature' } }));
    expect(truthOf(run, 'temperature')[99]).toBeCloseTo(60, 2);
    expect(truthOf(run, 'temperature').at(-1)).toBeCloseTo(59, 1);
    expect(valuesOf(run, 'temperature').at(-1)).toBeCloseTo(60, 1);
  });
  test('disturbances have their size and their time constant', () => {
    const feed = course([], 'feed_concentration', {
      duration: 30_000,
      disturbances: { feedConcentrationMolPerL: { stdDev: 0.02, timeConstant: 50 } },
    });
    expect(stdDevOf(feed)).toBeGreaterThan(0.017);
    expect(stdDevOf(feed)).toBeLessThan(0.023);
    expect(correlation(feed, 50)).toBeGreaterThan(Math.exp(-1) - 0.12);
    expect(correlation(feed, 50)).toBeLessThan(Math.exp(-1) + 0.12);
  });
  test('what no model is told: losses to the surroundings, a wall that depends on temperature', () => {
    const supply = (process: object): number =>
      course([], 'coolant_inlet_temperature', { duration: 10, process })[10] ?? NaN;
    const start = { setpointDegC: 60 };
    expect(supply({ start: { ...start, heatLossPerS: 0.002 } })).toBeGreaterThan(supply({ start }) + 1);
    const walls = course([{ at: 100, add: { setpointDegC: 2 }, ramp: 60 }], 'heat_transfer', {
      process: { start, heatTransferPerK: 0.01 },
    });
    expect((walls.at(-1) ?? NaN) / (walls[0] ?? NaN)).toBeCloseTo(1.02, 2);
  });
});

function correlation(values: readonly number[], lag: number): number {
  const centre = mean(values);
  const products = values.slice(lag).map((value, i) => (value - centre) * ((values[i] ?? NaN) - centre));
  return mean(products) / stdDevOf(values) ** 2;
}
