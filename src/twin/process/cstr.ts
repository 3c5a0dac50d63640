import { cstrQuantities, L_PER_MIN, PA_PER_MPA, PER_LITRE, ZERO_CELSIUS_K } from './cstrParameters.ts';
import type { CstrParameters, CstrQuantities } from './cstrParameters.ts';
import type {
  MeasuredInput,
  MeasuredQuantity,
  OutputQuantity,
  ProcessModel,
  StateVariable,
  Variable,
} from './model.ts';

/**
 * Continuous stirred tank reactor with a first-order reaction A -> B and a cooling jacket
 * (Seborg, Edgar, Mellichamp, Doyle, Process Dynamics and Control, section 2.4.6 and example 2.5).
 *
 *     V dc/dt            = q (cf - c) - V r                            r = k0 exp(-Ta / T) c
 *     V rho cp dT/dt     = q rho cp (Tf - T) + H V r + UA (Tc - T)
 *     Vc rhoc cpc dTc/dt = qc rhoc cpc (Tci - Tc) + UA (T - Tc)        only with a modelled jacket; else Tc is an input
 *
 * c concentration of A, mol/m3; T temperature of the reactor, K; Tc of the coolant in the jacket, K; q flow rate of the
 * feed and of the outflow, m3/s; cf, Tf concentration and temperature of the feed; qc, Tci flow rate and temperature of
 * the coolant at its inlet; V, Vc volumes of reactor and jacket, m3; rho, rhoc densities, kg/m3; cp, cpc heat capacities,
 * J/(kg K); H heat set free by a mole of A, J/mol; k0 pre-exponential factor, 1/s; Ta activation temperature E/R, K;
 * UA heat transfer, W/K; r rate of reaction, mol/(m3 s).
 */
export function cstr(given: Partial<CstrParameters> = {}): ProcessModel {
  const q = cstrQuantities(given);
  const withJacket = q.jacket !== null;
  return {
    type: 'cstr',
    states: states(q),
    inputs: inputs(q),
    parameters: parameters(q),
    derivatives: withJacket ? derivativesWithJacket : derivatives,
    measured: withJacket
      ? { ...MEASURED, coolant_temperature: stateIn('degC', 2), ...MEASURED_JACKET }
      : { ...MEASURED, coolant_temperature: celsiusInput('coolantTemperature') },
    outputs: withJacket ? outputs((x) => x[2] ?? NaN) : outputs((_x, u) => u[3] ?? NaN),
  };
}

type Values = ArrayLike<number>;

/** r / c, 1/s. At 0 K and below, where only a failed step gets to, nothing reacts. */
function rateConstant(temperature: number, p: Values): number {
  return temperature > 0 ? (p[4] ?? NaN) * Math.exp(-(p[5] ?? NaN) / temperature) : 0;
}

function derivatives(x: Values, u: Values, p: Values, dxdt: Float64Array): void {
  balances(x, u, p, u[3] ?? NaN, dxdt);
}

function balances(x: Values, u: Values, p: Values, coolant: number, dxdt: Float64Array): void {
  const concentration = x[0] ?? NaN;
  const temperature = x[1] ?? NaN;
  const volume = p[0] ?? NaN;
  const capacity = (p[1] ?? NaN) * (p[2] ?? NaN);
  const exchange = (u[0] ?? NaN) / volume;
  const rate = rateConstant(temperature, p) * concentration;
  dxdt[0] = exchange * ((u[1] ?? NaN) - concentration) - rate;
  dxdt[1] =
    exchange * ((u[2] ?? NaN) - temperature) +
    ((p[3] ?? NaN) * rate + ((p[6] ?? NaN) / volume) * (coolant - temperature)) / capacity;
}

function derivativesWithJacket(x: Values, u: Values, p: Values, dxdt: Float64Array): void {
  const coolant = x[2] ?? NaN;
  balances(x, u, p, coolant, dxdt);
  const capacity = (p[8] ?? NaN) * (p[9] ?? NaN);
  dxdt[2] =
    ((u[3] ?? NaN) * ((u[4] ?? NaN) - coolant) + ((p[6] ?? NaN) * ((x[1] ?? NaN) - coolant)) / capacity) /
    (p[7] ?? NaN);
}

/** A liquid's; far outside of what a reactor stands, so that a bound never shapes a trajectory. */
const TEMPERATURE = { unit: 'K', min: 100, max: 5000 } as const;
const CONCENTRATION = { unit: 'mol/m3', min: 0, max: 1e6 } as const;
const FLOW = { unit: 'm3/s', min: 0, max: 1e3 } as const;

function states(q: CstrQuantities): StateVariable[] {
  const scale = Math.max(q.feedConcentration, q.concentration) / 10 || 1;
  const always: StateVariable[] = [
    { name: 'concentration', ...CONCENTRATION, initial: q.concentration, scale },
    { name: 'temperature', ...TEMPERATURE, initial: q.temperature, scale: 10 },
  ];
  if (q.jacket === null) return always;
  return [
    ...always,
    { name: 'coolantTemperature', ...TEMPERATURE, initial: q.coolantTemperature, scale: 10 },
  ];
}

function inputs(q: CstrQuantities): Variable[] {
  const pressure = { name: 'pressure', unit: 'Pa', initial: q.pressure, min: 0, max: 1e9 };
  const feed = [
    { name: 'flowRate', ...FLOW, initial: q.flowRate },
    { name: 'feedConcentration', ...CONCENTRATION, initial: q.feedConcentration },
    { name: 'feedTemperature', ...TEMPERATURE, initial: q.feedTemperature },
  ];
  if (q.jacket === null) {
    return [...feed, { name: 'coolantTemperature', ...TEMPERATURE, initial: q.coolantTemperature }, pressure];
  }
  return [
    ...feed,
    { name: 'coolantFlowRate', ...FLOW, initial: q.jacket.flowRate },
    { name: 'coolantInletTemperature', ...TEMPERATURE, initial: q.jacket.inletTemperature },
    pressure,
  ];
}

function parameters(q: CstrQuantities): Variable[] {
  // An estimate may move by three powers of ten, and where the physics allow it to nothing.
  const around = (name: string, unit: string, initial: number, min = initial / 1000): Variable => ({
    name,
    unit,
    initial,
    min,
    max: initial > 0 ? initial * 1000 : 1,
  });
  const heat = Math.max(Math.abs(q.reactionHeat), 1) * 1000;
  const always: Variable[] = [
    around('volume', 'm3', q.volume),
    around('density', 'kg/m3', q.density),
    around('heatCapacity', 'J/(kg K)', q.heatCapacity),
    { name: 'reactionHeat', unit: 'J/mol', initial: q.reactionHeat, min: -heat, max: heat },
    around('preExponentialFactor', '1/s', q.preExponentialFactor, 0),
    around('activationTemperature', 'K', q.activationTemperature, 0),
    around('heatTransfer', 'W/K', q.heatTransfer, 0),
  ];
  if (q.jacket === null) return always;
  return [
    ...always,
    around('jacketVolume', 'm3', q.jacket.volume),
    around('coolantDensity', 'kg/m3', q.jacket.density),
    around('coolantHeatCapacity', 'J/(kg K)', q.jacket.heatCapacity),
  ];
}

const toCelsius = (kelvin: number): number => kelvin - ZERO_CELSIUS_K;
const toKelvin = (celsius: number): number => celsius + ZERO_CELSIUS_K;
const celsiusInput = (input: string): MeasuredInput => ({
  kind: 'input',
  unit: 'degC',
  input,
  toInput: toKelvin,
});
const flowInput = (input: string): MeasuredInput => ({
  kind: 'input',
  unit: 'L/min',
  input,
  toInput: (value) => value / L_PER_MIN,
});
const stateIn = (unit: 'degC' | 'mol/L', index: number): MeasuredQuantity => ({
  kind: 'output',
  unit,
  read: unit === 'degC' ? (x) => toCelsius(x[index] ?? NaN) : (x) => (x[index] ?? NaN) / PER_LITRE,
});

const MEASURED: Readonly<Record<string, MeasuredQuantity>> = {
  temperature: stateIn('degC', 1),
  concentration: stateIn('mol/L', 0),
  conversion: {
    kind: 'output',
    unit: '1',
    // Not bounded: a filter needs to see how it moves near 0 and 1.
    read: (x, u) => 1 - (x[0] ?? NaN) / (u[1] ?? NaN),
  },
  flow_rate: flowInput('flowRate'),
  feed_concentration: {
    kind: 'input',
    unit: 'mol/L',
    input: 'feedConcentration',
    toInput: (value) => value * PER_LITRE,
  },
  feed_temperature: celsiusInput('feedTemperature'),
  pressure: { kind: 'input', unit: 'MPa', input: 'pressure', toInput: (value) => value * PA_PER_MPA },
};

const MEASURED_JACKET: Readonly<Record<string, MeasuredQuantity>> = {
  coolant_flow_rate: flowInput('coolantFlowRate'),
  coolant_inlet_temperature: celsiusInput('coolantInletTemperature'),
};

/** The part of the feed that has reacted, from 0 to 1; 0 without reactant in the feed. */
function conversion(x: Values, u: Values): number {
  const feed = u[1] ?? NaN;
  if (feed <= 0) return 0;
  return Math.min(1, Math.max(0, 1 - (x[0] ?? NaN) / feed));
}

function outputs(coolant: (x: Values, u: Values) => number): Record<string, OutputQuantity> {
  const rate = (x: Values, p: Values): number => rateConstant(x[1] ?? NaN, p) * (x[0] ?? NaN);
  return {
    temperature: { unit: 'degC', read: (x) => toCelsius(x[1] ?? NaN) },
    concentration: { unit: 'mol/L', read: (x) => (x[0] ?? NaN) / PER_LITRE },
    conversion: { unit: '1', read: conversion },
    // mol/(m3 s) -> mol/(L min)
    reaction_rate: { unit: 'mol/(L min)', read: (x, _u, p) => (rate(x, p) * 60) / PER_LITRE },
    heat_release: {
      unit: 'kW',
      read: (x, _u, p) => ((p[3] ?? NaN) * (p[0] ?? NaN) * rate(x, p)) / 1000,
    },
    heat_removed: {
      unit: 'kW',
      read: (x, u, p) => ((p[6] ?? NaN) * ((x[1] ?? NaN) - coolant(x, u))) / 1000,
    },
    coolant_temperature: { unit: 'degC', read: (x, u) => toCelsius(coolant(x, u)) },
    flow_rate: { unit: 'L/min', read: (_x, u) => (u[0] ?? NaN) * L_PER_MIN },
    pressure: { unit: 'MPa', read: (_x, u) => (u[u.length - 1] ?? NaN) / PA_PER_MPA },
  };
}
