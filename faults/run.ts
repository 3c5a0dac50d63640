import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { reliabilityPage, rowCells, table } from './support/report.ts';
import type { KeptResult, ScenarioResult } from './support/report.ts';
import { soakText } from './support/soakFigures.ts';
import type { SoakFigures } from './support/soakFigures.ts';
import { failedRow } from './support/rows.ts';
import type { FaultRow, Scenario } from './scenario.ts';

/*
 * npm run faults                                  everything, and docs/reliability.md
 * npm run faults -- --short                       a cut of it, some minutes; writes nothing
 * npm run faults -- --only kill --only broker     only these, and their part of docs/reliability.md
 * npm run faults -- --short --publish            the cut, for a page that says that it is one
 * npm run faults -- --seed 7 --rate 2000          other instants and values; another load
 * npm run faults -- --keep                        leaves the folders with stores and logs for a look
 * npm run faults -- --list                        what there is
 */

const PAGE = new URL('../docs/reliability.md', import.meta.url);
const KEPT = new URL('../docs/reliability.json', import.meta.url);
const SOAK = new URL('../docs/soak.json', import.meta.url);
const PACKAGE = new URL('../package.json', import.meta.url);

const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string' },
    keep: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: string, text: string, min: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= 2 ** 32 - 1) return number;
  console.error(`--${name} ${text}: expected a whole number from ${min} on`);
  process.exit(2);
}

const { short } = flags;
const seed = wholeNumber('seed', flags.seed, 0);
const DEFAULT_RATE = short ? 2000 : 5000;
const rate = flags.rate === undefined ? DEFAULT_RATE : wholeNumber('rate', flags.rate, 1);

const folder = new URL('scenarios/', import.meta.url);
const scenarios: Scenario[] = [];
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .sort())
  scenarios.push(...(await load(file)));
const unknown = flags.only.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
if (flags.list) {
  for (const { name, about } of scenarios) console.log(`${name}: ${about}`);
  process.exit(0);
}

const results: ScenarioResult[] = [];
const wanted = scenarios.filter(({ name }) => flags.only.length === 0 || flags.only.includes(name));
for (const scenario of wanted) {
  const result = { scenario, rows: await play(scenario) };
  results.push(result);
  if (!short || flags.publish) keep(result);
}

const rows = results.flatMap((result) => result.rows);
console.log(
  table(['fault', 'sent', 'stored', 'lost', 'twice', 'twin', 'passed', 'notes'], rows.map(rowCells)),
);
if (rows.some(({ passed }) => !passed)) process.exitCode = 1;
if (!short || flags.publish) publish();
// A server of a scenario that failed half-way must not keep the programme alive.
process.exit();

/** A file that cannot be loaded fails alone, under its name. */
async function load(file: string): Promise<readonly Scenario[]> {
  try {
    return ((await import(new URL(file, folder).href)) as { default: readonly Scenario[] }).default;
  } catch (error) {
    const run = (): Promise<never> => Promise.reject(new Error(`${file} cannot be loaded`, { cause: error }));
    return [{ name: file.replace(/\.ts$/, ''), about: '', needs: [], run }];
  }
}

/** Runs one scenario in a folder of its own. One that throws is a failed row, and the others go on. */
async function play(scenario: Scenario): Promise<readonly FaultRow[]> {
  const log = (line: string): void => void process.stderr.write(`${scenario.name}: ${line}\n`);
  const missing = scenario.needs.filter((program) => !hasProgram(program));
  if (missing.length > 0) {
    const note = `not played: there is no ${missing.join(', ')}`;
    log(note);
    const required = Boolean(process.env['CI']) || Boolean(process.env['REQUIRE_SERVERS']);
    return required ? [failedRow(scenario.name, note)] : [];
  }
  const own = mkdtempSync(join(tmpdir(), `rxtwin-faults-${scenario.name}-`));
  const remove = (): void => {
    if (!flags.keep) rmSync(own, { recursive: true, force: true });
  };
  // Also where it is interrupted.
  process.once('exit', remove);
  const started = performance.now();
  log('begins');
  try {
    const rows = await scenario.run({ short, seed, rate, folder: own, log });
    for (const row of rows) log(`${row.passed ? 'passed' : 'FAILED'}: ${rowCells(row).join(' | ')}`);
    return rows;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log(inspect(error));
    return [failedRow(scenario.name, `not played to its end: ${message.split('\n')[0] ?? ''}`)];
  } finally {
    log(`took ${Math.round((performance.now() - started) / 1000)} s`);
    if (flags.keep) log(`kept: ${own}`);
    process.off('exit', remove);
    remove();
  }
}

function hasProgram(name: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((path) => path !== '' && existsSync(join(path, name)));
}

function keptResults(): Record<string, KeptResult> {
  return existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, 'utf8')) as Record<string, KeptResult>) : {};
}

/** At once, so that a programme that is interrupted has not played in vain. */
function keep({ scenario, rows: played }: ScenarioResult): void {
  if (played.length === 0) return;
  const kept = { ...keptResults(), [scenario.name]: { version: version(), seed, rate, short, rows: played } };
  const ordered = scenarios.flatMap(({ name }) => (name in kept ? [[name, kept[name]] as const] : []));
  writeFileSync(KEPT, `${JSON.stringify(Object.fromEntries(ordered), null, 2)}\n`);
}

/** Writes the page once there are figures of every scenario. */
function publish(): void {
  const kept = keptResults();
  const missing = scenarios.filter(({ name }) => kept[name] === undefined).map(({ name }) => name);
  if (missing.length > 0) {
    console.error(
      `docs/reliability.md is left as it is, because these were not played: ${missing.join(', ')}`,
    );
    return;
  }
  const all = scenarios.flatMap((scenario) => {
    const result = kept[scenario.name];
    return result === undefined ? [] : [{ scenario, ...result }];
  });
  writeFileSync(PAGE, reliabilityPage(all, soakFigures()));
}

function version(): string {
  const content = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  return content.version;
}

/** Of the last soak that was kept, as Markdown. */
function soakFigures(): string | null {
  return existsSync(SOAK) ? soakText(JSON.parse(readFileSync(SOAK, 'utf8')) as SoakFigures) : null;
}
