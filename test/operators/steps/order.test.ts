import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  orderFlush,
  orderState,
  orderStep,
  orderTick,
  resolveOrderOptions,
} from '../../../operators/steps/order.ts';
import type { OrderOptions, OrderState } from '../../../operators/steps/order.ts';
import type { Reading } from '../../../operators/types.ts';
import { reading } from '../../../marble-tests/readings.ts';

interface Driven {
  readonly state: OrderState;
  readonly out: Reading[];
  readonly dropped: Reading[];
  take(input: Reading): void;
  tick(now: number): void;
  flush(): void;
}

function driven(options: OrderOptions = {}): Driven {
  const resolved = resolveOrderOptions(options);
  const state = orderState();
  const out: Reading[] = [];
  const dropped: Reading[] = [];
  const emit = (item: Reading): void => void out.push(item);
  return {
    state,
    out,
    dropped,
    take: (input) => {
      if (orderStep(state, input, resolved, emit) !== undefined) dropped.push(input);
    },
    tick: (now) => orderTick(state, now, resolved, emit),
    flush: () => orderFlush(state, emit),
  };
}

const at = (timestamp: number, value: number | null = timestamp, overrides: Partial<Reading> = {}): Reading =>
  reading(value, { timestamp, ...overrides });

const received = (value: number | null, arrivedAt: number): Partial<Reading> => ({
  received: { row: 0, source: 's', position: 1, arrivedAt, value, unit: 'K', quality: 'Good' },
});

const times = (readings: readonly Reading[]): number[] => readings.map((r) => r.timestamp);
const marked = (readings: readonly Reading[]): number[] =>
  times(readings.filter((r) => r.issues.some((issue) => issue.check === 'order')));

describe('without delay', () => {
  test('readings in order pass by reference, and nothing is held', () => {
    const order = driven();
    const inputs = [at(1), at(2), at(2, 7), at(5)];
    inputs.forEach((input) => order.take(input));
    expect(order.out).toHaveLength(4);
    order.out.forEach((output, i) => expect(output).toBe(inputs[i]));
    expect(order.state.held).toEqual([]);
  });

  test('an older reading passes at once, marked', () => {
    const order = driven();
    [at(1000), at(750), at(2000)].forEach((input) => order.take(input));
    expect(times(order.out)).toEqual([1000, 750, 2000]);
    expect(order.out[1]).toMatchObject({
      quality: 'Uncertain',
      issues: [
        { check: 'order', message: 'Source time is 250 ms before that of a reading already passed on' },
      ],
    });
    expect(marked(order.out)).toEqual([750]);
  });

  test('marking does not make a Bad reading better', () => {
    const order = driven();
    [at(10), at(5, 1, { quality: 'Bad' })].forEach((input) => order.take(input));
    expect(order.out[1]?.quality).toBe('Bad');
  });
});

describe('duplicates', () => {
  test('same time and same value, in order, late and missing', () => {
    const order = driven();
    [at(1), at(1), at(3), at(2), at(3), at(2), at(4, null), at(4, null), at(1)].forEach((r) => order.take(r));
    expect(times(order.out)).toEqual([1, 3, 2, 4]);
    expect(times(order.dropped)).toEqual([1, 3, 2, 4, 1]);
  });

  test('the same time with another value is no duplicate', () => {
    const order = driven();
    [at(1, 5), at(1, 6), at(1, null)].forEach((input) => order.take(input));
    expect(order.dropped).toEqual([]);
  });

  test('what was received counts, not what was made of it', () => {
    const order = driven();
    order.take(at(1, 20, received(293.15, 5)));
    order.take(at(1, 20.1, received(293.15, 6)));
    order.take(at(1, 20, received(294, 6)));
    expect(order.dropped.map((r) => r.value)).toEqual([20.1]);
  });

  test('only the last rememberCount readings are known', () => {
    const order = driven({ rememberCount: 3 });
    [at(1), at(2), at(3), at(4), at(2), at(1), at(5), at(1)].forEach((r) => order.take(r));
    // The first 1 was forgotten when 4 came; the second is known when the third comes.
    expect(times(order.dropped)).toEqual([2, 1]);
    expect(order.state.times).toHaveLength(3);
  });

  test('rememberCount 0: none is known', () => {
    const order = driven({ rememberCount: 0 });
    [at(1), at(1)].forEach((input) => order.take(input));
    expect(order.dropped).toEqual([]);
  });
});

describe('with a delay', () => {
  test('waits until the newest is maxDelayMs newer', () => {
    const order = driven({ maxDelayMs: 10 });
    [at(100), at(105), at(102)].forEach((input) => order.take(input));
    expect(order.out).toEqual([]);
    order.take(at(112));
    expect(times(order.out)).toEqual([100, 102]);
    order.take(at(101));
    expect(marked(order.out)).toEqual([101]);
    order.flush();
    expect(times(order.out)).toEqual([100, 102, 101, 105, 112]);
  });

  test('releases the oldest early beyond maxReadings', () => {
    const order = driven({ maxDelayMs: 1000, maxReadings: 2 });
    [at(3), at(1), at(2)].forEach((input) => order.take(input));
    expect(times(order.out)).toEqual([1]);
    expect(times(order.state.held)).toEqual([2, 3]);
  });

  test('a tick releases what has waited long enough, with all that is older', () => {
    const order = driven({ maxDelayMs: 1000 });
    order.take(at(5000, 1, received(1, 100)));
    order.take(at(4900, 2, received(2, 900)));
    order.take(at(5100, 3, received(3, 950)));
    order.tick(1099);
    expect(order.out).toEqual([]);
    order.tick(1100);
    expect(times(order.out)).toEqual([4900, 5000]);
    order.tick(1950);
    expect(times(order.out)).toEqual([4900, 5000, 5100]);
  });

  test('a duplicate of a reading that waits is dropped', () => {
    const order = driven({ maxDelayMs: 1000 });
    [at(5), at(3), at(3)].forEach((input) => order.take(input));
    expect(times(order.dropped)).toEqual([3]);
  });
});

describe('a clock that goes back', () => {
  test('is believed after stepBackCount late readings that ascend', () => {
    const order = driven({ stepBackCount: 3 });
    const hour = 3_600_000;
    [hour, hour + 1, 10, 11, 12, 13, 14, 13].forEach((t) => order.take(at(t)));
    expect(marked(order.out)).toEqual([10, 11, 12]);
    expect(times(order.dropped)).toEqual([13]);
    order.take(at(13, 99));
    expect(marked(order.out)).toEqual([10, 11, 12, 13]);
  });

  test('readings in order in between, or late ones that do not ascend, start the count anew', () => {
    const order = driven({ stepBackCount: 3 });
    [100, 10, 11, 101, 12, 13, 9, 14, 102].forEach((t) => order.take(at(t)));
    expect(marked(order.out)).toEqual([10, 11, 12, 13, 9, 14]);
    expect(order.state.released).toBe(102);
  });

  test('null: never', () => {
    const order = driven({ stepBackCount: null });
    for (let t = 0; t < 50; t += 1) order.take(at(t === 0 ? 1000 : t));
    expect(marked(order.out)).toHaveLength(49);
  });

  test('releases what was held before the new time base begins', () => {
    const order = driven({ maxDelayMs: 50, stepBackCount: 2 });
    [1000, 1100, 1120, 10, 11, 12, 70].forEach((t) => order.take(at(t)));
    expect(times(order.out)).toEqual([1000, 10, 1100, 1120, 11, 12]);
    expect(times(order.state.held)).toEqual([70]);
  });
});

const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.nat(3)), { maxLength: 60 });

test('every reading comes out once or is a duplicate, whatever the order', () => {
  const options = fc.record({
    maxDelayMs: fc.nat(20),
    maxReadings: fc.integer({ min: 1, max: 8 }),
    rememberCount: fc.nat(10),
    stepBackCount: fc.option(fc.integer({ min: 1, max: 4 })),
  });
  fc.assert(
    fc.property(arrivals, options, (inputs, chosen) => {
      const order = driven(chosen);
      inputs.forEach(([t, value], i) => {
        order.take(at(t, value));
        if (i % 7 === 6) order.tick(t + 5);
        expect(order.state.held.length).toBeLessThanOrEqual(chosen.maxReadings);
        expect(JSON.parse(JSON.stringify(order.state))).toStrictEqual(order.state);
      });
      order.flush();
      const key = (r: Reading): string => `${r.timestamp} ${r.value}`;
      expect([...order.out, ...order.dropped].map(key).toSorted()).toEqual(
        inputs.map(([t, value]) => `${t} ${value}`).toSorted(),
      );
      if (chosen.stepBackCount === null) {
        const inOrder = times(order.out.filter((r) => r.issues.length === 0));
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      }
    }),
  );
});

test('disorder within the delay leaves no trace', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 50 }), (jitter) => {
      const inputs = jitter
        .map((late, i) => ({ sent: at(i * 4, i), arrival: i * 4 + late }))
        .toSorted((a, b) => a.arrival - b.arrival)
        .map(({ sent }) => sent);
      const order = driven({ maxDelayMs: 10 });
      inputs.forEach((input) => order.take(input));
      order.flush();
      expect(order.out).toEqual(jitter.map((_, i) => at(i * 4, i)));
    }),
  );
});

describe('a longer memory', () => {
  /** Asked about what is old; what it has been told of it knows. */
  const asking = (known: readonly number[], options: OrderOptions = {}) => {
    const asked: number[] = [];
    const answers = new Map<number, boolean | null>(known.map((timestamp) => [timestamp, true]));
    const order = driven({
      rememberCount: 3,
      ...options,
      isKnown({ timestamp }) {
        asked.push(timestamp);
        return answers.get(timestamp) ?? (answers.has(timestamp) ? null : false);
      },
    });
    return { ...order, asked, answers };
  };

  test('is asked about the first reading, and then only about what is older than all that is remembered', () => {
    const order = asking([]);
    [at(10), at(20), at(30), at(25), at(40), at(26), at(15)].forEach((input) => order.take(input));
    // 10 and 20 have left the ring of three when 26 and 15 come.
    expect(order.asked).toEqual([10, 15]);
    expect(times(order.out)).toEqual([10, 20, 30, 25, 40, 26, 15]);
  });

  test('what it knows is a duplicate and leaves no trace', () => {
    const order = asking([10, 20, 30]);
    const fresh = JSON.stringify(order.state);
    [at(10), at(20), at(30)].forEach((input) => order.take(input));
    expect(JSON.stringify(order.state)).toBe(fresh);
    [at(40), at(50), at(60), at(70), at(80)].forEach((input) => order.take(input));
    const before = JSON.stringify(order.state);
    [at(10), at(20), at(30)].forEach((input) => order.take(input));
    expect(JSON.stringify(order.state)).toBe(before);
    expect(times(order.dropped)).toEqual([10, 20, 30, 10, 20, 30]);
    expect(times(order.out)).toEqual([40, 50, 60, 70, 80]);
  });

  test('a whole history that comes again does not look like a clock set back', () => {
    const history = Array.from({ length: 50 }, (_, i) => i * 10);
    const order = asking(history);
    order.take(at(1000));
    history.forEach((timestamp) => order.take(at(timestamp)));
    order.take(at(1010));
    expect(times(order.out)).toEqual([1000, 1010]);
    expect(marked(order.out)).toEqual([]);
    expect(order.dropped).toHaveLength(50);
  });

  test('a reading is put off while there is no answer, and leaves no trace', () => {
    const order = asking([]);
    [at(10), at(20), at(30), at(40), at(50)].forEach((input) => order.take(input));
    order.answers.set(5, null);
    const before = JSON.stringify(order.state);
    order.take(at(5));
    expect(JSON.stringify(order.state)).toBe(before);
    expect(times(order.out)).toEqual([10, 20, 30, 40, 50]);
    order.answers.delete(5);
    order.take(at(5));
    expect(times(order.out)).toEqual([10, 20, 30, 40, 50, 5]);
  });

  test('is not asked where remembering is off', () => {
    const order = asking([10], { rememberCount: 0 });
    [at(10), at(10), at(5)].forEach((input) => order.take(input));
    expect(order.asked).toEqual([]);
    expect(times(order.out)).toEqual([10, 10, 5]);
  });
});

describe('a restored ring of another size', () => {
  const resized = (from: number, to: number, then: readonly Reading[]) => {
    const first = driven({ rememberCount: from });
    for (let t = 10; t <= 70; t += 10) first.take(at(t));
    const options = resolveOrderOptions({ rememberCount: to });
    const dropped: number[] = [];
    for (const input of then) {
      if (orderStep(first.state, input, options, () => undefined) === 'duplicate')
        dropped.push(input.timestamp);
    }
    return { dropped, state: first.state };
  };

  test('that is now larger keeps what it had and fills up', () => {
    const { dropped, state } = resized(4, 6, [at(80), at(90), at(40), at(70), at(30)]);
    expect(dropped).toEqual([40, 70]);
    expect([state.times.length, state.forgotten]).toEqual([6, 40]);
  });

  test('that is now smaller keeps the newest', () => {
    const { dropped, state } = resized(4, 2, [at(80), at(70), at(60), at(50)]);
    expect(dropped).toEqual([70]);
    expect([state.times.length, state.forgotten]).toEqual([2, 80]);
  });
});

describe('the pace of late readings', () => {
  /** Readings that go back to 0 after 100 000, `everyMs` of source time apart, arriving `arrivalMs` apart. */
  const late = (everyMs: number, arrivalMs: number, count = 20) => {
    const order = driven({ stepBackMaxPace: 2 });
    order.take(at(100_000, 1, received(1, 100_000)));
    for (let i = 0; i < count; i += 1) order.take(at(i * everyMs, i, received(i, 100_000 + i * arrivalMs)));
    return order;
  };

  test('a clock that was set back goes on as fast as the world, and is believed', () => {
    expect(marked(late(1000, 1000).out)).toEqual([0, 1000, 2000, 3000, 4000]);
    // Ten readings in each burst.
    const order = driven({ stepBackMaxPace: 2 });
    order.take(at(100_000, 1, received(1, 100_000)));
    for (let i = 0; i < 30; i += 1)
      order.take(at(i * 100, i, received(i, 101_000 + 1000 * Math.floor(i / 10))));
    expect(order.state.largest).toBe(2900);
  });

  test('history that is sent after live readings is late, and nothing else', () => {
    const order = late(1000, 1);
    expect(marked(order.out)).toHaveLength(20);
    expect(order.state).toMatchObject({ largest: 100_000, released: 100_000 });
    order.take(at(101_000, 1, received(1, 101_000)));
    expect(order.out.at(-1)?.issues).toEqual([]);
  });

  test('history of a fast sensor too, though five of its readings are not much of it', () => {
    const order = driven({ stepBackMaxPace: 2 });
    order.take(at(100_000, 1, received(1, 100_000)));
    for (let i = 0; i < 100; i += 1)
      order.take(at(98_000 + i * 20, i, received(i, 100_010 + Math.floor(i / 20))));
    expect(order.state.largest).toBe(100_000);
  });

  test('does not matter where it is not asked for', () => {
    const order = driven();
    order.take(at(100_000, 1, received(1, 100_000)));
    for (let i = 0; i < 5; i += 1) order.take(at(i * 1000, i, received(i, 100_000)));
    expect(order.state.largest).toBe(4000);
  });
});

describe('what is read from an archive', () => {
  const backfilled = (timestamp: number): Reading => {
    const came = received(timestamp, 9000);
    return at(timestamp, timestamp, { received: { ...came.received!, backfilled: true } });
  };

  test('is late, but no sign of a clock set back, however much of it comes', () => {
    const order = driven();
    order.take(at(1000));
    for (let t = 10; t < 500; t += 10) order.take(backfilled(t));
    order.take(at(1010));
    expect(marked(order.out)).toHaveLength(49);
    expect(order.out.at(-1)?.issues).toEqual([]);
    expect(order.state).toMatchObject({ released: 1010, lateCount: 0 });
  });

  test('goes on in order where nothing newer has been passed on', () => {
    const order = driven();
    [backfilled(10), backfilled(20), at(30)].forEach((input) => order.take(input));
    expect(marked(order.out)).toEqual([]);
  });
});

test.each([
  [{ maxDelayMs: -1 }, 'maxDelayMs: -1 is not valid, expected a number >= 0'],
  [{ maxReadings: 0 }, 'maxReadings: 0 is not valid'],
  [{ rememberCount: 1.5 }, 'rememberCount: 1.5 is not valid'],
  [{ stepBackCount: 0 }, 'stepBackCount: 0 is not valid'],
  [{ stepBackMaxPace: 0.5 }, 'stepBackMaxPace: 0.5 is not valid, expected a number >= 1'],
])('%j is refused', (options, message) => {
  expect(() => resolveOrderOptions(options)).toThrow(RangeError);
  expect(() => resolveOrderOptions(options)).toThrow(message);
});
