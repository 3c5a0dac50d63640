import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reading } from '../../../marble-tests/readings.ts';
import { anomalyState, anomalyStep } from '../../../operators/steps/anomaly.ts';
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
  const drift = rig(3000, 2, (t, sensor) => (sensor === 'pressure' && t > 400 ? (t - 400) / 300 : 0));

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
        : item.sensor === 'current' && item.timestamp % 10_000 > 1000
          ? []
          : [item],
    );
    const records = run(inputs);
    expect(
      new Set(records.flatMap(({ contributions }) => contributions.map(({ sensor }) => sensor))),
    ).toEqual(new Set(['flow_rate']));
    expect(changes(records)).toEqual([]);
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
