import { describe, expect, test } from 'vitest';
import { estimatedTwin } from '../../../src/twin/process/estimatedTwin.ts';
import { Simulation } from '../../support/simulatedTank.ts';
import { normals, stirredTank } from '../../support/stirredTank.ts';

/** Conversion about 0.1, 0.935 and 0.9. */
const POINTS = {
  cold: { c: 0.9, T: 320, Tc: 295 },
  hot: { c: 0.065, T: 391.9, UA: 4e4 },
  between: { c: 0.1, T: 385, Tc: 305, UA: 4.2e4 },
};
const hour = 3600;

describe('a soft sensor of conversion from a thermometer of 0.5 K at 1 Hz', () => {
  const seeds = Array.from({ length: 8 }, (_, i) => i + 1);

  test('is within its 95 % band 92 to 98 % of the time, over operating points and plants', () => {
    const shares = Object.values(POINTS).map((point) => {
      let [within, all] = [0, 0];
      for (const seed of seeds) {
        const run = new Simulation(stirredTank(point), seed, 1);
        for (let t = 1; t <= hour; t++) {
          run.pass(1);
          run.follow(1, run.temperature());
          if (t < 300 || t % 10 !== 0) continue;
          all += 1;
          if (run.covers('conversion')) within += 1;
        }
      }
      return within / all;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean).toBeGreaterThanOrEqual(0.92);
    expect(mean).toBeLessThanOrEqual(0.98);
    for (const share of shares) expect(share).toBeGreaterThan(0.9);
  }, 120_000);

  test('with times at random, a fifth missing and three hours of silence, the same', () => {
    let [within, all] = [0, 0];
    for (const seed of seeds) {
      const run = new Simulation(stirredTank(POINTS.hot), seed, 1);
      const uniform = normals(1000 + seed);
      for (let i = 1; i <= 2000; i++) {
        const dtS = i === 1000 ? 3 * hour : Math.min(10, 0.05 + Math.abs(uniform()));
        // The plant is disturbed in small steps, as the filter has it.
        for (let left = dtS; left > 0; left -= 10) run.pass(Math.min(10, left));
        run.follow(dtS, Math.abs(uniform()) < 0.2533 ? null : run.temperature());
        if (i < 300 || i % 10 !== 0) continue;
        all += 1;
        if (run.covers('conversion')) within += 1;
      }
    }
    expect(within / all).toBeGreaterThanOrEqual(0.92);
    expect(within / all).toBeLessThanOrEqual(0.98);
  }, 120_000);
});

describe('a reaction that is 5 % off, as nobody can know from the temperature', () => {
  const off = (mode: 'none' | 'consider'): { readonly covered: number; readonly ua: number } => {
    let [within, all, ua] = [0, 0, 0];
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
      const k0 = { mode: 'consider' as const, stdDev: 0.05 * 7.2e10, noisePerSqrtS: 0 };
      const estimate = mode === 'consider' ? { UA: {}, k0 } : { UA: {} };
      const run = new Simulation(stirredTank(POINTS.hot), seed, 1, { estimate });
      run.p[1] = 7.2e10 * Math.exp(0.05 * normals(500 + seed)());
      for (let t = 1; t <= 1200; t++) {
        run.pass(1);
        run.follow(1, run.temperature());
        if (t < 300 || t % 10 !== 0) continue;
        all += 1;
        if (run.covers('conversion')) within += 1;
      }
      expect(Object.keys(run.twin.parameters(run.state))).toEqual(['UA']);
      ua = Math.max(ua, Math.abs(run.ua().value / run.p[0]! - 1));
    }
    return { covered: within / all, ua };
  };

  test('is in the bands where it is considered', () => {
    const [without, considered] = [off('none'), off('consider')];
    expect(without.covered).toBeLessThan(0.6);
    expect(considered.covered).toBeGreaterThan(0.85);
    expect(considered.ua).toBeLessThan(0.05);
  }, 60_000);
});

describe.each(Object.entries(POINTS))('a fifth of the heat transfer lost, %s', (_, point) => {
  test('is outside of the old band within 15 minutes, and followed to 5 %', () => {
    for (const seed of [1, 2, 3]) {
      const run = new Simulation(stirredTank(point), seed, 1);
      const go = (seconds: number, each: (t: number) => void = () => undefined): void => {
        for (let t = 1; t <= seconds; t++) {
          run.pass(1);
          run.follow(1, run.temperature());
          each(t);
        }
      };
      go(0.5 * hour);
      const before = run.ua();
      run.p[0]! *= 0.8;
      let outsideSinceS = Infinity;
      go(900, (t) => {
        const outside = run.ua().value < before.value - 1.96 * before.stdDev;
        if (!outside) outsideSinceS = Infinity;
        else outsideSinceS = Math.min(outsideSinceS, t);
      });
      expect(outsideSinceS).toBeLessThan(300);
      go(0.5 * hour, () => expect(Math.abs(run.ua().value / run.p[0]! - 1)).toBeLessThan(0.05));
    }
  }, 60_000);
});

describe('the twin of a process model', () => {
  const follow = (run: Simulation, from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const dtS = i % 50 === 7 ? 3 * hour : 0.3 + (i % 7);
      run.pass(dtS);
      run.follow(dtS, i % 5 === 0 ? null : run.temperature());
      if (i % 3 === 0) run.twin.correct(run.state, 'coolant', run.u[1]! - 273.15 + 0.2 * run.random(), 0.04);
    }
  };
  const estimate = { UA: {}, cf: {} };

  test('goes on from JSON as if nothing had been, bit for bit', () => {
    const [one, other] = [0, 1].map(() => new Simulation(stirredTank(POINTS.hot), 4, 1, { estimate })) as [
      Simulation,
      Simulation,
    ];
    follow(one, 0, 400);
    for (let i = 0; i < 400; i += 37) {
      follow(other, i, Math.min(400, i + 37));
      const text = JSON.stringify(other.state);
      other.state = JSON.parse(text) as typeof other.state;
      expect(JSON.stringify(other.state)).toBe(text);
    }
    expect(other.state).toEqual(one.state);
    expect(other.twin.read(other.state, 'conversion')).toEqual(one.twin.read(one.state, 'conversion'));
  });

  test('does not share anything between twins of one model', () => {
    const run = new Simulation(stirredTank(), 4, 1, { estimate });
    const alone = run.twin.initial();
    const before = structuredClone(alone);
    follow(run, 0, 20);
    expect(alone).toEqual(before);
  });

  test('says nothing of what it is told, and takes it as it is', () => {
    const twin = estimatedTwin(stirredTank());
    const state = twin.initial();
    expect(twin.correct(state, 'flow_rate', 80, 1)).toBeNull();
    expect(twin.correct(state, 'coolant', 20, 1)).toBeNull();
    expect(state.u).toEqual([80, 293.15, 1]);
    expect(twin.correct(state, 'flow_rate', -5, 1)).toBeNull();
    expect(state.u[0]).toBe(0);
  });

  test('an input that is estimated is compared with its sensor', () => {
    const twin = estimatedTwin(stirredTank(), { estimate: { q: { stdDev: 20 } } });
    const state = twin.initial();
    twin.correct(state, 'flow_rate', 80, 25);
    // Prior and measurement, 100 +- 20 as a logarithm and 80 +- 5, meet near the better one.
    expect(twin.parameters(state)['q']).toBeGreaterThan(79);
    expect(twin.parameters(state)['q']).toBeLessThan(83);
    expect(twin.parameterStdDev?.(state)['q']).toBeCloseTo(4.8, 0);
  });

  test('noise of a measured input is in the band', () => {
    const spread = (variance: number): number => {
      const twin = estimatedTwin(stirredTank());
      const state = twin.initial();
      for (let t = 0; t < 600; t++) {
        twin.advance(state, 1);
        twin.correct(state, 'coolant', 26.85, variance);
        twin.correct(state, 'temperature', 51.3, 0.25);
      }
      return twin.read(state, 'temperature').stdDev ?? NaN;
    };
    expect(spread(4)).toBeGreaterThan(1.05 * spread(1e-6));
  });

  test('a wild measurement is not believed, and a new state after five is', () => {
    const run = new Simulation(stirredTank(POINTS.hot), 4, 1);
    for (let t = 0; t < 600; t++) {
      run.pass(1);
      run.follow(1, run.temperature());
    }
    const shown = () => run.twin.read(run.state, 'temperature').value;
    const calm = shown();
    for (let i = 1; i <= 4; i++) {
      run.follow(1, calm + 40);
      expect(Math.abs(shown() - calm)).toBeLessThan(2);
      expect(run.state.rejected[0]).toBe(i);
    }
    run.follow(1, calm + 40);
    expect(shown()).toBeGreaterThan(calm + 35);
    expect(run.state.rejected[0]).toBe(0);
    for (let t = 0; t < 1800; t++) {
      run.pass(1);
      run.follow(1, run.temperature());
    }
    // The plant itself had not moved.
    expect(Math.abs(shown() - (run.x[1]! - 273.15))).toBeLessThan(1);
    expect(Math.abs(run.ua().value / run.p[0]! - 1)).toBeLessThan(0.05);
  });

  test('gateNis null believes everything', () => {
    const twin = estimatedTwin(stirredTank(), { gateNis: null });
    const state = twin.initial();
    for (const value of [51, 51, 91]) twin.correct(state, 'temperature', value, 0.25);
    expect(state.rejected[0]).toBe(0);
    expect(state.nis[0]).toBeGreaterThan(25);
  });

  test('a month of silence leaves finite figures', () => {
    const twin = estimatedTwin(stirredTank(POINTS.hot), { estimate });
    const state = twin.initial();
    twin.advance(state, 30 * 24 * hour);
    expect(twin.read(state, 'conversion').value).toBeGreaterThan(0);
    expect(twin.parameterStdDev?.(state)['UA']).toBeLessThanOrEqual(0.21 * 4e4);
  });

  test.each([
    [{ estimate: { massKg: {} } }, 'estimate: massKg is not valid, expected one of UA, k0, q, Tc, cf'],
    [{ estimate: { UA: { stdDev: 0 } } }, 'estimate.UA.stdDev: missing'],
    [{ estimate: { UA: { noisePerSqrtS: -1 } } }, 'estimate.UA.noisePerSqrtS: -1 is not valid'],
    [
      { estimate: { UA: { mode: 'guess' as 'consider' } } },
      'mode: guess is not valid, expected one of estimate, consider',
    ],
    [{ initialStdDev: { X: 1 } }, 'initialStdDev: X is not valid, expected one of c, T'],
    [{ stateNoisePerSqrtS: { c: -1 } }, 'stateNoisePerSqrtS.c: -1 is not valid'],
    [{ measurementStdDev: { temperature: 0 } }, 'measurementStdDev.temperature: 0 is not valid'],
    [{ gateNis: 0 }, 'gateNis: 0 is not valid'],
    [{ confirmCount: 0 }, 'confirmCount: 0 is not valid'],
    [{ maxStepS: 0 }, 'maxStepS: 0 is not valid'],
  ])('refuses %j', (options, problem) => {
    expect(() => estimatedTwin(stirredTank(), options)).toThrow(problem);
  });
});
