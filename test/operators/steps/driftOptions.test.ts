import { expect, test } from 'vitest';
import { resolveDriftOptions } from '../../../operators/steps/driftOptions.ts';
import type { DriftOptions } from '../../../operators/steps/driftOptions.ts';
import { cusumThreshold, ewmaThreshold } from '../../../operators/steps/driftRunLength.ts';

test('has the documented defaults', () => {
  expect(resolveDriftOptions({})).toEqual({
    method: 'cusum',
    reference: null,
    learnCount: 400,
    stdDevFloor: 0,
    thresholdStdDevs: cusumThreshold(0.5, 1e5),
    slackStdDevs: 0.5,
    smoothing: 0.1,
    clipStdDevs: 4,
    confirmCount: null,
  });
});

test('the threshold follows from the false alarms that are allowed, or is given', () => {
  const threshold = (options: DriftOptions): number => resolveDriftOptions(options).thresholdStdDevs;
  expect(threshold({ readingsPerFalseAlarm: 1000 })).toBe(cusumThreshold(0.5, 1000));
  expect(threshold({ method: 'ewma' })).toBe(ewmaThreshold(0.1, 1e5));
  expect(threshold({ method: 'ewma', thresholdStdDevs: 2.7 })).toBe(2.7);
});

test.each<[DriftOptions, RegExp]>([
  [{ method: 'shewhart' as 'cusum' }, /^method: shewhart .*cusum, ewma/],
  [{ referenceMean: 85 }, /^referenceStdDev: null .*with referenceMean/],
  [{ referenceStdDev: 1 }, /^referenceMean: null .*with referenceStdDev/],
  [{ referenceMean: 85, referenceStdDev: 0 }, /^referenceStdDev: 0 /],
  [{ referenceMean: NaN, referenceStdDev: 1 }, /^referenceMean: NaN /],
  [{ learnCount: 9 }, /^learnCount: 9 /],
  [{ stdDevFloor: -1 }, /^stdDevFloor: -1 /],
  [{ readingsPerFalseAlarm: 9 }, /^readingsPerFalseAlarm: 9 .*>= 10/],
  [{ readingsPerFalseAlarm: 1e10 }, /^readingsPerFalseAlarm: 10000000000 .*<= 1e9/],
  [{ thresholdStdDevs: 0 }, /^thresholdStdDevs: 0 /],
  [{ slackStdDevs: 0 }, /^slackStdDevs: 0 /],
  [{ smoothing: 0.01 }, /^smoothing: 0.01 .*>= 0.05/],
  [{ smoothing: 1.1 }, /^smoothing: 1.1 .*<= 1/],
  [{ clipStdDevs: 0.5 }, /^clipStdDevs: 0.5 .*> 0.5/],
  [{ method: 'ewma', smoothing: 1 }, /^clipStdDevs: 4 .*> 4.4/],
  [{ confirmCount: 0 }, /^confirmCount: 0 /],
])('refuses %j', (options, message) => {
  expect(() => resolveDriftOptions(options)).toThrow(RangeError);
  expect(() => resolveDriftOptions(options)).toThrow(message);
});
