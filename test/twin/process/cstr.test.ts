import { describe, expect, test } from 'vitest';
import { unitConversion } from '../../../operators/steps/unit.ts';
import { cstr } from '../../../src/twin/process/cstr.ts';
import { CSTR_DEFAULTS } from '../../../src/twin/process/cstrParameters.ts';
import type { CstrParameters } from '../../../src/twin/process/cstrParameters.ts';
import type { ProcessModel } from '../../../src/twin/process/model.ts';

const initial = (variables: readonly { readonly initial: number }[]): number[] =>
  variables.map((variable) => variable.initial);
const named = (variables: ProcessModel['inputs']): Record<string, number> =>
  Object.fromEntries(variables.map((variable) => [variable.name, variable.initial]));

/** At the model's own start, or at `x`. */
function rates(model: ProcessModel, x: readonly number[] = initial(model.states)): number[] {
  const dxdt = new Float64Array(model.states.length);
  model.derivatives(x, initial(model.inputs), initial(model.parameters), dxdt);
  return [...dxdt];
}

function shown(
  model: ProcessModel,
  x = initial(model.states),
  u = initial(model.inputs),
): Record<string, number> {
  const p = initial(model.parameters);
  return Object.fromEntries(
    Object.entries(model.outputs).map(([name, output]) => [name, output.read(x, u, p)]),
  );
}

describe('balances', () => {
  test('of the example, against the textbook in its own units', () => {
    // Seborg: mol/L, K, min.
    const rate = 7.2e10 * Math.exp(-8750 / 350) * 0.5;
    const perMinute = {
      concentration: (100 / 100) * (1 - 0.5) - rate,
      temperature:
        (100 / 100) * (350 - 350) +
        (5e4 / (1000 * 0.239)) * rate +
        (5e4 / (100 * 1000 * 0.239)) * (300 - 350),
    };
    const [concentration, temperature] = rates(cstr());
    expect((concentration ?? NaN) * 0.06).toBeCloseTo(perMinute.concentration, 12);
    expect((temperature ?? NaN) * 60).toBeCloseTo(perMinute.temperature, 9);
  });

  test('with a jacket the heat that the reactor gives is the heat that the coolant takes', () => {
    const base = { initialTemperatureDegC: 80, coolantTemperatureDegC: 30, preExponentialFactorPerS: 0 };
    // No flows, no reaction: only the wall is left.
    const model = cstr({
      ...base,
      flowRateLPerMin: 0,
      coolantFlowRateLPerMin: 0,
      jacketVolumeL: 15,
      coolantDensityKgPerM3: 1050,
      coolantHeatCapacityJPerKgK: 3600,
    });
    const [, reactor, coolant] = rates(model);
    const heat = (50_000 / 60) * 50;
    expect((reactor ?? NaN) * 0.1 * 1000 * 239).toBeCloseTo(-heat, 6);
    expect((coolant ?? NaN) * 0.015 * 1050 * 3600).toBeCloseTo(heat, 6);
    // The flow brings the inlet's temperature.
    const [, , flowing] = rates(
      cstr({
        ...base,
        heatTransferWPerK: 0,
        jacketVolumeL: 15,
        coolantFlowRateLPerMin: 30,
        coolantInletTemperatureDegC: 10,
      }),
    );
    expect(flowing).toBeCloseTo((30 / 60 / 15) * (10 - 30), 12);
  });

  test('finite everywhere within the bounds, and where a failed step gets to', () => {
    for (const model of [cstr(), cstr({ jacketVolumeL: 10 })]) {
      const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
        model.states.map(({ min, max }, i) => ((bits >> i) & 1 ? max : min)),
      );
      for (const x of [...corners, model.states.map(() => -1e9), model.states.map(() => 0)]) {
        expect(rates(model, x).every(Number.isFinite)).toBe(true);
      }
    }
  });
});

test('the parameters are those of the example, in SI', () => {
  const { parameters, inputs, states } = cstr();
  expect(named(parameters)).toEqual({
    volume: 0.1,
    density: 1000,
    heatCapacity: 239,
    reactionHeat: 50_000,
    preExponentialFactor: 1.2e9,
    activationTemperature: 8750,
    heatTransfer: 50_000 / 60,
  });
  expect(named(inputs)).toEqual({
    flowRate: 100 / 60_000,
    feedConcentration: 1000,
    feedTemperature: 350,
    coolantTemperature: 300,
    pressure: 101_325,
  });
  expect(named(states)).toEqual({ concentration: 500, temperature: 350 });
});

test('energy for temperature, coefficient and area for their product', () => {
  const { parameters } = cstr({
    activationEnergyJPerMol: 72_747.5,
    heatTransferCoefficientWPerM2K: 400,
    heatTransferAreaM2: 2.5,
  });
  expect(named(parameters)['activationTemperature']).toBeCloseTo(8749.51, 2);
  expect(named(parameters)['heatTransfer']).toBe(1000);
});

test('a modelled jacket is a third state, with flow and inlet in place of the coolant', () => {
  const model = cstr({ jacketVolumeL: 20, coolantFlowRateLPerMin: 60, coolantInletTemperatureDegC: 15 });
  expect(named(model.states)).toEqual({ concentration: 500, temperature: 350, coolantTemperature: 300 });
  expect(named(model.inputs)).toEqual({
    flowRate: 100 / 60_000,
    feedConcentration: 1000,
    feedTemperature: 350,
    coolantFlowRate: 0.001,
    coolantInletTemperature: 288.15,
    pressure: 101_325,
  });
  expect(named(model.parameters)).toMatchObject({
    jacketVolume: 0.02,
    coolantDensity: 1000,
    coolantHeatCapacity: 4180,
  });
  expect(Object.keys(model.measured)).toEqual([
    'temperature',
    'concentration',
    'conversion',
    'flow_rate',
    'feed_concentration',
    'feed_temperature',
    'pressure',
    'coolant_temperature',
    'coolant_flow_rate',
    'coolant_inlet_temperature',
  ]);
  expect(shown(model)['coolant_temperature']).toBeCloseTo(26.85, 10);
});

describe('what is measured', () => {
  test('outputs agree with what is shown', () => {
    for (const model of [cstr(), cstr({ jacketVolumeL: 10 })]) {
      const values = shown(model);
      for (const [name, quantity] of Object.entries(model.measured)) {
        if (quantity.kind === 'input') continue;
        const read = quantity.read(initial(model.states), initial(model.inputs), initial(model.parameters));
        expect(read).toBeCloseTo(values[name] ?? NaN, 12);
        expect(quantity.unit).toBe(model.outputs[name]?.unit);
      }
    }
  });

  test('inputs arrive in the unit of the model', () => {
    const { measured, inputs } = cstr({ jacketVolumeL: 10 });
    const taken = (name: string, value: number): unknown => {
      const quantity = measured[name];
      if (quantity?.kind !== 'input') return undefined;
      expect(inputs.some((input) => input.name === quantity.input)).toBe(true);
      return [quantity.unit, quantity.toInput(value)];
    };
    expect(taken('flow_rate', 120)).toEqual(['L/min', 0.002]);
    expect(taken('coolant_flow_rate', 60)).toEqual(['L/min', 0.001]);
    expect(taken('feed_temperature', 76.85)).toEqual(['degC', 350]);
    expect(taken('coolant_inlet_temperature', 0)).toEqual(['degC', 273.15]);
    expect(taken('feed_concentration', 1.5)).toEqual(['mol/L', 1500]);
    expect(taken('pressure', 2.5)).toEqual(['MPa', 2.5e6]);
    expect(taken('coolant_temperature', 20)).toBeUndefined();
  });

  test('sensor units that this service can convert are written as it writes them', () => {
    const { measured } = cstr({ jacketVolumeL: 10 });
    for (const unit of new Set(Object.values(measured).map((quantity) => quantity.unit))) {
      if (unit !== 'mol/L') expect(unitConversion(unit, unit)).toBeDefined();
    }
  });
});

test('what is shown, at the start of the example', () => {
  const rate = 7.2e10 * Math.exp(-25) * 0.5;
  const values = shown(cstr());
  expect(values['temperature']).toBeCloseTo(76.85, 10);
  expect(values['concentration']).toBe(0.5);
  expect(values['conversion']).toBe(0.5);
  expect(values['reaction_rate']).toBeCloseTo(rate, 12);
  expect(values['heat_release']).toBeCloseTo((5e4 * 100 * rate) / 60 / 1000, 9);
  expect(values['heat_removed']).toBeCloseTo((5e4 * 50) / 60 / 1000, 9);
  expect(values['coolant_temperature']).toBeCloseTo(26.85, 10);
  expect(values['flow_rate']).toBeCloseTo(100, 10);
  expect(values['pressure']).toBeCloseTo(0.101325, 12);
});

test('conversion shown stays from 0 to 1, conversion measured does not', () => {
  const model = cstr();
  const u = initial(model.inputs);
  expect(shown(model, [1100, 350])['conversion']).toBe(0);
  expect(shown(model, [-1, 350])['conversion']).toBe(1);
  expect(shown(model, [0, 350], [u[0] ?? 0, 0, ...u.slice(2)])['conversion']).toBe(0);
  const quantity = model.measured['conversion'];
  expect(quantity?.kind === 'output' && quantity.read([1100, 350], u, [])).toBeCloseTo(-0.1, 12);
});

test('bounds hold the start, and scales are above 0', () => {
  for (const model of [cstr(), cstr({ jacketVolumeL: 10 }), cstr({ preExponentialFactorPerS: 0 })]) {
    for (const { name, min, max, initial: start } of [
      ...model.states,
      ...model.inputs,
      ...model.parameters,
    ]) {
      expect(min, name).toBeLessThanOrEqual(start);
      expect(max, name).toBeGreaterThan(start);
    }
    expect(model.states.every(({ scale }) => scale > 0)).toBe(true);
  }
  const without = cstr({ feedConcentrationMolPerL: 0, initialConcentrationMolPerL: 0 });
  expect(without.states[0]?.scale).toBe(1);
});

describe('parameters that are refused', () => {
  test.each<[Partial<CstrParameters>, string]>([
    [{ volumeL: 0 }, 'volumeL: 0 is not valid, expected a number > 0'],
    [{ densityKgPerM3: -1 }, 'densityKgPerM3: -1 is not valid, expected a number > 0'],
    [{ heatCapacityJPerKgK: NaN }, 'heatCapacityJPerKgK: NaN is not valid, expected a number > 0'],
    [{ reactionHeatJPerMol: Infinity }, 'reactionHeatJPerMol: Infinity is not valid, expected a number'],
    [{ preExponentialFactorPerS: -1 }, 'preExponentialFactorPerS: -1 is not valid, expected a number >= 0'],
    [{ activationTemperatureK: -1 }, 'activationTemperatureK: -1 is not valid, expected a number >= 0'],
    [
      { activationTemperatureK: 8750, activationEnergyJPerMol: 72_750 },
      'activationEnergyJPerMol: 72750 is not valid, expected either it or activationTemperatureK',
    ],
    [
      { heatTransferWPerK: 800, heatTransferAreaM2: 2 },
      'heatTransferWPerK: 800 is not valid, expected either it or heatTransferCoefficientWPerM2K and heatTransferAreaM2',
    ],
    [
      { heatTransferAreaM2: 2 },
      'heatTransferAreaM2: 2 is not valid, expected heatTransferCoefficientWPerM2K beside it',
    ],
    [
      { heatTransferCoefficientWPerM2K: 2 },
      'heatTransferCoefficientWPerM2K: 2 is not valid, expected heatTransferAreaM2 beside it',
    ],
    [{ feedTemperatureDegC: -300 }, 'feedTemperatureDegC: -300 is not valid, expected a number > -273.15'],
    [{ jacketVolumeL: 0 }, 'jacketVolumeL: 0 is not valid, expected a number > 0'],
    [
      { coolantFlowRateLPerMin: 50 },
      'coolantFlowRateLPerMin: 50 is not valid, expected jacketVolumeL beside it',
    ],
  ])('%j', (given, message) => {
    expect(() => cstr(given)).toThrow(RangeError);
    expect(() => cstr(given)).toThrow(message);
  });

  test('an unknown one, with all that there are', () => {
    const wrong: Record<string, number> = { volume: 100 };
    expect(() => cstr(wrong)).toThrow(
      new RangeError(`volume: unknown parameter, expected one of ${Object.keys(CSTR_DEFAULTS).join(', ')}`),
    );
  });

  test('null where a number is needed', () => {
    const wrong: Record<string, number | null> = { volumeL: null };
    expect(() => cstr(wrong)).toThrow('volumeL: null is not valid, expected a number > 0');
  });
});
