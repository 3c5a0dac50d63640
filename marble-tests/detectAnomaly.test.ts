import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { detectAnomaly } from '../operators/detectAnomaly.ts';
import type { StateCell } from '../operators/stateCell.ts';
import { anomalyState } from '../operators/steps/anomaly.ts';
import type { AnomalyState } from '../operators/steps/anomaly.ts';
import { changes, options, rig } from '../test/operators/steps/anomalyInputs.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading } from './readings.ts';

operatorContract(
  'detectAnomaly',
  (cell: StateCell<AnomalyState> | undefined) =>
    detectAnomaly(options({ learnCount: 20, recordEveryMs: 5000 }), cell),
  rig(45, 1, (t) => (t >= 30 ? 6 : 0)),
  anomalyState,
);

const baseline = {
  sensors: ['level'],
  center: [10],
  scale: [1],
  inflation: [1],
  correlation: [1],
  effectiveCounts: [200],
  usualMs: [1000],
};
const level = (value: number, second: number): ReturnType<typeof reading> =>
  reading(value, { asset: 'T1', sensor: 'level', timestamp: second * 1000 });

test('judges an interval when a reading of a later one comes, and the last at the end', () => {
  marbles(({ cold, expectObservable }) => {
    const source = cold('ab-c-d-e-f|', {
      a: level(10, 0),
      b: level(10.2, 0.4),
      c: level(13.9, 1),
      d: level(13.9, 2),
      e: level(13.9, 3),
      f: level(10, 30),
    });
    const operator = detectAnomaly({
      asset: 'T1',
      sensors: ['level'],
      baseline,
      smoothingMs: 2000,
      baselineMs: null,
    });
    const shown = source.pipe(
      operator,
      map(({ event, timestamp, since, alarm }) => `${event} ${timestamp} ${since} ${alarm}`),
    );
    expectObservable(shown).toBe('---a---b--(c|)', {
      a: 'update 400 null false',
      b: 'onset 2000 2000 true',
      c: 'cleared 30000 null false',
    });
  });
});

test('names the asset and the sensors', () => {
  const [onset] = changes(
    outputsOf(
      detectAnomaly(options()),
      rig(700, 2, (t, sensor) => (t > 600 && sensor === 'pressure' ? 5 : 0)),
    ),
  );
  expect(onset?.asset).toBe('R101');
  expect(onset?.contributions.map(({ sensor }) => sensor)[0]).toBe('pressure');
  expect(onset?.contributions.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
});

test('refuses bad options when composed', () => {
  expect(() => detectAnomaly(options({ falseAlarmRate: 0 }))).toThrow(/falseAlarmRate: 0/);
});
