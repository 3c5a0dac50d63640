import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError, problemText } from '../../../config/problems.ts';
import { loadScenario, parseScenario } from '../../../src/plant/process/parseScenario.ts';
import { parseSeconds } from '../../../src/plant/process/scenarioFields.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxtwin-test-scenario-'));
afterAll(() => rmSync(folder, { recursive: true }));

function problemsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problemText);
    throw error;
  }
  return [];
}

test.each([
  [90, 90],
  ['600s', 600],
  ['1.5 min', 90],
  ['2 h', 7200],
  ['250ms', 0.25],
  ['1.1 min', 66],
  ['', undefined],
  ['5 weeks', undefined],
  [-1, undefined],
  [null, undefined],
])('a time of %j is %j s', (text, expected) => expect(parseSeconds(text)).toBe(expected));

test('an empty scenario is one reactor of the textbook with the usual sensors', () => {
  const { assets, sensors, durationS, stepS, events, control } = parseScenario({});
  expect({ assets, durationS, stepS, events }).toEqual({
    assets: ['R101'],
    durationS: 3600,
    stepS: 1,
    events: [],
  });
  expect(Object.keys(sensors)).toEqual([
    'temperature',
    'coolant_temperature',
    'flow_rate',
    'feed_temperature',
  ]);
  expect(sensors['temperature']).toMatchObject({ measures: 'temperature', everyS: 1, stdDev: 0.3 });
  expect(control).toMatchObject({
    manipulates: 'coolantTemperature',
    gain: 4,
    integralS: 60,
    min: 5,
    max: 95,
  });
});

test('reads the example of the documentation', () => {
  const file = join(folder, 'fouling.yaml');
  writeFileSync(
    file,
    `seed: 7
duration: 1 h
assets: [R101, R102]
sensors:
  temperature: { every: 500 ms, stdDev: 0.5, coloured: { stdDev: 0.1, timeConstant: 2 min } }
  T_jacket: { measures: coolant_temperature }
events:
  - { at: 10 min, ramp: 20 min, shape: exponential, scale: { heatTransfer: 0.8 } }
  - { at: 600s, set: { setpointDegC: 62 }, assets: [R102] }
  - { at: 30 min, for: 5 min, sensor: temperature, fault: drift, size: 0.01 }
  - { at: 40 min, actuator: limited, min: 10 }
`,
  );
  const { events, sensors } = loadScenario(file);
  expect(events.map(({ kind, at }) => `${kind} ${at}`)).toEqual([
    'process 600',
    'process 600',
    'sensor 1800',
    'actuator 2400',
  ]);
  expect(events[1]).toMatchObject({ assets: ['R102'], for: null, ramp: 0, set: { setpointDegC: 62 } });
  expect(sensors['T_jacket']).toMatchObject({ measures: 'coolant_temperature', stdDev: 0.3 });
  expect(sensors['temperature']).toMatchObject({
    everyS: 0.5,
    colouredStdDev: 0.1,
    colouredTimeConstantS: 120,
  });
});

describe('what is wrong is said, with its key', () => {
  test.each<[Record<string, unknown>, string | RegExp]>([
    [{ sed: 1 }, /^default: sed: unknown key; did you mean "seed"\?/],
    [
      { duration: 'soon' },
      'default: duration: "soon" is not valid, expected a time > 0 s, like 90, 90s, 1.5 min or 2 h',
    ],
    [{ step: 0 }, /step: 0 is not valid, expected a time > 0 s <= 60 s/],
    [{ startAt: 'today' }, /startAt: "today" is not valid/],
    [{ assets: ['R1', 'R1'] }, /assets: \["R1", "R1"\] is not valid/],
    [{ events: [{ set: { setpointDegC: 1 } }] }, /events\[0\].at: missing, expected a time/],
    [{ events: [{ at: 1 }] }, /exactly one of set\/scale\/add, sensor with fault, and actuator/],
    [{ events: [{ at: 1, set: { setpointDegC: 5 }, actuator: 'stuck' }] }, /exactly one of/],
    [{ events: [{ at: 1, set: { setpoint: 5 } }] }, /events\[0\].set.setpoint: unknown quantity/],
    [{ events: [{ at: 1, scale: { coolantFlo: 0 } }] }, /did you mean "coolantFlow"/],
    [
      { events: [{ at: 1, set: { coolantFlow: -1 } }] },
      /coolantFlow: -1 is not valid, expected a number >= 0/,
    ],
    [
      { events: [{ at: 1, sensor: 'temperature' }] },
      /events\[0\].fault: missing, expected one of bias, drift/,
    ],
    [
      { events: [{ at: 1, sensor: 'temperature', fault: 'bias' }] },
      /size: missing, expected a number for the fault bias/,
    ],
    [
      { events: [{ at: 1, sensor: 'ph', fault: 'stuck' }] },
      /events\[0\].sensor: the plant has no sensor "ph", expected one of temperature/,
    ],
    [
      { events: [{ at: 1, sensor: 'temperature', fault: 'stuk' }] },
      /fault: "stuk" is not valid, expected one of/,
    ],
    [
      { events: [{ at: 1, actuator: 'stuck', assets: ['R9'] }] },
      /events\[0\].assets: the plant has no "R9", expected some of R101/,
    ],
    [{ events: [{ at: 1, actuator: 'offset' }] }, /size: missing/],
    [
      { events: [{ at: 1, actuator: 'stuck' }], control: { manipulates: 'nothing' } },
      /control.manipulates is nothing/,
    ],
    [
      { sensors: { temperature: { jitter: 0.5 } } },
      /sensors.temperature.jitter: 0.5 s, expected at most a quarter/,
    ],
    [{ sensors: { temperature: { measures: 'colour' } } }, /measures: "colour" is not valid/],
    [
      { sensors: { T1: { measures: 'temperature', stdDev: -1 } } },
      /stdDev: -1 is not valid, expected a number >= 0, or null/,
    ],
    [{ sensors: { T1: {} } }, /sensors.T1.measures: missing, expected one of temperature/],
    [
      { control: { sensor: 'flow_rate' } },
      /control.sensor: "flow_rate" is not a sensor that measures temperature/,
    ],
    [{ control: { min: 99 } }, /control.min: 99, expected less than max, 95/],
    [
      { process: { parameters: { volume: 1 } } },
      /process.parameters.volume: unknown parameter; did you mean "volumeL"/,
    ],
    [{ process: { parameters: { volumeL: -1 } } }, /process.parameters: volumeL: -1 is not valid, expected/],
    [{ spread: { toString: 0.1 } }, /spread.toString: unknown quantity/],
    [{ spread: { heatTransfer: 2 } }, /spread.heatTransfer: 2 is not valid/],
  ])('%j', (data, expected) => {
    const problems = problemsOf(() => parseScenario(data));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });
  test('all at once, with file and line', () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, 'seed: x\nevents:\n  - { at: 1 }\n  - { at: later, actuator: stuck }\n');
    expect(problemsOf(() => loadScenario(file)).map((text) => text.replace(folder, ''))).toEqual([
      expect.stringMatching(/^\/wrong.yaml:1: seed: "x" is not valid/),
      expect.stringMatching(/^\/wrong.yaml:3: events\[0\].at: expected exactly one of/),
      expect.stringMatching(/^\/wrong.yaml:4: events\[1\].at: "later" is not valid/),
    ]);
    expect(problemsOf(() => loadScenario(join(folder, 'none.yaml')))[0]).toMatch('no such file');
  });
});
