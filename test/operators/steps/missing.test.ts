import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reading, readings } from '../../../marble-tests/readings.ts';
import {
  missingState,
  missingStep,
  missingTick,
  resolveMissingOptions,
} from '../../../operators/steps/missing.ts';
import type { MissingOptions } from '../../../operators/steps/missing.ts';
import { withIssue } from '../../../operators/types.ts';
import type { Reading } from '../../../operators/types.ts';

/** A driver that collects what the step emits. */
function imputer(options: MissingOptions = {}) {
  const state = missingState();
  const resolved = resolveMissingOptions(options);
  const out: Reading[] = [];
  const collect = (emitted: Reading): number => out.push(emitted);
  return {
    out,
    state,
    next: (input: Reading) => missingStep(state, input, resolved, collect),
    tick: (now: number) => missingTick(state, now, resolved, collect),
  };
}

function run(inputs: readonly Reading[], options: MissingOptions = {}): Reading[] {
  const { out, next } = imputer(options);
  inputs.forEach(next);
  return out;
}

const at = (seconds: number, value: number | null, overrides: Partial<Reading> = {}): Reading =>
  reading(value, { timestamp: seconds * 1000, ...overrides });
const last = (out: readonly Reading[]): Reading | undefined => out[out.length - 1];
const shape = (out: readonly Reading[]): string[] =>
  out.map(({ timestamp, value, imputed }) => `${timestamp / 1000}:${value}${imputed ? '*' : ''}`);

describe('a reading without a value', () => {
  test.each<[MissingOptions['method'], (number | null)[], number | null, string]>([
    ['meanOfLastTwo', [85, 86, null], 85.5, 'replaced by 85.5 (meanOfLastTwo of 85, 86)'],
    ['meanOfLastTwo', [1, 85, 86, null, null], 85.5, 'replaced by 85.5 (meanOfLastTwo of 85, 86)'],
    ['meanOfLastTwo', [85, null], 85, 'replaced by 85 (meanOfLastTwo of 85)'],
    ['meanOfLastTwo', [null], null, 'not replaced, 0 accepted values are too few for meanOfLastTwo'],
    ['previous', [85, 86, null], 86, 'replaced by 86 (previous of 86)'],
    ['linear', [85, 86, null], 87, 'replaced by 87 (linear through 85, 86, 1 s ahead)'],
    ['linear', [85, 86, null, null], 88, 'replaced by 88 (linear through 85, 86, 2 s ahead)'],
    ['linear', [85, null], null, 'not replaced, 1 accepted values are too few for linear'],
    ['predict', [85, 86, null], 87, 'replaced by 87 (predict from 86 at 1 per second, 1 s ahead)'],
    ['predict', [85, null], null, 'not replaced, 1 accepted values are too few for predict'],
    ['none', [85, 86, null], null, 'not replaced, method none'],
  ])('%s after %j: %d', (method = 'previous', values, value, message) => {
    const result = last(run(readings(values), { method }));
    expect(result).toMatchObject({
      value,
      imputed: value !== null,
      quality: value === null ? 'Bad' : 'Uncertain',
      issues: [{ check: 'missing', message: `Missing value: ${message}` }],
      timestamp: (values.length - 1) * 1000,
    });
  });

  test('only readings without Bad quality and findings make history', () => {
    const spike = withIssue(at(2, 500), 'Uncertain', { check: 'spike', message: '' });
    const bad = at(3, 900, { quality: 'Bad' });
    const doubted = withIssue(at(4, 87), 'Uncertain', { check: 'source', message: '' });
    expect(last(run([at(0, 85), at(1, 86), spike, bad, at(5, null)]))?.value).toBe(85.5);
    expect(last(run([at(0, 85), at(1, 86), spike, bad, doubted, at(5, null)]))?.value).toBe(86.5);
  });

  test('a Bad one stays without a value, and says why', () => {
    const result = last(run([at(0, 85), at(1, null, { quality: 'Bad' })]));
    expect(result).toMatchObject({ value: null, quality: 'Bad', imputed: false });
    expect(result?.issues).toEqual([
      { check: 'missing', message: 'Missing value: not replaced, because the reading is Bad' },
    ]);
  });

  test('a history in another unit is no history', () => {
    expect(last(run([at(0, 85), at(1, null, { unit: 'K' })]))?.value).toBeNull();
    expect(last(run([at(0, 85), at(1, 358, { unit: 'K' }), at(2, null, { unit: 'K' })]))?.value).toBe(358);
  });

  test('earlier issues are kept and quality only gets worse', () => {
    const doubted = withIssue(at(1, null), 'Uncertain', {
      check: 'source',
      message: 'uncertain at the source',
    });
    const result = last(run([at(0, 85), doubted]));
    expect(result?.issues.map(({ check }) => check)).toEqual(['source', 'missing']);
    expect(result?.quality).toBe('Uncertain');
  });
});

describe('a gap that the next reading closes', () => {
  const options = { expectedIntervalMs: 1000 };

  test.each<[string, number[], string[]]>([
    ['one point', [0, 2], ['0:0', '1:0*', '2:2']],
    ['several', [0, 1, 5], ['0:0', '1:1', '2:0.5*', '3:0.5*', '4:0.5*', '5:5']],
    ['1.5 intervals are no gap', [0, 1.5], ['0:0', '1.5:1.5']],
    ['more than 1.5 are one', [0, 1.501], ['0:0', '1:0*', '1.501:1.501']],
    ['jitter makes no second point', [0, 2.1], ['0:0', '1:0*', '2.1:2.1']],
    ['fast readings', [0, 0.1, 0.2], ['0:0', '0.1:0.1', '0.2:0.2']],
    ['backward time', [5, 3, 6], ['5:5', '3:3', '6:6']],
    [
      'a clock set back for good starts anew',
      [7200, 3600, 3602],
      ['7200:7200', '3600:3600', '3601:5400*', '3602:3602'],
    ],
  ])('%s', (_, seconds, expected) => {
    expect(
      shape(
        run(
          seconds.map((second) => at(second, second)),
          options,
        ),
      ),
    ).toEqual(expected);
  });

  test('has at most maxGapCount points, the oldest ones', () => {
    const out = run([at(0, 7), at(100, 8)], { ...options, maxGapCount: 3 });
    expect(shape(out)).toEqual(['0:7', '1:7*', '2:7*', '3:7*', '100:8']);
  });

  test('its points are readings of the sensor, without anything received', () => {
    expect(run([at(0, 85), at(2, 86)], options)[1]).toEqual({
      asset: 'R101',
      sensor: 'temperature',
      timestamp: 1000,
      value: 85,
      unit: 'degC',
      quality: 'Uncertain',
      issues: [{ check: 'missing', message: 'Missing value: replaced by 85 (meanOfLastTwo of 85)' }],
      imputed: true,
      received: null,
    });
  });

  test('linear and predict give each point its own value', () => {
    const inputs = [at(0, 0), at(1, 1), at(4, 9)];
    for (const method of ['linear', 'predict'] as const) {
      expect(shape(run(inputs, { ...options, method }))).toEqual(['0:0', '1:1', '2:2*', '3:3*', '4:9']);
    }
  });

  test('stays a gap where nothing can be made up', () => {
    expect(shape(run([at(0, 1), at(3, 2)], { ...options, method: 'none' }))).toEqual(['0:1', '3:2']);
    const bad = [at(0, 1, { quality: 'Bad' }), at(3, 2)];
    expect(shape(run(bad, options))).toEqual(['0:1', '3:2']);
  });

  test('is left alone without expectedIntervalMs', () => {
    expect(shape(run([at(0, 1), at(100, 2)]))).toEqual(['0:1', '100:2']);
  });
});

describe('ticks of the clock', () => {
  const options = { expectedIntervalMs: 1000, maxGapCount: 3 };
  const arrived = (arrivedAt: number) => ({
    row: 0,
    source: 'plant',
    position: 0,
    arrivedAt,
    value: 85,
    unit: 'degC',
    quality: 'Good' as const,
  });

  test('each point comes once, half an interval after it was due, maxGapCount at most', () => {
    const { out, next, tick } = imputer(options);
    tick(0);
    next(at(0, 85));
    const seen: [number, number][] = [];
    for (let now = 0; now <= 10_000; now += 250) {
      const before = out.length;
      tick(now);
      if (out.length > before) seen.push([now, out.length - before]);
    }
    expect(seen).toEqual([
      [1750, 1],
      [2750, 1],
      [3750, 1],
    ]);
    expect(shape(out)).toEqual(['0:85', '1:85*', '2:85*', '3:85*']);
    next(at(20, 86));
    expect(shape(out).slice(4)).toEqual(['20:86']);
    tick(21_501);
    expect(shape(out).slice(5)).toEqual(['21:85.5*']);
  });

  test('count from the arrival, and points have source times', () => {
    const { out, next, tick } = imputer(options);
    next(at(0, 85, { received: arrived(50_000) }));
    tick(51_500);
    expect(out).toHaveLength(1);
    tick(51_501);
    expect(shape(out)).toEqual(['0:85', '1:85*']);
  });

  test('the reading that closes the gap adds only what no tick has made up', () => {
    const { out, next, tick } = imputer(options);
    next(at(0, 85));
    tick(1600);
    next(at(4, 86));
    expect(shape(out)).toEqual(['0:85', '1:85*', '2:85*', '3:85*', '4:86']);
  });

  test('a reading that was only delayed does not make points twice', () => {
    const { out, next, tick } = imputer(options);
    next(at(0, 85));
    tick(2600);
    next(at(1, 85, { received: arrived(2700) }));
    next(at(2, 85, { received: arrived(2710) }));
    next(at(3, 85, { received: arrived(3000) }));
    expect(shape(out)).toEqual(['0:85', '1:85*', '2:85*', '1:85', '2:85', '3:85']);
  });

  test('say nothing before the first reading, or when they go back', () => {
    const { out, next, tick } = imputer(options);
    tick(1e12);
    next(at(100, 85));
    tick(0);
    expect(shape(out)).toEqual(['100:85']);
  });
});

test('whatever comes in: each reading comes out once, in order, points on the grid between, state plain JSON', () => {
  const event = fc.record({
    gap: fc.integer({ min: 0, max: 6000 }),
    value: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { freq: 4 }),
    tick: fc.boolean(),
  });
  const method = fc.constantFrom('meanOfLastTwo', 'previous', 'linear', 'predict', 'none');
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), method, (events, chosen) => {
      const { out, state, next, tick } = imputer({
        expectedIntervalMs: 1000,
        maxGapCount: 4,
        method: chosen,
      });
      const sent: number[] = [];
      let now = 0;
      for (const { gap, value, tick: isTick } of events) {
        now += gap;
        if (isTick) tick(now);
        else {
          sent.push(now);
          next(reading(value, { timestamp: now, unit: 'K', received: null }));
        }
      }
      expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
      const times = out.map(({ timestamp }) => timestamp);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(out.filter(({ value }) => value !== null && !Number.isFinite(value))).toEqual([]);
      const points = out.length - sent.length;
      expect(points).toBeGreaterThanOrEqual(0);
      expect(points).toBeLessThanOrEqual(4 * sent.length);
      if (chosen === 'none') expect(points).toBe(0);
    }),
  );
});

describe('resolveMissingOptions', () => {
  test('has the documented defaults', () => {
    expect(resolveMissingOptions({})).toEqual({
      method: 'meanOfLastTwo',
      expectedIntervalMs: null,
      maxGapCount: 10,
    });
  });

  test.each([
    [{ expectedIntervalMs: 0 }, /^expectedIntervalMs: 0 /],
    [{ expectedIntervalMs: Infinity }, /^expectedIntervalMs: Infinity /],
    [{ maxGapCount: 0 }, /^maxGapCount: 0 /],
    [{ maxGapCount: 2.5 }, /^maxGapCount: 2.5 /],
  ])('refuses %j', (options, message) => {
    expect(() => resolveMissingOptions(options)).toThrow(RangeError);
    expect(() => resolveMissingOptions(options)).toThrow(message);
  });

  test('refuses a method that it does not know', () => {
    // @ts-expect-error a word from outside, as a configuration file may hold it
    const bad: MissingOptions = { method: 'magic' };
    expect(() => resolveMissingOptions(bad)).toThrow(
      /^method: magic is not valid, expected one of meanOfLastTwo, previous, linear, predict, none/,
    );
  });
});
