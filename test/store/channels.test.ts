import { expect, test } from 'vitest';
import { Channels } from '../../src/store/channels.ts';

test('a sensor that never repeats a unit gets a bounded number of channels', () => {
  const channels = new Channels();
  const ids = new Set<number>();
  for (let i = 0; i < 5000; i += 1) {
    // Converted to the sensor's unit, kept as they come, and in windows.
    ids.add(channels.id('R101', 't', 'degC', `unit ${i}`, 'plant'));
    ids.add(channels.id('R101', 'raw', `unit ${i}`, `unit ${i}`, 'plant'));
    ids.add(channels.id('R101', 'raw', `unit ${i}`, null, null));
  }
  expect(ids.size).toBeLessThan(210);
  const first = channels.get(channels.id('R101', 't', 'degC', 'unit 0', 'plant'));
  expect(first).toMatchObject({ unit: 'degC', receivedUnit: 'unit 0' });
  const last = channels.get(channels.id('R101', 't', 'degC', 'unit 4999', 'plant'));
  expect(last).toMatchObject({ unit: 'degC', receivedUnit: '(one of too many units)' });
  // What is known stays what it is, and another sensor has its own.
  expect(channels.get(channels.id('R102', 't', 'K', 'unit 4999', 'plant')).receivedUnit).toBe('unit 4999');
});
