import { describe, expect, test } from 'vitest';
import { StateRegistry } from '../src/stateRegistry.ts';
import type { SavedState, StateName, StateShape } from '../src/stateRegistry.ts';

const NAME: StateName = { asset: 'a', sensor: 'b', operator: 'x' };
const saved = (name: StateName, state: unknown, shape: StateShape = {}): SavedState => ({
  name,
  shape,
  state,
});

describe('cells', () => {
  test('a restored state is opened under its name', () => {
    const registry = new StateRegistry([saved(NAME, { count: 7 })]);
    expect(registry.cell(NAME, {}, () => ({ count: 0 })).open()).toEqual({ count: 7 });
    expect(registry.cell({ ...NAME, operator: 'y' }, {}, () => ({ count: 0 })).open()).toEqual({ count: 0 });
    expect(registry.cell({ asset: 'a', operator: 'x' }, {}, () => ({ count: 1 })).open()).toEqual({
      count: 1,
    });
  });

  test('what is saved is what operators have made of their states', () => {
    const registry = new StateRegistry();
    const state = registry.cell(NAME, { unit: 'K' }, () => ({ count: 0 })).open();
    state.count = 3;
    expect(registry.saved('a')).toEqual([saved(NAME, { count: 3 }, { unit: 'K' })]);
    expect(registry.saved('b')).toEqual([]);
    expect(registry.assets()).toEqual(['a']);
  });

  test('a restored state that nobody has opened yet is saved again, until it is dropped', () => {
    const told: string[] = [];
    const other = { asset: 'c', operator: 'y' };
    const registry = new StateRegistry([saved(NAME, { count: 7 }), saved(other, { count: 8 })], (name, why) =>
      told.push(`${name.asset} ${name.operator}: ${why}`),
    );
    registry.cell(NAME, {}, () => ({ count: 0 })).open();
    expect(registry.saved('c')).toEqual([saved(other, { count: 8 })]);
    expect(told).toEqual([]);
    registry.dropUnopened();
    expect(registry.assets()).toEqual(['a']);
    expect(told).toEqual(['c y: no longer configured']);
  });

  test('knows the sensors, those of an earlier run first', () => {
    const of = (asset: string, sensor: string): StateName => ({ asset, sensor, operator: 'x' });
    const registry = new StateRegistry([
      saved(of('A', 't'), {}),
      saved(of('B', 't'), {}),
      saved({ asset: 'A', operator: 'updateTwin' }, {}),
    ]);
    registry.cell(of('A', 'p'), {}, () => ({})).open();
    expect(registry.sensors()).toEqual([
      { asset: 'A', sensor: 't' },
      { asset: 'A', sensor: 'p' },
      { asset: 'B', sensor: 't' },
    ]);
  });

  test.each([
    ['a key too many', { count: 1, more: 2 }],
    ['a key too few', {}],
    ['another key', { counter: 1 }],
    ['a list', [1]],
    ['null', null],
    ['a number', 5],
  ])('a state of another shape is replaced by a fresh one, and that is told: %s', (_, restored) => {
    const told: string[] = [];
    const registry = new StateRegistry([saved(NAME, restored)], (_name, why) => told.push(why));
    expect(registry.cell(NAME, {}, () => ({ count: 0 })).open()).toEqual({ count: 0 });
    expect(told).toEqual(['it was written by a version that keeps other things']);
  });

  test('a state that was written under other options is replaced, and it is told which', () => {
    const told: string[] = [];
    const registry = new StateRegistry(
      [saved(NAME, { count: 7 }, { unit: 'K', windowSize: 100 })],
      (name, why) => told.push(`${name.operator}: ${why}`),
    );
    const cell = registry.cell(NAME, { unit: 'K', windowSize: 50, more: null }, () => ({ count: 0 }));
    expect(cell.open()).toEqual({ count: 0 });
    expect(told).toEqual(['x: windowSize was 100, is 50; more was not there, is null']);
    expect(registry.saved('a')).toEqual([
      saved(NAME, { count: 0 }, { unit: 'K', windowSize: 50, more: null }),
    ]);
  });

  test('names like those of built-in properties are names', () => {
    const proto: StateName = { asset: '__proto__', sensor: 'constructor', operator: 'x' };
    const registry = new StateRegistry();
    registry.cell(proto, {}, () => ({ count: 1 })).open();
    const restored = new StateRegistry(registry.saved('__proto__'));
    expect(restored.cell({ ...proto, sensor: 'toString' }, {}, () => ({ count: 0 })).open()).toEqual({
      count: 0,
    });
    expect(restored.cell(proto, {}, () => ({ count: 0 })).open()).toEqual({ count: 1 });
  });
});
