import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { estimateState } from '../operators/estimateState.ts';
import type { StateCell } from '../operators/stateCell.ts';
import { twinState } from '../operators/steps/twin.ts';
import type { TwinState } from '../operators/steps/twin.ts';
import type { EstimatedReading } from '../operators/types.ts';
import { updateTwin } from '../operators/updateTwin.ts';
import { tank } from '../test/support/tank.ts';
import type { Tank } from '../test/support/tank.ts';
import { marbles, operatorContract, outputsOf } from './contract.ts';
import { reading } from './readings.ts';

const options = {
  asset: 'T1',
  sensors: {
    level: { quantity: 'level', staleAfterMs: 3000 },
    feed: { quantity: 'inflow', staleAfterMs: 3000 },
  },
  everyMs: 1000,
  lostAfterMs: 10_000,
};

const at = (timestamp: number, sensor: string, value: number | null, more = {}): EstimatedReading => ({
  ...reading(value, { asset: 'T1', sensor, timestamp, unit: 'm', ...more }),
  estimate: null,
});

operatorContract(
  'updateTwin',
  (cell: StateCell<TwinState<Tank>> | undefined) => updateTwin(tank, options, cell),
  [
    at(0, 'level', 1),
    at(0, 'feed', 0.5),
    at(1000, 'level', 1.4),
    at(2000, 'level', null),
    at(2500, 'feed', 0),
    at(4000, 'level', 2),
  ],
  twinState(tank, options),
);

const level = (
  value: number,
  timestamp: number,
  inflow: number,
  residuals: object,
  sync: object,
): object => ({
  asset: 'T1',
  timestamp,
  state: { level: { value, unit: 'm', stdDev: null } },
  parameters: { inflow },
  residuals,
  sync,
});

test('integrates to each source time, corrects, and tells the residual', () => {
  marbles(({ cold, expectObservable }) => {
    const source = cold('ab--c|', {
      a: at(0, 'feed', 0.5),
      b: at(0, 'level', 1),
      c: at(2000, 'level', 2.25),
    });
    expectObservable(source.pipe(updateTwin(tank, options))).toBe('a---c|', {
      a: level(0, 0, 0.5, {}, { status: 'degraded', lagMs: 0, staleSensors: ['level'] }),
      c: level(2.25, 2000, 0.5, { level: 0.25 }, { status: 'synchronised', lagMs: 0, staleSensors: [] }),
    });
  });
});

test('a tick that finds sensors stale gives a record once, and lost after that', () => {
  marbles(({ cold, hot, expectObservable }) => {
    const source = cold('(ab)----------', { a: at(0, 'feed', 0), b: at(0, 'level', 1) });
    const ticks = hot('--p-q-r-s-t', { p: 2000, q: 4000, r: 5000, s: 11_000, t: 12_000 });
    const result = source.pipe(
      updateTwin(tank, options, undefined, ticks),
      map(({ sync }) => `${sync.status} ${sync.lagMs} ${sync.staleSensors.join()}`),
    );
    expectObservable(result, '^---------!').toBe('a-b-c---d-', {
      a: 'degraded 0 level',
      b: 'synchronised 2000 ',
      c: 'degraded 4000 level,feed',
      d: 'lost 11000 level,feed',
    });
  });
});

test('takes neither Bad, missing, imputed nor late readings into the model', () => {
  const late = { issues: [{ check: 'order', message: 'late' }], quality: 'Uncertain' };
  const records = outputsOf(updateTwin(tank, { ...options, everyMs: 0 }), [
    at(0, 'level', 1),
    at(1000, 'level', 9, { quality: 'Bad' }),
    at(2000, 'level', null),
    at(3000, 'level', 9, { imputed: true, quality: 'Uncertain' }),
    at(2500, 'level', 9, late),
    at(4000, 'level', 9, { quality: 'Uncertain' }),
  ]);
  expect(records.map(({ state }) => state['level']?.value)).toEqual([1, 1, 1, 1, 1, 9]);
  expect(records.map(({ timestamp }) => timestamp)).toEqual([0, 1000, 2000, 3000, 3000, 4000]);
});

test('takes the estimate where there is one', () => {
  const source = [at(0, 'level', 1), at(1000, 'level', 2)];
  const estimates = outputsOf(estimateState(), source);
  const [, second] = outputsOf(updateTwin(tank, { ...options, everyMs: 0 }), estimates);
  expect(second?.state['level']?.value).toBe(estimates[1]?.estimate?.value);
});

test('ignores sensors that are not its own, and records again after a clock that went back', () => {
  const records = outputsOf(updateTwin(tank, options), [
    at(3_600_000, 'level', 1),
    at(3_600_100, 'other', 5),
    at(0, 'level', 2),
    at(1000, 'level', 3),
  ]);
  expect(records.map(({ state }) => state['level']?.value)).toEqual([1, 2, 3]);
});

test('refuses bad options when composed', () => {
  expect(() => updateTwin(tank, { ...options, everyMs: -1 })).toThrow(/everyMs: -1/);
});
