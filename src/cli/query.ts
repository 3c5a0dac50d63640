import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { CliError } from './exit.ts';
import { parseDuration, parseLimit, parseMoment, parseTarget } from './queryArguments.ts';
import { plainText, render } from './queryOutput.ts';
import type { Format } from './queryOutput.ts';
import { apiSource, openQuerySource } from './querySources.ts';
import type { QuerySource } from './querySources.ts';

const HOUR_MS = 3_600_000;

interface Options {
  readonly config?: string[];
  readonly url?: string;
  readonly start?: string;
  readonly end?: string;
  readonly window?: string;
  readonly limit?: string;
  readonly json?: true;
  readonly csv?: true;
}

/** `rxtwin query latest|range|aggregate ASSET/SENSOR` */
export function addQueryCommand(program: Command): void {
  const query = program
    .command('query')
    .description('read the store of a stopped service, or a running service through its API');
  const add = (name: string, description: string): Command =>
    query
      .command(name)
      .description(description)
      .argument('<asset/sensor>', 'for example R101/temperature')
      .option('-c, --config <files...>', 'configuration files that say where store and API are')
      .option('--url <url>', 'ask the service at this address, for example http://127.0.0.1:8080')
      .option('--json', 'JSON with every digit instead of a table')
      .option('--csv', 'CSV with every digit instead of a table');
  const addRange = (name: string, description: string): Command =>
    add(name, description)
      .option('--start <time>', 'beginning, inclusive: ISO 8601, epoch milliseconds, or before now like -1h')
      .option('--end <time>', 'end, exclusive; without --start and --end: the last hour of data')
      .option('--limit <rows>', 'at most so many rows, the oldest first; default 1000');

  add('latest', 'the latest reading').action((target: string, options: Options) =>
    run(options, () => latest(target, options)),
  );
  addRange('range', 'readings of a time range').action((target: string, options: Options) =>
    run(options, (maxRows) => history(target, options, maxRows)),
  );
  addRange('aggregate', 'windows computed from the readings of a time range')
    .option('--window <size>', 'such as 1m, 5m, 1h, or milliseconds', '1m')
    .action((target: string, options: Options) =>
      run(options, (maxRows) =>
        history(target, options, maxRows, parseDuration('--window', options.window ?? '1m')),
      ),
    );
}

type Work = (source: QuerySource) => Promise<void>;

/** Arguments are judged by `prepare`, before anything is opened. */
async function run(options: Options, prepare: (maxRows: number) => Work): Promise<void> {
  if (options.json === true && options.csv === true)
    throw new CliError('--json and --csv exclude each other', 2);
  if (options.url !== undefined && !/^https?:\/\/./.test(options.url))
    throw new CliError(`--url: "${options.url}" is not valid, expected http://HOST:PORT`, 2);
  const { config } = loadConfig(options.config ?? [], process.env);
  const work = prepare(config.api.maxRows);
  const source =
    options.url === undefined ? await openQuerySource(config.store.path, config.api) : apiSource(options.url);
  try {
    await work(source);
  } finally {
    await source.close();
  }
}

function latest(target: string, options: Options): Work {
  const { asset, sensor } = parseTarget(target);
  return async (source) => {
    const record = await source.latest(asset, sensor);
    if (record === null) throw new CliError(`${target}: there is no reading of such a sensor`);
    print([record], 'readings', options);
  };
}

function history(target: string, options: Options, maxRows: number, windowMs?: number): Work {
  const { asset, sensor } = parseTarget(target);
  const now = Date.now();
  const limit = parseLimit(options.limit ?? String(Math.min(1000, maxRows)), maxRows);
  const from = options.start === undefined ? undefined : parseMoment('--start', options.start, now);
  const to = options.end === undefined ? undefined : parseMoment('--end', options.end, now);
  if (from !== undefined && to !== undefined && from >= to)
    throw new CliError(`--start: must be before --end (${new Date(to).toISOString()})`, 2);
  return async (source) => {
    // The end is exclusive; the last reading of all counts.
    const end = to ?? (await latestTime(source, asset, sensor, now)) + 1;
    const start = from ?? end - HOUR_MS;
    const query = { asset, sensor, start, end, limit, ...(windowMs === undefined ? {} : { windowMs }) };
    const { records, incomplete } =
      start < end ? await source.history(query) : { records: [], incomplete: null };
    if (incomplete !== null) process.stderr.write(`${target}: ${plainText(incomplete)}\n`);
    if (records.length === 0) process.stderr.write(`${target}: no data in the range\n`);
    if (records.length === limit)
      process.stderr.write(`${target}: ${limit} rows shown, there may be more: see --limit and --start\n`);
    print(records, windowMs === undefined ? 'readings' : 'windows', options);
  };
}

/** Source time of the latest reading; now where there is none. */
async function latestTime(source: QuerySource, asset: string, sensor: string, now: number): Promise<number> {
  const latest = await source.latest(asset, sensor);
  const time = latest === null ? NaN : Date.parse(String(latest['timestamp']));
  return Number.isNaN(time) ? now : time;
}

function print(records: Parameters<typeof render>[0], kind: 'readings' | 'windows', options: Options): void {
  const format: Format = options.json === true ? 'json' : options.csv === true ? 'csv' : 'table';
  process.stdout.write(render(records, kind, format));
}
