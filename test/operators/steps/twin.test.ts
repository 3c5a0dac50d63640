import { describe, expect, test } from 'vitest';
import {
  resolveTwinOptions,
  twinPrediction,
  twinRecord,
  twinState,
  twinStep,
  twinSync,
  twinTick,
} from '../../../operators/steps/twin.ts';
import type { TwinState } from '../../../operators/steps/twin.ts';
import { NO_ISSUES } from '../../../operators/types.ts';
import type { EstimatedReading } from '../../../operators/types.ts';
import { tank } from '../../support/tank.ts';
import type { Tank } from '../../support/tank.ts';

const options = resolveTwinOptions({
  asset: 'T1',
  sensors: {
    level: { quantity: 'level', staleAfterMs: 5000 },
    inflow: { quantity: 'inflow', staleAfterMs: 5000 },
  },
});
const open = (): TwinState<Tank> => twinState(tank, options)();

const reading = (
  sensor: string,
  timestamp: number,
  value: number | null,
  more: Partial<EstimatedReading> = {},
): EstimatedReading => ({
  asset: 'T1',
  sensor,
  timestamp,
  value,
  unit: '',
  quality: 'Good',
  issues: NO_ISSUES,
  imputed: false,
  received: null,
  estimate: null,
  ...more,
});
const step = (state: TwinState<Tank>, given: EstimatedReading): boolean =>
  twinStep(tank, state, given, options);

/** In step at 0 s: level 1 m, inflow 0.5 m/s. */
function inStep(): TwinState<Tank> {
  const state = open();
  step(state, reading('inflow', 0, 0.5));
  step(state, reading('level', 0, 1));
  return state;
}

describe('time', () => {
  test('a reading moves the model to its source time before it corrects it', () => {
    const state = inStep();
    step(state, reading('level', 2000, 2.25));
    expect(state.model.level).toBe(2.25);
    expect(state.residuals).toEqual({ level: 0.25 });
  });

  test('a sensor a little behind another corrects without moving the model', () => {
    const state = inStep();
    step(state, reading('level', 2000, 2));
    step(state, reading('inflow', 1900, 0.25));
    expect(state.timestamp).toBe(2000);
    expect(state.model).toEqual({ level: 2, inflow: 0.25 });
  });

  test('a sensor that set its clock back is followed, without integrating', () => {
    const state = inStep();
    step(state, reading('level', 7_200_000, 3));
    expect(step(state, reading('level', 3_601_000, 3.5))).toBe(true);
    expect(state.timestamp).toBe(3_601_000);
    expect(state.model.level).toBe(3.5);
  });

  test('records are due every everyMs of event time', () => {
    const state = open();
    const due = [0, 999, 1000, 1500, 2000].map((at) => step(state, reading('level', at, 1)));
    expect(due).toEqual([true, false, true, false, true]);
  });

  test('a reading of a sensor that the model does not know changes nothing', () => {
    const state = inStep();
    const before = structuredClone(state);
    expect(step(state, reading('ph', 9000, 7))).toBe(false);
    expect(state).toEqual(before);
  });
});

describe('what corrects the model', () => {
  test('the estimate, where there is one', () => {
    const state = inStep();
    const estimate = {
      value: 1.75,
      ratePerS: 0,
      stdDev: 0.5,
      covariance: [0.25, 0, 0, 1] as const,
      innovation: null,
      nis: null,
    };
    step(state, reading('level', 1000, 9, { estimate }));
    expect(state.model.level).toBe(1.75);
  });

  test('the measurement itself with the variance of its noise, for a model that takes it', () => {
    const taken: number[][] = [];
    const model: typeof tank = {
      ...tank,
      takes: 'measurement',
      correct: (_state, _quantity, value, variance) => (taken.push([value, variance]), null),
    };
    const sensors = {
      level: { quantity: 'level', staleAfterMs: 5000, measurementVariance: 0.04 },
      inflow: { quantity: 'inflow', staleAfterMs: 5000 },
    };
    const given = resolveTwinOptions({ asset: 'T1', sensors });
    const state = twinState(model, given)();
    const estimate = {
      ...{ value: 1.75, ratePerS: 0, stdDev: 0.5, innovation: null, nis: null },
      covariance: [0.25, 0, 0, 1] as const,
    };
    twinStep(model, state, reading('level', 0, 9, { estimate }), given);
    twinStep(model, state, reading('level', 1000, 8), given);
    twinStep(model, state, reading('inflow', 1000, 7), given);
    twinStep(model, state, reading('level', 2000, 99, { quality: 'Bad' }), given);
    expect(taken).toEqual([
      [9, 0.04],
      [8, 0.04],
      [7, 0],
    ]);
  });

  test.each([
    ['Bad', { quality: 'Bad' }],
    ['imputed', { imputed: true }],
    ['late', { issues: [{ check: 'order', message: 'late' }] }],
  ] as const)('not a reading that is %s; time passes all the same', (_, more) => {
    const state = inStep();
    step(state, reading('level', 2000, 99, more));
    expect(state.model.level).toBe(2);
    expect(state.timestamp).toBe(2000);
  });
});

describe('sync', () => {
  test('degraded until every sensor has sent', () => {
    const state = open();
    expect(twinSync(state, options).status).toBe('lost');
    step(state, reading('level', 0, 1));
    expect(twinSync(state, options)).toEqual({ status: 'degraded', lagMs: 0, staleSensors: ['inflow'] });
    step(state, reading('inflow', 0, 0.5));
    expect(twinSync(state, options)).toEqual({ status: 'synchronised', lagMs: 0, staleSensors: [] });
  });

  test('degraded by a Bad reading, synchronised again by the next usable one', () => {
    const state = inStep();
    step(state, reading('level', 1000, 99, { quality: 'Bad' }));
    expect(twinSync(state, options)).toMatchObject({ status: 'degraded', staleSensors: ['level'] });
    step(state, reading('level', 2000, 2));
    expect(twinSync(state, options).status).toBe('synchronised');
  });

  test('ticks make it degraded after staleAfterMs and lost after lostAfterMs, and say so once', () => {
    const state = inStep();
    const changed = (at: number): boolean => {
      const due = twinTick(state, at, options);
      if (due) state.recordedStatus = twinSync(state, options).status;
      return due;
    };
    state.recordedStatus = 'synchronised';
    expect([5000, 5001, 6000, 60_000, 60_001, 61_000].map(changed)).toEqual([
      false,
      true,
      false,
      false,
      true,
      false,
    ]);
    expect(twinSync(state, options)).toEqual({
      status: 'lost',
      lagMs: 61_000,
      staleSensors: ['level', 'inflow'],
    });
  });
});

describe('what is shown', () => {
  test('nothing before the first reading', () => {
    expect(twinRecord(tank, open(), options)).toBeNull();
    expect(twinPrediction(tank, open(), 60, 1)).toEqual([]);
  });

  test('the record', () => {
    expect(twinRecord(tank, inStep(), options)).toEqual({
      asset: 'T1',
      timestamp: 0,
      state: { level: { value: 1, unit: 'm', stdDev: null } },
      parameters: { inflow: 0.5 },
      residuals: { level: 1 },
      sync: { status: 'synchronised', lagMs: 0, staleSensors: [] },
    });
  });

  test('how sure the model is of its parameters, where it estimates some', () => {
    const model = { ...tank, parameterStdDev: () => ({ inflow: 0.1 }) };
    expect(twinRecord(model, inStep(), options)).toMatchObject({
      parameters: { inflow: 0.5 },
      parameterStdDev: { inflow: 0.1 },
    });
    expect(twinRecord(tank, inStep(), options)).not.toHaveProperty('parameterStdDev');
  });

  test('the prediction integrates a copy, and ends at the horizon', () => {
    const state = inStep();
    expect(twinPrediction(tank, state, 5, 2)).toEqual([
      { timestamp: 0, values: { level: 1 } },
      { timestamp: 2000, values: { level: 2 } },
      { timestamp: 4000, values: { level: 3 } },
      { timestamp: 5000, values: { level: 3.5 } },
    ]);
    expect(state.model.level).toBe(1);
  });

  test('the state survives a JSON round trip', () => {
    const state = inStep();
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});

test('bad options are refused by name', () => {
  expect(() => resolveTwinOptions({ ...options, everyMs: -1 })).toThrow('everyMs: -1 is not valid');
  expect(() => resolveTwinOptions({ ...options, lostAfterMs: 0 })).toThrow('lostAfterMs: 0 is not valid');
});
