import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/types.ts';
import { anomalyFlush, anomalyState, anomalyStep } from '../../operators/steps/anomaly.ts';
import { learnAnomalyBaseline } from '../../operators/steps/anomalyBaseline.ts';
import type { AnomalyBaseline, AnomalyRow } from '../../operators/steps/anomalyBaseline.ts';
import { resolveAnomalyOptions } from '../../operators/steps/anomalyOptions.ts';
import type { ResolvedAnomalyOptions } from '../../operators/steps/anomalyOptions.ts';
import { timeReader } from '../sources/replay/cells.ts';
import { InputError } from '../sources/replay/readers.ts';
import { CliError } from './exit.ts';
import { addInputOptions, inputForm } from './inputForm.ts';
import type { InputFormOptions } from './inputForm.ts';
import { openInputs } from './replayInputs.ts';
import type { InputForm } from './replayInputs.ts';
import { replay } from './replayRun.ts';
import type { ReplayInput } from './replayRun.ts';
import { fileSink, streamSink } from './replaySink.ts';
import { ReplayTally } from './replayTally.ts';

interface LearnOptions extends InputFormOptions {
  readonly config: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly output?: string;
}

const HELP = `
Inputs are those of "replay". Readings go through the checks that the configuration has for their sensors; what is normal is
learned from all of them between --from and --to with the options in assets.<asset>.anomaly, and goes to standard output as
JSON. Choose a time in which nothing was wrong and all that is normal happened. --asset may be left out where one asset only
has anomaly; with --wide it is also the asset of the columns.

Example:
  rxtwin learn may.csv --config plant.yaml --asset R101 --from 2026-05-01 --to 2026-05-08 --output baseline.json
then, in plant.yaml:
  assets: { R101: { anomaly: { sensors: [...], baseline: ./baseline.json } } }
`;

/** `rxtwin learn RECORDING... --config FILE... [--asset A] [--from T] [--to T]` */
export function addLearnCommand(program: Command): void {
  addInputOptions(
    program
      .command('learn')
      .description('learn from recordings what is normal for an asset, for detectAnomaly')
      .argument('<recordings...>', 'recorded files, in this order; - is standard input')
      .requiredOption('-c, --config <files...>', 'configuration files, later ones over earlier ones')
      .option('--from <time>', 'nothing before this source time: ISO 8601, a date or epoch milliseconds')
      .option('--to <time>', 'nothing from this source time on')
      .option(
        '-o, --output <file>',
        'write to this file, which appears at the end; default: standard output',
      ),
  )
    .addHelpText('after', HELP)
    .action(run);
}

async function run(names: readonly string[], options: LearnOptions): Promise<void> {
  const { asset: given, ...rest } = options;
  const form = inputForm(options.wide === true ? options : rest);
  const { config, warnings } = loadConfig(options.config, process.env);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const asset = assetOf(config, given);
  const from = timeOf('--from', options.from, options.timeZone) ?? -Infinity;
  const to = timeOf('--to', options.to, options.timeZone) ?? Infinity;
  if (to <= from) throw new CliError(`--to: '${options.to}' is not valid, expected a time after --from`, 2);
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const { inputs } = await openInputs(names, form, process.stdin, interrupt.signal);
    const sink = options.output === undefined ? streamSink(process.stdout) : await fileSink(options.output);
    try {
      const learned = await learn({ config, asset, inputs, form, from, to, signal: interrupt.signal });
      await sink.write(fileText(asset, learned));
      await sink.end();
      for (const line of told(learned)) process.stderr.write(`${line}\n`);
    } catch (error) {
      await sink.discard();
      throw error;
    }
  } catch (error) {
    if (interrupt.signal.aborted) throw new CliError('interrupted', 1, { cause: error });
    throw error instanceof InputError ? new CliError(error.message, 2, { cause: error }) : error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

interface Learned {
  readonly baseline: AnomalyBaseline;
  readonly options: ResolvedAnomalyOptions;
  readonly rows: readonly AnomalyRow[];
}

interface LearnParts {
  readonly config: Config;
  readonly asset: string;
  readonly inputs: readonly ReplayInput[];
  readonly form: InputForm;
  /** Source times, epoch milliseconds; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
}

const MIN_ROWS = 20;
/** A year of minutes; with 64 sensors, about 2 GB. */
const MAX_ROWS = 500_000;
const NOWHERE = {
  write: () => Promise.resolve(true),
  end: () => Promise.resolve(),
  discard: () => Promise.resolve(),
};
const NOTHING = { header: '', line: () => '' };

async function learn({ config, asset, inputs, form, from, to, signal }: LearnParts): Promise<Learned> {
  const settings = config.assets[asset];
  if (settings?.anomaly == null) throw new CliError(`${asset}: has no anomaly in the configuration`, 2);
  const resolved = resolveAnomalyOptions({ asset, ...settings.anomaly, baseline: null });
  const options = { ...resolved, learnCount: Infinity };
  const state = anomalyState();
  await replay({
    ...{
      ...form,
      inputs,
      signal,
      sink: NOWHERE,
      format: NOTHING,
      twins: new Map(),
      tally: new ReplayTally(),
    },
    config: { ...config, assets: { ...config.assets, [asset]: { ...settings, anomaly: null } } },
    onOutput(output) {
      if (output.type !== 'reading' || output.reading.asset !== asset) return;
      const { timestamp } = output.reading;
      if (timestamp >= from && timestamp < to) anomalyStep(state, output.reading, options, () => undefined);
      if (state.rows.length > MAX_ROWS) {
        const intervals = `more than ${MAX_ROWS} intervals of ${resolved.intervalMs} ms`;
        throw new CliError(`${intervals}: choose some with --from and --to, or a larger intervalMs`, 2);
      }
    },
  });
  anomalyFlush(state, options, () => undefined);
  const { rows } = state;
  if (rows.length < MIN_ROWS) {
    const found = `${rows.length} intervals with readings of ${resolved.sensors.join(', ')}`;
    throw new CliError(`${asset}: found ${found}, expected at least ${MIN_ROWS}`, 2);
  }
  const { baseline } = learnAnomalyBaseline(rows, resolved);
  if (baseline.scale.every((width) => width === 0))
    throw new CliError(`${asset}: no sensor varies, or has values enough, so none could be judged`, 2);
  return { baseline, options: resolved, rows };
}

function fileText(asset: string, { baseline, options, rows }: Learned): string {
  const { intervalMs, smoothingMs, baselineMs } = options;
  const iso = (at: number | undefined): string => new Date(at ?? 0).toISOString();
  const learned = { from: iso(rows[0]?.at), to: iso(rows.at(-1)?.at), intervals: rows.length };
  return `${JSON.stringify({ asset, learned, intervalMs, smoothingMs, baselineMs, ...baseline }, null, 1)}\n`;
}

/** Fewer independent values than this make for a threshold that only gross anomalies exceed. */
const FEW = 20;

function told({ baseline, rows }: Learned): string[] {
  const { sensors, scale, effectiveCounts } = baseline;
  const still = sensors.filter((_, i) => scale[i] === 0);
  const few = sensors.filter((_, i) => scale[i] !== 0 && (effectiveCounts[i] ?? 0) < FEW);
  return [
    `learned from ${rows.length} intervals`,
    ...(still.length > 0
      ? [`warning: not judged, as it does not vary or has few values: ${still.join(', ')}`]
      : []),
    ...(few.length > 0
      ? [`warning: fewer than ${FEW} independent values, learn from longer: ${few.join(', ')}`]
      : []),
  ];
}

function assetOf({ assets }: Config, given: string | undefined): string {
  const having = Object.keys(assets).filter((name) => assets[name]?.anomaly != null);
  const [only] = having;
  if (given === undefined && having.length === 1 && only !== undefined) return only;
  if (given !== undefined && having.includes(given)) return given;
  const expected =
    having.length === 0 ? 'an asset with anomaly in the configuration' : `one of ${having.join(', ')}`;
  throw new CliError(
    `--asset: ${given === undefined ? 'missing' : `'${given}' is not valid`}, expected ${expected}`,
    2,
  );
}

/** A day alone: it begins at midnight. */
const DATE = /^\d{4}-\d{2}-\d{2}$/;

function timeOf(option: string, text: string | undefined, timeZone: string): number | null {
  if (text === undefined) return null;
  const at = timeReader(timeZone)(DATE.test(text) ? `${text}T00:00` : text);
  if (!Number.isNaN(at)) return at;
  throw new CliError(`${option}: '${text}' is not valid, expected ISO 8601, a date or epoch milliseconds`, 2);
}
