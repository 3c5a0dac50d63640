import { parseScenario } from '../../../src/plant/process/parseScenario.ts';
import type { Quantity, Scenario } from '../../../src/plant/process/scenario.ts';
import { simulatePlant } from '../../../src/plant/process/simulatePlant.ts';
import type { PlantInstant } from '../../../src/plant/process/simulatePlant.ts';

/** A reactor held at 60 degC without noise, for `duration` seconds. */
export const quiet = (more: Readonly<Record<string, unknown>> = {}): Scenario =>
  parseScenario({
    duration: 600,
    process: { start: { setpointDegC: 60 } },
    sensors: {
      temperature: { stdDev: 0, resolution: 0 },
      coolant_temperature: { stdDev: 0, resolution: 0 },
      flow_rate: { stdDev: 0, resolution: 0 },
    },
    ...more,
  });

export const runOf = (scenario: Scenario): PlantInstant[] => [...simulatePlant(scenario)];

/** The true course of a quantity. */
export const truthOf = (run: readonly PlantInstant[], quantity: Quantity, reactor = 0): number[] =>
  run.map(({ truth }) => truth[reactor]?.values[quantity] ?? NaN);

/** What a sensor of the first reactor gave, sample by sample. */
export const valuesOf = (run: readonly PlantInstant[], sensor: string, asset = 'R101'): (number | null)[] =>
  run.flatMap(({ readings }) =>
    readings.filter((r) => r.sensor === sensor && r.asset === asset).map((r) => r.value),
  );

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export const stdDevOf = (values: readonly number[]): number => {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
};
