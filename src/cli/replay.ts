import type { Command } from 'commander';
import { Option } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { localTime } from '../sources/replay/localTime.ts';
import type { WideOptions } from '../sources/replay/header.ts';
import { InputError } from '../sources/replay/readers.ts';
import { isReadingName } from '../sources/replay/records.ts';
import { openTwins } from '../twin/registry.ts';
import { CliError } from './exit.ts';
import { csv, ndjson } from './replayFormat.ts';
import { openInputs } from './replayInputs.ts';
import type { InputForm } from './replayInputs.ts';
import { replay } from './replayRun.ts';
import { scoreReplays } from './replayScore.ts';
import { fileSink, streamSink } from './replaySink.ts';
import { progressLine, ReplayTally } from './replayTally.ts';

interface ReplayOptions {
  readonly config?: readonly string[];
  readonly output?: string;
  readonly format: 'ndjson' | 'csv';
  readonly wide?: true;
  readonly asset?: string;
  readonly time?: string;
  readonly map?: string;
  readonly separator?: string;
  readonly timeZone: string;
  readonly score?: readonly string[];
  readonly label: string;
  readonly skip: string;
}

const HELP = `
Inputs: CSV with the header timestamp,asset,sensor,value[,unit][,quality], or NDJSON with the same names; or, with
--wide, CSV with one column a sensor. Times are ISO 8601 or epoch milliseconds. An empty cell, null, NaN or NA is a
missing reading. What cannot be read is reported on standard error and does not stop the replay.

Examples:
  rxtwin replay recorded.csv --config plant.yaml > result.ndjson
  rxtwin replay valve.csv --config plant.yaml --wide --asset R101 --time datetime --map "Temperature=temperature,Pressure=pressure"
  rxtwin replay recorded.csv --score labels.csv --skip 400 --config plant.yaml --config plant.yaml,tuned.yaml

--score writes no records but a table: how the alarms of each --config fit the labels. Labels are CSV with the recording's
column of times and a column of 0 and 1. Alarms are those of detectAnomaly where an asset has it, else readings with issues.
J = 100 - false alarms % - missed %, 0 = no better than a clock; control J: the same with labels moved to where nothing
happened, near 0 where the alarms come from the sensors.
`;

/** `rxtwin replay INPUT... --config FILE...` */
export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('send recorded readings through the operators of "run" and write what they make of them')
    .argument('<inputs...>', 'recorded files, in this order; - is standard input')
    .option(
      '-c, --config <files...>',
      'configuration files, later ones over earlier ones; default: no assets, no twins',
    )
    .option('-o, --output <file>', 'write to this file, which appears at the end; default: standard output')
    .addOption(
      new Option('-f, --format <format>', 'of the output').choices(['ndjson', 'csv']).default('ndjson'),
    )
    .option('--wide', 'the inputs have one column a sensor; needs --asset, --time and --map')
    .option('--asset <name>', 'asset of a wide input')
    .option('--time <column>', 'column with the time of a wide input')
    .option('--map <columns>', 'columns of a wide input and their sensors: "Column=sensor,Column=sensor"')
    .option(
      '--separator <character>',
      'between CSV cells; default: , or ; or tab, whichever the header has most of',
    )
    .option('--time-zone <name>', 'IANA time zone of times without one', 'UTC')
    .option(
      '--score <labels...>',
      'labels of the recording, or one file for each input: write a table of scores',
    )
    .option('--label <column>', 'column of the labels', 'anomaly')
    .option('--skip <rows>', 'labelled rows at the start of a recording that are not scored', '0')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(names: readonly string[], options: ReplayOptions): Promise<void> {
  const form = {
    wide: wideOptions(options),
    separator: separatorOf(options.separator),
    timeZone: timeZoneOf(options.timeZone),
  };
  if (options.score !== undefined) {
    await score(names, { ...options, score: options.score }, form);
    return;
  }
  const { config, warnings } = loadConfig(options.config ?? [], process.env);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const twins = await openTwins(config).catch((error: unknown) => {
    throw new CliError(error instanceof Error ? error.message : String(error), 2, { cause: error });
  });

  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const opened = await openInputs(names, form, process.stdin, interrupt.signal);
    const sink = options.output === undefined ? streamSink(process.stdout) : await fileSink(options.output);
    const tally = new ReplayTally();
    const progress = progressLine(
      (text) => process.stderr.write(text),
      () => Date.now(),
    );
    const start = performance.now();
    try {
      await replay({
        ...form,
        ...{ config, twins, sink, tally, inputs: opened.inputs },
        format: options.format === 'csv' ? csv : ndjson,
        signal: interrupt.signal,
        onProgress: () => {
          if (process.stderr.isTTY) progress.show(tally.readings, opened.bytesRead(), opened.totalBytes);
        },
      });
    } catch (error) {
      await sink.discard();
      throw error;
    } finally {
      progress.clear();
    }
    const lines = tally.lines((performance.now() - start) / 1000);
    process.stderr.write(`${lines.join('\n')}\n`);
  } catch (error) {
    if (interrupt.signal.aborted) throw new CliError('interrupted', 1, { cause: error });
    throw error instanceof InputError ? new CliError(error.message, 2, { cause: error }) : error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

async function score(
  names: readonly string[],
  options: ReplayOptions & { readonly score: readonly string[] },
  form: InputForm,
): Promise<void> {
  const { config: configs = [], score: labels, label, output } = options;
  if (names.includes('-')) throw new CliError('-: standard input cannot be scored, expected files', 2);
  if (!/^\d{1,9}$/.test(options.skip))
    throw new CliError(`--skip: '${options.skip}' is not valid, expected a whole number >= 0`, 2);
  const skip = Number(options.skip);
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const { inputs } = await openInputs(names, form, process.stdin, interrupt.signal);
    const warn = (warning: string): void => void process.stderr.write(`warning: ${warning}\n`);
    const table = await scoreReplays({
      ...form,
      ...{ inputs, labels, label, skip, configs, warn, signal: interrupt.signal },
    });
    const sink = output === undefined ? streamSink(process.stdout) : await fileSink(output);
    await sink.write(table);
    await sink.end();
  } catch (error) {
    if (interrupt.signal.aborted) throw new CliError('interrupted', 1, { cause: error });
    throw error instanceof InputError ? new CliError(error.message, 2, { cause: error }) : error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function wideOptions({ wide, asset, time, map }: ReplayOptions): WideOptions | null {
  const given = { asset, time, map };
  const needed = Object.entries(given).map(([name, value]) => ({
    name: `--${name}`,
    isGiven: value !== undefined,
  }));
  if (wide === undefined) {
    const stray = needed.filter(({ isGiven }) => isGiven).map(({ name }) => name);
    if (stray.length > 0) throw new CliError(`${stray.join(', ')}: only with --wide`, 2);
    return null;
  }
  if (asset === undefined || time === undefined || map === undefined) {
    const missing = needed.filter(({ isGiven }) => !isGiven).map(({ name }) => name);
    throw new CliError(`--wide: needs ${missing.join(', ')} too`, 2);
  }
  if (!isReadingName(asset))
    throw new CliError(`--asset: '${asset}' is not valid, expected a name without /`, 2);
  return { asset, time: time.trim(), map: columnMap(map) };
}

/** A column's name may hold `=`, a sensor's not. */
function columnMap(text: string): ReadonlyMap<string, string> {
  const columns = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.lastIndexOf('=');
    const column = part.slice(0, Math.max(at, 0)).trim();
    const sensor = part.slice(at + 1).trim();
    if (column === '' || !isReadingName(sensor)) {
      throw new CliError(`--map: '${part}' is not valid, expected Column=sensor`, 2);
    }
    if (columns.has(column)) throw new CliError(`--map: the column ${column} is mapped twice`, 2);
    if ([...columns.values()].includes(sensor)) {
      throw new CliError(`--map: the sensor ${sensor} has two columns`, 2);
    }
    columns.set(column, sensor);
  }
  return columns;
}

function separatorOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const separator = text === '\\t' || text === 'tab' ? '\t' : text;
  if (separator.length === 1 && !/["\r\n]/.test(separator)) return separator;
  throw new CliError(`--separator: '${text}' is not valid, expected one character (\\t for a tab)`, 2);
}

function timeZoneOf(timeZone: string): string {
  try {
    localTime(timeZone);
    return timeZone;
  } catch {
    throw new CliError(
      `--time-zone: '${timeZone}' is not valid, expected an IANA name such as Europe/Berlin`,
      2,
    );
  }
}
