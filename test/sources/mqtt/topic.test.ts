import { describe, expect, it } from 'vitest';
import { topicHashOf } from '../../../src/sources/mqtt/deliveries.ts';
import { topicReader } from '../../../src/sources/mqtt/topic.ts';

describe('topicReader', () => {
  it.each([
    ['', 'reactor/R101/sensor/temperature', 'R101', 'temperature'],
    ['', 'reactor/R101/sensor/jacket/temperature', 'R101', 'temperature'],
    ['', 'reactor/R101/temperature', 'R101', 'temperature'],
    ['reactor/{asset}/sensor/{sensor}', 'reactor/R101/sensor/temperature', 'R101', 'temperature'],
    ['reactor/{asset}/sensor/{sensor}', 'reactor/R101/sensor/jacket/top', 'R101', 'jacket.top'],
    ['{sensor}/of/{asset}', 'ph/of/R-1_a.b', 'R-1_a.b', 'ph'],
    ['+/{asset}/{sensor}/raw', 'anything/R101/ph/raw', 'R101', 'ph'],
  ])('template %j: %s', (template, topic, asset, sensor) => {
    const read = topicReader(template);
    expect(read(topic)).toEqual({ asset, sensor, hash: topicHashOf(topic) });
    expect(read(topic)).toBe(read(topic));
  });

  it.each([
    ['', 'reactor/R101'],
    ['', ''],
    ['', 'reactor//sensor/temperature'],
    ['', 'reactor/R101/sensor/'],
    ['', 'reactor/R 101/sensor/temperature'],
    ['', 'reactor/Rührer/sensor/temperature'],
    ['', `reactor/${'a'.repeat(129)}/sensor/temperature`],
    ['', "reactor/R101/sensor/x';DROP TABLE readings"],
    ['reactor/{asset}/sensor/{sensor}', 'reactor/R101/actuator/valve'],
    ['reactor/{asset}/sensor/{sensor}', 'reactor/R101/sensor'],
    ['reactor/{asset}/{sensor}/raw', 'reactor/R101/ph/raw/x'],
  ])('template %j does not fit %s', (template, topic) => {
    expect(topicReader(template)(topic)).toHaveProperty('problem', expect.stringContaining('topic: '));
  });

  it('keeps long topics out of its memory', () => {
    const read = topicReader('+/{asset}/{sensor}');
    const long = `${'x'.repeat(505)}/a/b`;
    expect(read(long)).toBe(read(long));
    expect(read(`${long}${'b'.repeat(10)}`)).toEqual({
      asset: 'a',
      sensor: 'bbbbbbbbbbb',
      hash: expect.any(Number) as number,
    });
    expect(read(`xxxx${long}`)).not.toBe(read(`xxxx${long}`));
  });

  it.each(['a/b', '{asset}', '{asset}/{asset}/{sensor}', 'x{asset}/{sensor}', '{asset}/{sensor}/{sensor}'])(
    'refuses the template %s',
    (template) => {
      expect(() => topicReader(template)).toThrow(RangeError);
      expect(() => topicReader(template)).toThrow(`topicTemplate: ${template}`);
    },
  );
});
