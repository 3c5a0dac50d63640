import { Point } from '@influxdata/influxdb-client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEncoder } from '../../../src/store/influx/points.ts';
import type { ForwardRow } from '../../../src/store/store.ts';
import { forwardRow } from '../../fakes/forwardStore.ts';

const lineOf = async (over: Partial<ForwardRow>): Promise<string> => {
  const { lines } = await createEncoder()([forwardRow(0, over)]);
  return lines[0] ?? '';
};

describe('names', () => {
  test.each([
    ['a b', 'a\\ b'],
    ['a,b', 'a\\,b'],
    ['a=b', 'a\\=b'],
    ['"a"', '"a"'],
    ["o'b", "o'b"],
    ['a\nb', 'a\\nb'],
    ['a\r\tb', 'a\\r\\tb'],
    ['a\\b', 'a\\b'],
    ['Kühlung °C 温度 🌡', 'Kühlung\\ °C\\ 温度\\ 🌡'],
    // Nothing may be escaped by a backslash of the name.
    ['a\\', 'a＼'],
    ['\\', '＼'],
    ['a\\\\', 'a＼＼'],
    ['a\\ b', 'a＼\\ b'],
    ['a\\,b=\\', 'a＼\\,b\\=＼'],
  ])('%j is written as %j', async (name, written) => {
    expect(await lineOf({ asset: name })).toBe(
      `reactor_sensor,quality=Good,reactor_id=${written},sensor_type=temperature,unit=degC imputed=F,value=0 1700000000000000`,
    );
    expect(await lineOf({ unit: name })).toContain(`,unit=${written} imputed=F`);
  });

  test('whatever they are, a line stays one line with four tags', async () => {
    const name = fc.string({
      unit: fc.constantFrom('a', ' ', ',', '=', '\\', '"', '\n', '\r', '\t', '°'),
      minLength: 1,
    });
    await fc.assert(
      fc.asyncProperty(name, name, name, async (asset, sensor, unit) => {
        const line = await lineOf({ asset, sensor, unit });
        expect(line).not.toMatch(/[\n\r\t]/);
        // Separators are those that no backslash stands before.
        expect(line.match(/(?<!\\) /g)).toHaveLength(2);
        const [series = ''] = line.split(/(?<!\\) /);
        expect(series.match(/(?<!\\),/g)).toHaveLength(4);
        expect(series.match(/(?<!\\)=/g)).toHaveLength(4);
        expect(series.endsWith('\\')).toBe(false);
      }),
    );
  });

  test('no unit, no tag', async () => {
    expect(await lineOf({ unit: '' })).toBe(
      'reactor_sensor,quality=Good,reactor_id=R101,sensor_type=temperature imputed=F,value=0 1700000000000000',
    );
  });
});

test('fields are just what Point would write', async () => {
  const number = fc.oneof(fc.double(), fc.constantFrom(1e21, 1e-7, -0, 5e-324, 1.7976931348623157e308, 0.1));
  const row = fc.record({
    value: fc.option(number),
    imputed: fc.boolean(),
    estimate: fc.option(fc.record({ value: number, ratePerS: number, stdDev: number })),
  });
  await fc.assert(
    fc.asyncProperty(row, async (over) => {
      const point = new Point('reactor_sensor').tag('reactor_id', 'R101').tag('sensor_type', 'temperature');
      point.tag('unit', 'degC').tag('quality', 'Good').timestamp('1700000000000000');
      const { value, estimate } = over;
      const fields = {
        value,
        estimate: estimate?.value ?? null,
        estimate_rate_per_s: estimate?.ratePerS ?? null,
        estimate_std_dev: estimate?.stdDev ?? null,
      };
      const finite = Object.entries(fields).filter(([, each]) => each !== null && Number.isFinite(each));
      for (const [name, each] of finite) point.floatField(name, each);
      if (finite.length > 0) point.booleanField('imputed', over.imputed);
      const { lines, skipped } = await createEncoder()([forwardRow(0, over)]);
      expect(lines[0]).toBe(point.toLineProtocol());
      expect(skipped).toBe(lines.length === 0 ? 1 : 0);
    }),
  );
});

test.each([
  [1_700_000_000_000, '1700000000000000'],
  [1_700_000_000_000.001, '1700000000000001'],
  [1_700_000_000_000.123, '1700000000000123'],
  [1_700_000_000_000.75, '1700000000000750'],
  [1_767_225_599_999.999, '1767225599999999'],
  [0, '0'],
  [-1.5, '-1500'],
  [-62_135_596_800_000, '-62135596800000000'],
])('the time %d ms is %s µs', async (timestamp, expected) => {
  expect((await lineOf({ timestamp })).split(' ').at(-1)).toBe(expected);
});

test('every microsecond of a second is told from the next', async () => {
  const base = Date.UTC(2026, 0, 1);
  const rows = Array.from({ length: 100_000 }, (_, i) =>
    forwardRow(0, { timestamp: base + (i * 10) / 1000 }),
  );
  const { lines } = await createEncoder()(rows);
  const wrong = lines.findIndex((line, i) => Number(line.split(' ').at(-1)) !== base * 1000 + i * 10);
  expect(wrong).toBe(-1);
});

test('long batches let others have their turn', async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => forwardRow(i));
  let turns = 0;
  let running = true;
  const turn = (): void => {
    turns += 1;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await createEncoder()(rows);
  running = false;
  expect(turns).toBeGreaterThanOrEqual(39);
});
