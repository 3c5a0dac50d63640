import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  resolveWindowOptions,
  windowFlush,
  windowState,
  windowStep,
  windowTick,
} from '../../../operators/steps/window.ts';
import type { ResolvedWindowOptions, WindowOptions } from '../../../operators/steps/window.ts';
import type { Reading, WindowAggregate } from '../../../operators/types.ts';
import { reading } from '../../../marble-tests/readings.ts';

function run(
  inputs: readonly Reading[],
  options: WindowOptions,
): { out: WindowAggregate[]; kept: Reading[] } {
  const resolved = resolveWindowOptions(options);
  const state = windowState();
  const out: WindowAggregate[] = [];
  const kept: Reading[] = [];
  const emit = (window: WindowAggregate): void => void out.push(window);
  for (const input of inputs) {
    if (windowStep(state, input, resolved, emit) === undefined) kept.push(input);
  }
  windowFlush(state, resolved, emit);
  expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
  return { out, kept };
}

const at = (timestamp: number, value: number | null, overrides: Partial<Reading> = {}): Reading =>
  reading(value, { timestamp, ...overrides });

const byTime = (inputs: readonly Reading[]): Reading[] =>
  inputs.toSorted((a, b) => a.timestamp - b.timestamp);

/** The last revision of each window, by end. */
function latest(out: readonly WindowAggregate[]): WindowAggregate[] {
  const windows = new Map<number, WindowAggregate>();
  for (const window of out) {
    expect(window.revision).toBe((windows.get(window.end)?.revision ?? -1) + 1);
    windows.set(window.end, window);
  }
  return [...windows.values()].toSorted((a, b) => a.end - b.end);
}

const unrevised = (out: readonly WindowAggregate[]): WindowAggregate[] =>
  out.map((window) => ({ ...window, revision: 0 }));

/** Straight from the definition: every window that overlaps the readings, each computed by itself. */
function bruteForce(inputs: readonly Reading[], options: ResolvedWindowOptions): Partial<WindowAggregate>[] {
  const { sizeMs, everyMs, offsetMs } = options;
  const sorted = byTime(inputs);
  const oldest = sorted[0]?.timestamp ?? 0;
  const newest = sorted.at(-1)?.timestamp ?? 0;
  const windows: Partial<WindowAggregate>[] = [];
  const good = sorted.filter((r) => r.quality !== 'Bad' && r.value !== null);
  let start = (Math.floor((oldest - sizeMs - offsetMs) / everyMs) - 1) * everyMs + offsetMs;
  for (; start <= newest; start += everyMs) {
    const end = start + sizeMs;
    const inside = (r: Reading): boolean => r.timestamp >= start && r.timestamp < end;
    const mine = good.filter(inside);
    const all = sorted.filter(inside);
    if (all.length === 0) continue;
    const values = mine.map((r) => r.value ?? NaN);
    const n = values.length;
    const mean = n === 0 ? null : values.reduce((a, b) => a + b, 0) / n;
    const squares = values.reduce((a, b) => a + (b - (mean ?? 0)) ** 2, 0);
    const carry = good.findLast((r) => r.timestamp < start);
    const holds = [...(carry === undefined ? [] : [{ ...carry, timestamp: start }]), ...mine];
    let area = 0;
    let heldMs = 0;
    holds.forEach((r, i) => {
      const ms = (holds[i + 1]?.timestamp ?? end) - r.timestamp;
      area += (r.value ?? NaN) * ms;
      heldMs += ms;
    });
    windows.push({
      start,
      end,
      count: n,
      badCount: all.length - n,
      imputedCount: mine.filter((r) => r.imputed).length,
      mean,
      timeWeightedMean: heldMs === 0 ? null : area / heldMs,
      min: n === 0 ? null : Math.min(...values),
      max: n === 0 ? null : Math.max(...values),
      stdDev: n < 2 ? null : Math.sqrt(squares / (n - 1)),
      first: values[0] ?? null,
      last: values.at(-1) ?? null,
    });
  }
  return windows;
}

function expectClose(
  actual: readonly WindowAggregate[],
  expected: readonly Partial<WindowAggregate>[],
): void {
  expect(actual.map((window) => window.end)).toEqual(expected.map((window) => window.end));
  actual.forEach((window, i) => {
    const { mean, timeWeightedMean, stdDev, ...exact } = expected[i] ?? {};
    expect(window).toMatchObject(exact);
    for (const [name, figure, wanted] of [
      ['mean', window.mean, mean],
      ['timeWeightedMean', window.timeWeightedMean, timeWeightedMean],
      ['stdDev', window.stdDev, stdDev],
    ] as const) {
      if (typeof wanted !== 'number') expect(figure, name).toBeNull();
      else expect(figure, name).toBeCloseTo(wanted, 6);
    }
  });
}

const anyReading = fc
  .record({
    timestamp: fc.integer({ min: -200, max: 400 }),
    value: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -50, max: 50 }) }, fc.constant(null)),
    quality: fc.constantFrom('Good', 'Good', 'Uncertain', 'Bad'),
    imputed: fc.boolean(),
  })
  .map(({ timestamp, value, ...rest }) => at(timestamp, value, rest));

const anyReadings = fc.array(anyReading, { minLength: 1, maxLength: 40 });

const anyShape = fc.record({
  sizeMs: fc.integer({ min: 1, max: 60 }),
  everyMs: fc.integer({ min: 1, max: 80 }),
  offsetMs: fc.integer({ min: -70, max: 70 }),
});

describe('against the definition', () => {
  test('readings in order, any size, step and offset', () => {
    fc.assert(
      fc.property(anyReadings, anyShape, (inputs, shape) => {
        const { out, kept } = run(byTime(inputs), shape);
        expect(kept).toHaveLength(inputs.length);
        expectClose(out, bruteForce(inputs, resolveWindowOptions(shape)));
      }),
      { numRuns: 500 },
    );
  });

  test('readings out of order within the lateness end in the very figures of readings in order', () => {
    fc.assert(
      fc.property(anyReadings, anyShape, (inputs, shape) => {
        const options = { ...shape, latenessMs: 2000 };
        expect(unrevised(latest(run(inputs, options).out))).toEqual(
          unrevised(run(byTime(inputs), options).out),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('readings out of order within an open tumbling window, at any lateness', () => {
    const sizes = fc.record({ sizeMs: fc.integer({ min: 1, max: 200 }), latenessMs: fc.nat(100) });
    fc.assert(
      fc.property(anyReadings, sizes, (inputs, options) => {
        const { out, kept } = run(inputs, options);
        expect(unrevised(latest(out))).toEqual(unrevised(run(byTime(kept), options).out));
      }),
      { numRuns: 500 },
    );
  });

  test('few samples kept one by one: the same for readings in order', () => {
    fc.assert(
      fc.property(anyReadings, anyShape, fc.integer({ min: 1, max: 5 }), (inputs, shape, maxSamples) => {
        const options = { ...shape, maxSamples, latenessMs: 50 };
        expectClose(run(byTime(inputs), options).out, bruteForce(inputs, resolveWindowOptions(shape)));
      }),
    );
  });

  test('few samples kept one by one: out of order, all but the holds is right', () => {
    fc.assert(
      fc.property(anyReadings, anyShape, fc.integer({ min: 1, max: 5 }), (inputs, shape, maxSamples) => {
        const out = latest(run(inputs, { ...shape, maxSamples, latenessMs: 2000 }).out);
        const wanted = bruteForce(inputs, resolveWindowOptions(shape));
        out.forEach((window, i) => {
          const { count, badCount, imputedCount, min, max } = wanted[i] ?? {};
          expect(window).toMatchObject({ count, badCount, imputedCount, min, max });
          expect(window.mean ?? 0).toBeCloseTo(wanted[i]?.mean ?? 0, 6);
          expect(window.stdDev ?? 0).toBeCloseTo(wanted[i]?.stdDev ?? 0, 6);
        });
      }),
    );
  });
});

describe('late readings', () => {
  const inputs = [at(100, 1), at(1200, 3), at(1900, 5)];

  test('within the lateness: the window again, revised', () => {
    const { out } = run([...inputs, at(500, 2), at(2600, 0)], { sizeMs: 1000, latenessMs: 1000 });
    expect(out.map((w) => [w.start, w.count, w.revision])).toEqual([
      [0, 1, 0],
      [0, 2, 1],
      [1000, 2, 0],
      [2000, 1, 0],
    ]);
    // 1 on [100, 500), 2 on [500, 1000).
    expect(out[1]?.timeWeightedMean).toBeCloseTo((1 * 400 + 2 * 500) / 900, 12);
    // 2, and no longer 1, is in force at 1000.
    expect(out[2]?.timeWeightedMean).toBeCloseTo((2 * 200 + 3 * 700 + 5 * 100) / 1000, 12);
  });

  test('also revise the following window, where the value in force at its start changes', () => {
    const { out } = run([...inputs, at(2000, 9), at(900, 4)], { sizeMs: 1000, latenessMs: 5000 });
    expect(out.map((w) => [w.start, w.count, w.revision])).toEqual([
      [0, 1, 0],
      [1000, 2, 0],
      [0, 2, 1],
      [1000, 2, 1],
      [2000, 1, 0],
    ]);
    expect(out[3]?.timeWeightedMean).toBeCloseTo((4 * 200 + 3 * 700 + 5 * 100) / 1000, 12);
  });

  test('leave the following window alone where its value does not change', () => {
    const { out } = run([...inputs, at(2000, 9), at(900, 1), at(950, null)], {
      sizeMs: 1000,
      latenessMs: 5000,
    });
    expect(out.map((w) => [w.start, w.count, w.badCount, w.revision])).toEqual([
      [0, 1, 0, 0],
      [1000, 2, 0, 0],
      [0, 2, 0, 1],
      [0, 2, 1, 2],
      [2000, 1, 0, 0],
    ]);
  });

  test('exactly at end + lateness: too late', () => {
    const late = at(999, 2);
    expect(run([at(0, 1), at(1500, 1), late], { sizeMs: 1000, latenessMs: 500 }).kept).not.toContain(late);
    expect(run([at(0, 1), at(1499, 1), late], { sizeMs: 1000, latenessMs: 500 }).kept).toContain(late);
  });

  test('make a window that had none', () => {
    const { out } = run([at(100, 1), at(2500, 2), at(1500, 3)], { sizeMs: 1000, latenessMs: 5000 });
    expect(out.map((w) => [w.start, w.count, w.revision])).toEqual([
      [0, 1, 0],
      [1000, 1, 0],
      [2000, 1, 0],
    ]);
  });
});

describe('bounded work and state', () => {
  test('a silence of a thousand years is one step', () => {
    const started = performance.now();
    const { out } = run([at(0, 1), at(3.2e13, 2)], { sizeMs: 10, everyMs: 1, latenessMs: 100 });
    expect(performance.now() - started).toBeLessThan(500);
    expect(out).toHaveLength(20);
  });

  test('times beyond any date are dropped, and do no harm', () => {
    const { out, kept } = run([at(0, 1), at(1e300, 2), at(-1e300, 3), at(1, 4)], { sizeMs: 10 });
    expect(kept.map((r) => r.value)).toEqual([1, 4]);
    expect(out).toHaveLength(1);
  });

  test('a tumbling window keeps no more than maxSamples values', () => {
    const state = windowState();
    const options = resolveWindowOptions({ sizeMs: 1e9 });
    let largest = 0;
    for (let i = 0; i < 100_000; i += 1) {
      windowStep(state, at(i, i % 7), options, () => undefined);
      largest = Math.max(largest, state.sampleCount);
    }
    expect(largest).toBe(1000);
    expect(state.panes).toHaveLength(1);
    expect(JSON.stringify(state).length).toBeLessThan(15_000);
  });

  test('panes that no window needs are let go', () => {
    const state = windowState();
    const options = resolveWindowOptions({ sizeMs: 60, everyMs: 10, latenessMs: 30 });
    for (let i = 0; i < 10_000; i += 1) {
      windowStep(state, at(i * 5, i), options, () => undefined);
      expect(state.panes.length).toBeLessThanOrEqual(11);
      expect(state.emitted.length).toBeLessThanOrEqual(5);
    }
  });
});

describe('idle sensors', () => {
  const received = (arrivedAt: number): Partial<Reading> => ({
    received: {
      row: 0,
      source: 's',
      position: 1,
      arrivedAt,
      value: 1,
      unit: 'degC',
      quality: 'Good',
    },
  });

  test('a tick closes what the clock has passed since the last arrival', () => {
    const options = resolveWindowOptions({ sizeMs: 1000, idleTimeoutMs: 3000 });
    const state = windowState();
    const ends: number[] = [];
    const emit = (window: WindowAggregate): void => void ends.push(window.end);
    // The source's clock is 50 s behind.
    windowStep(state, at(10_500, 1, received(60_000)), options, emit);
    windowTick(state, 62_999, options, emit);
    expect(ends).toEqual([]);
    windowTick(state, 63_000, options, emit);
    expect(ends).toEqual([11_000]);
    expect(state.watermark).toBe(13_500);
    windowTick(state, 1e15, options, emit);
    windowStep(state, at(11_500, 1, received(70_000)), options, emit);
    expect(ends).toEqual([11_000]);
  });
});

describe('options', () => {
  test.each([
    [{ sizeMs: 0 }, 'sizeMs: 0 is not valid, expected a whole number >= 1'],
    [{ sizeMs: 1.5 }, 'sizeMs: 1.5 is not valid'],
    [{ sizeMs: 10, everyMs: -1 }, 'everyMs: -1 is not valid'],
    [{ sizeMs: 10, latenessMs: NaN }, 'latenessMs: NaN is not valid'],
    [{ sizeMs: 10, idleTimeoutMs: -1 }, 'idleTimeoutMs: -1 is not valid'],
    [{ sizeMs: 10, offsetMs: 0.5 }, 'offsetMs: 0.5 is not valid'],
    [{ sizeMs: 10, maxSamples: 0 }, 'maxSamples: 0 is not valid'],
    [{ sizeMs: 10_001, everyMs: 10_000 }, 'everyMs: 10000 is not valid with sizeMs 10001'],
  ])('%j is refused', (options, message) => {
    expect(() => resolveWindowOptions(options)).toThrow(RangeError);
    expect(() => resolveWindowOptions(options)).toThrow(message);
  });

  test('panes of the greatest common divisor', () => {
    expect(resolveWindowOptions({ sizeMs: 60_000, everyMs: 25_000 }).paneMs).toBe(5000);
    expect(resolveWindowOptions({ sizeMs: 1000 })).toMatchObject({ everyMs: 1000, paneMs: 1000 });
  });
});
