import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { runChild } from './child.ts';
import { benchmarksPage, figureCells, operatorCells, table } from './report.ts';
import type { Measure } from './support.ts';

/*
 * npm run bench                        everything, and docs/benchmarks.md
 * npm run bench -- chain flagSpikes    only these; prints, writes nothing
 * npm run bench -- --quick             small counts: whether all runs, not how fast; writes nothing
 */

const FIGURES = ['chain', 'mqtt', 'realtime', 'memory', 'checkpoint', 'integrator', 'twin'];
const PAGE = new URL('../docs/benchmarks.md', import.meta.url);

const suffix = '.bench.ts';
const operators = readdirSync(new URL('operators/', import.meta.url))
  .filter((file) => file.endsWith(suffix))
  .map((file) => file.slice(0, -suffix.length))
  .sort();

const quick = process.argv.includes('--quick');
const names = process.argv.slice(2).filter((argument) => argument !== '--quick');
const unknown = names.filter((name) => ![...FIGURES, ...operators].includes(name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${[...FIGURES, ...operators].join(', ')}`);
  process.exit(2);
}
const wanted = (name: string): boolean => names.length === 0 || names.includes(name);

const started = new Date();
const loadBefore = loadavg()[0] ?? 0;
let failures = 0;

async function measure(name: string, file: string): Promise<Measure[]> {
  process.stderr.write(`${name} …\n`);
  try {
    const measures = await runChild<Measure[]>('measure.ts', { file, quick });
    for (const { result, baseline } of measures) process.stderr.write(`  ${result}; ${baseline}\n`);
    return measures;
  } catch (error) {
    failures += 1;
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

async function measureAll(all: readonly string[], folder: string): Promise<Measure[]> {
  const measures = [];
  for (const name of all.filter(wanted)) measures.push(...(await measure(name, `${folder}${name}${suffix}`)));
  return measures;
}

const figures = await measureAll(FIGURES, './');
const perOperator = await measureAll(operators, './operators/');
if (figures.length > 0) {
  console.log(
    table(['measure', 'result', 'baseline', 'ratio', 'target', 'reached'], figures.map(figureCells)),
  );
}
if (perOperator.length > 0) {
  console.log(table(['operator', 'result', 'baseline', 'ratio'], perOperator.map(operatorCells)));
}
if (failures > 0) {
  process.exitCode = 1;
} else if (names.length === 0 && !quick) {
  mkdirSync(new URL('.', PAGE), { recursive: true });
  writeFileSync(PAGE, benchmarksPage(figures, perOperator, 'npm run bench', started, loadBefore));
}
