import { describe, expect, it } from 'vitest';
import { twinPrediction, twinState, twinStep } from '../../operators/steps/twin.ts';
import { resolveTwinOptions } from '../../operators/steps/twin.ts';
import { NO_ISSUES } from '../../operators/types.ts';
import type { EstimatedReading } from '../../operators/types.ts';
import { batchReactor } from '../../src/twin/batchReactor.ts';
import type { BatchReactorParameters } from '../../src/twin/batchReactor.ts';

/** k = A exp(-Ea / (R T)) (P / 2.5)^0.5 at 85 degC and 2.5 MPa, 1/s. */
const K_85 = 1e10 * Math.exp(-80_000 / (8.314 * 358.15));

describe('conversion', () => {
  it('follows 1 - exp(-k t) at constant temperature, whatever the step', () => {
    for (const steps of [[60], Array<number>(60).fill(1), [0.1, 59.9], Array<number>(600).fill(0.1)]) {
      const model = batchReactor();
      const state = model.initial();
      for (const dt of steps) model.advance(state, dt);
      expect(state.temperatureDegC).toBe(85);
      expect(state.conversion).toBeCloseTo(1 - Math.exp(-K_85 * 60), 12);
    }
  });

  it('grows with the square root of the pressure', () => {
    const model = batchReactor();
    const state = model.initial();
    model.correct(state, 'pressure', 10, 0);
    model.advance(state, 1);
    expect(state.conversion).toBeCloseTo(1 - Math.exp(-2 * K_85), 12);
  });

  it('never exceeds 1, not even after a year in one step, and is not NaN below zero pressure', () => {
    const model = batchReactor();
    const state = model.initial();
    model.advance(state, 365 * 86_400);
    expect(state.conversion).toBe(1);
    model.correct(state, 'pressure', -1, 0);
    model.correct(state, 'temperature', -400, 0);
    model.advance(state, 10);
    expect(state.conversion).toBe(1);
  });

  it('begins anew when the flow says that the reactor is emptied, if so configured', () => {
    const model = batchReactor({ newBatchBelowFlowRateLPerMin: 5 });
    const state = model.initial();
    model.advance(state, 60);
    model.correct(state, 'flow_rate', 6, 0);
    expect(state.conversion).toBeGreaterThan(0.5);
    model.correct(state, 'flow_rate', 4, 0);
    expect(state.conversion).toBe(0);
  });
});

describe('heat balance', () => {
  it('approaches the jacket with the time constant m cp / (U A) = 840 s', () => {
    const model = batchReactor({ jacketTemperatureDegC: 25 });
    const state = model.initial();
    model.advance(state, 840);
    expect(state.temperatureDegC).toBeCloseTo(25 + 60 / Math.E, 9);
  });

  it('turns the heat of reaction into temperature', () => {
    // No exchange with the jacket: all heat stays, dT = h X / cp.
    const model = batchReactor({ heatTransferCoefficientWPerM2K: 1e-12, reactionHeatJPerKg: 42_000 });
    const state = model.initial();
    model.advance(state, 3600);
    expect(state.conversion).toBeCloseTo(1, 9);
    expect(state.temperatureDegC).toBeCloseTo(95, 6);
  });

  it('infers the jacket temperature from how the reactor cools', () => {
    const model = batchReactor();
    const state = model.initial();
    const truth = batchReactor({ jacketTemperatureDegC: 60 });
    const plant = truth.initial();
    for (let t = 0; t <= 1800; t++) {
      if (t > 0) {
        truth.advance(plant, 1);
        model.advance(state, 1);
      }
      model.correct(state, 'temperature', plant.temperatureDegC, 0.01);
    }
    expect(state.jacketTemperatureDegC).toBeCloseTo(60, 0);
  });

  it('gives measured minus modelled as the residual', () => {
    const model = batchReactor({ jacketTemperatureDegC: 85 });
    const state = model.initial();
    expect(model.correct(state, 'temperature', 85, 0.04)).toBeNull();
    model.advance(state, 10);
    expect(model.correct(state, 'temperature', 86.5, 0.04)).toBeCloseTo(1.5, 12);
    expect(model.read(state, 'temperature')).toEqual({ value: 86.5, stdDev: 0.2 });
  });
});

describe('what was never measured', () => {
  it('has an assumed value and no standard deviation', () => {
    const model = batchReactor();
    const state = model.initial();
    model.correct(state, 'pressure', 2.6, 0.0004);
    expect(model.read(state, 'temperature')).toEqual({ value: 85, stdDev: null });
    expect(model.read(state, 'pressure')).toEqual({ value: 2.6, stdDev: 0.02 });
  });
});

describe('prediction', () => {
  const options = resolveTwinOptions({
    asset: 'R101',
    sensors: { temperature: { quantity: 'temperature', staleAfterMs: 1000 } },
  });
  const first: EstimatedReading = {
    asset: 'R101',
    sensor: 'temperature',
    timestamp: 5000,
    value: 85,
    unit: 'degC',
    quality: 'Good',
    issues: NO_ISSUES,
    imputed: false,
    received: null,
    estimate: null,
  };

  it('integrates a copy forward, points at 0, step, … horizon', () => {
    const model = batchReactor({ jacketTemperatureDegC: 25 });
    const state = twinState(model, options)();
    twinStep(model, state, first, options);
    const before = structuredClone(state);
    const points = twinPrediction(model, state, 60, 25);
    expect(state).toEqual(before);
    expect(points.map(({ timestamp }) => timestamp)).toEqual([5000, 30_000, 55_000, 65_000]);
    expect(points[0]?.values).toEqual({ temperature: 85, pressure: 2.5, flow_rate: 120, conversion: 0 });
    expect(points.at(-1)?.values['temperature']).toBeCloseTo(25 + 60 * Math.exp(-60 / 840), 9);
  });
});

describe('state', () => {
  it('survives a JSON round trip', () => {
    const model = batchReactor();
    const state = model.initial();
    model.advance(state, 1.7);
    model.correct(state, 'temperature', 86.123456789, 0.1);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});

describe('parameters', () => {
  it.each<[Partial<BatchReactorParameters>, string]>([
    [{ massKg: 0 }, 'massKg: 0 is not valid, expected a number > 0'],
    [{ initialConversion: 1.5 }, 'initialConversion: 1.5 is not valid, expected a number from 0 to 1'],
    [{ pressureExponent: -1 }, 'pressureExponent: -1 is not valid, expected a number >= 0'],
  ])('refuses %j', (parameters, message) => {
    expect(() => batchReactor(parameters)).toThrow(new RangeError(message));
  });

  it('refuses unknown ones by name', () => {
    const misspelt: Record<string, number> = { mass: 5 };
    expect(() => batchReactor(misspelt)).toThrow(/^mass: unknown parameter/);
  });
});
