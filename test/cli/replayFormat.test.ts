import { describe, expect, test } from 'vitest';
import type { EstimatedReading, WindowAggregate } from '../../operators/types.ts';
import { eventJson } from '../../src/api/records.ts';
import { csv, ndjson } from '../../src/cli/replayFormat.ts';
import type { Output } from '../../src/pipeline.ts';
import type { SmoothedRecord } from '../../src/smoothed.ts';

const reading: EstimatedReading = {
  asset: 'R "1"\n',
  sensor: 'température',
  timestamp: 1_761_474_615_000.125,
  value: -0,
  unit: '°C\\',
  quality: 'Uncertain',
  issues: [{ check: 'spike', message: 'Rapid "change", 41.2%' }],
  imputed: true,
  received: null,
  estimate: {
    value: 1 / 3,
    ratePerS: 1e-7,
    stdDev: 1e21,
    covariance: [0.1, -0.2, Infinity, NaN],
    innovation: null,
    nis: 5e-324,
  },
};

const window: WindowAggregate = {
  ...{ asset: 'R101', sensor: 'ph', unit: '', sizeMs: 1000, everyMs: 500, start: 1500, end: 2500 },
  ...{ count: 2, badCount: 1, imputedCount: 0, mean: 0.1 + 0.2, timeWeightedMean: null, min: -0, max: 1e300 },
  ...{ stdDev: Infinity, first: 7, last: 7.000000000000001, revision: 3 },
};

const smoothed: SmoothedRecord = {
  ...{ asset: 'R "1"\n', sensor: 'température', timestamp: 1_761_474_615_000.125, value: -0, unit: '°C\\' },
  ...{ ratePerS: 1e-7, stdDev: 1 / 3, wantedLagMs: 10_000, lagMs: 10_000.125 },
};

const outputs: readonly Output[] = [
  { type: 'reading', reading },
  { type: 'reading', reading: { ...reading, value: null, issues: [], imputed: false, estimate: null } },
  { type: 'window', window },
  { type: 'smoothed', smoothed },
  { type: 'smoothed', smoothed: { ...smoothed, ratePerS: NaN, wantedLagMs: 1500 } },
  {
    type: 'window',
    window: { ...window, mean: null, min: null, max: null, stdDev: null, first: null, last: null },
  },
];

describe('lines of a replay', () => {
  test.each(outputs)('NDJSON is what JSON.stringify makes of the event, $type', (output) => {
    expect(ndjson.line(output)).toBe(`${eventJson(output)}\n`);
  });

  test('NDJSON of a reading reads back to the very same doubles', () => {
    const line: unknown = JSON.parse(ndjson.line(outputs[0]!));
    expect(line).toMatchObject({
      timestamp: '2025-10-26T10:30:15.000125Z',
      estimate: { value: 1 / 3, nis: 5e-324 },
    });
  });

  test('a smoothed estimate has its lag in its name and in its record', () => {
    expect(outputs.slice(3, 5).map((output) => JSON.parse(ndjson.line(output)) as unknown)).toMatchObject([
      { type: 'smoothed', name: 'température_smoothed_10s', lagMs: 10_000.125 },
      { type: 'smoothed', name: 'température_smoothed_1500ms', ratePerS: null },
    ]);
  });

  test('CSV quotes what needs it and leaves windows out', () => {
    expect(csv.line(outputs[0]!)).toBe(
      '2025-10-26T10:30:15.000125Z,"R ""1""\n",température,0,°C\\,Uncertain,"spike: Rapid ""change"", 41.2%",true,' +
        '0.3333333333333333,1e-7,1e+21,0.1,-0.2,Infinity,NaN,,5e-324\n',
    );
    expect(csv.line(outputs[2]!)).toBe('');
    expect(csv.line(outputs[3]!)).toBe('');
  });
});
