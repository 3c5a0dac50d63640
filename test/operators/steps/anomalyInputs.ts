/** Made-up rigs for the tests of the anomaly steps. */
import { createRandom } from '../../../src/plant/random.ts';
import type { Reading } from '../../../operators/types.ts';
import { reading } from '../../../marble-tests/readings.ts';
import { anomalyFlush, anomalyState, anomalyStep } from '../../../operators/steps/anomaly.ts';
import type { AnomalyRecord, AnomalyState } from '../../../operators/steps/anomaly.ts';
import { resolveAnomalyOptions } from '../../../operators/steps/anomalyOptions.ts';
import type { AnomalyOptions } from '../../../operators/steps/anomalyOptions.ts';

export const SENSORS = ['current', 'flow_rate', 'pressure'];

export const options = (overrides: Partial<AnomalyOptions> = {}): AnomalyOptions => ({
  asset: 'R101',
  sensors: SENSORS,
  ...overrides,
});

/** A reading a second of each sensor: independent noise with standard deviation 1, plus what is wrong at that second. */
export function rig(
  seconds: number,
  seed: number,
  wrong: (second: number, sensor: string) => number = () => 0,
  sensors: readonly string[] = SENSORS,
): Reading[] {
  const random = createRandom(seed);
  return Array.from({ length: seconds }, (_, second) =>
    sensors.map((sensor, i) =>
      reading(100 * (i + 1) + random.normal() + wrong(second, sensor), {
        sensor,
        timestamp: second * 1000 + i,
      }),
    ),
  ).flat();
}

/** Steps through the readings; checks on the way that the state is plain data. */
export function run(
  inputs: readonly Reading[],
  overrides: Partial<AnomalyOptions> = {},
  state: AnomalyState = anomalyState(),
): AnomalyRecord[] {
  const resolved = resolveAnomalyOptions(options(overrides));
  const records: AnomalyRecord[] = [];
  for (const input of inputs) anomalyStep(state, input, resolved, (record) => records.push(record));
  anomalyFlush(state, resolved, (record) => records.push(record));
  return records;
}

export const changes = (records: readonly AnomalyRecord[]): AnomalyRecord[] =>
  records.filter(({ event }) => event !== 'update');
