import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  estimateInitialState,
  estimateStep,
  resolveEstimateOptions,
} from '../../../operators/steps/estimate.ts';
import type { EstimateOptions } from '../../../operators/steps/estimate.ts';
import type { Estimate, Reading } from '../../../operators/types.ts';
import { reading } from '../../../marble-tests/readings.ts';

const SETTING: EstimateOptions = { mode: 'adaptive', measurementVariance: 0.25 };

function run(readings: readonly Reading[], options: EstimateOptions = {}): (Estimate | null)[] {
  const state = estimateInitialState();
  const resolved = resolveEstimateOptions({ ...SETTING, ...options });
  return readings.map((each) => estimateStep(state, each, resolved));
}

/** One reading a second, around the levels with an even-handed error of 0.3. */
const around = (levels: readonly (number | null)[]): Reading[] =>
  levels.map((level, i) =>
    reading(level === null ? null : level + 0.3 * Math.sign(Math.sin(i * 2.4)), { timestamp: i * 1000 }),
  );

const level = (value: number, count: number): number[] => Array.from({ length: count }, () => value);
const values = (estimates: readonly (Estimate | null)[]): number[] =>
  estimates.map((each) => each?.value ?? NaN);

describe('a level shift', () => {
  const stepped = around([...level(85, 60), ...level(95, 10)]);

  it('is followed at once', () => {
    const estimates = values(run(stepped));
    expect(estimates[59]).toBeCloseTo(85, 0);
    expect(Math.abs((estimates[60] ?? NaN) - 95)).toBeLessThan(0.4);
    expect(estimates[69]).toBeCloseTo(95, 0);
  });

  it('is reported once it is confirmed where so asked', () => {
    const estimates = values(run(stepped, { unconfirmed: 'hold', confirmCount: 4 }));
    for (const held of estimates.slice(60, 63)) expect(Math.abs(held - 85)).toBeLessThan(0.5);
    for (const moved of estimates.slice(63)) expect(Math.abs(moved - 95)).toBeLessThan(0.5);
  });

  it('is no level shift if the next reading is back', () => {
    const spiky = around([...level(85, 60), 120, ...level(85, 10)]);
    const without = around([...level(85, 60), null, ...level(85, 10)]);
    const fixed = { noiseCount: null };
    const [held, expected] = [run(spiky, { unconfirmed: 'hold', ...fixed }), run(without, fixed)];
    held.forEach((estimate, i) => expect(estimate?.value).toBe(expected[i]?.value));
    expect(run(spiky, fixed)[61]?.value).toBe(expected[61]?.value);
  });

  it('is believed when readings agree, not when they are merely off', () => {
    const [up, down] = [120, 50];
    const erratic = around([...level(85, 60), up, down, up, down, ...level(85, 10)]);
    const estimates = values(run(erratic, { unconfirmed: 'hold' }));
    for (const estimate of estimates) expect(Math.abs(estimate - 85)).toBeLessThan(0.6);
    const moved = around([...level(85, 60), up, down, ...level(95, 10)]);
    const after = values(run(moved, { unconfirmed: 'hold' }));
    expect(Math.abs((after[63] ?? NaN) - 85)).toBeLessThan(0.6);
    for (const estimate of after.slice(64)) expect(Math.abs(estimate - 95)).toBeLessThan(0.6);
  });

  it('is believed in the end where no two readings agree: the filter is lost', () => {
    const wild = around([...level(85, 60), ...Array.from({ length: 12 }, (_, i) => 85 + 40 * (i + 1) ** 2)]);
    const estimates = values(run(wild, { unconfirmed: 'hold', noiseCount: null }));
    expect(estimates[67]).toBeCloseTo(85, 0);
    expect(estimates[68]).toBeGreaterThan(3000);
  });

  it('is followed at once where shifts, held off where spikes have been more frequent', () => {
    const spikes = [1, 2, 3].flatMap(() => [...level(85, 20), 120]);
    const shift = [...level(85, 20), ...level(95, 10)];
    const estimates = values(run(around([...level(85, 60), ...spikes, ...shift])));
    const [first, second, third] = [80, 101, 122];
    // The first one may be a shift; nothing speaks against it.
    expect(estimates[first]).toBeCloseTo(120, 0);
    expect(estimates[second]).toBeCloseTo(85, 0);
    expect(estimates[third]).toBeCloseTo(85, 0);
    const at = 60 + spikes.length + 20;
    expect(estimates[at + 1]).toBeCloseTo(85, 0);
    expect(estimates[at + 2]).toBeCloseTo(95, 0);
    const shifts = values(
      run(around([...level(85, 60), ...level(95, 20), ...level(80, 20), 120, ...level(80, 9), 60])),
    );
    expect(shifts.at(-11)).toBeCloseTo(120, 0);
    expect(shifts.at(-1)).toBeCloseTo(60, 0);
  });

  it('goes unnoticed without a limit', () => {
    const options = { mode: 'whiteAcceleration', shiftNis: null, noiseCount: null } as const;
    const estimates = values(run(stepped, options));
    expect(Math.abs((estimates[60] ?? NaN) - 95)).toBeGreaterThan(4);
  });
});

describe('the bank of models', () => {
  it('is surer of a steady signal than one lively model, and follows a turn like it', () => {
    const ramp = around(Array.from({ length: 400 }, (_, i) => 85 + 0.05 * i));
    const [bank, one] = [run(ramp), run(ramp, { mode: 'whiteAcceleration' })];
    expect((bank[399]?.stdDev ?? NaN) / (one[399]?.stdDev ?? NaN)).toBeLessThan(0.6);
    const turned = around(Array.from({ length: 400 }, (_, i) => 85 + (i < 300 ? 0 : i - 300)));
    expect(run(turned)[399]?.ratePerS).toBeCloseTo(1, 1);
  });

  it('learns the noise', () => {
    const calm = around(level(85, 600));
    const { stdDev: fixed = NaN } = run(calm, { measurementVariance: 25, noiseCount: null }).at(-1) ?? {};
    const { stdDev: learned = NaN } = run(calm, { measurementVariance: 25, noiseCount: 50 }).at(-1) ?? {};
    expect(learned).toBeLessThan(fixed / 3);
  });
});

describe('any input', () => {
  const spacing = fc.oneof(fc.double({ min: 1e-3, max: 1e5, noNaN: true }), fc.constant(0), fc.constant(-5));
  const value = fc.oneof(
    fc.double({ min: -1e3, max: 1e3, noNaN: true }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constant(null),
  );
  const options = fc.record({
    mode: fc.constantFrom('adaptive' as const, 'whiteAcceleration' as const),
    shiftNis: fc.constantFrom(25, null),
    noiseCount: fc.constantFrom(null, 50),
    unconfirmed: fc.constantFrom('likelier' as const, 'follow' as const, 'hold' as const),
  });

  it('gives finite figures and a covariance that is positive definite', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(spacing, value), { maxLength: 80 }), options, (steps, chosen) => {
        let timestamp = 0;
        const readings = steps.map(([dtS, z]) => reading(z, { timestamp: (timestamp += dtS * 1000) }));
        for (const estimate of run(readings, chosen)) {
          if (estimate === null) continue;
          const { covariance, innovation, nis } = estimate;
          const [p00, p01, , p11] = covariance;
          for (const figure of [
            estimate.value,
            estimate.ratePerS,
            estimate.stdDev,
            innovation ?? 0,
            nis ?? 0,
          ]) {
            expect(Number.isFinite(figure)).toBe(true);
          }
          expect(p00).toBeGreaterThan(0);
          expect(p11).toBeGreaterThan(0);
          expect(Math.sqrt(p00) * Math.sqrt(p11) * (1 + 1e-12)).toBeGreaterThanOrEqual(Math.abs(p01));
        }
      }),
      { numRuns: 300 },
    );
  });
});

it.each([
  [{ accelerationNoise: [0, 1, 2] as const }, 'accelerationNoise[0]: 0 is not valid, expected a number > 0'],
  [{ dwellS: [1, -1, 2] as const }, 'dwellS[1]: -1 is not valid, expected a number > 0'],
  [{ shiftNis: 0 }, 'shiftNis: 0 is not valid, expected a number > 0'],
  [{ confirmCount: 0 }, 'confirmCount: 0 is not valid, expected a whole number >= 1'],
  [{ noiseCount: 5 }, 'noiseCount: 5 is not valid, expected a number >= 10'],
  [{ initialRateNoise: 0 }, 'initialRateNoise: 0 is not valid, expected a number > 0'],
])('refuses %j', (options, message) => {
  expect(() => resolveEstimateOptions(options)).toThrow(new RangeError(message));
});
