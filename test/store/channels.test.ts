import { expect, test } from 'vitest';
import { Channels } from '../../src/store/channels.ts';

test('every unit and source that a sensor came with is kept as it is, under a number of its own', () => {
  const channels = new Channels();
  const ids = new Set<number>();
  for (let i = 0; i < 200; i += 1) {
    ids.add(channels.id('R101', 't', 'degC', `unit ${i}`, 'plant'));
    ids.add(channels.id('R101', 't', 'degC', null, null));
    expect(channels.get(channels.id('R101', 't', 'degC', `unit ${i}`, 'plant')).receivedUnit).toBe(
      `unit ${i}`,
    );
  }
  expect(ids.size).toBe(201);
});
