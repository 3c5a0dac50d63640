import { expect, test } from 'vitest';
import { cstr } from '../../../src/twin/process/cstr.ts';
import { integrator } from '../../../src/twin/process/integrator.ts';
import { steadyStates } from '../../../src/twin/process/steadyStates.ts';
import { difference, fixture } from './cstrFixture.ts';

test.each(fixture.steady)('with coolant at $coolant K and k0 $k0', ({ coolant, k0, states }) => {
  const model = cstr({ preExponentialFactorPerS: k0 });
  const u = model.inputs.map(({ name, initial }) => (name === 'coolantTemperature' ? coolant : initial));
  const p = model.parameters.map(({ initial }) => initial);
  const found = steadyStates(model, u, p);
  expect(found).toHaveLength(states.length);
  found.forEach(({ x }, i) => expect(difference(x, states[i] ?? [])).toBeLessThan(1e-9));
});

test("Seborg's reactor: one of three is stable, one a saddle, one an unstable focus", () => {
  const model = cstr();
  const found = steadyStates(
    model,
    model.inputs.map(({ initial }) => initial),
    model.parameters.map(({ initial }) => initial),
  );
  expect(found.map(({ stable }) => stable)).toEqual([true, false, false]);
  const [cold, saddle, hot] = found.map(({ eigenvalues }) => eigenvalues);
  expect(cold?.every(({ re, im }) => re < 0 && im !== 0)).toBe(true);
  expect(saddle?.map(({ re }) => Math.sign(re)).sort()).toEqual([-1, 1]);
  expect(hot?.every(({ re, im }) => re > 0 && im !== 0)).toBe(true);
});

test('with a modelled jacket: nothing changes there, and it is approached where it is stable', () => {
  const model = cstr({ jacketVolumeL: 20, coolantFlowRateLPerMin: 50, coolantInletTemperatureDegC: 20 });
  const u = model.inputs.map(({ initial }) => initial);
  const p = model.parameters.map(({ initial }) => initial);
  const found = steadyStates(model, u, p);
  expect(found.length % 2).toBe(1);
  for (const { x, stable, eigenvalues } of found) {
    expect(eigenvalues).toHaveLength(3);
    const rates = new Float64Array(3);
    model.derivatives(x, u, p, rates);
    expect(Math.max(...rates.map(Math.abs))).toBeLessThan(1e-10);
    if (!stable) continue;
    const near = Float64Array.from(x, (value) => value * 1.001);
    expect(integrator(model).advance(near, u, p, 7200).status).toBe('done');
    expect(difference(near, [...x])).toBeLessThan(1e-8);
  }
  expect(found.some(({ stable }) => stable)).toBe(true);
});
