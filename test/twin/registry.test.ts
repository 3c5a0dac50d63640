import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelConfig } from '../../config/types.ts';
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
