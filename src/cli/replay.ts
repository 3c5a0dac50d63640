import type { Command } from 'commander';
import { Option } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { InputError } from '../sources/replay/readers.ts';
import { openTwins } from '../twin/registry.ts';
import { CliError } from './exit.ts';
import { addInputOptions, inputForm } from './inputForm.ts';
import type { InputFormOptions } from './inputForm.ts';
import { csv, ndjson } from './replayFormat.ts';
import { openInputs } from './replayInputs.ts';
import type { InputForm } from './replayInputs.ts';
import { replay } from './replayRun.ts';
import { scoreReplays } from './replayScore.ts';
import { fileSink, streamSink } from './replaySink.ts';
import { progressLine, ReplayTally } from './replayTally.ts';

interface ReplayOptions extends InputFormOptions {
  readonly config?: readonly string[];
  readonly output?: string;
  readonly format: 'ndjson' | 'csv';
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
  addInputOptions(
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
      ),
  )
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
  const form = inputForm(options);
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
