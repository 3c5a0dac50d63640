import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { driftState, driftStep, resetDrift } from '../../../operators/steps/drift.ts';
import { resolveDriftOptions } from '../../../operators/steps/driftOptions.ts';
import type { DriftOptions } from '../../../operators/steps/driftOptions.ts';

/** What the step says of each value; '' = nothing. */
function judge(values: readonly number[], options: DriftOptions): string[] {
  const state = driftState();
  const resolved = resolveDriftOptions(options);
  return values.map((value) => driftStep(state, value, resolved)?.message ?? '');
}

const flagged = (messages: readonly string[]): number[] =>
  messages.flatMap((message, index) => (message === '' ? [] : [index]));

const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

const AROUND_85 = { referenceMean: 85, referenceStdDev: 0.5 } as const;
const CUSUM = { ...AROUND_85, thresholdStdDevs: 5 } as const;
const EWMA = { ...AROUND_85, method: 'ewma', thresholdStdDevs: 3 } as const;
const METHODS = [
  ['cusum', CUSUM],
  ['ewma', EWMA],
] as const;

describe('driftStep', () => {
  test('CUSUM sums up what is off by more than the slack, up and down', () => {
    // 85.5 is one standard deviation off: half of one is left to sum up.
    const up = judge(times(12, 85.5), CUSUM);
    expect(flagged(up)).toEqual([10, 11]);
    expect(up[10]).toBe(
      'Drifts up: cumulative sum 5.5 standard deviations (allowed: 5), for 11 readings, reference 85, standard deviation 0.5',
    );
    const down = judge(times(12, 84.5), CUSUM);
    expect(flagged(down)).toEqual([10, 11]);
    expect(down[10]).toMatch(/^Drifts down: cumulative sum 5.5 /);
    expect(flagged(judge(times(1000, 85.25), CUSUM))).toEqual([]);
  });

  test('EWMA follows the mean', () => {
    // 1 - 0.9^n standard deviations after n readings; allowed are 3 sqrt(0.1 / 1.9) = 0.688.
    const up = judge(times(13, 85.5), EWMA);
    expect(flagged(up)).toEqual([11, 12]);
    expect(up[11]).toBe(
      'Drifts up: moving average 0.718 standard deviations from the reference (allowed: 0.688), for 12 readings, reference 85, standard deviation 0.5',
    );
    expect(judge(times(13, 84.5), EWMA)[11]).toMatch(/^Drifts down: moving average -0.718 /);
  });

  test.each(METHODS)('%s: a single spike is no drift', (_, options) => {
    expect(flagged(judge([85, 85, 1e100, 85, 85, 85, 85, 85, 85, 85, -1e100, 85], options))).toEqual([]);
  });

  test.each(METHODS)('%s: the alarm ends soon after the drift has, however long it was', (_, options) => {
    const values = [...times(10_000, 90), ...times(1000, 85)];
    const found = flagged(judge(values, options));
    expect(found.length).toBeGreaterThan(9990);
    expect(found.at(-1)).toBeLessThan(10_000 + 25);
    expect(found.at(-1)).toBeGreaterThan(10_000 + 5);
  });

  test.each(METHODS)('%s: a new level is believed only after confirmCount', (_, options) => {
    const confirm = { ...options, confirmCount: 30, learnCount: 10 };
    const level = Array.from({ length: 2000 }, (__, i) => 90 + (i % 2) * 0.5);
    expect(flagged(judge(level, options)).length).toBeGreaterThan(1990);
    const messages = judge([...level, ...times(100, 95)], confirm);
    const found = flagged(messages);
    expect(found.filter((i) => i < 2000)).toHaveLength(30);
    // The reference was learned from the level that is believed, not taken from the configuration again.
    expect(messages[found[30] ?? -1]).toContain('reference 90.25, standard deviation 0.264');
    expect(found[30]).toBeLessThan(2020);
  });

  test('learns the reference from the first values, in spite of spikes', () => {
    const noise = normal(3);
    const first = Array.from({ length: 400 }, (_, i) => (i % 40 === 7 ? 1e6 : 85 + 0.5 * noise()));
    const messages = judge([...first, ...times(60, 86)], { thresholdStdDevs: 8 });
    const [found = -1] = flagged(messages);
    expect(found).toBeGreaterThan(402);
    expect(found).toBeLessThan(410);
    const [, mean, stdDev] =
      /reference ([\d.]+), standard deviation ([\d.]+)/.exec(messages[found] ?? '') ?? [];
    expect(Math.abs(Number(mean) - 85)).toBeLessThan(0.08);
    expect(Math.abs(Number(stdDev) / 0.5 - 1)).toBeLessThan(0.12);
  });

  test('a value at rest gives no reference: it goes on learning, or takes the floor', () => {
    const values = [...times(40, 85), ...times(30, 85.5)];
    expect(flagged(judge(values, { learnCount: 20 }))).toEqual([]);
    expect(flagged(judge(values, { learnCount: 20, stdDevFloor: 0.5, thresholdStdDevs: 5 }))[0]).toBe(50);
  });

  test('resetDrift begins anew', () => {
    const state = driftState();
    const options = resolveDriftOptions(CUSUM);
    for (const value of times(50, 90)) driftStep(state, value, options);
    resetDrift(state);
    expect(state).toEqual(driftState());
    expect(driftStep(state, 85.5, options)).toBeUndefined();
  });

  test.each([
    // ARL measured over 300 runs; its standard error is 6 %.
    ['cusum', 300],
    ['ewma', 300],
  ] as const)('%s: false alarms are as rare as was asked for', (method, runs) => {
    const options = resolveDriftOptions({
      method,
      referenceMean: 0,
      referenceStdDev: 1,
      readingsPerFalseAlarm: 500,
    });
    const noise = normal(17);
    let readings = 0;
    for (let run = 0; run < runs; run++) {
      const state = driftState();
      do readings += 1;
      while (driftStep(state, noise(), options) === undefined);
    }
    expect(Math.abs(readings / runs / 500 - 1)).toBeLessThan(0.2);
  });

  test('agrees with a plain computation', () => {
    const value = fc.double({ min: -6, max: 6, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), (values) => {
        const resolved = resolveDriftOptions({ referenceMean: 0, referenceStdDev: 1, thresholdStdDevs: 5 });
        const average = resolveDriftOptions({ ...EWMA, referenceMean: 0, referenceStdDev: 1 });
        const sums = driftState();
        const mean = driftState();
        const z = values.map((x) => Math.max(-4, Math.min(4, x)));
        let held = [0, 0];
        z.forEach((x, i) => {
          held = [x, -x].map((side, s) => Math.min(10, Math.max(0, (held[s] ?? 0) + side - 0.5)));
          // The average from scratch, each reading with its weight.
          const plain = z.slice(0, i + 1).reduce((sum, v, j) => sum + 0.1 * 0.9 ** (i - j) * v, 0);
          const sumFlagged = driftStep(sums, values[i] ?? 0, resolved) !== undefined;
          const meanFlagged = driftStep(mean, values[i] ?? 0, average) !== undefined;
          // On the edge itself, rounding decides.
          if (Math.abs(Math.max(...held) - 5) > 1e-9) expect(sumFlagged).toBe(Math.max(...held) > 5);
          if (Math.abs(Math.abs(plain) - 0.6882472) > 1e-6) {
            expect(meanFlagged).toBe(Math.abs(plain) > 0.6882472);
          }
          expect(mean.average).toBeCloseTo(plain, 10);
        });
        expect(JSON.parse(JSON.stringify([sums, mean]))).toStrictEqual([sums, mean]);
      }),
    );
  });

  test.each(['cusum', 'ewma'] as const)(
    '%s: a million readings with extreme values do no lasting harm',
    (method) => {
      const random = uniform(9);
      const options = resolveDriftOptions({ method, learnCount: 50, confirmCount: 40, stdDevFloor: 1e-300 });
      const state = driftState();
      const extremes = [1e150, -1e150, 1e300, -Number.MAX_VALUE, Number.MIN_VALUE, -0, 1e-300];
      for (let i = 0; i < 1_000_000; i++) {
        const extreme = random() < 0.3 ? extremes[Math.floor(random() * extremes.length)] : undefined;
        const message = driftStep(state, extreme ?? 85 + random(), options)?.message ?? '';
        if (message.includes('NaN')) expect.fail(message);
      }
      expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
      // What went on before is forgotten as soon as the values are at the reference.
      const fixed = resolveDriftOptions({ ...(method === 'cusum' ? CUSUM : EWMA), thresholdStdDevs: 5 });
      state.reference = { mean: 85, stdDev: 0.5 };
      for (const value of times(1000, 85)) driftStep(state, value, fixed);
      expect(Math.abs(state.rising) + Math.abs(state.falling) + Math.abs(state.average)).toBeLessThan(1e-12);
    },
  );
});

function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 4_294_967_296;
  };
}

function normal(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}
