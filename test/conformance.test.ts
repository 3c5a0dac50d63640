/** Fails when an operator lacks one of its parts: tested step, marble test, page, bench, export. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as library from '../operators/index.ts';

const root = new URL('../', import.meta.url);
const has = (path: string): boolean => existsSync(new URL(path, root));
const read = (path: string): string => (has(path) ? readFileSync(new URL(path, root), 'utf8') : '');
const exported = new Map<string, unknown>(Object.entries(library));

/** An operator's file exports a function of its own name that returns an OperatorFunction or a Stage. */
const operators = readdirSync(new URL('operators/', root))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .filter((name) => name !== 'stage')
  .filter((name) => {
    const source = read(`operators/${name}.ts`);
    return new RegExp(`export function ${name}\\b`).test(source) && /OperatorFunction<|: Stage</.test(source);
  });

/** The steps whose code, not only whose types, the operator uses. */
const stepsOf = (name: string): string[] =>
  [...read(`operators/${name}.ts`).matchAll(/^import \{[^}]*\} from '\.\/steps\/(\w+)\.ts'/gm)].flatMap(
    ([, step]) => step ?? [],
  );

/** The keys of the options, in the operator's own file and its steps'. */
const optionsOf = (name: string): string[] =>
  [`operators/${name}.ts`, ...stepsOf(name).map((step) => `operators/steps/${step}.ts`)].flatMap((file) =>
    [
      ...read(file).matchAll(/^export interface (?!Resolved)\w*Options(?: extends \w+)? \{([\s\S]*?)^\}/gm),
    ].flatMap(([, body = '']) =>
      [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].flatMap(([, key]) => key ?? []),
    ),
  );

test('the operators are found', () => {
  expect(operators).toEqual(expect.arrayContaining(['flagSpikes', 'imputeMissing', 'validateRange']));
  expect(operators).not.toContain('clockTicks');
  expect(optionsOf('flagStuck')).toEqual(['maxDurationMs', 'minCount', 'tolerance']);
});

describe.each(operators)('%s', (name) => {
  test('has its algorithm in a step with a test of its own', () => {
    const steps = stepsOf(name);
    expect(steps.length).toBeGreaterThan(0);
    for (const step of steps) {
      expect(has(`test/operators/steps/${step}.test.ts`), `test/operators/steps/${step}.test.ts`).toBe(true);
    }
  });

  test('has a marble test that runs the operator contract', () => {
    expect(read(`marble-tests/${name}.test.ts`)).toContain('operatorContract(');
  });

  test('has a page that names every option', () => {
    const page = read(`docs/operators/${name}.md`);
    expect(page.startsWith(`# ${name}\n`), `docs/operators/${name}.md`).toBe(true);
    expect(optionsOf(name).filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
  });

  test('has a bench', () => {
    expect(has(`bench/operators/${name}.bench.ts`), `bench/operators/${name}.bench.ts`).toBe(true);
  });

  test('is exported by operators/index.ts', () => {
    expect(exported.get(name)).toBeTypeOf('function');
  });
});
