import { describe, expect, test } from 'vitest';
import { cstr } from '../../../src/twin/process/cstr.ts';
import { integrator } from '../../../src/twin/process/integrator.ts';
import type { IntegratorOptions } from '../../../src/twin/process/integrator.ts';
import type { ProcessModel } from '../../../src/twin/process/model.ts';
import { difference, fixture } from './cstrFixture.ts';

/** A model of free states, each in (min, max), whose rates `f` writes. */
function free(
  n: number,
  f: ProcessModel['derivatives'],
  min = -Number.MAX_VALUE,
  max = Number.MAX_VALUE,
): ProcessModel {
  return {
    type: 'free',
    states: Array.from({ length: n }, (_, i) => ({
      name: `x${i}`,
      unit: '1',
      initial: 1,
      min,
      max,
      scale: 1,
    })),
    inputs: [],
    parameters: [],
    derivatives: f,
    measured: {},
    outputs: {},
  };
}

const METHODS = ['auto', 'explicit', 'implicit'] as const;
const decay = free(1, (x, _u, _p, dxdt) => {
  dxdt[0] = -(x[0] ?? NaN);
});

describe('golden trajectories', () => {
  test.each(fixture.golden.flatMap((golden) => METHODS.map((method) => ({ ...golden, method }))))(
    '$name, $method',
    ({ method, coolant, stepMin, concentration, temperature }) => {
      const model = cstr();
      const { advance } = integrator(model, { method });
      const u = model.inputs.map(({ name, initial }) => (name === 'coolantTemperature' ? coolant : initial));
      const p = model.parameters.map(({ initial }) => initial);
      const x = Float64Array.of((concentration[0] ?? NaN) * 1000, temperature[0] ?? NaN);
      expect(concentration).toHaveLength(101);
      let worst = 0;
      for (let i = 1; i < concentration.length; i++) {
        expect(advance(x, u, p, stepMin * 60).status).toBe('done');
        worst = Math.max(worst, difference(x, [(concentration[i] ?? NaN) * 1000, temperature[i] ?? NaN]));
      }
      expect(worst).toBeLessThan(1e-7);
    },
  );
});

describe('reference trajectories', () => {
  test.each(fixture.reference.flatMap((reference) => METHODS.map((method) => ({ ...reference, method }))))(
    '$name, $method, point by point and in one call',
    ({ method, jacket, stepS, p, u, x: start, states }) => {
      const { advance } = integrator(cstr(jacket ? { jacketVolumeL: 1 } : {}), { method });
      const x = Float64Array.from(start);
      let worst = 0;
      for (const expected of states) {
        expect(advance(x, u, p, stepS).status).toBe('done');
        worst = Math.max(worst, difference(x, expected));
      }
      expect(worst).toBeLessThan(1e-7);

      const atOnce = Float64Array.from(start);
      expect(advance(atOnce, u, p, stepS * states.length)).toMatchObject({
        status: 'done',
        reachedS: stepS * states.length,
        drawnIn: false,
      });
      expect(difference(atOnce, states.at(-1) ?? [])).toBeLessThan(1e-7);
    },
  );

  test('stiff ones turn implicit and need far fewer steps', () => {
    for (const { name, jacket, stepS, p, u, x: start, states } of fixture.reference) {
      const model = cstr(jacket ? { jacketVolumeL: 1 } : {});
      const steps = METHODS.map((method) => {
        const result = integrator(model, { method }).advance(
          Float64Array.from(start),
          u,
          p,
          stepS * states.length,
        );
        return { all: result.steps, implicit: result.implicitSteps };
      });
      const [auto, explicit, implicit] = steps;
      expect(explicit?.implicit).toBe(0);
      expect(implicit?.implicit).toBe(implicit?.all);
      if (['fastReaction', 'smallJacket'].includes(name)) {
        expect(auto?.implicit).toBeGreaterThan(0);
        expect(auto?.all).toBeLessThan((explicit?.all ?? 0) / 10);
      } else if (name !== 'cooled') {
        expect(auto?.implicit).toBe(0);
      }
    }
  });
});

describe('accuracy', () => {
  const orbit = free(2, (x, _u, _p, dxdt) => {
    dxdt[0] = x[1] ?? NaN;
    dxdt[1] = -(x[0] ?? NaN);
  });

  test.each(METHODS)('follows the tolerance, %s', (method) => {
    const errors = [1e-5, 1e-7, 1e-9].map((relativeTolerance) => {
      const x = Float64Array.of(1, 0);
      integrator(orbit, { method, relativeTolerance }).advance(x, [], [], 2 * Math.PI);
      return Math.hypot((x[0] ?? NaN) - 1, x[1] ?? NaN);
    });
    expect(errors[0]).toBeLessThan(1e-3);
    expect(errors[1]).toBeLessThan((errors[0] ?? 0) / 20);
    expect(errors[2]).toBeLessThan((errors[1] ?? 0) / 20);
    expect(errors[2]).toBeLessThan(1e-7);
  });

  test.each([
    { method: 'explicit', order: 5 },
    { method: 'implicit', order: 5 },
  ] as const)('$method is of order $order', ({ method, order }) => {
    const error = (h: number): number => {
      // So loose that each call is one step.
      const { advance } = integrator(decay, { method, relativeTolerance: 0.09 });
      const x = Float64Array.of(1);
      expect(advance(x, [], [], h).steps).toBe(1);
      return Math.abs((x[0] ?? NaN) - Math.exp(-h));
    };
    // The local error is one order higher.
    expect(Math.log2(error(0.4) / error(0.2))).toBeGreaterThan(order + 0.7);
    expect(Math.log2(error(0.4) / error(0.2))).toBeLessThan(order + 1.6);
  });

  test.each(METHODS)('many tiny steps are one long one, %s', (method) => {
    const { advance } = integrator(decay, { method });
    const x = Float64Array.of(1);
    for (let i = 0; i < 1000; i++) advance(x, [], [], 1e-6);
    expect(x[0]).toBeCloseTo(Math.exp(-1e-3), 13);
    advance(x, [], [], 1e-300);
    expect(x[0]).toBeCloseTo(Math.exp(-1e-3), 13);
  });

  test('a day of the limit cycle in one call, and second by second', () => {
    const model = cstr({ coolantTemperatureDegC: 31.85 });
    const u = model.inputs.map(({ initial }) => initial);
    const p = model.parameters.map(({ initial }) => initial);
    const { advance } = integrator(model);
    const atOnce = Float64Array.of(500, 350);
    expect(advance(atOnce, u, p, 86_400)).toMatchObject({ status: 'done', reachedS: 86_400, drawnIn: false });
    const bySecond = Float64Array.of(500, 350);
    for (let i = 0; i < 86_400; i++) advance(bySecond, u, p, 1);
    expect(difference(atOnce, [...bySecond])).toBeLessThan(1e-4);
  });

  test('an explosion within a microsecond at the start of a day, and what is left of it', () => {
    // Found by trying random reactors: the charge reacts within a microsecond, and then only cools.
    const model = cstr({
      preExponentialFactorPerS: 1.4e12,
      activationTemperatureK: 5000,
      heatCapacityJPerKgK: 300,
      reactionHeatJPerMol: 120_000,
      feedConcentrationMolPerL: 1.5,
      initialConcentrationMolPerL: 1.8,
      flowRateLPerMin: 0,
    });
    const u = model.inputs.map(({ initial }) => initial);
    const p = model.parameters.map(({ initial }) => initial);
    const x = Float64Array.of(1800, 350);
    expect(integrator(model).advance(x, u, p, 86_400)).toMatchObject({ status: 'done', reachedS: 86_400 });
    expect(x[0]).toBeCloseTo(0, 9);
    expect(x[1]).toBeCloseTo(300, 6);
  });

  test('the Robertson problem over eleven powers of ten of time', () => {
    // H. H. Robertson 1966; figures at t = 4e5 and 4e10 of Hairer and Wanner II, IV.10 and of CVODE's example.
    const robertson = free(
      3,
      ([a = NaN, b = NaN, c = NaN]: ArrayLike<number> & Iterable<number>, _u, _p, dxdt) => {
        const slow = 0.04 * a;
        const middle = 1e4 * b * c;
        const fast = 3e7 * b * b;
        dxdt[0] = -slow + middle;
        dxdt[1] = slow - middle - fast;
        dxdt[2] = fast;
      },
    );
    const { advance } = integrator(robertson, { relativeTolerance: 1e-6 });
    const x = Float64Array.of(1, 0, 0);
    const result = advance(x, [], [], 4e5);
    expect(result.status).toBe('done');
    expect(result.steps).toBeLessThan(1000);
    expect(x[0]).toBeCloseTo(4.938e-3, 5);
    expect((x[0] ?? 0) + (x[1] ?? 0) + (x[2] ?? 0)).toBeCloseTo(1, 9);
  });
});

describe('results', () => {
  test('follow from the arguments alone', () => {
    const model = cstr();
    const u = model.inputs.map(({ initial }) => initial);
    const p = model.parameters.map(({ initial }) => initial);
    const one = integrator(model);
    const first = Float64Array.of(950, 340);
    one.advance(first, u, p, 60);
    one.advance(Float64Array.of(0.005, 440), u, [...p.slice(0, 4), 1.2e12, ...p.slice(5)], 600);
    const second = Float64Array.of(950, 340);
    one.advance(second, u, p, 60);
    expect([...second]).toEqual([...first]);
  });

  test('a short, smooth step is one step', () => {
    const model = cstr();
    const { advance } = integrator(model);
    const x = Float64Array.of(877, 324.5);
    const u = model.inputs.map(({ initial }) => initial);
    const p = model.parameters.map(({ initial }) => initial);
    expect(advance(x, u, p, 1)).toEqual({
      status: 'done',
      reachedS: 1,
      steps: 1,
      rejectedSteps: 0,
      implicitSteps: 0,
      drawnIn: false,
    });
  });

  test('no time, no change', () => {
    const x = Float64Array.of(0.25);
    expect(integrator(decay).advance(x, [], [], 0)).toMatchObject({ status: 'done', reachedS: 0, steps: 0 });
    expect(x[0]).toBe(0.25);
  });

  test.each(METHODS)('the step limit ends it where it has got to, %s', (method) => {
    const { advance } = integrator(decay, { method, maxSteps: 3 });
    const x = Float64Array.of(1);
    const result = advance(x, [], [], 1000);
    expect(result.status).toBe('stepLimit');
    expect(result.steps + result.rejectedSteps).toBe(3);
    expect(result.reachedS).toBeLessThan(1000);
    expect(x[0]).toBeCloseTo(Math.exp(-result.reachedS), 7);
  });

  test.each(METHODS)(
    'a solution that ends in finite time is said, with the last good state, %s',
    (method) => {
      const explosive = free(1, (x, _u, _p, dxdt) => {
        dxdt[0] = (x[0] ?? NaN) ** 2;
      });
      const x = Float64Array.of(1);
      const result = integrator(explosive, { method }).advance(x, [], [], 2);
      expect(result.status).toBe('stepTooSmall');
      expect(result.reachedS).toBeCloseTo(1, 6);
      expect(x[0]).toBeGreaterThan(1e6);
      expect(x[0]).toBeLessThan(Infinity);
    },
  );

  test.each(METHODS)('what is not finite at the start is said, %s', (method) => {
    const { advance } = integrator(cstr(), { method });
    const model = cstr();
    const u = model.inputs.map(({ initial }) => initial);
    const p = model.parameters.map(({ initial }) => initial);
    const x = Float64Array.of(NaN, 350);
    expect(advance(x, u, p, 1)).toMatchObject({ status: 'notFinite', reachedS: 0 });
    const good = Float64Array.of(500, 350);
    expect(advance(good, [NaN, ...u.slice(1)], p, 1).status).toBe('notFinite');
    expect(advance(good, u, [Infinity, ...p.slice(1)], 1).status).toBe('done');
    expect(advance(good, u, [...p.slice(0, 3), Infinity, ...p.slice(4)], 1).status).toBe('notFinite');
    expect([...good].every(Number.isFinite)).toBe(true);
  });

  test.each(METHODS)('a model that is not finite past a bound stops there, %s', (method) => {
    const root = free(
      1,
      (x, _u, _p, dxdt) => {
        dxdt[0] = -Math.sqrt(x[0] ?? NaN);
      },
      0,
    );
    const x = Float64Array.of(1);
    const result = integrator(root, { method }).advance(x, [], [], 10);
    // (1 - t / 2)^2, at rest from t = 2.
    expect(['done', 'stepTooSmall']).toContain(result.status);
    expect(result.reachedS).toBeGreaterThan(1.99);
    expect(x[0]).toBeGreaterThanOrEqual(0);
    expect(x[0]).toBeLessThan(1e-4);
  });

  test('a state is drawn into its bounds, at the start and on the way, and this is told', () => {
    const rising = free(
      1,
      (_x, _u, _p, dxdt) => {
        dxdt[0] = 1;
      },
      0,
      2,
    );
    const { advance } = integrator(rising);
    const x = Float64Array.of(-5);
    expect(advance(x, [], [], 1)).toMatchObject({ status: 'done', drawnIn: true });
    expect(x[0]).toBeCloseTo(1, 12);
    expect(advance(x, [], [], 0.5).drawnIn).toBe(false);
    expect(advance(x, [], [], 5).drawnIn).toBe(true);
    expect(x[0]).toBe(2);
  });
});

test.each<[IntegratorOptions, string]>([
  [{ relativeTolerance: 0 }, 'relativeTolerance: 0 is not valid, expected a number > 0'],
  [{ relativeTolerance: 0.1 }, 'relativeTolerance: 0.1 is not valid, expected a number < 0.1'],
  [{ maxSteps: 0 }, 'maxSteps: 0 is not valid, expected a whole number >= 1'],
])('%j is refused', (options, message) => {
  expect(() => integrator(decay, options)).toThrow(new RangeError(message));
});

test.each([-1, NaN, Infinity])('an interval of %s s is refused', (dtS) => {
  expect(() => integrator(decay).advance(Float64Array.of(1), [], [], dtS)).toThrow(
    new RangeError(`dtS: ${dtS} is not valid, expected a finite number >= 0`),
  );
});
