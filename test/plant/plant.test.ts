import { describe, expect, test } from 'vitest';
import { parseFault } from '../../src/plant/faults.ts';
import { createPlant, PLANT_SENSORS } from '../../src/plant/plant.ts';
import type { Plant, PlantOptions, PlantSample } from '../../src/plant/plant.ts';
import { createRandom, hash } from '../../src/plant/random.ts';
import { reactionRate } from '../../src/plant/reactor.ts';

const START = Date.UTC(2025, 9, 26);

const plantOf = (options: Partial<PlantOptions> = {}): Plant =>
  createPlant({ assets: ['R101', 'R102'], seed: 1, startAt: START, ...options });

/** One sample of each sensor every second. */
function run(plant: Plant, seconds: number): PlantSample[] {
  const samples: PlantSample[] = [];
  for (let s = 1; s <= seconds; s += 1) {
    plant.step(START + s * 1000);
    samples.push(...plant.measure());
  }
  return samples;
}

const of = (samples: readonly PlantSample[], asset: string, sensor: string): PlantSample[] =>
  samples.filter((sample) => sample.asset === asset && sample.sensor === sensor);

/** One sensor's samples under a fault, and without it. */
function withFault(text: string, seconds = 20): { faulty: PlantSample[]; clean: PlantSample[] } {
  const fault = parseFault(text);
  const pick = (plant: Plant): PlantSample[] => of(run(plant, seconds), fault.asset, fault.sensor);
  return { faulty: pick(plantOf({ faults: [fault] })), clean: pick(plantOf()) };
}

const value = (sample: PlantSample | undefined): number => sample?.value ?? Number.NaN;
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('random', () => {
  test('normal numbers have mean 0 and standard deviation 1', () => {
    const random = createRandom(7);
    const numbers = Array.from({ length: 100_000 }, () => random.normal());
    expect(Math.abs(mean(numbers))).toBeLessThan(0.01);
    expect(Math.abs(mean(numbers.map((x) => x * x)) - 1)).toBeLessThan(0.02);
  });
  test('names give streams of their own', () => {
    expect(hash('a', 1)).not.toBe(hash('b', 1));
    expect(hash('a', 1)).not.toBe(hash('a', 2));
  });
});

describe('physics', () => {
  test('starts where the twin starts', () => {
    expect(plantOf().truth('R101')).toMatchObject({
      phase: 'react',
      batch: 1,
      temperatureC: 85,
      pressureMPa: 2.5,
      flowLPerMin: 120,
      conversion: 0,
    });
  });
  test('rate of conversion is the reference formula', () => {
    expect(reactionRate(85, 2.5)).toBeCloseTo(1e10 * Math.exp(-80_000 / (8.314 * 358.15)), 12);
    expect(reactionRate(85, 10) / reactionRate(85, 2.5)).toBeCloseTo(2, 12);
  });
  test('temperature obeys the heat balance with the jacket', () => {
    const plant = plantOf();
    for (let ms = 100; ms <= 300_000; ms += 100) {
      const before = plant.truth('R101').temperatureC;
      plant.step(START + ms);
      const { temperatureC, jacketC } = plant.truth('R101');
      const rate = (500 * 10 * (jacketC - before)) / (1000 * 4200);
      expect((temperatureC - before) / 0.1).toBeCloseTo(rate, 4);
    }
  });
  test('temperature moves visibly within a minute and stays in bounds', () => {
    const plant = plantOf();
    const temperatures: number[] = [];
    for (let s = 1; s <= 3600; s += 1) {
      plant.step(START + s * 1000);
      temperatures.push(plant.truth('R101').temperatureC);
    }
    expect((temperatures[59] ?? 0) - 85).toBeGreaterThan(3);
    expect(Math.min(...temperatures)).toBeGreaterThan(80);
    expect(Math.max(...temperatures)).toBeLessThan(90);
  });
  test('a batch ends at 98 % conversion, is drained, refilled and begins again', () => {
    const plant = plantOf();
    const phases: string[] = [];
    let highest = 0;
    for (let s = 1; s <= 600; s += 1) {
      plant.step(START + s * 1000);
      const { phase, batch, conversion } = plant.truth('R101');
      if (phases.at(-1) !== `${phase} ${batch}`) phases.push(`${phase} ${batch}`);
      highest = Math.max(highest, conversion);
    }
    expect(phases.slice(0, 5)).toEqual(['react 1', 'drain 1', 'refill 1', 'react 2', 'drain 2']);
    expect(highest).toBeGreaterThan(0.98);
    expect(highest).toBeLessThan(0.981);
  });
});

describe('determinism', () => {
  test('the same seed gives the same samples, another seed others', () => {
    expect(run(plantOf(), 200)).toEqual(run(plantOf(), 200));
    expect(run(plantOf(), 200)).not.toEqual(run(plantOf({ seed: 2 }), 200));
  });
  test('the truth does not depend on the steps, on measuring or on the other assets', () => {
    const coarse = plantOf({ assets: ['R101'] });
    coarse.step(START + 200_000);
    const fine = plantOf();
    run(fine, 200);
    expect(fine.truth('R101')).toEqual(coarse.truth('R101'));
  });
  test('a step back changes nothing', () => {
    const plant = plantOf();
    plant.step(START + 5000);
    const before = plant.truth('R101');
    plant.step(START);
    expect(plant.truth('R101')).toEqual(before);
  });
});

test('the sensors see the truth through noise of the stated size', () => {
  const plant = plantOf();
  const errors = new Map<string, number[]>();
  for (let s = 1; s <= 5000; s += 1) {
    plant.step(START + s * 1000);
    const truth = plant.truth('R101');
    for (const { sensor, of: key } of PLANT_SENSORS) {
      const measured = of(plant.measure(), 'R101', sensor)[0];
      errors.set(sensor, [...(errors.get(sensor) ?? []), value(measured) - truth[key]]);
    }
  }
  for (const { sensor, stdDev } of PLANT_SENSORS) {
    const found = errors.get(sensor) ?? [];
    expect(Math.abs(mean(found)) / stdDev).toBeLessThan(0.06);
    expect(Math.sqrt(mean(found.map((e) => e * e))) / stdDev).toBeCloseTo(1, 1);
  }
});

test('samples name asset, sensor, unit and time', () => {
  expect(run(plantOf(), 1).map(({ asset, sensor, unit }) => `${asset}/${sensor} ${unit}`)).toEqual([
    'R101/temperature degC',
    'R101/pressure MPa',
    'R101/flow_rate L/min',
    'R102/temperature degC',
    'R102/pressure MPa',
    'R102/flow_rate L/min',
  ]);
  expect(run(plantOf(), 3).at(-1)).toMatchObject({ timestamp: START + 3000, quality: 'Good' });
});

describe('faults', () => {
  test('spike: once, by its size', () => {
    const { faulty, clean } = withFault('spike:R101/temperature:10:0:35');
    const changed = faulty.flatMap((sample, i) => (sample.value === clean[i]?.value ? [] : [i]));
    expect(changed).toEqual([9]);
    expect(value(faulty[9]) - value(clean[9])).toBeCloseTo(35, 9);
  });
  test('stuck: holds the value it had', () => {
    const { faulty, clean } = withFault('stuck:R101/pressure:5:5');
    expect(faulty.slice(4, 9).map(value)).toEqual(Array(5).fill(value(clean[4])));
    expect(value(faulty[9])).toBe(value(clean[9]));
  });
  test('dropout: no value, quality unchanged', () => {
    const { faulty } = withFault('dropout:R102/flow_rate:3:2');
    expect(faulty.map((sample) => sample.value === null)).toEqual(
      Array.from({ length: 20 }, (_, i) => i === 2 || i === 3),
    );
    expect(faulty[2]?.quality).toBe('Good');
  });
  test('bias and drift', () => {
    const bias = withFault('bias:R101/temperature:5:100:3');
    expect(value(bias.faulty[9]) - value(bias.clean[9])).toBeCloseTo(3, 9);
    const drift = withFault('drift:R101/temperature:5:100:0.5');
    expect(value(drift.faulty[14]) - value(drift.clean[14])).toBeCloseTo(5, 9);
  });
  test('noise: its standard deviation on top', () => {
    const plant = plantOf({ faults: [parseFault('noise:R101/pressure:0:10000:0.1')] });
    const pressures = of(run(plant, 3000), 'R101', 'pressure').map(value);
    const centre = mean(pressures);
    expect(Math.sqrt(mean(pressures.map((p) => (p - centre) ** 2)))).toBeCloseTo(
      Math.hypot(0.1, 0.01, 0.035),
      1,
    );
  });
  test('bad: quality Bad', () => {
    const { faulty } = withFault('bad:R101/temperature:3:2');
    expect(faulty.slice(0, 6).map(({ quality }) => quality)).toEqual([
      'Good',
      'Good',
      'Bad',
      'Bad',
      'Good',
      'Good',
    ]);
  });
  test('sprinkled ones are rare and leave all other values as they were', () => {
    const plain = run(plantOf(), 3000);
    const sprinkled = run(plantOf({ sprinkle: true }), 3000);
    const missing = sprinkled.filter((sample) => sample.value === null).length;
    const spikes = sprinkled.filter((s, i) => s.value !== null && s.value !== plain[i]?.value).length;
    expect(missing / sprinkled.length).toBeCloseTo(1 / 300, 2);
    expect(missing).toBeGreaterThan(10);
    expect(spikes).toBeGreaterThan(10);
    expect(spikes / sprinkled.length).toBeLessThan(1 / 200);
  });
  test.each([
    ['boom:R101/temperature:1:1', 'unknown kind'],
    ['spike:R101:1:1', 'the target is not asset/sensor'],
    ['spike:R101/temperature:x:1', 'startS is not a number >= 0'],
    ['spike:R101/temperature:1', 'durationS is not a number >= 0'],
    ['spike:R101/temperature:1:1:big', 'size is not a number'],
    ['spike:R101/temperature:1:1:1:1', 'too many parts'],
  ])('%s is refused', (text, message) => {
    expect(() => parseFault(text)).toThrow(message);
  });
  test('an unknown sensor is refused', () => {
    const faults = [parseFault('spike:R101/ph:1:1')];
    expect(() => plantOf({ faults })).toThrow('the plant has no R101/ph');
    expect(() => plantOf().truth('R9')).toThrow(RangeError);
  });
});
