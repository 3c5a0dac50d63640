import { cstr } from '../src/twin/process/cstr.ts';
import { integrator } from '../src/twin/process/integrator.ts';
import type { IntegratorOptions } from '../src/twin/process/integrator.ts';
import { cpuOf, median } from './support.ts';
import type { Bench, Measure } from './support.ts';

const SHORT_CALLS = 100_000;
const STIFF_CALLS = 20;
const ROUNDS = 9;
/** Stages of the explicit method: what a step cannot do without. */
const STAGES = 7;
const TARGET_NS = 2000;

const model = cstr();
const jacketed = cstr({ jacketVolumeL: 20 });
const u = Float64Array.from(model.inputs, ({ initial }) => initial);
const p = Float64Array.from(model.parameters, ({ initial }) => initial);

/** What it costs to bring a model forward: a reading's step, as the filter takes 2n + 1 of, and a stiff minute. */
export const measure: Bench = ({ quick }) => {
  const calls = quick ? SHORT_CALLS / 100 : SHORT_CALLS;
  const short = medianNs(calls, (n) => steps(n, 1));
  const derivatives = medianNs(calls, evaluate);
  const jacket = medianNs(calls, (n) => jacketSteps(n));
  const stiff = medianNs(quick ? 2 : STIFF_CALLS, (n) => stiffMinutes(n, 'auto'));
  const explicit = medianNs(quick ? 2 : STIFF_CALLS, (n) => stiffMinutes(n, 'explicit'));
  return Promise.resolve<Measure[]>([
    {
      name: 'a 1-s step of the cstr',
      result: `${short.toFixed(0)} ns`,
      baseline: `its ${STAGES} evaluations of the model alone: ${derivatives.toFixed(0)} ns`,
      ratio: (short / derivatives).toFixed(1),
      target: `<= ${TARGET_NS} ns`,
      reached: short <= TARGET_NS,
    },
    {
      name: 'a 1-s step of the cstr with a modelled jacket',
      result: `${jacket.toFixed(0)} ns`,
      baseline: `without: ${short.toFixed(0)} ns`,
      ratio: (jacket / short).toFixed(1),
      target: '',
      reached: null,
    },
    {
      name: 'a minute of a stiff cstr (k0 times 1000), one call',
      result: `${(stiff / 1000).toFixed(0)} µs`,
      baseline: `explicit all the way: ${(explicit / 1000).toFixed(0)} µs`,
      ratio: (stiff / explicit).toFixed(2),
      target: '',
      reached: null,
    },
  ]);
};

function medianNs(count: number, work: (count: number) => void): number {
  work(count);
  return median(Array.from({ length: ROUNDS }, () => cpuOf(() => work(count)) / count));
}

const solver = integrator(model);
const jacketSolver = integrator(jacketed);
const jacketU = Float64Array.from(jacketed.inputs, ({ initial }) => initial);
const jacketP = Float64Array.from(jacketed.parameters, ({ initial }) => initial);
const x = new Float64Array(2);
const jacketX = new Float64Array(3);
const rates = new Float64Array(2);

function steps(count: number, dtS: number): void {
  for (let i = 0; i < count; i += 1) {
    // Beside each other, as sigma points are.
    x[0] = 877 + (i & 7);
    x[1] = 324.5 + (i & 3);
    if (solver.advance(x, u, p, dtS).status !== 'done') throw new Error('not done');
  }
}

function jacketSteps(count: number): void {
  for (let i = 0; i < count; i += 1) {
    jacketX[0] = 877 + (i & 7);
    jacketX[1] = 324.5 + (i & 3);
    jacketX[2] = 300;
    if (jacketSolver.advance(jacketX, jacketU, jacketP, 1).status !== 'done') throw new Error('not done');
  }
}

function evaluate(count: number): void {
  for (let i = 0; i < count; i += 1) {
    x[0] = 877 + (i & 7);
    x[1] = 324.5 + (i & 3);
    for (let stage = 0; stage < STAGES; stage += 1) model.derivatives(x, u, p, rates);
  }
}

function stiffMinutes(count: number, method: NonNullable<IntegratorOptions['method']>): void {
  const fast = integrator(model, { method });
  const fastP = Float64Array.from(p, (value, i) => (i === 4 ? value * 1000 : value));
  for (let i = 0; i < count; i += 1) {
    x[0] = 500;
    x[1] = 350;
    if (fast.advance(x, u, fastP, 60).status !== 'done') throw new Error('not done');
  }
}
