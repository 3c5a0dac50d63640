import { describe, expect, test } from 'vitest';
import type { EstimateOptions } from '../../../src/twin/process/estimationOptions.ts';
import { estimatedTwin } from '../../../src/twin/process/estimatedTwin.ts';
import { unsupported } from '../../../src/twin/process/supported.ts';
import { stirredTank } from '../../support/stirredTank.ts';

const TEMPERATURE = { temperature: 0.25 };
const CONCENTRATION = { concentration: 1e-4 };
const COLD = {};
const HOT = { c: 0.065, T: 391.9, UA: 4e4 };

const judge = (
  point: Parameters<typeof stirredTank>[0],
  names: readonly string[],
  sensors: Readonly<Record<string, number>>,
): string | null => {
  const estimate = Object.fromEntries(names.map((name): [string, EstimateOptions] => [name, {}]));
  return unsupported(estimatedTwin(stirredTank(point), { estimate }), sensors);
};

describe.each([
  ['cold', COLD],
  ['hot', HOT],
])('what sensors can support, %s', (_, point) => {
  test.each([
    ['the states alone', [], TEMPERATURE],
    ['heat transfer', ['UA'], TEMPERATURE],
    ['the feed', ['cf'], TEMPERATURE],
    ['the reaction', ['k0'], TEMPERATURE],
    ['heat transfer, by an analyser', ['UA'], CONCENTRATION],
    ['heat transfer and the feed, by both', ['UA', 'cf'], { ...TEMPERATURE, ...CONCENTRATION }],
    ['heat transfer and the flow, by a flow meter', ['UA', 'q'], { ...TEMPERATURE, flow_rate: 1 }],
  ])('%s', (_name, names, sensors) => {
    expect(judge(point, names, sensors)).toBeNull();
  });

  test.each([
    ['heat transfer and reaction from the temperature alone', ['UA', 'k0'], TEMPERATURE, /k0.*looks like UA/],
    [
      'heat transfer and feed from the temperature alone',
      ['UA', 'cf'],
      TEMPERATURE,
      /with the sensors there are \(temperature\).*cf/,
    ],
    [
      'two things from an analyser alone',
      ['k0', 'cf'],
      CONCENTRATION,
      /with the sensors there are \(concentration\).*k0 cannot be estimated \(\d+ % of its uncertainty remains/,
    ],
  ])('refuses %s', (_name, names, sensors, problem) => {
    const said = judge(point, names, sensors);
    expect(said).toMatch(problem);
    expect(said).toMatch(/a sensor of (temperature|concentration) would help; or estimate fewer: leave out/);
  });

  test.each([
    ['without any sensor of the state', [], { flow_rate: 1 }],
    ['nothing at all', ['UA'], {}],
  ])('refuses %s', (_name, names, sensors) => {
    expect(judge(point, names, sensors)).toBe(
      "no sensor measures what follows from the model's state; expected one of temperature or concentration",
    );
  });
});

test('what is only considered need not be told apart', () => {
  const reaction = { mode: 'consider' as const, stdDev: 0.02 * 7.2e10 };
  const considered = estimatedTwin(stirredTank(HOT), { estimate: { UA: {}, k0: reaction } });
  expect(unsupported(considered, TEMPERATURE)).toBeNull();
  const estimated = estimatedTwin(stirredTank(HOT), {
    estimate: { UA: {}, k0: { ...reaction, mode: 'estimate' } },
  });
  expect(unsupported(estimated, TEMPERATURE)).toMatch(/k0 cannot be estimated/);
});

test('a noisy sensor supports less', () => {
  expect(judge(COLD, ['UA'], { temperature: 0.25 })).toBeNull();
  expect(judge(COLD, ['UA'], { temperature: 1e6 })).toMatch(/the parameter UA cannot be estimated/);
});

test('what no sensor of the model could tell apart is said to be so', () => {
  const tank = stirredTank();
  // Half of the heat transfer under another name: they come in as a sum.
  const model = {
    ...tank,
    parameters: [...tank.parameters, { name: 'UA2', unit: '', initial: 1e4, min: 0, max: 1e6 }],
    derivatives: (x: ArrayLike<number>, u: ArrayLike<number>, p: ArrayLike<number>, dxdt: Float64Array) =>
      tank.derivatives(x, u, [(p[0] ?? 0) + (p[2] ?? 0) - 1e4, p[1] ?? 0], dxdt),
  };
  const estimate = { UA: { stdDev: 1e4 }, UA2: { stdDev: 1e4 } };
  const sensors = { ...TEMPERATURE, ...CONCENTRATION };
  expect(unsupported(estimatedTwin(model, { estimate }), sensors)).toMatch(
    /UA cannot be estimated \(71 % .*looks like UA2\) and .*UA2 .*looks like UA\); no single sensor of stirredTank would help; or estimate fewer: leave out UA or UA2/,
  );
});

test('a state that nothing corrects and that forgets nothing is refused', () => {
  const tank = stirredTank();
  const model = {
    ...tank,
    states: [...tank.states, { name: 'level', unit: 'm', initial: 1, min: 0, max: 10, scale: 1 }],
    derivatives: (x: ArrayLike<number>, u: ArrayLike<number>, p: ArrayLike<number>, dxdt: Float64Array) => {
      tank.derivatives(x, u, p, dxdt);
      dxdt[2] = 0;
    },
    measured: {
      ...tank.measured,
      level: { kind: 'output' as const, unit: 'm', read: (x: ArrayLike<number>) => x[2] ?? NaN },
    },
  };
  expect(unsupported(estimatedTwin(model), TEMPERATURE)).toBe(
    'with the sensors there are (temperature), the state level cannot be estimated (100 % of its uncertainty remains, expected at most 50 %); a sensor of level would help',
  );
  expect(unsupported(estimatedTwin(model), { ...TEMPERATURE, level: 1e-4 })).toBeNull();
});
