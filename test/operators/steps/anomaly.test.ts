import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reading } from '../../../marble-tests/readings.ts';
import { anomalyState, anomalyStep, anomalyTick } from '../../../operators/steps/anomaly.ts';
import type { AnomalyRecord } from '../../../operators/steps/anomaly.ts';
import { resolveAnomalyOptions } from '../../../operators/steps/anomalyOptions.ts';
import { createRandom } from '../../../src/plant/random.ts';
import { changes, options, rig, run, SENSORS } from './anomalyInputs.ts';

const LEARNED_MS = 400_000;

describe('what it finds', () => {
  const records = run(rig(1200, 1, (t, sensor) => (sensor === 'flow_rate' && t >= 600 && t < 900 ? -2 : 0)));
  const [onset, cleared, ...more] = changes(records);

  test('a shift by two standard deviations: onset, clearing, and which sensor', () => {
    expect(more).toEqual([]);
    expect(onset?.event).toBe('onset');
    expect(onset?.timestamp).toBeGreaterThanOrEqual(600_000);
    expect(onset?.timestamp).toBeLessThan(630_000);
    expect(onset?.alarm).toBe(true);
    expect(onset?.since).toBe(onset?.timestamp);
    expect(onset?.contributions[0]?.sensor).toBe('flow_rate');
    expect(onset?.contributions[0]?.share).toBeGreaterThan(0.8);
    expect(cleared?.event).toBe('cleared');
    expect(cleared?.timestamp).toBeGreaterThanOrEqual(900_000);
    expect(cleared?.timestamp).toBeLessThan(930_000);
    expect(cleared?.since).toBeNull();
  });

  test('nothing while it learns; then a record a minute, with the onset while it lasts', () => {
    expect(records[0]?.timestamp).toBe(LEARNED_MS + 2);
    const updates = records.filter(({ event }) => event === 'update');
    expect(updates.length).toBeGreaterThanOrEqual(10);
    expect(updates.length).toBeLessThanOrEqual(14);
    const during = updates.filter(({ timestamp }) => timestamp > 640_000 && timestamp < 900_000);
    expect(during.map(({ since }) => since)).toEqual(during.map(() => onset?.since));
    for (const { score, threshold, alarm } of updates) expect(score > threshold * 0.5 || !alarm).toBe(true);
  });

  test('sensors that part company though each stays in its range', () => {
    const random = createRandom(5);
    const inputs = Array.from({ length: 900 }, (_, t) => {
      const common = random.normal();
      const own = t < 600 ? common : -common;
      return [
        reading(common, { sensor: 'current', timestamp: t * 1000 }),
        reading(own + 0.1 * random.normal(), { sensor: 'flow_rate', timestamp: t * 1000 }),
      ];
    }).flat();
    const together = changes(run(inputs, { sensors: ['current', 'flow_rate'] }));
    expect(together[0]?.event).toBe('onset');
    expect(together[0]?.timestamp).toBeGreaterThanOrEqual(600_000);
    expect(together[0]?.timestamp).toBeLessThan(660_000);
    expect(changes(run(inputs, { sensors: ['flow_rate'] }))).toEqual([]);
  });

  test('nothing where nothing is: the share of intervals over the threshold is about as stated', () => {
    const stated = 0.01;
    let over = 0;
    let all = 0;
    for (let seed = 100; seed < 120; seed++) {
      const records = run(rig(1600, seed), { falseAlarmRate: stated, recordEveryMs: 0, baselineMs: null });
      over += records.filter(({ score, threshold }) => score > threshold).length;
      all += records.length;
    }
    expect(all).toBe(20 * 1200);
    expect(over / all).toBeLessThan(2 * stated);
  });
});

describe('the baseline', () => {
  const drift = rig(3000, 2, (t, sensor) => (sensor === 'pressure' && t > 400 ? (t - 400) / 600 : 0));

  test('follows slow drift; fixed, it does not', () => {
    expect(changes(run(drift))).toEqual([]);
    expect(changes(run(drift, { baselineMs: null }))[0]?.event).toBe('onset');
  });

  test('is frozen while in alarm, and after acceptAfterMs what is now is learned', () => {
    const shifted = rig(4000, 3, (t, sensor) => (sensor === 'current' && t >= 600 ? 5 : 0));
    expect(changes(run(shifted, { acceptAfterMs: null })).map(({ event }) => event)).toEqual(['onset']);
    const accepting = changes(run(shifted, { acceptAfterMs: 1_800_000 }));
    expect(accepting.map(({ event, alarm }) => [event, alarm])).toEqual([
      ['onset', true],
      ['accepted', false],
    ]);
    const [onset, accepted] = accepting;
    expect((accepted?.timestamp ?? 0) - (onset?.timestamp ?? 0)).toBe(1_800_000);
    const state = anomalyState();
    run(shifted, { acceptAfterMs: 1_800_000 }, state);
    expect(state.baseline?.center[0]).toBeCloseTo(105, 0);
  });

  test('given, nothing needs to be learned', () => {
    const state = anomalyState();
    run(rig(400, 4), {}, state);
    const baseline = state.baseline ?? undefined;
    expect(baseline?.center[1]).toBeCloseTo(200, 0);
    const records = run(
      rig(100, 5, (t, sensor) => (sensor === 'flow_rate' && t >= 50 ? 4 : 0)),
      baseline && { baseline },
    );
    expect(records[0]?.timestamp).toBe(2);
    expect(changes(records).map(({ event }) => event)).toEqual(['onset']);
  });

  test('is not spoilt by single spikes, and single spikes are no anomalies', () => {
    const spiky = rig(1200, 6, (t, sensor) => (sensor === 'current' && t % 97 === 50 ? 1e6 : 0));
    expect(changes(run(spiky))).toEqual([]);
    const shifted = rig(1200, 6, (t, sensor) =>
      sensor !== 'current' ? 0 : t % 97 === 50 ? 1e6 : t > 700 ? 3 : 0,
    );
    expect(changes(run(shifted))[0]?.event).toBe('onset');
  });
});

describe('what is missing', () => {
  const wrong = (t: number, sensor: string): number =>
    sensor === 'flow_rate' && t >= 1200 && t < 1800 ? -3 : 0;

  test('readings left out at random and times that jitter change little', () => {
    const random = createRandom(7);
    const inputs = rig(2400, 8, wrong)
      .filter(() => random.uniform() < 0.5)
      .map((item) => ({ ...item, timestamp: item.timestamp + 900 * random.uniform() }))
      .toSorted((a, b) => a.timestamp - b.timestamp);
    const events = changes(run(inputs));
    expect(events.map(({ event }) => event)).toEqual(['onset', 'cleared']);
    expect(events[0]?.timestamp).toBeGreaterThanOrEqual(1_200_000);
    expect(events[0]?.timestamp).toBeLessThan(1_240_000);
  });

  test('a silent sensor is left out, the others go on, and the threshold is theirs', () => {
    const inputs = rig(2400, 9, wrong).filter(
      ({ sensor, timestamp }) => sensor !== 'current' || timestamp < 800_000,
    );
    const records = run(inputs);
    const late = records.filter(({ timestamp }) => timestamp > 900_000);
    expect(late.every(({ contributions }) => contributions.length === 2)).toBe(true);
    expect(late[0]?.threshold).toBeLessThan(records[0]?.threshold ?? 0);
    expect(changes(records).map(({ event }) => event)).toEqual(['onset', 'cleared']);
  });

  test('a sensor that never varied, or hardly reported, is not judged', () => {
    const inputs = rig(800, 10).flatMap((item) =>
      item.sensor === 'pressure'
        ? [{ ...item, value: item.timestamp < 600_000 ? 5 : 6 }]
        : item.sensor === 'current' && item.timestamp > 6_000
          ? []
          : [item],
    );
    const records = run(inputs, { learnCount: 40 });
    expect(records[0]?.timestamp).toBe(400_002);
    expect(
      new Set(records.flatMap(({ contributions }) => contributions.map(({ sensor }) => sensor))),
    ).toEqual(new Set(['flow_rate']));
    expect(changes(records)).toEqual([]);
  });

  test('a sensor that reports once a minute among others is learned until it can be judged, and is not stale between', () => {
    const inputs = rig(3600, 14, (t, sensor) => (sensor === 'current' && t >= 2400 ? 8 : 0)).filter(
      ({ sensor, timestamp }) => sensor !== 'current' || timestamp % 60_000 < 1000,
    );
    expect(run(inputs)[0]?.timestamp).toBe(541_002);
    const slow = { learnCount: 1800, smoothingMs: 60_000, baselineMs: 3_600_000 };
    const records = run(inputs, { ...slow, recordEveryMs: 0 });
    expect(records.every(({ contributions }) => contributions.length === 3)).toBe(true);
    const [onset, ...more] = changes(records);
    expect(onset?.timestamp).toBeGreaterThanOrEqual(2_400_000);
    expect(onset?.timestamp).toBeLessThan(2_700_000);
    expect(onset?.contributions[0]?.sensor).toBe('current');
    expect(more).toEqual([]);
  });

  test('Bad, imputed, missing and foreign readings are not looked at', () => {
    const inputs = rig(900, 11);
    const added = inputs.flatMap((item) => [
      item,
      { ...item, value: 1e9, quality: 'Bad' as const },
      { ...item, value: 1e9, imputed: true },
      { ...item, value: null },
      { ...item, sensor: 'other', value: 1e9 },
    ]);
    expect(run(added)).toEqual(run(inputs));
  });

  test('late readings are not looked at; a clock set back is followed', () => {
    const inputs = rig(900, 12);
    const withLate = inputs.flatMap((item, i) =>
      i % 50 === 49 ? [item, { ...item, value: 1e9, timestamp: item.timestamp - 5000 }] : [item],
    );
    expect(run(withLate)).toEqual(run(inputs));
    const ahead = rig(900, 12);
    ahead.splice(1500, 0, reading(100, { sensor: 'current', timestamp: 1e12 }));
    const last = run(ahead).at(-1);
    expect(last?.timestamp).toBeLessThan(900_000);
    expect(last?.timestamp).toBeGreaterThan(800_000);
  });
});

describe('clocks that do not agree', () => {
  const shift = (t: number, sensor: string): number =>
    sensor === 'flow_rate' && t >= 800 && t < 1000 ? -4 : 0;
  /** The clock of `sensor` is off by so much; readings come in the order in which they were taken. */
  const off = (sensor: string, aheadMs: number) =>
    rig(1200, 15, shift).map((item) =>
      item.sensor === sensor ? { ...item, timestamp: item.timestamp + aheadMs } : item,
    );

  test.each([
    ['flow_rate', -3000],
    ['flow_rate', -3_600_000],
    ['flow_rate', 3000],
    ['current', 3000],
    ['current', 3_600_000],
    ['pressure', -7_200_000],
  ])('%s by %d ms: nothing is ignored, nothing is learned anew', (sensor, aheadMs) => {
    const state = anomalyState();
    const records = run(off(sensor, aheadMs), { recordEveryMs: 0 }, state);
    expect(records.length).toBeGreaterThan(780);
    expect(records.length).toBeLessThan(820);
    expect(records.every(({ contributions }) => contributions.length === 3)).toBe(true);
    const [onset, cleared, ...more] = changes(records);
    expect(onset?.contributions[0]?.sensor).toBe('flow_rate');
    expect(more).toEqual([]);
    const leader = Math.max(0, aheadMs);
    expect((onset?.timestamp ?? 0) - leader).toBeGreaterThanOrEqual(800_000);
    expect((onset?.timestamp ?? 0) - leader).toBeLessThan(820_000);
    expect((cleared?.timestamp ?? 0) - leader).toBeLessThan(1_030_000);
  });

  test('where the one that is ahead falls silent, the others go on by their own time', () => {
    const inputs = off('current', 3_600_000).filter(
      ({ sensor, timestamp }) => sensor !== 'current' || timestamp < 4_300_000,
    );
    const events = changes(run(inputs));
    expect(events.map(({ event }) => event)).toEqual(['onset', 'cleared']);
    expect(events[0]?.timestamp).toBeGreaterThanOrEqual(800_000);
    expect(events[0]?.timestamp).toBeLessThan(820_000);
  });

  test('a source that comes back with ten minutes at once changes neither what was learned nor an alarm', () => {
    const inputs = rig(1600, 16, (t, sensor) => (sensor === 'current' && t >= 700 ? 5 : 0));
    const isCut = ({ sensor, timestamp }: (typeof inputs)[number]): boolean =>
      sensor === 'flow_rate' && timestamp >= 600_000 && timestamp < 1_200_000;
    const queued = inputs.filter(isCut);
    const live = inputs.filter((item) => !isCut(item));
    const at = live.findIndex(({ timestamp }) => timestamp >= 1_200_000);
    const state = anomalyState();
    const events = changes(run([...live.slice(0, at), ...queued, ...live.slice(at)], {}, state));
    expect(events.map(({ event }) => event)).toEqual(['onset']);
    expect(events[0]?.timestamp).toBeLessThan(720_000);
    expect(state.since).toBe(events[0]?.timestamp);
  });

  test('sensors that deliver ten seconds at a time, one after the other', () => {
    const inputs = rig(1200, 17, shift).toSorted(
      (a, b) =>
        Math.floor(a.timestamp / 10_000) - Math.floor(b.timestamp / 10_000) ||
        a.sensor.localeCompare(b.sensor) ||
        a.timestamp - b.timestamp,
    );
    const events = changes(run(inputs));
    expect(events.map(({ event }) => event)).toEqual(['onset', 'cleared']);
    expect(events[0]?.timestamp).toBeGreaterThanOrEqual(800_000);
    expect(events[0]?.timestamp).toBeLessThan(830_000);
  });

  test('what orderByTime found late is not looked at', () => {
    const inputs = rig(900, 12);
    const order = { quality: 'Uncertain' as const, issues: [{ check: 'order' as const, message: 'late' }] };
    const late = Array.from({ length: 300 }, (_, t) =>
      reading(1e9, { sensor: 'current', timestamp: t * 1000, ...order }),
    );
    expect(run([...inputs.slice(0, 2400), ...late, ...inputs.slice(2400)])).toEqual(run(inputs));
  });
});

describe('ticks', () => {
  const resolved = resolveAnomalyOptions(options({ learnCount: 20, recordEveryMs: 0 }));

  test('judge the last interval two of them after the last reading, once', () => {
    const state = anomalyState();
    const records: AnomalyRecord[] = [];
    const emit = (record: AnomalyRecord): void => void records.push(record);
    anomalyTick(state, 0, resolved, emit);
    for (const item of rig(22, 1)) anomalyStep(state, item, resolved, emit);
    expect(records.map(({ timestamp }) => timestamp)).toEqual([20_002]);
    anomalyTick(state, 23_001, resolved, emit);
    expect(records).toHaveLength(1);
    anomalyTick(state, 23_002, resolved, emit);
    anomalyTick(state, 24_002, resolved, emit);
    expect(records.map(({ timestamp }) => timestamp)).toEqual([20_002, 21_002]);
  });

  test('go by times of arrival: readings that were a minute on their way are waited for', () => {
    const state = anomalyState();
    const records: AnomalyRecord[] = [];
    const emit = (record: AnomalyRecord): void => void records.push(record);
    for (const item of rig(22, 1)) {
      const { timestamp, value, unit } = item;
      const received = {
        ...{ row: 0, source: 'plant', position: 0, value, unit, quality: 'Good' as const },
        arrivedAt: timestamp + 60_000,
      };
      anomalyTick(state, timestamp + 60_000, resolved, emit);
      anomalyStep(state, { ...item, received }, resolved, emit);
    }
    anomalyTick(state, 83_000, resolved, emit);
    expect(records.map(({ timestamp }) => timestamp)).toEqual([20_002]);
    anomalyTick(state, 83_002, resolved, emit);
    expect(records.map(({ timestamp }) => timestamp)).toEqual([20_002, 21_002]);
  });
});

test('its state survives JSON at any time', () => {
  const resolved = resolveAnomalyOptions(options({ recordEveryMs: 5000, learnCount: 50 }));
  const inputs = rig(200, 13, (t) => (t > 120 && t < 160 ? 4 : 0));
  const whole: AnomalyRecord[] = [];
  const pieces: AnomalyRecord[] = [];
  const kept = anomalyState();
  let restored = anomalyState();
  for (const input of inputs) {
    anomalyStep(kept, input, resolved, (record) => whole.push(record));
    anomalyStep(restored, input, resolved, (record) => pieces.push(record));
    const text = JSON.stringify(restored);
    const again = JSON.parse(text) as typeof restored;
    expect(again).toStrictEqual(restored);
    restored = again;
  }
  expect(whole.length).toBeGreaterThan(20);
  expect(pieces).toEqual(whole);
});

test('no NaN from any finite input', () => {
  const input = fc.record({
    sensor: fc.constantFrom(...SENSORS),
    value: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, 1, 1e308, -1e308),
    ),
    stepMs: fc.oneof(fc.integer({ min: -5000, max: 5000 }), fc.constantFrom(0, 1000, 1e12)),
  });
  fc.assert(
    fc.property(fc.array(input, { minLength: 60, maxLength: 300 }), (inputs) => {
      let timestamp = 0;
      const readings = inputs.map(({ sensor, value, stepMs }) => {
        timestamp += stepMs;
        return reading(value, { sensor, timestamp });
      });
      const state = anomalyState();
      for (const record of run(readings, { learnCount: 20, recordEveryMs: 0 }, state)) {
        expect(Number.isFinite(record.score)).toBe(true);
        expect(record.score).toBeGreaterThanOrEqual(0);
        for (const { share } of record.contributions) expect(Number.isFinite(share)).toBe(true);
      }
      expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
    }),
    { numRuns: 200 },
  );
});
