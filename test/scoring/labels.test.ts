import { describe, expect, test } from 'vitest';
import { readLabels } from '../../src/scoring/labels.ts';

const read = (text: string, more = {}): ReturnType<typeof readLabels> =>
  readLabels(
    (async function* () {
      await Promise.resolve();
      // In two pieces, as a file may come.
      yield Buffer.from(text.slice(0, 30));
      yield Buffer.from(text.slice(30));
    })(),
    { name: 'l.csv', separator: null, timeZone: 'UTC', time: 'datetime', label: 'anomaly', ...more },
  );

test('reads times and labels, whatever else stands beside, in order of time', async () => {
  const text =
    'datetime;x;anomaly\n2020-01-01 00:00:02;1;1.0\n2020-01-01 00:00:01;2;0.0\n\n1577836803000;3;true\n';
  const start = Date.UTC(2020, 0, 1);
  expect(await read(text)).toEqual([
    { at: start + 1000, anomalous: false },
    { at: start + 2000, anomalous: true },
    { at: start + 3000, anomalous: true },
  ]);
});

describe('what is wrong is named', () => {
  test.each([
    ['when,anomaly\n1,1\n', /l.csv: the header lacks datetime; found when, anomaly/],
    ['datetime,anomaly\nnoon,1\n', /l.csv:2: datetime: 'noon' is no time/],
    ['datetime,anomaly\n1577836803000,maybe\n', /l.csv:2: anomaly: 'maybe' is not valid/],
    ['datetime,anomaly\n', /l.csv: has no labels/],
    ['', /l.csv: has no labels/],
  ])('%o', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
