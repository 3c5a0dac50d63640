import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { reportError } from './exit.ts';
import type { ExitCode } from './exit.ts';

type AddCommand = (program: Command) => void;

/** Loaded when called: OPC UA and the store take longer to load than `check` takes to run. */
const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ['run', async () => (await import('./run.ts')).addRunCommand],
  ['check', async () => (await import('./check.ts')).addCheckCommand],
  ['replay', async () => (await import('./replay.ts')).addReplayCommand],
  ['tune', async () => (await import('./tune.ts')).addTuneCommand],
  ['learn', async () => (await import('./learn.ts')).addLearnCommand],
  ['simulate', async () => (await import('./simulate.ts')).addSimulateCommand],
  ['query', async () => (await import('./query.ts')).addQueryCommand],
]);

/** The `rxtwin` program with the commands named. */
async function createProgram(names: Iterable<string>): Promise<Command> {
  const program = new Command('rxtwin')
    .description('Keeps digital twins of process reactors in step with their sensors.')
    .version(version(), '-V, --version', 'print the version')
    .option('--verbose', 'print stack traces with errors')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`) })
    .showSuggestionAfterError();
  for (const name of names) {
    const add = await COMMANDS.get(name)?.();
    add?.(program);
  }
  return program;
}

/** Runs one command line (without node and script); resolves to the exit code and never rejects. */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  const verbose = args.includes('--verbose');
  try {
    const program = await createProgram(needed(args));
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return 2;
    }
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    const { exitCode, lines } = reportError(error, verbose);
    for (const line of lines) process.stderr.write(`${line}\n`);
    return exitCode;
  }
}

/** The command that is called, or all of them for help and for a suggestion what may have been meant. */
function needed(args: readonly string[]): Iterable<string> {
  const first = args.find((arg) => arg !== '--verbose');
  if (first === '--version' || first === '-V') return [];
  return first !== undefined && COMMANDS.has(first) ? [first] : COMMANDS.keys();
}

/** Of the package: two folders up from here in the sources, three in the build. */
function version(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    const found = versionIn(new URL(path, import.meta.url));
    if (found !== undefined) return found;
  }
  return 'unknown';
}

function versionIn(file: URL): string | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const known = typeof content === 'object' && content !== null && 'version' in content;
    return known && typeof content.version === 'string' ? content.version : undefined;
  } catch {
    return undefined;
  }
}
