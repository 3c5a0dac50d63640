import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelConfig } from '../../config/types.ts';
import type { LiveTwin } from '../../src/twin/liveTwin.ts';
import { loadModel, openTwins } from '../../src/twin/registry.ts';
import { configFolder } from '../config/helpers.ts';

let folder = '';
let count = 0;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'rxtwin-model-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A module of the user's own with this text. */
function file(text: string): ModelConfig {
  count += 1;
  const type = join(folder, `model${count}.mjs`);
  writeFileSync(type, text);
  return { type, sensors: {}, parameters: { gain: 2 } };
}

/** A good model whose parts a test replaces. */
const model = (over: Record<string, string> = {}): string => {
  const parts = {
    type: "'counter'",
    quantities: "{ temperature: 'degC' }",
    outputs: "{ level: 'm' }",
    initial: '() => ({ level: 1 })',
    parameters: '() => ({ gain: given.gain })',
    advance: '(s, dtS) => { s.level += dtS * given.gain; }',
    correct: '(s, quantity, value) => value - s.level',
    read: '(s) => ({ value: s.level, stdDev: null })',
    ...over,
  };
  const body = Object.entries(parts).map(([key, value]) => (value === '' ? '' : `${key}: ${value},`));
  return `export default (given) => ({ ${body.join('\n')} });`;
};

describe('a model of the user’s own', () => {
  test('is made of the parameters beside its path', async () => {
    const own = await loadModel(file(model()));
    const state = own.initial();
    own.advance(state, 3);
    expect(own.read(state, 'level')).toEqual({ value: 7, stdDev: null });
    expect(own.parameters(state)).toEqual({ gain: 2 });
  });

  test('may be made asynchronously', async () => {
    const text = model().replace('export default (given) =>', 'export default async (given) =>');
    expect((await loadModel(file(text))).type).toBe('counter');
  });

  test.each([
    ['no default export', 'export const model = 1;', 'expected a default export that is a function'],
    [
      'a default export that is no function',
      'export default { type: "x" };',
      'expected a default export that is a function',
    ],
    [
      'a function that returns nothing',
      'export default () => undefined;',
      'expected the default export to return a model, got undefined',
    ],
    [
      'parts missing',
      model({ type: '', advance: '', outputs: '' }),
      'the model lacks type (a string), advance (a function), outputs (name -> unit)',
    ],
    [
      'an output that is not a number',
      model({ read: '() => ({ value: NaN, stdDev: null })' }),
      'output level is NaN one second after the start, expected a finite number',
    ],
    [
      'an output that becomes infinite',
      model({ advance: '(s) => { s.level = 1 / 0; }' }),
      'output level is Infinity one second after the start',
    ],
    [
      'a state that JSON does not keep',
      model({ initial: '() => ({ level: 1, seen: new Map([[1, 2]]) })' }),
      'the state does not survive a JSON round trip',
    ],
    [
      'an undefined in its state',
      model({ initial: '() => ({ level: 1, last: undefined })' }),
      'the state does not survive a JSON round trip',
    ],
    ['one that throws when made', 'export default () => { throw new Error("no licence"); };', 'no licence'],
    [
      'one that throws when it runs',
      model({ advance: '() => { throw new Error("singular"); }' }),
      'singular',
    ],
    ['text that is no JavaScript', 'export default (', /pars|unexpected/i],
  ])('is refused at the start: %s', async (_, text, problem) => {
    const config = file(text);
    await expect(loadModel(config)).rejects.toThrow(problem);
  });

  test('starts anew where it fails in mid-stream, and says so', async () => {
    const faults: string[] = [];
    const correct = `(s, quantity, value) => {
      if (value === 13) { s.level = NaN; s.junk = 1; }
      if (value === 14) { s.level = 99; throw new Error('singular'); }
      return value === 15 ? NaN : value - s.level;
    }`;
    const own = await loadModel(file(model({ correct })), (problem) => faults.push(problem));
    const state = own.initial();
    own.advance(state, 3);
    expect(own.correct(state, 'temperature', 12, 0)).toBe(5);
    expect(faults).toEqual([]);
    expect(own.correct(state, 'temperature', 13, 0)).toBeNull();
    expect(state).toEqual({ level: 1 });
    own.advance(state, 1);
    expect(own.correct(state, 'temperature', 14, 0)).toBeNull();
    expect(state).toEqual({ level: 1 });
    expect(own.correct(state, 'temperature', 15, 0)).toBeNull();
    own.advance(state, Infinity);
    expect(state).toEqual({ level: 1 });
    expect(faults).toEqual([
      'correct temperature by 13: output level is NaN; it starts anew',
      'correct temperature by 14 failed: singular; it starts anew',
      'advance by Infinity s: output level is Infinity; it starts anew',
    ]);
  });

  test('a file that is not there is named', async () => {
    const type = join(folder, 'missing.mjs');
    await expect(loadModel({ type, sensors: {}, parameters: {} })).rejects.toThrow(type);
  });
});

describe('the built-in model', () => {
  test('takes numbers as parameters', async () => {
    const config = { type: 'batchReactor', sensors: {}, parameters: { heatTransferCoefficientWPerM2K: 400 } };
    const reactor = await loadModel(config);
    expect(reactor.parameters(reactor.initial())).toMatchObject({
      heatTransferCoefficientWPerM2K: 400,
    });
  });

  test.each([
    [{ massKg: 'heavy' }, 'massKg: "heavy" is not valid, expected a number'],
    [{ massKg: -1 }, 'massKg'],
    [{ masKg: 1 }, 'masKg'],
  ])('refuses %j', async (parameters, problem) => {
    await expect(loadModel({ type: 'batchReactor', sensors: {}, parameters })).rejects.toThrow(problem);
  });
});

describe('a process model', () => {
  const withFilter = (over: object = {}, type = 'cstr', parameters = {}): ModelConfig => ({
    ...{ type, sensors: {}, parameters },
    estimation: {
      ...{ estimate: {}, initialStdDev: {}, stateNoisePerSqrtS: {}, measurementStdDev: {} },
      ...{ gateNis: 25, confirmCount: 5, maxStepS: 10, ...over },
    },
  });
  const one = { mode: 'estimate' as const, stdDev: null, noisePerSqrtS: null };

  test('is kept in step by a filter, which takes measurements and estimates what it is asked to', async () => {
    const own = await loadModel(withFilter({ estimate: { heatTransfer: one } }));
    expect(own.takes).toBe('measurement');
    const state = own.initial();
    expect(Object.keys(own.parameters(state))).toEqual(['heatTransfer']);
    expect(own.parameters(state)['heatTransfer']).toBeCloseTo(833.33, 1);
    expect(own.parameterStdDev?.(state)['heatTransfer']).toBeCloseTo(167.8, 1);
    expect(own.read(state, 'conversion').stdDev).toBeGreaterThan(0);
  });

  test('may be the user’s own', async () => {
    const text = `export default ({ k }) => ({
      type: 'tank',
      states: [{ name: 'level', unit: 'm', initial: 1, min: 0, max: 10, scale: 1 }],
      inputs: [{ name: 'inflow', unit: 'm/s', initial: 0.01, min: 0, max: 1 }],
      parameters: [{ name: 'k', unit: '1/s', initial: k, min: 0, max: 1 }],
      derivatives(x, u, p, dxdt) { dxdt[0] = x[0] > 7 ? NaN : u[0] - p[0] * x[0]; },
      measured: { level: { kind: 'output', unit: 'm', read: (x) => x[0] } },
      outputs: { level: { unit: 'm', read: (x) => x[0] } },
    })`;
    const { type } = file(text);
    const own = await loadModel(withFilter({ estimate: { k: one } }, type, { k: 0.01 }));
    const state = own.initial();
    for (let t = 0; t < 600; t++) {
      own.advance(state, 1);
      own.correct(state, 'level', 2, 1e-4);
    }
    expect(own.parameters(state)['k']).toBeCloseTo(0.005, 4);
    expect(own.read(state, 'level').value).toBeCloseTo(2, 2);
  });

  test.each([
    [{ estimate: { massKg: one } }, 'estimate: massKg is not valid, expected one of volume,'],
    [
      { stateNoisePerSqrtS: { level: 1 } },
      'stateNoisePerSqrtS: level is not valid, expected one of concentration, temperature',
    ],
  ])('refuses %j', async (over, problem) => {
    await expect(loadModel(withFilter(over))).rejects.toThrow(problem);
  });

  test('models without a filter take no keys of one', async () => {
    const problem = 'batchReactor has no filter that could take the keys estimate and filter';
    await expect(loadModel(withFilter({}, 'batchReactor'))).rejects.toThrow(problem);
    const own = withFilter({}, file(model()).type, { gain: 2 });
    await expect(loadModel(own)).rejects.toThrow('counter has no filter');
  });

  const CSTR = 'type: cstr, initialConcentrationMolPerL: 0.8773, initialTemperatureDegC: 51.33';
  const load = async (yaml: string): Promise<Map<string, LiveTwin>> => {
    const settings = configFolder();
    try {
      return await openTwins(settings.load(yaml).config);
    } finally {
      settings.remove();
    }
  };

  test('noise is that of the sensor’s kalman, or what the model is told', async () => {
    const twins = await load(`
assets:
  A:
    model: { ${CSTR} }
    sensors: { temperature: { kalman: { measurementVariance: 0.3 } }, pressure: {} }
  B:
    model: { ${CSTR}, filter: { measurementStdDev: { temperature: 0.5 } } }
    sensors: { temperature: { kalman: false } }
`);
    const variances = [...twins.values()].map((twin) =>
      Object.values(twin.options.sensors).map((sensor) => sensor.measurementVariance),
    );
    expect(variances).toEqual([[0.3, 0.5], [0.25]]);
    expect(twins.get('A')?.estimated?.process.type).toBe('cstr');
    const silent = `assets: { A: { model: { ${CSTR} }, sensors: { temperature: { kalman: false } } } }`;
    await expect(load(silent)).rejects.toThrow(
      /assets\.A\.model.*filter\.measurementStdDev\.temperature: missing, expected the noise of temperature, whose kalman is off/s,
    );
  });

  test('what the sensors cannot support is refused when the service starts, with what would help', async () => {
    const asset = (estimate: string, sensors: string): string =>
      `assets: { A: { model: { ${CSTR}, estimate: ${estimate} }, sensors: ${sensors} } }`;
    expect((await load(asset('{ heatTransfer: {} }', '{ temperature: {} }'))).size).toBe(1);
    await expect(
      load(asset('{ heatTransfer: {}, preExponentialFactor: {} }', '{ temperature: {} }')),
    ).rejects.toThrow(
      /assets\.A\.model.*with the sensors there are \(temperature\).*preExponentialFactor cannot be estimated.*a sensor of concentration or conversion would help/s,
    );
    await expect(load(asset('{}', '{ flow_rate: {} }'))).rejects.toThrow(
      'expected one of temperature or concentration or conversion',
    );
  });
});

describe('the twins of a configuration', () => {
  test('one an asset with a model, in its order; a problem names the asset', async () => {
    const settings = configFolder();
    try {
      const { config } = settings.load(`
assets:
  B: { model: { type: batchReactor }, sensors: { temperature: {} } }
  C: { sensors: { temperature: {} } }
  A: { model: { type: batchReactor }, sensors: { temperature: {}, pressure: {} } }
`);
      expect([...(await openTwins(config)).keys()]).toEqual(['B', 'A']);
      const broken = file(model({ read: '() => ({ value: NaN, stdDev: null })' }));
      const { config: bad } = settings.load(`
assets: { R7: { model: { type: ${JSON.stringify(broken.type)} }, sensors: { temperature: {} } } }
`);
      await expect(openTwins(bad)).rejects.toThrow(/assets\.R7\.model.*output level is NaN/s);
    } finally {
      settings.remove();
    }
  });
});
