import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { openTwins } from '../../src/twin/registry.ts';

test('the example of a cstr: heat transfer estimated, feed and rate constant considered, its sensors support it', async () => {
  const file = join(import.meta.dirname, '../../config/cstr.example.yaml');
  const { config, warnings } = loadConfig([file], {});
  expect(warnings).toEqual([]);
  const twin = (await openTwins(config)).get('R101');
  const estimated = twin?.estimated?.estimation.estimated ?? [];
  expect(estimated.map(({ name, considered, stdDev }) => [name, considered, stdDev])).toEqual([
    ['heatTransfer', false, expect.closeTo(833.333 / 5, 9)],
    ['feedConcentration', true, 10],
    ['preExponentialFactor', true, 2.4e7],
  ]);
  expect(twin?.options.sensors).toMatchObject({
    temperature: { quantity: 'temperature', measurementVariance: 0.25 },
    coolant_temperature: {
      quantity: 'coolant_temperature',
      measurementVariance: expect.closeTo(0.09, 12) as number,
    },
    feed_temperature: { quantity: 'feed_temperature' },
    flow_rate: { quantity: 'flow_rate', measurementVariance: 0.25 },
  });
});
