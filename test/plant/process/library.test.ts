import { expect, test } from 'vitest';
import type { LIBRARY } from '../../../src/plant/process/library.ts';
import {
  LIBRARY_NAMES,
  libraryScenario,
  RUNAWAY_DEGC,
  RUNAWAYS,
} from '../../../src/plant/process/library.ts';
import { simulatePlant } from '../../../src/plant/process/simulatePlant.ts';

const SEEDS = 12;

/** The highest true temperature of a run, and how long after the event the runaway's limit was passed. */
function course(
  name: keyof typeof LIBRARY,
  seed: number,
): { readonly hottest: number; readonly afterS: number } {
  const scenario = { ...libraryScenario(name, seed), sensors: {} };
  const begin = scenario.events[0]?.at ?? NaN;
  let [hottest, afterS] = [-Infinity, NaN];
  for (const { atS, truth } of simulatePlant(scenario)) {
    const temperature = truth[0]?.values.temperature ?? NaN;
    if (atS < begin) expect(Math.abs(temperature - 60)).toBeLessThan(3);
    hottest = Math.max(hottest, temperature);
    if (Number.isNaN(afterS) && temperature > RUNAWAY_DEGC) afterS = atS - begin;
  }
  return { hottest, afterS };
}

test.each(LIBRARY_NAMES)('%s: a runaway always, or never', (name) => {
  const isRunaway = RUNAWAYS.includes(name);
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { hottest, afterS } = course(name, seed);
    if (isRunaway) {
      expect(hottest).toBeGreaterThan(RUNAWAY_DEGC + 30);
      expect(afterS).toBeGreaterThan(15);
      expect(afterS).toBeLessThan(900);
    } else expect(hottest).toBeLessThan(70);
  }
});

test('a seed gives the same scenario, another one another', () => {
  expect(libraryScenario('coolingLoss', 3)).toEqual(libraryScenario('coolingLoss', 3));
  expect(libraryScenario('coolingLoss', 3).events).not.toEqual(libraryScenario('coolingLoss', 4).events);
  expect(
    new Set(Array.from({ length: 50 }, (_, i) => libraryScenario('fouling', i).events[0]?.ramp)).size,
  ).toBeGreaterThan(20);
});
