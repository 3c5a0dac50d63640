import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Measure } from './support.ts';

const root = new URL('../', import.meta.url);

/** The page docs/benchmarks.md. */
export function benchmarksPage(
  figures: readonly Measure[],
  operators: readonly Measure[],
  command: string,
  started: Date,
  loadBefore: number,
): string {
  return `# Benchmarks

Written by \`${command}\`; not to be edited. Every measure runs in a process of its own, one after the other, beside its
baseline in the same run, so that the ratio holds on other machines, too. CPU time is user and system time of the
whole process, all its threads. What misses its target is said to.

${table(['measure', 'result', 'baseline', 'ratio', 'target', 'reached'], figures.map(figureCells))}

## Operators

CPU time a reading of one operator, stand-alone, against a bare \`map\` on the same readings. Both include the Subject that
feeds them and the subscriber.

${table(['operator', 'result', 'baseline', 'ratio'], operators.map(operatorCells))}

## Where and with what

${machineLines(started, loadBefore)
  .map((line) => `- ${line}`)
  .join('\n')}
`;
}

export const figureCells = ({ name, result, baseline, ratio, target, reached }: Measure): string[] => [
  name,
  result,
  baseline,
  ratio,
  target,
  reached === null ? '' : reached ? 'yes' : '**no**',
];

export const operatorCells = ({ name, result, baseline, ratio }: Measure): string[] => [
  name,
  result,
  baseline,
  ratio,
];

/** A Markdown table with its columns in line. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function machineLines(started: Date, loadBefore: number): string[] {
  const all = cpus();
  return [
    `machine: ${all[0]?.model.trim() ?? 'unknown CPU'}, ${all.length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory`,
    `system: ${systemName()} (${type()} ${release()})`,
    `load average: ${loadBefore.toFixed(2)} before, ${(loadavg()[0] ?? 0).toFixed(2)} after`,
    `Node ${process.versions.node} (V8 ${process.versions.v8}), ${['rxjs', 'mqtt', '@duckdb/node-api'].map((name) => `${name} ${versionOf(`node_modules/${name}/`)}`).join(', ')}, ${brokerName()}`,
    `rxtwin ${versionOf('')}`,
    `begun ${started.toISOString().slice(0, 16)} UTC, done after ${((Date.now() - started.getTime()) / 60_000).toFixed(0)} minutes`,
  ];
}

function versionOf(folder: string): string {
  const file: unknown = JSON.parse(readFileSync(new URL(`${folder}package.json`, root), 'utf8'));
  return typeof file === 'object' && file !== null && 'version' in file ? String(file.version) : 'unknown';
}

function systemName(): string {
  if (!existsSync('/etc/os-release')) return type();
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? type();
}

function brokerName(): string {
  const path = '/usr/sbin/mosquitto';
  if (!existsSync(path)) return `aedes ${versionOf('node_modules/aedes/')}`;
  try {
    return execFileSync(path, ['-h'], { encoding: 'utf8' }).split('\n')[0] ?? 'mosquitto';
  } catch (error) {
    // mosquitto ends with 3 after its help.
    const text = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    return text.split('\n')[0] ?? 'mosquitto';
  }
}
