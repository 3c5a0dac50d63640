import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { sensorConfigFor } from '../../config/sensors.ts';
import { isDeadLetter } from '../sources/source.ts';
import { recordedClock } from '../sources/replay/clock.ts';
import { InputError, readRecorded } from '../sources/replay/readers.ts';
import { tuningJson } from '../tuning/json.ts';
import { MAX_SENSORS, Recorder } from '../tuning/recorder.ts';
import { tuningTable } from '../tuning/table.ts';
import { tuneSensor } from '../tuning/tune.ts';
import type { SensorTuning } from '../tuning/tune.ts';
import { tuningYaml } from '../tuning/yaml.ts';
import { CliError } from './exit.ts';
import { addInputOptions, inputForm } from './inputForm.ts';
import type { InputFormOptions } from './inputForm.ts';
import { openInputs } from './replayInputs.ts';
import type { InputForm, OpenInputs } from './replayInputs.ts';
import { fileSink, streamSink } from './replaySink.ts';

interface TuneOptions extends InputFormOptions {
  readonly config?: readonly string[];
  readonly sensor?: readonly string[];
  readonly output?: string;
  readonly json?: true;
}

const HELP = `
Inputs are those of "replay": CSV with the header timestamp,asset,sensor,value[,unit][,quality], NDJSON with the same names,
or, with --wide, CSV with one column a sensor. Each file is a recording by itself. The proposal goes to standard output as
YAML with the evidence as comments, a table of what was found to standard error. With --config, values are converted to the
units there, its ranges are kept where the recording is within them, and its filter is judged beside the proposed one.
A good recording is some hours long, with the process doing what it usually does, and nothing broken.

Examples:
  rxtwin tune recorded.csv > tuned.yaml && rxtwin check --config tuned.yaml
  rxtwin tune recorded.csv --config plant.yaml --sensor R101/temperature --output tuned.yaml
  rxtwin tune valve.csv --wide --asset R101 --time datetime --map "Temperature=temperature,Pressure=pressure" --json
`;

/** `rxtwin tune RECORDING... [--config FILE...]` */
export function addTuneCommand(program: Command): void {
  addInputOptions(
    program
      .command('tune')
      .description(
        'propose settings for each sensor of a recording, with the evidence, as configuration to paste',
      )
      .argument('<recordings...>', 'recorded files; - is standard input')
      .option('-c, --config <files...>', 'configuration in force so far, later files over earlier ones')
      .option('-s, --sensor <names...>', 'only these, as asset/sensor; default: all')
      .option('-o, --output <file>', 'write to this file, which appears at the end; default: standard output')
      .option('--json', 'write JSON, with all figures, instead of YAML'),
  )
    .addHelpText('after', HELP)
    .action(run);
}

async function run(names: readonly string[], options: TuneOptions): Promise<void> {
  const start = performance.now();
  const form = inputForm(options);
  const { config, warnings } = loadConfig(options.config ?? [], process.env);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const isGiven = options.config !== undefined;
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const opened = await openInputs(names, form, process.stdin, interrupt.signal);
    const recorder = new Recorder((asset, sensor) =>
      isGiven ? sensorConfigFor(config, asset, sensor).unit : '',
    );
    const read = await record(opened, form, recorder, options.sensor ?? null, interrupt.signal);
    const sink = options.output === undefined ? streamSink(process.stdout) : await fileSink(options.output);
    try {
      const tunings: SensorTuning[] = [];
      for (const each of recorder.records()) {
        // Between two sensors an interrupt is heard.
        await new Promise((resolve) => setImmediate(resolve));
        interrupt.signal.throwIfAborted();
        tunings.push(tuneSensor(each, sensorConfigFor(config, each.asset, each.sensor), isGiven));
      }
      const text = options.json === true ? tuningJson(tunings, names) : tuningYaml(tunings, names);
      await sink.write(text);
      await sink.end();
      process.stderr.write(tuningTable(tunings));
      for (const { record: found, warnings: texts } of tunings)
        for (const each of texts) process.stderr.write(`warning: ${found.asset}/${found.sensor}: ${each}\n`);
    } catch (error) {
      await sink.discard();
      throw error;
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stderr.write(
      `${read} readings of ${recorder.size} ${recorder.size === 1 ? 'sensor' : 'sensors'} in ${seconds} s\n`,
    );
  } catch (error) {
    if (interrupt.signal.aborted) throw new CliError('interrupted', 1, { cause: error });
    throw error instanceof InputError ? new CliError(error.message, 2, { cause: error }) : error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Unreadable lines that are told one by one. */
const TOLD = 5;

/** @returns how many readings were taken in. */
async function record(
  { inputs }: OpenInputs,
  { separator, timeZone, wide }: InputForm,
  recorder: Recorder,
  chosen: readonly string[] | null,
  signal: AbortSignal,
): Promise<number> {
  const wanted = chosen === null ? null : new Set(chosen);
  const seen = new Set<string>();
  let [readings, unreadable] = [0, 0];
  for (const input of inputs) {
    const options = { source: 'replay', name: input.name, linesBefore: 0, separator, timeZone, wide };
    for await (const batch of readRecorded(input.open(), { ...options, clock: recordedClock() })) {
      signal.throwIfAborted();
      for (const event of batch.events) {
        if (isDeadLetter(event)) {
          unreadable += 1;
          if (unreadable <= TOLD) process.stderr.write(`warning: ${event.origin}: ${event.detail}\n`);
          continue;
        }
        if (wanted !== null) {
          const name = `${event.asset}/${event.sensor}`;
          if (seen.size <= MAX_SENSORS) seen.add(name);
          if (!wanted.has(name)) continue;
        }
        readings += 1;
        recorder.take(event);
      }
      if (recorder.size > MAX_SENSORS)
        throw new CliError(
          `${input.name}: more than ${MAX_SENSORS} sensors, choose some of them with --sensor`,
          2,
        );
    }
    recorder.cut();
  }
  if (unreadable > TOLD) process.stderr.write(`warning: ${unreadable} lines could not be read in all\n`);
  const absent = [...(wanted ?? [])].filter((name) => !seen.has(name));
  if (absent.length > 0) {
    const some = [...seen].slice(0, 10).join(', ');
    throw new CliError(
      `--sensor: ${absent.join(', ')} is not in the recording, expected one of ${some || 'none'}`,
      2,
    );
  }
  if (readings === 0) throw new CliError(`${inputs.map(({ name }) => name).join(', ')}: no readings`, 2);
  return readings;
}
