import type { ProcessModel } from '../../src/twin/process/model.ts';

/**
 * A stirred tank with a first-order exothermic reaction and a jacket, in mol/L, K and seconds; written for the tests of
 * the filters, apart from the shipped model. Figures of Seborg et al., example 2.5.
 *
 *     dc/dt = q/V (cf - c) - k c                       k = k0 exp(-E / T)
 *     dT/dt = q/V (Tf - T) + 5e4/239 k c + UA (Tc - T) / (V 239)
 *
 * `UA` in J/(min K); `at` are other values to begin with.
 */
export function stirredTank(
  at: Partial<Record<'c' | 'T' | 'UA' | 'cf' | 'Tc' | 'q' | 'k0', number>> = {},
): ProcessModel {
  const { c = 0.87725294608097, T = 324.475443431599, UA = 5e4, cf = 1, Tc = 300, q = 100, k0 = 7.2e10 } = at;
  return {
    type: 'stirredTank',
    states: [
      { name: 'c', unit: 'mol/L', initial: c, min: 0, max: 10, scale: 0.1 },
      { name: 'T', unit: 'K', initial: T, min: 200, max: 700, scale: 10 },
    ],
    inputs: [
      { name: 'q', unit: 'L/min', initial: q, min: 0, max: 1000 },
      { name: 'Tc', unit: 'K', initial: Tc, min: 200, max: 500 },
      { name: 'cf', unit: 'mol/L', initial: cf, min: 0, max: 10 },
    ],
    parameters: [
      { name: 'UA', unit: 'J/(min K)', initial: UA, min: 0, max: 1e6 },
      { name: 'k0', unit: '1/min', initial: k0, min: 0, max: 1e13 },
    ],
    derivatives(x, u, p, dxdt) {
      const [c = 0, T = 0] = [x[0], x[1]];
      const [q = 0, Tc = 0, cf = 0] = [u[0], u[1], u[2]];
      const [UA = 0, k0 = 0] = [p[0], p[1]];
      const rate = k0 * Math.exp(-8750 / T) * c;
      dxdt[0] = ((q / 100) * (cf - c) - rate) / 60;
      dxdt[1] = ((q / 100) * (350 - T) + (5e4 / 239) * rate + (UA * (Tc - T)) / 23_900) / 60;
    },
    measured: {
      temperature: { kind: 'output', unit: 'degC', read: (x) => (x[1] ?? NaN) - 273.15 },
      concentration: { kind: 'output', unit: 'mol/L', read: (x) => x[0] ?? NaN },
      flow_rate: { kind: 'input', unit: 'L/min', input: 'q', toInput: (value) => value },
      coolant: { kind: 'input', unit: 'degC', input: 'Tc', toInput: (value) => value + 273.15 },
    },
    outputs: {
      temperature: { unit: 'degC', read: (x) => (x[1] ?? NaN) - 273.15 },
      concentration: { unit: 'mol/L', read: (x) => x[0] ?? NaN },
      conversion: { unit: '1', read: (x, u) => Math.min(1, Math.max(0, 1 - (x[0] ?? NaN) / (u[2] ?? NaN))) },
    },
  };
}

/** Seeded standard normal numbers (mulberry32, Box and Muller). */
export function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
